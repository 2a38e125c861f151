package transport

import (
	"crypto/x509"
	"errors"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/callwright/callwright/internal/sip/siptest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var loopback = netip.MustParseAddrPort("127.0.0.1:0")

// streams are connections of a test, closed with it. What ends is told to lost.
func streams(t *testing.T, o StreamOptions) (*Streams, <-chan Hop) {
	t.Helper()
	var work sync.WaitGroup
	lost := make(chan Hop, 64)
	o.Logger = slog.New(slog.DiscardHandler)
	o.Spawn = func(_ string, f func()) bool { work.Go(f); return true }
	o.Lost = func(h Hop, err error) {
		if !errors.Is(err, ErrUnreachable) {
			t.Errorf("%v lost with %v", h, err)
		}
		lost <- h
	}
	o.Receive = func(Hop, []byte) bool { return true }
	o.Admit = func(netip.Addr, bool) (bool, error) { return true, nil }
	o.Left = func(netip.Addr, bool) {}
	o.Patience = func(bool, time.Time) time.Time { return time.Now().Add(time.Minute) }
	s, err := ListenStreams(o)
	if err != nil {
		t.Fatal(err)
	}
	s.Serve()
	t.Cleanup(func() { s.Close(); work.Wait() })
	return s, lost
}

func TestCertificateIdentities(t *testing.T) {
	t.Parallel()
	a := siptest.NewAuthority(t)
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
		shown, err := a.Issue(c.names...)()
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

// A connection to one name of a server serves for another that its certificate
// has, and for no third one.
func TestTLSConnectionIsShared(t *testing.T) {
	a := siptest.NewAuthority(t)
	server, _ := streams(t, StreamOptions{Security: &Security{Listen: loopback, Certificate: a.Issue("127.0.0.1", "localhost")}})
	client, lost := streams(t, StreamOptions{Security: &Security{Roots: a.Roots()}})
	at := func(name string) Hop { return Hop{TLS, server.TLSAddr(), name} }
	first, err := client.Connect(at("127.0.0.1"), DialTimeout)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := client.Connect(at("localhost"), DialTimeout); err != nil || again != first {
		t.Errorf("%v, another connection: %v", err, again != first)
	}
	if _, err := client.Connect(at("example.com"), DialTimeout); !errors.Is(err, ErrUnreachable) {
		t.Errorf("passes as somebody else: %v", err)
	}
	if client.Find(at("")) != first {
		t.Error("the connection is not found by its address")
	}
	_ = first.conn.Close()
	<-first.Gone()
	if h := <-lost; !h.Is(at("")) {
		t.Errorf("lost %v", h)
	}
	if renewed, err := client.Connect(at("127.0.0.1"), DialTimeout); err != nil || renewed == first {
		t.Errorf("reconnect: %v", err)
	}
}

func TestManyConnectOnce(t *testing.T) {
	server, _ := streams(t, StreamOptions{TCP: loopback})
	client, _ := streams(t, StreamOptions{})
	got := make(chan *Stream, 20)
	for range cap(got) {
		go func() {
			c, err := client.Connect(Hop{Network: TCP, Addr: addrPort(server.tcp.Addr())}, 5*time.Second)
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

// Nobody dials where a request came from.
func TestResponseMakesNoConnection(t *testing.T) {
	server, _ := streams(t, StreamOptions{TCP: loopback})
	client, _ := streams(t, StreamOptions{})
	to := Hop{Network: TCP, Addr: addrPort(server.tcp.Addr())}
	if err := client.Send(to, []byte("x"), false); !errors.Is(err, ErrUnreachable) || client.Find(to) != nil {
		t.Errorf("a response made a connection: %v", err)
	}
}

// A stalled handshake ends with Close.
func TestCloseEndsAHandshake(t *testing.T) {
	server, _ := streams(t, StreamOptions{TCP: loopback}) // it does not speak TLS
	client, _ := streams(t, StreamOptions{})
	failed := make(chan error, 1)
	go func() {
		_, err := client.Connect(Hop{TLS, addrPort(server.tcp.Addr()), "127.0.0.1"}, time.Minute)
		failed <- err
	}()
	time.Sleep(50 * time.Millisecond) // so that it has begun; the result is the same if not
	client.Close()
	if err := <-failed; !errors.Is(err, ErrUnreachable) {
		t.Error(err)
	}
}

func TestFailedHopsComeLast(t *testing.T) {
	var f Failures
	at := func(port uint16) Hop { return Hop{Network: UDP, Addr: netip.AddrPortFrom(loopback.Addr(), port)} }
	all := []Hop{at(1), at(2), at(3)}
	f.Note(at(1), time.Minute)
	f.Note(at(2), -time.Second) // over already
	if got := f.last(all); !slices.Equal(got, []Hop{at(2), at(3), at(1)}) {
		t.Errorf("order %v", got)
	}
	f.Forget(at(1))
	if got := f.last(all); !slices.Equal(got, all) {
		t.Errorf("order %v", got)
	}
	for port := range uint16(2 * maxFailures) {
		f.Note(at(port), time.Minute)
	}
	if len(f.until) > maxFailures {
		t.Errorf("%d are remembered", len(f.until))
	}
}
