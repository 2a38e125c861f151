package sip

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"
)

// authority is a certificate authority of a test.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{t, cert, key}
}

// issue makes a certificate for names: URIs, addresses, DNS names.
func (a *authority) issue(names ...string) func() (*tls.Certificate, error) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else if uri, err := url.Parse(name); err == nil && uri.Scheme != "" {
			template.URIs = append(template.URIs, uri)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	cert := &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	return func() (*tls.Certificate, error) { return cert, nil }
}

func (a *authority) roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

var loopback = netip.MustParseAddrPort("127.0.0.1:0")

// secure answers calls over TLS with a certificate for names.
func (a *authority) secure(names ...string) (*UA, <-chan *Dialog) {
	a.t.Helper()
	return answering(a.t, Options{TLS: &TLS{Listen: loopback, Certificate: a.issue(names...), Roots: a.roots()}})
}

func TestTLSCall(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	called, calls := a.secure("127.0.0.1", "localhost")
	for name, uri := range map[string]string{
		"transport": "sip:1@" + called.TLSAddr().String() + ";transport=tls",
		"sips":      "sips:1@" + called.TLSAddr().String(),
		"a name":    "sips:1@localhost:" + called.TLSAddr().String()[len("127.0.0.1:"):],
	} {
		t.Run(name, func(t *testing.T) {
			calling := newUA(t, Options{TLS: &TLS{Roots: a.roots()}})
			d, err := calling.Invite(within(t, 10*time.Second), Invite{URI: uri, From: "+15550001", Body: []byte(offer)})
			if err != nil {
				t.Fatal(err)
			}
			other := <-calls
			if c := d.RemoteContact(); strings.HasPrefix(uri, "sips") != strings.HasPrefix(c, "sips:") || !strings.HasPrefix(uri, "sips") && !strings.Contains(c, "transport=tls") {
				t.Errorf("Contact %s of a call to %s", c, uri)
			}
			// The caller does not listen for TLS: the callee reaches it over the
			// connection that is there.
			d.OnReinvite(func([]byte) ([]byte, error) { return []byte(answer), nil })
			if _, err := other.Reinvite(within(t, 5*time.Second), []byte(offer)); err != nil {
				t.Errorf("the callee's re-INVITE: %v", err)
			}
			if err := other.Bye(within(t, 5*time.Second)); err != nil {
				t.Errorf("the callee's BYE: %v", err)
			}
			await(t, "the end", d.Done())
			if n := len(calling.streams.conns); n != 1 {
				t.Errorf("%d connections", n)
			}
		})
	}
}

func TestTLSRefusesWhoIsNotWhoItSays(t *testing.T) {
	t.Parallel()
	a, other := newAuthority(t), newAuthority(t)
	named, _ := a.secure("sip.example.com")
	ours, _ := a.secure("127.0.0.1")
	for why, c := range map[string]struct {
		to    *UA
		roots *x509.CertPool
	}{
		"another name":      {named, a.roots()},
		"another authority": {ours, other.roots()},
		"the system's":      {ours, nil},
	} {
		u := newUA(t, Options{TLS: &TLS{Roots: c.roots}})
		_, err := u.Invite(within(t, 10*time.Second), Invite{URI: "sips:1@" + c.to.TLSAddr().String(), Body: []byte(offer)})
		if !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), "TLS") {
			t.Errorf("%s: %v", why, err)
		}
	}
	// What is no certificate of the authority's is refused of callers too.
	u := newUA(t, Options{TLS: &TLS{Roots: a.roots(), Certificate: other.issue("127.0.0.1")}, T1: quick})
	if _, err := u.Invite(within(t, 10*time.Second), Invite{URI: "sips:1@" + ours.TLSAddr().String(), Body: []byte(offer)}); !errors.Is(err, ErrTimeout) {
		t.Errorf("a caller with a wrong certificate: %v", err)
	}
}

