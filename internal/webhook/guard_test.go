package webhook

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestGuardAddresses walks the edges of every network that is refused.
func TestGuardAddresses(t *testing.T) {
	var g guard
	for _, addr := range []string{
		"0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.127.255.255", "127.0.0.1", "127.255.255.255",
		"169.254.0.0", "169.254.169.254", "169.254.255.255", "172.16.0.0", "172.31.255.255", "192.0.0.0", "192.0.0.255", "192.0.2.1",
		"192.88.99.1", "192.168.0.0", "192.168.255.255", "198.18.0.0", "198.19.255.255", "198.51.100.9", "203.0.113.9",
		"224.0.0.0", "239.255.255.255", "240.0.0.0", "255.255.255.255",
		"::", "::1", "::127.0.0.1", "::8.8.8.8", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:0:8.8.8.8",
		"64:ff9b::8.8.8.8", "64:ff9b::7f00:1", "64:ff9b:1::1", "100::1", "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:10::1",
		"2001:20::1", "2001:db8::1", "2002:7f00:1::", "2002:808:808::1", "3fff::1", "3fff:fff::1", "4000::1", "5f00::1", "fc00::1", "fd00:ec2::254",
		"fe80::1", "fe80::1%lo", "fe80::1%eth0", "fec0::1", "ff02::1", "ff0e::1",
	} {
		if err := g.check(netip.MustParseAddr(addr)); err == nil {
			t.Errorf("%s is let through", addr)
		}
	}
	for _, addr := range []string{
		"1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.1", "169.253.255.255", "169.255.0.0",
		"172.15.255.255", "172.32.0.0", "192.0.1.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255",
		"::ffff:8.8.8.8", "2001:200::1", "2001:4860:4860::8888", "2003::1", "2606:4700::1111", "2a00:1450::1", "3ffe::1",
	} {
		if err := g.check(netip.MustParseAddr(addr)); err != nil {
			t.Errorf("%s is refused: %v", addr, err)
		}
	}
}

func TestGuardAllow(t *testing.T) {
	allow := []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("fd00::/8")}
	for _, c := range []struct {
		addr        string
		https, http bool
	}{
		{"10.1.2.3", true, true}, {"::ffff:10.1.2.3", true, true}, {"fd00::1", true, true}, {"fd00::1%eth0", true, true},
		{"10.2.0.1", false, false}, {"127.0.0.1", false, false}, {"fe80::1", false, false}, {"8.8.8.8", true, false},
	} {
		addr := netip.MustParseAddr(c.addr)
		if err := (guard{allow: allow}).check(addr); (err == nil) != c.https {
			t.Errorf("https to %s: %v", c.addr, err)
		}
		if err := (guard{allow: allow, only: true}).check(addr); (err == nil) != c.http {
			t.Errorf("http to %s: %v", c.addr, err)
		}
	}
}

