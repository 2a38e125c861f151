// Package config holds what an operator can set: flags, the environment and
// callwright.yaml, in that order of weight, over defaults that just work.
package config

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io/fs"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/v2"

	"github.com/callwright/callwright/internal/domain"
)

// File is the name of the configuration file that is read where the command
// is started.
const File = "callwright.yaml"

// Prefix begins the name of every environment variable: CALLWRIGHT_HTTP …
const Prefix = "CALLWRIGHT_"

// Config is what every command shares. The tags are read by the command line's
// parser; each flag is also an environment variable and a key of the file.
type Config struct {
	Data           string            `help:"Directory for the database and recordings." default:"./callwright-data" placeholder:"DIR"`
	Database       string            `help:"Database to use, like postgres://user:password@host:5432/name; the default is SQLite in the data directory." placeholder:"URL"`
	SecretKey      string            `name:"secret-key" help:"Key that seals secrets in the database, 32 bytes in base64 or hexadecimal; the default is in the file secret.key of the data directory, which is made when it is missing. Others on this machine see flags: set it in the environment." placeholder:"KEY"`
	HTTP           string            `name:"http" help:"Address of the API and the dashboard." default:"127.0.0.1:8080" placeholder:"HOST:PORT"`
	Hosts          map[string]string `name:"hosts" help:"Host names that choose a dialect of the API, like voice.example.com=klen; sandbox/klen chooses the sandbox, too." mapsep:"," placeholder:"HOST=DIALECT"`
	TrustedProxies []string          `name:"trusted-proxies" help:"Networks of proxies before the API, whose word on where requests come from is believed (X-Forwarded-For, Forwarded)." placeholder:"CIDR"`
	SIP            string            `name:"sip" help:"Address of the SIP user agent." default:"127.0.0.1:5060" placeholder:"IP:PORT"`
	SIPTLS         string            `name:"sip-tls" help:"Address that takes SIP over TLS; the default is none, and calls out need none." placeholder:"IP:PORT"`
	TLSCert        string            `name:"tls-cert" help:"PEM file with the certificate for SIP over TLS, and those between it and its authority." placeholder:"FILE"`
	TLSKey         string            `name:"tls-key" help:"PEM file with the key of that certificate." placeholder:"FILE"`
	TLSCA          string            `name:"tls-ca" help:"PEM file with the authorities, or the very certificates, that SIP peers are checked against; the default is those of the system." placeholder:"FILE"`
	ExternalIP     string            `name:"external-ip" help:"IP address at which SIP peers reach this machine, when it is not the one it binds." placeholder:"IP"`
	RTPPorts       string            `name:"rtp-ports" help:"UDP ports for sound." default:"20000-29999" placeholder:"MIN-MAX"`
	VAD            string            `name:"vad" help:"How a caller's voice is told from noise: by its spectrum, or by the Silero network." enum:"spectral,silero" default:"spectral"`
	WebhookAllow   []string          `name:"webhook-allow" help:"Private networks that may receive webhooks, also over plain http." placeholder:"CIDR"`
	LLM            string            `name:"llm" help:"Language models, the preferred first: a list of {engine, url, key, model, …}." placeholder:"LIST"`
	STT            string            `name:"stt" help:"Engines that hear callers, likewise." placeholder:"LIST"`
	TTS            string            `name:"tts" help:"Engines that talk, before the voices of this machine, likewise." placeholder:"LIST"`
	Fillers        []string          `name:"fillers" sep:"|" help:"What is said while a model or a tool makes callers wait, parted by |." placeholder:"TEXT"`
	Ops            string            `name:"ops" help:"Address of metrics and profiles; the default is none." placeholder:"HOST:PORT"`
	UnknownPeers   string            `name:"unknown-peers" help:"Calls from addresses that no trunk names: drop answers nothing, refuse answers 403, answer takes them." enum:"drop,refuse,answer" default:"drop"`
	Drain          time.Duration     `name:"drain" help:"How long live calls may go on when the server is told to stop." default:"30s" placeholder:"DURATION"`
	LogFormat      string            `name:"log-format" help:"Log lines on standard error as text or json." enum:"text,json" default:"text"`
	LogLevel       string            `name:"log-level" help:"How much is logged." enum:"debug,info,warn,error" default:"info"`
}