func TestCertificateIdentities(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	for _, c := range []struct {
		names []string
		name  string
		good  bool
	}{
		{[]string{"sip.example.com"}, "sip.example.com", true},
		{[]string{"sip.example.com"}, "SIP.example.com", true},
		{[]string{"sip.example.com"}, "example.com", false},
		{[]string{"192.0.2.1"}, "192.0.2.1", true},
		{[]string{"192.0.2.1"}, "192.0.2.2", false},
		{[]string{"sip:example.com", "sip.example.com"}, "example.com", true},
		{[]string{"sip:example.com", "sip.example.com"}, "sip.example.com", false},
		{[]string{"sip:alice@example.com", "sip.example.com"}, "example.com", false},
		{[]string{"sip:alice@example.com", "sip.example.com"}, "sip.example.com", true},
		{[]string{"https://example.com/x", "sip.example.com"}, "sip.example.com", true},
		{nil, "sip.example.com", false},
	} {
		shown, err := a.issue(c.names...)()
		if err != nil {
			t.Fatal(err)
		}
		cert, err := x509.ParseCertificate(shown.Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		if err := identifies(cert, c.name); (err == nil) != c.good {
			t.Errorf("%v for %s: %v", c.names, c.name, err)
		}
	}
}

func TestTLSNeedsACertificateToListen(t *testing.T) {
	t.Parallel()
	for _, secure := range []*TLS{
		{Listen: loopback},
		{Listen: loopback, Certificate: func() (*tls.Certificate, error) { return nil, errors.New("no such file") }},
	} {
		if u, err := New(Options{Listen: loopback, TCP: true, TLS: secure}); err == nil || !strings.Contains(err.Error(), "certificate") {
			_ = u.Close()
			t.Errorf("New: %v", err)
		}
	}
}

// A connection to one name of a server serves for another that its certificate
// has, and for no third one.
func TestTLSConnectionIsShared(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	called, _ := a.secure("127.0.0.1", "localhost")
	u := newUA(t, Options{TLS: &TLS{Roots: a.roots()}})
	first, err := u.streams.connect(hop{"TLS", called.TLSAddr(), "127.0.0.1"}, time.Second*5)
	if err != nil {
		t.Fatal(err)
	}
	again, err := u.streams.connect(hop{"TLS", called.TLSAddr(), "localhost"}, time.Second*5)
	if err != nil || again != first {
		t.Errorf("%v, another connection: %v", err, again != first)
	}
	if _, err := u.streams.connect(hop{"TLS", called.TLSAddr(), "example.com"}, time.Second*5); err == nil {
		t.Error("passes as somebody else")
	}
	_ = first.Close()
	await(t, "the end of the connection", first.gone)
	renewed, err := u.streams.connect(hop{"TLS", called.TLSAddr(), "127.0.0.1"}, time.Second*5)
	if err != nil || renewed == first {
		t.Errorf("reconnect: %v", err)
	}
}

func TestManyConnectOnce(t *testing.T) {
	t.Parallel()
	called := newUA(t, Options{TCP: true})
	u := newUA(t, Options{})
	got := make(chan *streamConn, 20)
	for range cap(got) {
		go func() {
			c, err := u.streams.connect(hop{network: "TCP", addr: called.Addr()}, 5*time.Second)
			if err != nil {
				t.Error(err)
			}
			got <- c
		}()
	}
	first := <-got
	for range cap(got) - 1 {
		if c := <-got; c != first {
			t.Error("several connections were made")
		}
	}
}

func TestStreamPing(t *testing.T) {
	t.Parallel()
	u := newUA(t, Options{TCP: true})
	c, err := net.Dial("tcp", u.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	r := bufio.NewReader(c)
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	ask := "OPTIONS sip:a@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bKa\r\nMax-Forwards: 70\r\nFrom: <sip:b@c>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
	for _, part := range []string{"\r\n\r\n", "\r\n", "\r\n\r\n"} { // ping, somebody's pong, ping
		if _, err := c.Write([]byte(part)); err != nil {
			t.Fatal(err)
		}
		if len(part) < 4 {
			continue
		}
		if pong, err := r.ReadString('\n'); pong != "\r\n" {
			t.Fatalf("pong %q, %v", pong, err)
		}
	}
	// Line ends inside a message are its own.
	for _, part := range []string{ask[:len(ask)-4], "\r\n", "\r\n"} {
		if _, err := c.Write([]byte(part)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond) // so that they are read one by one
	}
	if line, err := r.ReadString('\n'); !strings.HasPrefix(line, "SIP/2.0 200") {
		t.Errorf("answer %q, %v", line, err)
	}
}

func TestIPv6(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	at := netip.MustParseAddrPort("[::1]:0")
	called, calls := answering(t, Options{Listen: at, TCP: true, TLS: &TLS{Listen: at, Certificate: a.issue("::1")}})
	calling := newUA(t, Options{Listen: at, TLS: &TLS{Roots: a.roots()}})
	for _, uri := range []string{
		"sip:1@" + called.Addr().String(), "sip:1@" + called.Addr().String() + ";transport=tcp",
		"sip:1@" + called.TLSAddr().String() + ";transport=tls", "sips:1@" + called.TLSAddr().String(),
	} {
		d, err := calling.Invite(within(t, 10*time.Second), Invite{URI: uri, From: "+15550001", Body: []byte(offer)})
		if err != nil {
			t.Fatalf("%s: %v", uri, err)
		}
		other := <-calls
		if err := other.Bye(within(t, 5*time.Second)); err != nil {
			t.Errorf("%s: BYE of the callee: %v", uri, err)
		}
		await(t, "the end", d.Done())
	}
}

func TestLongRequestGoesOverTCP(t *testing.T) {
	t.Parallel()
	long := []byte(offer + strings.Repeat("a=x:0123456789\r\n", 80))
	both, _ := answering(t, Options{TCP: true})
	r := newRaw(t, nil)
	u := newUA(t, Options{})
	d, err := u.Invite(within(t, 10*time.Second), Invite{URI: "sip:1@" + both.Addr().String(), Body: long})
	if err != nil {
		t.Fatal(err)
	}
	if u.streams.find(hop{network: "TCP", addr: both.Addr()}) == nil {
		t.Error("the long INVITE went over UDP")
	}
	if s := d.State(); s.Transport != "UDP" {
		t.Errorf("short requests go over %s", s.Transport)
	}
	if err := d.Bye(within(t, 5*time.Second)); err != nil {
		t.Error(err)
	}
	// Nobody takes TCP here.
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	got := make(chan error, 1)
	go func() {
		_, err := u.Invite(ctx, Invite{URI: r.uri(), Body: long})
		got <- err
	}()
	invite := r.request("INVITE")
	if invite.Via().Transport != "UDP" {
		t.Errorf("Via %s", invite.Via().Value())
	}
	r.respond(invite, 486, "x")
	if err := <-got; err == nil {
		t.Error("no error")
	}
}
