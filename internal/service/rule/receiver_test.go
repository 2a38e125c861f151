package rule_test

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/rule"
)

// inside are ways to write an address that strangers must not have us connect to.
var inside = strings.Fields(`
	127.0.0.1 127.0.0.2 127.1 127.0.1 0 0.0.0.0 00.0.0.0 2130706433 017700000001 0x7f000001 0x7f.1 0x7f.0.0.1 0X7F.1 0177.0.0.1 0177.1 127.000.000.001 127.0.0.1. 127.1. 0x7f.1.
	127.255.255.254 0x7f.0x0.0x0.0x1 0x 0x.0x.0x.0x 00000000177.0.0.1 0177.0.0x1 127.0x1 127.65535 127.16777215 localhost LOCALHOST localhost. Localhost. a.localhost a.b.LocalHost. localhost:8080
	10.0.0.1 10.255.255.255 10.1 0xa.1 012.1 167772161 0x0a000001 192.168.0.1 192.168.1 0xc0a80001 3232235521 030052000001 172.16.0.1 172.31.255.255 172.1048577 169.254.169.254 0xa9fea9fe 2852039166 169.254.43518 0251.0376.0251.0376
	100.64.0.1 100.127.255.255 198.18.0.1 198.19.255.255 192.0.0.192 192.0.2.1 198.51.100.1 203.0.113.1 192.88.99.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 4294967295 0xffffffff 037777777777
	[::1] [::] [0:0:0:0:0:0:0:1] [0000::0001] [::ffff:127.0.0.1] [::ffff:7f00:1] [::FFFF:127.0.0.1] [0:0:0:0:0:ffff:127.0.0.1] [::ffff:10.0.0.1] [::ffff:a9fe:a9fe] [::127.0.0.1] [::ffff:0:127.0.0.1] [::8.8.8.8]
	[64:ff9b::127.0.0.1] [64:ff9b::7f00:1] [64:ff9b::8.8.8.8] [64:ff9b:1::1] [2002:7f00:1::] [2002:a00:1::] [2002:808:808::1] [2001:0:7f00:1::] [2001::1] [2001:10::1] [2001:20::1] [2001:db8::1] [3fff::1] [4000::1] [5f00::1]
	[fe80::1] [fe80::1%25lo] [fe80::1%25eth0] [::1%25lo] [fc00::1] [fd00::1] [fd00:ec2::254] [fec0::1] [ff02::1] [ff02::1%25lo] [ff0e::1] [100::1]
	①②⑦.⓪.⓪.① 127。0。0。1 １２７.0.0.1 127．0．0．1 ⓛocalhost ｌｏｃａｌｈｏｓｔ ⑩.1 0ｘ7f.1
	localhost.localdomain ip6-localhost ip6-loopback router.lan metadata.google.internal rebind.example mixed.example mapped.example nat64.example`)

// names are what a resolver of this test answers.
var names = map[string][]netip.Addr{
	"localhost.localdomain": addrs("127.0.0.1"), "ip6-localhost": addrs("::1"), "ip6-loopback": addrs("::1"), "router.lan": addrs("192.168.0.1"),
	"metadata.google.internal": addrs("169.254.169.254"), "rebind.example": addrs("10.0.0.1"), "mixed.example": addrs("93.184.215.14", "fd00::1"),
	"mapped.example": addrs("::ffff:10.2.0.1"), "nat64.example": addrs("64:ff9b::a00:1"),
	"good.example": addrs("93.184.215.14", "2606:4700::1111"), "ours.example": addrs("10.1.2.3"), "xn--bcher-kva.example": addrs("93.184.215.14"),
}

func addrs(list ...string) (out []netip.Addr) {
	for _, s := range list {
		out = append(out, netip.MustParseAddr(s))
	}
	return out
}

func lookup(_ context.Context, _, host string) ([]netip.Addr, error) {
	if found, ok := names[host]; ok {
		return found, nil
	}
	return nil, errors.New("no such host")
}

var receivers = rule.Receivers{Allow: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}, Lookup: lookup}

// TestNoSpellingIsRegistered gives each of them, by both schemes.
func TestNoSpellingIsRegistered(t *testing.T) {
	if len(inside) < 120 {
		t.Fatalf("only %d spellings", len(inside))
	}
	seen := make(map[string]bool)
	for _, host := range inside {
		if seen[host] {
			t.Errorf("%s is tried twice", host)
		}
		seen[host] = true
		for _, scheme := range []string{"https", "http"} {
			err := receivers.Check(t.Context(), "url", scheme+"://"+host+"/hook")
			if domain.CodeOf(err) != domain.CodeInvalid {
				t.Errorf("%s://%s is let through: %v", scheme, host, err)
			}
		}
	}
}

func TestReceiversAreLetThrough(t *testing.T) {
	for raw, want := range map[string]string{
		"https://good.example/hook": "", "https://93.184.215.14/": "", "https://93.14145294/": "", "https://[2606:4700::1111]:8443/": "", "https://bücher.example/": "",
		"https://nobody-knows.example/": "", "https://my_host.example/": "", "https://3com.example/": "", "https://example.c0m/": "", "https://x--y.example/": "",
		"http://10.1.2.3/": "", "https://10.1.2.3/": "", "http://10.66051/": "", "https://ours.example/": "", "https://[::ffff:10.1.2.3]/": "",
		"http://good.example/": "https://", "http://ours.example/": "https://", "ftp://good.example/": "https://",
		"https://u:p@good.example/": "password", "": "required", "  ": "required", "good.example": "full URL", "https://": "full URL", "https://:443/": "full URL",
		"https://1.2.3.4.5/": "not an address", "https://4294967296/": "not an address", "https://256.1.1.1/": "not an address", "https://1.2.3.256/": "not an address", "https://1..2/": "not an address",
		"https://0x1ffffffff/": "not an address", "https://09.1/": "not an address", "https://a.1/": "not an address", "https://%31%32%37.0.0.1/": "full URL", "https://a\u200bb.ex\u2028ample/": "full URL",
		"https://127.0.0.1#@good.example/": "publicly", "https://127.0.0.1\\@good.example/": "full URL", "https://good.example/" + strings.Repeat("x", rule.MaxURL): "2048",
	} {
		err := receivers.Check(t.Context(), "url", raw)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%.60s: %v, want %q", raw, err, want)
		}
	}
	if err := (&rule.Receivers{}).Check(t.Context(), "url", "https://rebind.example/"); err != nil {
		t.Errorf("without a resolver: %v", err)
	}
}

func FuzzReceivers(f *testing.F) {
	for _, host := range inside {
		f.Add("https://" + host + "/")
	}
	f.Add("https://good.example/x?y#z")
	f.Fuzz(func(t *testing.T, raw string) {
		if err := receivers.Check(t.Context(), "url", raw); err != nil && domain.CodeOf(err) != domain.CodeInvalid {
			t.Errorf("%q: %v", raw, err)
		}
	})
}
