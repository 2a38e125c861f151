package sip

import (
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	wire "github.com/emiago/sipgo/sip"

	"github.com/callwright/callwright/internal/sip/transport"
)

// brusque is a TCP server that answers each request with a status and at once
// ends the connection.
func brusque(t *testing.T, status int) (at netip.AddrPort, requests chan *wire.Request) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	requests = make(chan *wire.Request, 64)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := ln.Accept()
			if err != nil {
				return // closed
			}
			buf := make([]byte, 64<<10)
			if n, err := c.Read(buf); err == nil {
				if m, err := wire.ParseMessage(buf[:n]); err == nil {
					req := m.(*wire.Request)
					requests <- req
					_, _ = c.Write([]byte(wire.NewResponseFromRequest(req, status, "Because", nil).String())) // the test sees what came
				}
			}
			_ = c.Close()
		}
	}()
	t.Cleanup(func() { _ = ln.Close(); <-done })
	return netip.MustParseAddrPort(ln.Addr().String()), requests
}

// TestAnswerBeforeTheConnectionEnds: who answers and hangs up has answered, and
// the end of his connection is told however soon it came.
func TestAnswerBeforeTheConnectionEnds(t *testing.T) {
	t.Parallel()
	at, _ := brusque(t, 200)
	u := newUA(t, Options{})
	for range 20 {
		a, err := u.Ask(within(t, 10*time.Second), Server{Network: transport.TCP, Addr: at}, &Request{
			Method: "REGISTER", URI: "sip:" + at.String(), From: "sip:a@b", To: "sip:a@b", User: "a", CallID: NewCallID(), Tag: newTag(),
		})
		if err != nil || a.Status != 200 {
			t.Fatalf("%+v, %v", a, err)
		}
		select {
		case <-a.Gone:
		case <-time.After(10 * time.Second):
			t.Fatal("the end of the connection is not told")
		}
	}
}

// TestNextServerIsNotCalledAfterAnAnswer: neither one who refuses nor one who
// rings, and hangs up at once, sends the call on to the next server.
func TestNextServerIsNotCalledAfterAnAnswer(t *testing.T) {
	t.Parallel()
	for _, status := range []int{180, 486} {
		for range 10 {
			at, _ := brusque(t, status)
			next, called := brusque(t, 486)
			u := between(t, Options{}, at, next)
			_, err := u.Invite(within(t, 10*time.Second), Invite{URI: "sip:1@domain;transport=tcp", Body: []byte(offer)})
			var refused *StatusError
			if err == nil || status == 486 && !errors.As(err, &refused) {
				t.Errorf("after %d: %v", status, err)
			}
			if len(called) > 0 {
				t.Fatalf("after %d the next server is called: %v", status, err)
			}
		}
	}
}
