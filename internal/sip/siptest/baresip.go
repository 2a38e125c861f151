package siptest

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Events of Baresip.Expect, in baresip's own words.
const (
	BaresipIncoming    = "CALL_INCOMING"
	BaresipRinging     = "CALL_RINGING"
	BaresipEstablished = "CALL_ESTABLISHED"
	BaresipClosed      = "CALL_CLOSED"
	BaresipDigit       = "CALL_DTMF_START" // Param is the key
	BaresipMediaSecure = "CALL_MENC"
	BaresipRegistered  = "REGISTER_OK"
	BaresipUnregister  = "REGISTER_FAIL"
)

// BaresipOptions says what phone a Baresip is.
type BaresipOptions struct {
	User   string   // of its address; "bare" when ""
	Codecs []string // pcmu, pcma, g722 in its order of preference; pcmu and pcma when nil
	SRTP   string   // "", or "srtp" (may be answered without), "srtp-mand" (must not)
	Hertz  float64  // of the tone it speaks all the time, 440 when 0
	Manual bool     // it rings until Command("accept") or Hangup; otherwise it answers at once

	Transport        string // "udp" (""), "tcp" or "tls": what it calls and registers over; it listens on all
	Certificate, CAs string // PEM files for TLS: its own certificate with key, and those it trusts

	AuthUser, Password string // of digest, when it is asked
	Registrar          string // host:port where it registers; "" for nowhere
	Account            string // further parameters of its account: "ptime=40;dtmfmode=info"
	Config             string // further lines of its configuration
}

// Baresip is one running baresip: a phone of another maker, driven through its
// control socket. It hears into a file and speaks a tone.
type Baresip struct {
	Addr netip.AddrPort // where it listens for SIP over UDP and TCP; TLS is one port above

	t    testing.TB
	o    BaresipOptions
	dir  string
	cmd  *exec.Cmd
	done chan struct{}
	conn net.Conn

	mu      sync.Mutex
	events  []BaresipEvent
	answers []string
	changed chan struct{} // closed and renewed with each event and answer
}

// BaresipEvent is something that happened to its call or registration.
type BaresipEvent struct {
	Type  string `json:"type"`
	Peer  string `json:"peeruri"`
	ID    string `json:"id"` // Call-ID
	Param string `json:"param"`
}

// StartBaresip starts a phone and returns when it can be called. It is killed
// with the test.
func StartBaresip(t testing.TB, o BaresipOptions) *Baresip {
	t.Helper()
	if _, err := exec.LookPath("baresip"); err != nil {
		t.Fatal("baresip is missing; install it with: apt-get install baresip-core")
	}
	o.User = or(o.User, "bare")
	for try := 0; ; try++ {
		b, err := launchBaresip(t, o)
		if err == nil {
			return b
		}
		if try == 4 { // another process may have taken a port in between
			t.Fatalf("baresip does not start: %v", err)
		}
	}
}

