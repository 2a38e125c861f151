package sip

import (
	"context"
	"errors"
	"flag"
	"net/netip"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// Most of a test here is waiting for a timer or a peer.
	flag.Parse()
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

const offer = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\na=sendrecv\r\n"
const answer = "v=0\r\no=- 2 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40002 RTP/AVP 0\r\na=sendrecv\r\n"

// newUA starts a user agent on loopback that is closed with the test.
func newUA(t *testing.T, o Options) *UA {
	t.Helper()
	if !o.Listen.IsValid() {
		o.Listen = netip.MustParseAddrPort("127.0.0.1:0")
	}
	u, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := u.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return u
}

func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

func await(t *testing.T, what string, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(10 * time.Second):
		t.Fatalf("%s did not happen", what)
	}
}

// pair connects two user agents by a call and returns both ends of it.
func pair(t *testing.T, o Options) (caller, callee *Dialog, calling, called *UA) {
	t.Helper()
	taken := make(chan *Dialog, 1)
	b := newUA(t, Options{TCP: o.TCP, T1: o.T1, OnInvite: func(in *Incoming) {
		if err := in.Ring(); err != nil {
			t.Errorf("Ring: %v", err)
		}
		d, err := in.Answer([]byte(answer))
		if err != nil {
			t.Errorf("Answer: %v", err)
		}
		taken <- d
	}})
	a := newUA(t, o)
	uri := "sip:+15550002@" + b.Addr().String()
	if o.TCP {
		uri += ";transport=tcp"
	}
	d, err := a.Invite(within(t, 10*time.Second), Invite{URI: uri, From: "+15550001", Body: []byte(offer)})
	if err != nil {
		t.Fatalf("Invite: %v", err)
	}
	return d, <-taken, a, b
}

func TestCall(t *testing.T) {
	for _, tcp := range []bool{false, true} {
		caller, callee, _, _ := pair(t, Options{TCP: tcp})
		if string(caller.RemoteSDP()) != answer || string(callee.RemoteSDP()) != offer {
			t.Errorf("tcp %v: SDP not carried: %q, %q", tcp, caller.RemoteSDP(), callee.RemoteSDP())
		}
		if err := caller.Bye(within(t, 5*time.Second)); err != nil {
			t.Errorf("tcp %v: Bye: %v", tcp, err)
		}
		await(t, "the callee's end", callee.Done())
		if !callee.ByRemote() || caller.ByRemote() {
			t.Errorf("tcp %v: the caller hung up, the ends say %v and %v", tcp, callee.ByRemote(), caller.ByRemote())
		}
	}
}

func TestCalleeHangsUp(t *testing.T) {
	caller, callee, _, _ := pair(t, Options{})
	if err := callee.Bye(within(t, 5*time.Second)); err != nil {
		t.Fatalf("Bye: %v", err)
	}
	await(t, "the caller's end", caller.Done())
	if !caller.ByRemote() {
		t.Error("ByRemote is false at the caller")
	}
}

func TestCancelBeforeAnswer(t *testing.T) {
	ringing, gone := make(chan struct{}), make(chan error, 1)
	b := newUA(t, Options{OnInvite: func(in *Incoming) {
		_ = in.Ring()
		close(ringing)
		<-in.Canceled()
		_, err := in.Answer([]byte(answer))
		gone <- err
	}})
	a := newUA(t, Options{})
	ctx, cancel := context.WithCancel(context.Background())
	go func() { <-ringing; cancel() }()
	_, err := a.Invite(ctx, Invite{URI: "sip:1@" + b.Addr().String(), From: "2", Body: []byte(offer)})
	if !errors.Is(err, ErrCanceled) {
		t.Errorf("Invite: %v, want ErrCanceled", err)
	}
	if err := <-gone; !errors.Is(err, ErrCanceled) {
		t.Errorf("Answer after CANCEL: %v, want ErrCanceled", err)
	}
}

func TestUnreachable(t *testing.T) {
	dead := newUA(t, Options{})
	addr := dead.Addr()
	_ = dead.Close()
	a := newUA(t, Options{})
	for _, uri := range []string{"sip:1@" + addr.String(), "sip:1@" + addr.String() + ";transport=tcp"} {
		began := time.Now()
		_, err := a.Invite(within(t, 10*time.Second), Invite{URI: uri})
		if !errors.Is(err, ErrTimeout) || !errors.Is(err, ErrUnreachable) {
			t.Errorf("%s: %v, want ErrTimeout and ErrUnreachable", uri, err)
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("%s: it took %v", uri, took)
		}
	}
}