// spellings are ways to write an address of this machine or of its network.
// {port} is where a server listens.
var spellings = []string{
	"127.0.0.1", "127.0.0.2", "127.1", "127.0.1", "0", "0.0.0.0", "00.0.0.0", "2130706433", "017700000001", "0x7f000001", "0x7f.1", "0x7f.0.0.1",
	"0177.0.0.1", "0177.1", "127.000.000.001", "127.0.0.1.", "localhost", "LOCALHOST", "localhost.", "localhost.localdomain", "ip6-localhost",
	"[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[0000::0001]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[::ffff:0:127.0.0.1]",
	"[64:ff9b::127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[2001:0:7f00:1::]", "[fe80::1%25lo]", "[fe80::1]", "[::1%25lo]", "[ff02::1%25lo]",
	"①②⑦.⓪.⓪.①", "127。0。0。1", "ⓛocalhost", "user@127.0.0.1", "user:pass@localhost", "public.example@127.0.0.1", "127.0.0.1#@public.example",
	"%31%32%37.0.0.1", "[::FFFF:127.0.0.1]", "[0:0:0:0:0:ffff:127.0.0.1]", "4294967297.", "127.0.0.1%00.example", "127.255.255.254", "0x7f.0x0.0x0.0x1",
	"1.0.0.127.in-addr.arpa", "127.0.0.1:", "169.254.169.254", "[fd00:ec2::254]", "10.0.0.1", "192.168.0.1", "172.16.0.1", "100.64.0.1", "198.18.0.1",
	"192.0.0.192", "224.0.0.1", "255.255.255.255", "[fc00::1]", "[fec0::1]", "[100::1]",
	"0X7F.1", "127.1.", "0x7f.1.", "127.65535", "127.16777215", "0x", "0x.0x", "00000000177.0.0.1", "127.0x1", "a.localhost", "LocalHost.", "ip6-loopback",
	"10.1", "0xa.1", "012.1", "167772161", "0x0a000001", "192.168.1", "0xc0a80001", "3232235521", "172.1048577", "0xa9fea9fe", "2852039166", "169.254.43518",
	"4294967295", "0xffffffff", "037777777777", "100.127.255.255", "198.19.255.255", "192.88.99.1", "240.0.0.1", "192.0.2.1",
	"[::ffff:10.0.0.1]", "[::ffff:a9fe:a9fe]", "[::8.8.8.8]", "[64:ff9b::8.8.8.8]", "[64:ff9b:1::1]", "[2002:a00:1::]", "[2002:808:808::1]", "[2001::1]", "[2001:10::1]",
	"[2001:20::1]", "[2001:db8::1]", "[3fff::1]", "[4000::1]", "[5f00::1]", "[fe80::1%25eth0]", "[fd00::1]", "[ff02::1]", "[ff0e::1]",
	"１２７.0.0.1", "127．0．0．1", "ｌｏｃａｌｈｏｓｔ", "0ｘ7f.1",
}

// TestNoSpellingGetsThrough has a server wait for a connection by any of them.
func TestNoSpellingGetsThrough(t *testing.T) {
	var reached atomic.Int32
	listener, err := net.Listen("tcp", ":0") //nolint:gosec // every address of this machine is what is tried
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }), ReadHeaderTimeout: time.Second}
	go func() { _ = server.Serve(listener) }()
	defer server.Close()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	names := nameServer(t, func() []string { return []string{"127.0.0.1"} }) // every name leads here
	client := &http.Client{Timeout: 300 * time.Millisecond, Transport: byScheme{https: transport(guard{}, names), http: transport(guard{only: true}, names)}}
	defer client.CloseIdleConnections()
	var tries int
	for _, host := range spellings {
		for _, scheme := range []string{"http", "https"} {
			req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, scheme+"://"+host+":"+port+"/", nil)
			if err != nil {
				continue // not a URL at all
			}
			tries++
			if res, err := client.Do(req); err == nil {
				_ = res.Body.Close()
				t.Errorf("%s answered", req.URL)
			}
		}
	}
	if len(spellings) < 120 || tries < 200 || reached.Load() != 0 {
		t.Errorf("%d tries, %d reached the server", tries, reached.Load())
	}
}

func TestClientGoesWhereItMay(t *testing.T) {
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/again", http.StatusFound)
	}))
	defer server.Close()
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	client := NewClient(loopback, time.Second)
	defer client.CloseIdleConnections()
	res, err := client.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusFound {
		t.Errorf("a redirect was followed: %d", res.StatusCode)
	}
	if _, err := NewClient(nil, time.Second).Get(server.URL); err == nil || !strings.Contains(err.Error(), "webhook-allow") { //nolint:bodyclose // there is none
		t.Errorf("the error does not say what to do: %v", err)
	}
	if _, err := client.Get("file:///etc/hostname"); err == nil { //nolint:bodyclose // there is none
		t.Error("a file was read")
	}
}
