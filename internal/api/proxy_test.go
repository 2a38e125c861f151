package api

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
)

// proxied is a request as it comes in, and where it came from.
type proxied struct {
	peer    string
	headers string // "X: " is X-Forwarded-For, "F: " Forwarded; others by their names; parted by |
	want    string // the client; "" when it is not known
	url     string // scheme and host that a trusted proxy tells, parted by a space
}

// trusted are the proxies of these requests: 10/8, 192.168.1.1 and 2001:db8:ff::/48.
var trusted = proxies{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.168.1.1/32"), netip.MustParsePrefix("2001:db8:ff::/48")}

var proxiedRequests = map[string]proxied{
	// Without a trusted proxy nobody is believed.
	"plain":                    {"203.0.113.9:4711", "", "203.0.113.9", ""},
	"plain IPv6":               {"[2001:db8::9]:4711", "", "2001:db8::9", ""},
	"mapped peer":              {"[::ffff:203.0.113.9]:4711", "", "203.0.113.9", ""},
	"spoof":                    {"203.0.113.9:4711", "X: 198.51.100.1", "203.0.113.9", ""},
	"spoof of a proxy":         {"203.0.113.9:4711", "X: 10.0.0.1", "203.0.113.9", ""},
	"spoof in Forwarded":       {"203.0.113.9:4711", "F: for=198.51.100.1;proto=https;host=evil.example", "203.0.113.9", ""},
	"spoof of scheme and host": {"203.0.113.9:4711", "X-Forwarded-Proto: https|X-Forwarded-Host: evil.example", "203.0.113.9", ""},
	"peer with a zone":         {"[fe80::1%eth0]:4711", "X: 198.51.100.1", "fe80::1%eth0", ""},
	"peer that is no address":  {"@", "X: 198.51.100.1", "", ""},
	"almost a proxy":           {"192.168.1.2:4711", "X: 198.51.100.1", "192.168.1.2", ""},
	// One trusted proxy.
	"one":                         {"10.0.0.1:4711", "X: 198.51.100.1", "198.51.100.1", ""},
	"no header":                   {"10.0.0.1:4711", "", "10.0.0.1", ""},
	"mapped proxy":                {"[::ffff:10.0.0.1]:4711", "X: 198.51.100.1", "198.51.100.1", ""},
	"IPv6 proxy":                  {"[2001:db8:ff::1]:4711", "X: 198.51.100.1", "198.51.100.1", ""},
	"IPv6 client":                 {"10.0.0.1:4711", "X: 2001:db8::7", "2001:db8::7", ""},
	"IPv6 in brackets":            {"10.0.0.1:4711", "X: [2001:db8::7]", "2001:db8::7", ""},
	"IPv6 with a port":            {"10.0.0.1:4711", "X: [2001:db8::7]:80", "2001:db8::7", ""},
	"IPv4 with a port":            {"10.0.0.1:4711", "X: 198.51.100.1:55555", "198.51.100.1", ""},
	"mapped client":               {"10.0.0.1:4711", "X: ::ffff:198.51.100.1", "198.51.100.1", ""},
	"mapped client in brackets":   {"10.0.0.1:4711", "X: [::ffff:198.51.100.1]:1", "198.51.100.1", ""},
	"spaces":                      {"10.0.0.1:4711", "X:  \t 198.51.100.1 \t", "198.51.100.1", ""},
	"empty entries":               {"10.0.0.1:4711", "X: , ,198.51.100.1,, ", "198.51.100.1", ""},
	"nothing but empty entries":   {"10.0.0.1:4711", "X: , ,", "10.0.0.1", ""},
	"spoofed on the left":         {"10.0.0.1:4711", "X: 127.0.0.1, 198.51.100.1", "198.51.100.1", ""},
	"spoofed proxies on the left": {"10.0.0.1:4711", "X: 10.0.0.7, 10.0.0.8, 198.51.100.1", "198.51.100.1", ""},
	"garbage on the left":         {"10.0.0.1:4711", "X: <script>, 198.51.100.1", "198.51.100.1", ""},
	"garbage":                     {"10.0.0.1:4711", "X: 198.51.100.1, nonsense", "", ""},
	"unknown":                     {"10.0.0.1:4711", "X: unknown", "", ""},
	"client with a zone":          {"10.0.0.1:4711", "X: fe80::1%eth0", "", ""},
	"zone in brackets":            {"10.0.0.1:4711", "X: [fe80::1%eth0]:80", "", ""},
	"port that is none":           {"10.0.0.1:4711", "X: 198.51.100.1:http", "", ""},
	"port too long":               {"10.0.0.1:4711", "X: 198.51.100.1:123456", "", ""},
	"port that is empty":          {"10.0.0.1:4711", "X: 198.51.100.1:", "", ""},
	"bracket left open":           {"10.0.0.1:4711", "X: [2001:db8::7", "", ""},
	"IPv4 in brackets":            {"10.0.0.1:4711", "X: [198.51.100.1]", "", ""},
	"leading zeros":               {"10.0.0.1:4711", "X: 198.051.100.001", "", ""},
	"number":                      {"10.0.0.1:4711", "X: 3325256705", "", ""},
	"network":                     {"10.0.0.1:4711", "X: 198.51.100.0/24", "", ""},
	"quoted":                      {"10.0.0.1:4711", `X: "198.51.100.1"`, "", ""},
	// Several.
	"two proxies":                 {"10.0.0.1:4711", "X: 198.51.100.1, 10.0.0.2", "198.51.100.1", ""},
	"three proxies, mixed":        {"10.0.0.1:4711", "X: 198.51.100.1, 192.168.1.1:99, [2001:db8:ff::2]", "198.51.100.1", ""},
	"two proxies, spoofed":        {"10.0.0.1:4711", "X: 10.9.9.9, 198.51.100.1, 10.0.0.2", "198.51.100.1", ""},
	"a proxy that is not trusted": {"10.0.0.1:4711", "X: 198.51.100.1, 203.0.113.80, 10.0.0.2", "203.0.113.80", ""},
	"all trusted":                 {"10.0.0.1:4711", "X: 10.0.0.3, 10.0.0.2", "10.0.0.3", ""},
	"several headers":             {"10.0.0.1:4711", "X: 198.51.100.1|X: 10.0.0.2", "198.51.100.1", ""},
	"several headers, spoofed":    {"10.0.0.1:4711", "X: 127.0.0.1|X: 198.51.100.1, 10.0.0.2", "198.51.100.1", ""},
	"garbage among proxies":       {"10.0.0.1:4711", "X: 198.51.100.1, _x, 10.0.0.2", "", ""},
	// Forwarded, RFC 7239.
	"Forwarded":                                          {"10.0.0.1:4711", "F: for=198.51.100.1", "198.51.100.1", ""},
	"Forwarded in capitals":                              {"10.0.0.1:4711", "F: FOR=198.51.100.1;Proto=HTTPS", "198.51.100.1", "https "},
	"Forwarded quoted":                                   {"10.0.0.1:4711", `F: for="198.51.100.1:4711"`, "198.51.100.1", ""},
	"Forwarded IPv6":                                     {"10.0.0.1:4711", `F: For="[2001:db8:cafe::17]:4711"`, "2001:db8:cafe::17", ""},
	"Forwarded with escapes":                             {"10.0.0.1:4711", `F: for="198.51\.100.1"`, "198.51.100.1", ""},
	"Forwarded chain":                                    {"10.0.0.1:4711", `F: for=127.0.0.1, for=198.51.100.1;by=203.0.113.43, for="[2001:db8:ff::2]"`, "198.51.100.1", ""},
	"Forwarded in several headers":                       {"10.0.0.1:4711", "F: for=198.51.100.1|F: for=10.0.0.2;by=x", "198.51.100.1", ""},
	"Forwarded hidden":                                   {"10.0.0.1:4711", "F: for=_hidden", "", ""},
	"Forwarded unknown":                                  {"10.0.0.1:4711", "F: for=unknown", "", ""},
	"Forwarded hidden port":                              {"10.0.0.1:4711", `F: for="198.51.100.1:_gazonk"`, "198.51.100.1", ""},
	"Forwarded without for":                              {"10.0.0.1:4711", "F: proto=https", "", "https "},
	"Forwarded, for twice":                               {"10.0.0.1:4711", "F: for=198.51.100.1;for=198.51.100.2", "", ""},
	"Forwarded, comma in quotes":                         {"10.0.0.1:4711", `F: for=198.51.100.1;ext="a, for=10.0.0.9"`, "198.51.100.1", ""},
	"Forwarded, quote left open":                         {"10.0.0.1:4711", `F: for=198.51.100.1;ext="a, for=10.0.0.9`, "", ""},
	"Forwarded, quote left open by the client":           {"10.0.0.1:4711", `F: for=127.0.0.1;x=", for=198.51.100.1`, "", ""},
	"Forwarded, quote left open before a quoted address": {"10.0.0.1:4711", `F: for=127.0.0.1;x=", for="[2001:db8::7]"`, "", ""},
	"Forwarded, quote left open in a header before":      {"10.0.0.1:4711", `F: for=127.0.0.1;x="|F: for=198.51.100.1`, "198.51.100.1", ""},
	"Forwarded, escape at the end":                       {"10.0.0.1:4711", `F: for=127.0.0.1;x="\, for=198.51.100.1`, "", ""},
	"Forwarded, text after quotes":                       {"10.0.0.1:4711", `F: for="198.51.100.1"x`, "", ""},
	"Forwarded garbage":                                  {"10.0.0.1:4711", "F: ;;=;", "", ""},
	"Forwarded and empty elements":                       {"10.0.0.1:4711", "F: , for=198.51.100.1 ,", "198.51.100.1", ""},
	// Both: a client's own header may have passed a proxy that speaks the other.
	"both agree":    {"10.0.0.1:4711", "X: 198.51.100.1|F: for=198.51.100.1;host=a.example", "198.51.100.1", " a.example"},
	"both disagree": {"10.0.0.1:4711", "X: 198.51.100.1|F: for=198.51.100.2;host=evil.example", "", ""},
	// Scheme and host of public links.
	"scheme and host":            {"10.0.0.1:4711", "X: 198.51.100.1|X-Forwarded-Proto: https|X-Forwarded-Host: voice.example:8443", "198.51.100.1", "https voice.example:8443"},
	"of the outermost proxy":     {"10.0.0.1:4711", "X: 198.51.100.1, 10.0.0.2|X-Forwarded-Proto: https, http|X-Forwarded-Host: a.example, b.internal", "198.51.100.1", "https a.example"},
	"spoofed scheme on the left": {"10.0.0.1:4711", "X: 1.1.1.1, 198.51.100.1|X-Forwarded-Proto: http, https|X-Forwarded-Host: evil.example, a.example", "198.51.100.1", "https a.example"},
	"set once":                   {"10.0.0.1:4711", "X: 198.51.100.1, 10.0.0.2, 10.0.0.3|X-Forwarded-Proto: https|X-Forwarded-Host: a.example", "198.51.100.1", "https a.example"},
	"scheme that is none":        {"10.0.0.1:4711", "X: 198.51.100.1|X-Forwarded-Proto: javascript|X-Forwarded-Host: a.example/x?y", "198.51.100.1", ""},
	"host that is IPv6":          {"10.0.0.1:4711", "X-Forwarded-Host: [2001:db8::1]:443", "10.0.0.1", " [2001:db8::1]:443"},
	"Forwarded scheme and host":  {"10.0.0.1:4711", `F: for=198.51.100.1;proto=https;host="a.example:443", for=10.0.0.2;proto=http;host=b.internal`, "198.51.100.1", "https a.example:443"},
}

func TestOriginsBehindProxies(t *testing.T) {
	if len(proxiedRequests) < 60 {
		t.Fatalf("only %d cases", len(proxiedRequests))
	}
	for name, c := range proxiedRequests {
		t.Run(name, func(t *testing.T) {
			r := &http.Request{RemoteAddr: c.peer, Header: http.Header{}}
			for line := range strings.SplitSeq(c.headers, "|") {
				header, value, found := strings.Cut(line, ":")
				if long, short := map[string]string{"X": "X-Forwarded-For", "F": "Forwarded"}[header]; short {
					header = long
				}
				if found {
					r.Header.Add(header, strings.TrimPrefix(value, " "))
				}
			}
			got := trusted.origin(r)
			addr := ""
			if got.addr.IsValid() {
				addr = got.addr.String()
			}
			if addr != c.want {
				t.Errorf("client %q, want %q", addr, c.want)
			}
			scheme, host, _ := strings.Cut(c.url, " ")
			if got.scheme != scheme || got.host != host {
				t.Errorf("scheme %q and host %q, want %q", got.scheme, got.host, c.url)
			}
			// Who trusts nobody believes nobody.
			if plain := (proxies)(nil).origin(r); plain != (origin{addr: peerOf(c.peer)}) {
				t.Errorf("without trusted proxies: %+v", plain)
			}
		})
	}
}

// FuzzOrigins: whatever headers say, nothing breaks, and what is made up to the
// left of the client changes nothing.
func FuzzOrigins(f *testing.F) {
	for _, c := range proxiedRequests {
		for line := range strings.SplitSeq(c.headers, "|") {
			_, value, _ := strings.Cut(line, ": ")
			f.Add(value, value)
		}
	}
	f.Fuzz(func(t *testing.T, list, elements string) {
		ask := func(header, value string) origin {
			return trusted.origin(&http.Request{RemoteAddr: "10.0.0.1:1", Header: http.Header{header: {value}}})
		}
		trusted.origin(&http.Request{RemoteAddr: "10.0.0.1:1", Header: http.Header{"X-Forwarded-For": {list}, "Forwarded": {elements}}})
		if got := ask("X-Forwarded-For", list+", 198.51.100.1, 10.0.0.2"); got.addr != netip.MustParseAddr("198.51.100.1") {
			t.Errorf("%q made it %v", list, got.addr)
		}
		// A client can hide itself behind what it makes up, and nobody else.
		if got := ask("Forwarded", elements+", for=198.51.100.1, for=10.0.0.2"); got.addr.IsValid() && got.addr != netip.MustParseAddr("198.51.100.1") {
			t.Errorf("%q made it %v", elements, got.addr)
		}
		got := ask("Forwarded", elements)
		if got.addr.Zone() != "" || got.addr.Is4In6() || got.host != "" && !hostForm.MatchString(got.host) {
			t.Errorf("%q gave %+v", elements, got)
		}
	})
}