func launchBaresip(t testing.TB, o BaresipOptions) (*Baresip, error) {
	t.Helper()
	b := &Baresip{
		Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), freePair(t)),
		t:    t, o: o, dir: t.TempDir(), done: make(chan struct{}), changed: make(chan struct{}),
	}
	control := netip.AddrPortFrom(b.Addr.Addr(), freeStreamPort(t))
	for name, text := range map[string]string{"config": b.config(control), "accounts": b.account(), "contacts": ""} {
		if err := os.WriteFile(filepath.Join(b.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, err := os.Create(filepath.Join(b.dir, "output.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = out.Close() }()                                        // baresip has its own descriptor of it
	b.cmd = exec.Command("stdbuf", "-oL", "baresip", "-f", b.dir, "-v", "-s") // stdbuf becomes baresip
	b.cmd.Dir, b.cmd.Stdout, b.cmd.Stderr = b.dir, out, out
	if err := b.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { _ = b.cmd.Wait(); close(b.done) }()
	if err := b.connect(control); err != nil {
		_ = b.cmd.Process.Kill() // it may be gone already
		<-b.done
		return nil, fmt.Errorf("%w\n%s", err, b.Output())
	}
	read := make(chan struct{})
	go func() { b.read(); close(read) }()
	t.Cleanup(func() {
		_ = b.cmd.Process.Kill()
		<-b.done
		_ = b.conn.Close()
		<-read
		if t.Failed() {
			t.Logf("baresip %s said:\n%s", b.Addr, b.Output())
		}
	})
	return b, nil
}

func (b *Baresip) config(control netip.AddrPort) string {
	rate := 8000
	if len(b.o.Codecs) > 0 && strings.EqualFold(b.o.Codecs[0], "g722") {
		rate = 16000
	}
	tone := filepath.Join(b.dir, "tone.wav")
	writeWAV(b.t, tone, rate, b.o.Hertz)
	lines := []string{
		"module_path " + modules(),
		"sip_listen " + b.Addr.String(),
		"net_interface 127.0.0.1", // an interface's name would not do
		"rtp_ports 10240-19999",
		"audio_source aufile," + tone,
		"audio_player aubridge,nil",
		"audio_alert aubridge,alert",
		fmt.Sprintf("ausrc_srate %d", rate), fmt.Sprintf("auplay_srate %d", rate),
		"ausrc_channels 1", "auplay_channels 1",
		"snd_path " + b.dir,
		"ctrl_tcp_listen " + control.String(),
	}
	for _, module := range []string{"g711", "g722", "aufile", "aubridge", "sndfile", "srtp"} {
		lines = append(lines, "module "+module+".so")
	}
	lines = append(lines, "module_tmp account.so", "module_app menu.so", "module_app ctrl_tcp.so")
	if b.o.Certificate != "" {
		lines = append(lines, "sip_certificate "+b.o.Certificate)
	}
	if b.o.CAs != "" {
		lines = append(lines, "sip_cafile "+b.o.CAs)
	}
	return strings.Join(lines, "\n") + "\n" + b.o.Config + "\n"
}

// modules is where baresip was installed with its modules.
func modules() string {
	for _, dir := range []string{"/usr/local/lib/baresip/modules", "/opt/homebrew/lib/baresip/modules"} {
		if _, err := os.Stat(dir); err == nil {
			return dir
		}
	}
	return "/usr/lib/baresip/modules"
}

func (b *Baresip) account() string {
	codecs := b.o.Codecs
	if codecs == nil {
		codecs = []string{"pcmu", "pcma"}
	}
	list := strings.Join(codecs, ",")
	list = strings.ReplaceAll(list, "g722", "g722/16000/1") // otherwise baresip looks for 8 kHz, and finds none
	host, params := b.Addr.String(), []string{"audio_codecs=" + list}
	if b.o.Registrar != "" {
		host = b.o.Registrar
		params = append(params, "regint=60")
	} else {
		params = append(params, "regint=0")
	}
	if !b.o.Manual {
		params = append(params, "answermode=auto")
	}
	if b.o.SRTP != "" {
		params = append(params, "mediaenc="+b.o.SRTP)
	}
	if b.o.AuthUser != "" {
		params = append(params, "auth_user="+b.o.AuthUser)
	}
	if b.o.Password != "" {
		params = append(params, "auth_pass="+b.o.Password)
	}
	if b.o.Account != "" {
		params = append(params, b.o.Account)
	}
	transport := ""
	if b.o.Transport != "" {
		transport = ";transport=" + b.o.Transport
	}
	return fmt.Sprintf("<sip:%s@%s%s>;%s\n", b.o.User, host, transport, strings.Join(params, ";"))
}

// connect opens the control socket, which is there when baresip is ready.
func (b *Baresip) connect(control netip.AddrPort) error {
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		select {
		case <-b.done:
			return errors.New("it ended")
		default:
		}
		conn, err := net.Dial("tcp", control.String())
		if err != nil {
			continue
		}
		if strings.Contains(b.Output(), "failed to listen") {
			_ = conn.Close()
			return errors.New("somebody else has its control port")
		}
		b.conn = conn
		return nil
	}
	return errors.New("its control socket does not open")
}

// read takes events and answers off the control socket, each a netstring.
func (b *Baresip) read() {
	in := bufio.NewReader(b.conn)
	for {
		head, err := in.ReadString(':')
		if err != nil {
			return
		}
		n, err := strconv.Atoi(strings.TrimSuffix(head, ":"))
		if err != nil {
			return
		}
		body := make([]byte, n+1) // and a comma
		if _, err := io.ReadFull(in, body); err != nil {
			return
		}
		var m struct {
			BaresipEvent
			Response bool   `json:"response"`
			Data     string `json:"data"`
		}
		if json.Unmarshal(body[:n], &m) != nil {
			continue
		}
		b.mu.Lock()
		if m.Response {
			b.answers = append(b.answers, m.Data)
		} else {
			b.events = append(b.events, m.BaresipEvent)
		}
		close(b.changed)
		b.changed = make(chan struct{})
		b.mu.Unlock()
	}
}

// URI is its address, with the transport of its options.
func (b *Baresip) URI() string {
	switch b.o.Transport {
	case "", "udp":
		return fmt.Sprintf("sip:%s@%s", b.o.User, b.Addr)
	case "tls":
		return fmt.Sprintf("sip:%s@%s:%d;transport=tls", b.o.User, b.Addr.Addr(), b.Addr.Port()+1)
	}
	return fmt.Sprintf("sip:%s@%s;transport=%s", b.o.User, b.Addr, b.o.Transport)
}

// Command gives a command of baresip's menu and returns what it answers:
// "dial" and "hangup", and within a call "hold", "resume", "mute",
// "sndcode" and "transfer".
func (b *Baresip) Command(command, params string) string {
	b.t.Helper()
	b.mu.Lock()
	before := len(b.answers)
	b.mu.Unlock()
	body, err := json.Marshal(map[string]string{"command": command, "params": params})
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := fmt.Fprintf(b.conn, "%d:%s,", len(body), body); err != nil {
		b.t.Fatalf("baresip %s: %v", b.Addr, err)
	}
	var answer string
	b.await("an answer to "+command, time.Minute, func() bool {
		if len(b.answers) > before {
			answer = b.answers[before]
			return true
		}
		return false
	})
	return answer
}

// Dial places a call.
func (b *Baresip) Dial(uri string) { b.t.Helper(); b.Command("dial", uri) }

// Hangup ends the call, or refuses the one that rings.
func (b *Baresip) Hangup() { b.t.Helper(); b.Command("hangup", "") }

// Hold sends a re-INVITE that holds the call, or goes on with it.
func (b *Baresip) Hold(on bool) {
	b.t.Helper()
	if on {
		b.Command("hold", "")
		return
	}
	b.Command("resume", "")
}

// Digits sends keys.
func (b *Baresip) Digits(keys string) {
	b.t.Helper()
	for _, key := range keys {
		b.Command("sndcode", string(key))
	}
}

// Transfer sends a REFER to the target.
func (b *Baresip) Transfer(target string) { b.t.Helper(); b.Command("transfer", target) }

// Events returns what happened so far.
func (b *Baresip) Events() []BaresipEvent {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]BaresipEvent(nil), b.events...)
}

// Expect waits until n events of a type have come and returns the last of them.
func (b *Baresip) Expect(kind string, n int, timeout time.Duration) BaresipEvent {
	b.t.Helper()
	var last BaresipEvent
	b.await(fmt.Sprintf("event %d %s", n, kind), timeout, func() bool {
		seen := 0
		for _, e := range b.events {
			if e.Type == kind {
				seen++
				last = e
			}
			if seen == n {
				return true
			}
		}
		return false
	})
	return last
}

// await waits for what was read to fulfil cond, which is called with the lock
// held.
func (b *Baresip) await(what string, timeout time.Duration, cond func() bool) {
	b.t.Helper()
	deadline := time.After(timeout)
	for {
		b.mu.Lock()
		ok, changed := cond(), b.changed
		b.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-b.done:
			b.t.Fatalf("baresip %s ended before %s", b.Addr, what)
		case <-deadline:
			b.t.Fatalf("baresip %s: no %s within %v", b.Addr, what, timeout)
		}
	}
}

// Output returns the end of what baresip printed: its notes and, with headers
// and bodies, the SIP it exchanged.
func (b *Baresip) Output() string {
	const most = 24 << 10
	out := b.output()
	return out[max(len(out)-most, 0):]
}

func (b *Baresip) output() string {
	data, err := os.ReadFile(filepath.Join(b.dir, "output.log"))
	if err != nil {
		return ""
	}
	return string(data)
}

// Messages returns the SIP that the phone sent and received so far, in order
// and without times.
func (b *Baresip) Messages() []Message {
	var out []Message
	for _, part := range strings.Split(b.output(), "\x1b[36;1m#\n")[1:] {
		text, _, whole := strings.Cut(part, "\x1b[;m")
		way, text, ok := strings.Cut(text, "\n") // UDP 127.0.0.1:5060 -> 127.0.0.1:5080
		if !ok || !whole {
			continue
		}
		line, _, _ := strings.Cut(text, "\n")
		out = append(out, Message{
			Received: strings.HasSuffix(way, "-> "+b.Addr.String()), StartLine: strings.TrimSpace(line), Text: text,
		})
	}
	return out
}
