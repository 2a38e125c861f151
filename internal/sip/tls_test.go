package sip

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/sip/siptest"
)

var loopback = netip.MustParseAddrPort("127.0.0.1:0")

// secure answers calls over TLS with a certificate of a's for names.
func secure(t *testing.T, a *siptest.Authority, names ...string) (*UA, <-chan *Dialog) {
	t.Helper()
	return answering(t, Options{TLS: &TLS{Listen: loopback, Certificate: a.Issue(names...), Roots: a.Roots()}})
}

func TestTLSCall(t *testing.T) {
	t.Parallel()
	a := siptest.NewAuthority(t)
	called, calls := secure(t, a, "127.0.0.1", "localhost")
	for name, uri := range map[string]string{
		"transport": "sip:1@" + called.TLSAddr().String() + ";transport=tls",
		"sips":      "sips:1@" + called.TLSAddr().String(),
		"a name":    "sips:1@localhost:" + called.TLSAddr().String()[len("127.0.0.1:"):],
	} {
		t.Run(name, func(t *testing.T) {
			calling := newUA(t, Options{TLS: &TLS{Roots: a.Roots()}})
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
		})
	}
}

func TestTLSRefusesWhoIsNotWhoItSays(t *testing.T) {
	t.Parallel()
	a, other := siptest.NewAuthority(t), siptest.NewAuthority(t)
	named, _ := secure(t, a, "sip.example.com")
	ours, _ := secure(t, a, "127.0.0.1")
	for why, c := range map[string]struct {
		to    *UA
		roots *x509.CertPool
	}{
		"another name":      {named, a.Roots()},
		"another authority": {ours, other.Roots()},
		"the system's":      {ours, nil},
	} {
		u := newUA(t, Options{TLS: &TLS{Roots: c.roots}})
		_, err := u.Invite(within(t, 10*time.Second), Invite{URI: "sips:1@" + c.to.TLSAddr().String(), Body: []byte(offer)})
		if !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), "TLS") {
			t.Errorf("%s: %v", why, err)
		}
	}
	// What is no certificate of the authority's is refused of callers too.
	u := newUA(t, Options{TLS: &TLS{Roots: a.Roots(), Certificate: other.Issue("127.0.0.1")}, T1: quick})
	if _, err := u.Invite(within(t, 10*time.Second), Invite{URI: "sips:1@" + ours.TLSAddr().String(), Body: []byte(offer)}); !errors.Is(err, ErrTimeout) {
		t.Errorf("a caller with a wrong certificate: %v", err)
	}
}

func TestTLSNeedsACertificateToListen(t *testing.T) {
	t.Parallel()
	for _, secure := range []*TLS{
		{Listen: loopback},
		{Listen: loopback, Certificate: func() (*tls.Certificate, error) { return nil, errors.New("no such file") }},
	} {
		u, err := New(Options{Listen: loopback, TCP: true, TLS: secure})
		if err == nil {
			_ = u.Close()
		}
		if err == nil || !strings.Contains(err.Error(), "certificate") {
			t.Errorf("New: %v", err)
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
	a := siptest.NewAuthority(t)
	at := netip.MustParseAddrPort("[::1]:0")
	called, calls := answering(t, Options{Listen: at, TCP: true, TLS: &TLS{Listen: at, Certificate: a.Issue("::1")}})
	calling := newUA(t, Options{Listen: at, TLS: &TLS{Roots: a.Roots()}})
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
	if u.streams.Find(hop{Network: "TCP", Addr: both.Addr()}) == nil {
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