// SIPAddr parses the SIP address.
func (c *Config) SIPAddr() (netip.AddrPort, error) {
	addr, err := netip.ParseAddrPort(c.SIP)
	if err != nil {
		return addr, domain.Invalid("sip", "--sip %q is not an IP address and port; write it like 127.0.0.1:5060", c.SIP)
	}
	return addr, nil
}

// External checks the address that peers are shown; "" is the one that is bound.
func (c *Config) External() (string, error) {
	if _, err := netip.ParseAddr(c.ExternalIP); c.ExternalIP != "" && err != nil {
		return "", domain.Invalid("external-ip", "--external-ip %q is not an IP address; write it like 203.0.113.7", c.ExternalIP)
	}
	return c.ExternalIP, nil
}

// Ports parses the range of RTP ports; 0-0 lets the system choose.
func (c *Config) Ports() (lo, hi int, err error) {
	a, b, found := strings.Cut(c.RTPPorts, "-")
	lo, err1 := strconv.Atoi(strings.TrimSpace(a))
	hi, err2 := strconv.Atoi(strings.TrimSpace(b))
	if !found || err1 != nil || err2 != nil || lo < 0 || hi > 65535 || (hi < lo+3 && hi != 0) {
		return 0, 0, domain.Invalid("rtp-ports", "--rtp-ports %q is not a range of ports; write it like 20000-29999", c.RTPPorts)
	}
	return lo, hi, nil
}

// secretBytes is the length of the key that seals secrets.
const secretBytes = 32

// Secret parses the key that seals secrets; nil when none is set.
func (c *Config) Secret() ([]byte, error) {
	text := strings.TrimSpace(c.SecretKey)
	if text == "" {
		return nil, nil
	}
	for _, decode := range []func(string) ([]byte, error){
		hex.DecodeString, base64.StdEncoding.DecodeString, base64.RawStdEncoding.DecodeString, base64.RawURLEncoding.DecodeString, base64.URLEncoding.DecodeString,
	} {
		if key, err := decode(text); err == nil && len(key) == secretBytes {
			return key, nil
		}
	}
	return nil, domain.Invalid("secret-key", "--secret-key is not %d bytes in base64 or hexadecimal; make one with: openssl rand -base64 %d", secretBytes, secretBytes)
}

// Allow parses the networks that may receive webhooks.
func (c *Config) Allow() ([]netip.Prefix, error) { return networks("webhook-allow", c.WebhookAllow) }

// Proxies parses the networks of proxies that are trusted.
func (c *Config) Proxies() ([]netip.Prefix, error) {
	return networks("trusted-proxies", c.TrustedProxies)
}

func networks(flag string, list []string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, s := range list {
		p, ok := domain.ParseNetwork(strings.TrimSpace(s))
		if !ok {
			return nil, domain.Invalid(flag, "--%s %q is not a network; write it like 10.0.0.0/8 or 127.0.0.1", flag, s)
		}
		out = append(out, p)
	}
	return out, nil
}

// ReadFile reads a configuration file, which may have the given keys and no
// others: a misspelled one would silently leave the default in force. A file
// that is not there has none.
func ReadFile(path string, known ...string) (map[string]any, error) {
	k := koanf.New(".")
	err := k.Load(file.Provider(path), yaml.Parser())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		// The parser's message may go over several lines.
		why := strings.Join(strings.Fields(err.Error()), " ")
		return nil, domain.Errorf(domain.CodeInvalid, "%s cannot be read (%s); write a key and its value on each line, like http: 127.0.0.1:8080", path, why)
	}
	keys := k.Raw()
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if !slices.Contains(known, key) {
			return nil, domain.Errorf(domain.CodeInvalid, "%s has the unknown key %q; the keys are %s", path, key, strings.Join(known, ", "))
		}
	}
	return keys, nil
}
