package sip

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	wire "github.com/emiago/sipgo/sip"
)

// names is a domain name system of a test: SRV targets of "domain", in order.
type names []netip.AddrPort

func (n names) LookupSRV(_ context.Context, service, proto, name string) (string, []*net.SRV, error) {
	if name != "domain" || service != "sip" && service != "sips" {
		return "", nil, fmt.Errorf("no SRV of %s", name)
	}
	var out []*net.SRV
	for i, at := range n {
		out = append(out, &net.SRV{Target: at.Addr().String(), Port: at.Port(), Priority: uint16(i)})
	}
	return "", out, nil
}

func (n names) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

// between makes a user agent for which "domain" is at the peers, in order.
func between(t *testing.T, o Options, peers ...netip.AddrPort) *UA {
	t.Helper()
	o.DNS = names(peers)
	return newUA(t, o)
}

func (r *raw) at() netip.AddrPort { return netip.MustParseAddrPort(r.addr()) }

func TestNextServerAfterSilence(t *testing.T) {
	t.Parallel()
	mute, good := newRaw(t, nil), newRaw(t, nil)
	u := between(t, Options{T1: quick}, mute.at(), good.at())
	sent := 0
	got := make(chan result, 2)
	dial := func() {
		d, err := u.Invite(within(t, 10*time.Second), Invite{URI: "sip:1@domain", Body: []byte(offer), OnSent: func() { sent++ }})
		got <- result{d, err}
	}
	go dial()
	first := mute.request(wire.INVITE)
	second := good.request(wire.INVITE)
	if second.CallID().Value() != first.CallID().Value() || second.Via().Value() == first.Via().Value() {
		t.Errorf("the second INVITE does not follow the first:\n%s\n%s", first, second)
	}
	// An answer of the first that comes now is hung up: it must not talk too.
	mute.accept(first, "late")
	if ack := mute.request(wire.ACK); ack.CallID().Value() != first.CallID().Value() {
		t.Errorf("ACK:\n%s", ack)
	}
	mute.respond(mute.request(wire.BYE), 200, "")
	good.accept(second, "one")
	o := <-got
	if o.err != nil || sent != 1 {
		t.Fatalf("%v; OnSent %d times", o.err, sent)
	}
	if tag := o.d.State().RemoteTag; tag != "one" {
		t.Errorf("the call is with %q", tag)
	}
	// The next call does not wait for the silent one again.
	go dial()
	third := good.request(wire.INVITE)
	good.respond(third, 486, "x")
	if o := <-got; o.err == nil {
		t.Error("no error")
	}
}

func TestNextServerAfter503AndRefusal(t *testing.T) {
	t.Parallel()
	busy, good := newRaw(t, nil), newRaw(t, nil)
	dead := newUA(t, Options{})
	gone := dead.Addr()
	_ = dead.Close()
	u := between(t, Options{}, gone, busy.at(), good.at())
	got := make(chan result, 1)
	go func() {
		d, err := u.Invite(within(t, 10*time.Second), Invite{URI: "sip:1@domain", Body: []byte(offer), Username: "alice", Password: "secret"})
		got <- result{d, err}
	}()
	const ask = `WWW-Authenticate: Digest realm="r", nonce="1", algorithm=SHA-256, qop="auth"`
	busy.respond(busy.request(wire.INVITE), 401, "x", ask)
	again := busy.request(wire.INVITE)
	for again.GetHeader("Authorization") == nil {
		again = busy.request(wire.INVITE)
	}
	busy.respond(again, 503, "x")
	first := good.request(wire.INVITE)
	good.respond(first, 401, "x", ask) // it may ask anew
	second := good.request(wire.INVITE)
	for second.Via().Value() == first.Via().Value() {
		second = good.request(wire.INVITE)
	}
	good.accept(second, "one")
	if o := <-got; o.err != nil {
		t.Fatal(o.err)
	}
}

func TestNoNextServerOnceItRangOrRefused(t *testing.T) {
	t.Parallel()
	for _, status := range []int{486, 500, 180} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			first, second := newRaw(t, nil), newRaw(t, nil)
			u := between(t, Options{T1: quick}, first.at(), second.at())
			ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
			defer cancel()
			got := make(chan error, 1)
			go func() {
				_, err := u.Invite(ctx, Invite{URI: "sip:1@domain", Body: []byte(offer)})
				got <- err
			}()
			first.respond(first.request(wire.INVITE), status, "x")
			if err := <-got; err == nil || status == 180 && !errors.Is(err, ErrCanceled) {
				t.Errorf("%v", err)
			}
			if m := second.next(50 * time.Millisecond); m != nil {
				t.Errorf("the second server was sent:\n%v", m)
			}
		})
	}
}

func TestNextServerOverTCP(t *testing.T) {
	t.Parallel()
	good, calls := answering(t, Options{TCP: true})
	dead := newUA(t, Options{TCP: true})
	gone := dead.Addr()
	_ = dead.Close()
	u := between(t, Options{}, gone, good.Addr())
	d, err := u.Invite(within(t, 10*time.Second), Invite{URI: "sip:1@domain;transport=tcp", Body: []byte(offer)})
	if err != nil {
		t.Fatal(err)
	}
	<-calls
	if err := d.Bye(within(t, 5*time.Second)); err != nil {
		t.Error(err)
	}
	if _, err := u.Invite(within(t, 5*time.Second), Invite{URI: "sip:1@nowhere.invalid", Body: []byte(offer)}); !errors.Is(err, ErrUnreachable) {
		t.Errorf("a name that is not there: %v", err)
	}
}
