package sip

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/icholy/digest"

	wire "github.com/emiago/sipgo/sip"
)

// quick makes timers pass in tests: 64*T1 is 1.3 s.
const quick = 20 * time.Millisecond

type result struct {
	d   *Dialog
	err error
}

// invite starts a call to the peer in the background.
func (r *raw) invite(ctx context.Context, u *UA, in Invite) <-chan result {
	in.URI, in.From, in.Body = r.uri(), "+15550001", []byte(offer)
	c := make(chan result, 1)
	go func() {
		d, err := u.Invite(ctx, in)
		c <- result{d, err}
	}()
	return c
}

func TestNoAnswerAtAll(t *testing.T) {
	t.Parallel()
	r, u := newRaw(t, nil), newUA(t, Options{T1: quick})
	began := time.Now()
	_, err := u.Invite(within(t, 20*time.Second), Invite{URI: r.uri()})
	if took := time.Since(began); !errors.Is(err, ErrTimeout) || errors.Is(err, ErrUnreachable) || took < 60*quick || took > 5*time.Second {
		t.Errorf("%v after %v, want ErrTimeout after %v", err, took, 64*quick)
	}
	n := 0
	for r.next(10*time.Millisecond) != nil {
		n++
	}
	if n < 5 || n > 7 { // at 0, 1, 3, 7, 15, 31, 63 T1 (timer A); a busy machine is late
		t.Errorf("the INVITE was sent %d times, want up to 7", n)
	}
}

func TestCancelWithoutAnyAnswer(t *testing.T) {
	t.Parallel()
	r, u := newRaw(t, nil), newUA(t, Options{T1: quick})
	ctx, cancel := context.WithCancel(context.Background())
	got := r.invite(ctx, u, Invite{})
	invite := r.request(wire.INVITE)
	cancel()
	if o := <-got; !errors.Is(o.err, ErrCanceled) {
		t.Errorf("%v, want ErrCanceled", o.err)
	}
	// The answer that comes after the caller has gone is still ended.
	r.accept(invite, "late")
	r.request(wire.ACK)
	r.respond(r.request(wire.BYE), 200, "")
}

// TestNothingIsHeardAfterInvite has the far end ring at the moment in which the
// caller leaves, and when it has left.
func TestNothingIsHeardAfterInvite(t *testing.T) {
	t.Parallel()
	within, leave, left := make(chan bool), make(chan bool), make(chan bool)
	heard := 0
	c := &outgoing{u: newUA(t, Options{}), in: Invite{OnProvisional: func(int, []byte) {
		close(within)
		<-leave
		heard++
	}}}
	ringing := wire.NewResponse(180, "Ringing")
	go c.progress(ringing, hop{})
	<-within
	go func() {
		c.settle()
		close(left)
	}()
	select {
	case <-left:
		t.Error("the caller left while it was being told")
	case <-time.After(20 * time.Millisecond):
	}
	close(leave)
	<-left
	if c.progress(ringing, hop{}); heard != 1 {
		t.Errorf("the caller was told %d times, want once", heard)
	}
}

func TestCancelWaitsForProvisional(t *testing.T) {
	t.Parallel()
	r, u := newRaw(t, nil), newUA(t, Options{})
	ctx, cancel := context.WithCancel(context.Background())
	got := r.invite(ctx, u, Invite{})
	invite := r.request(wire.INVITE)
	cancel()
	if m, ok := r.next(100 * time.Millisecond).(*wire.Request); ok && m.Method == wire.CANCEL {
		t.Fatal("CANCEL came before a provisional response")
	}
	r.respond(invite, 100, "")
	c := r.request(wire.CANCEL)
	if c.Via().Value() != invite.Via().Value() || c.CSeq().SeqNo != invite.CSeq().SeqNo {
		t.Errorf("the CANCEL does not match its INVITE:\n%s", c)
	}
	r.respond(c, 200, "x")
	r.respond(invite, 487, "x")
	r.request(wire.ACK)
	if o := <-got; !errors.Is(o.err, ErrCanceled) {
		t.Errorf("%v, want ErrCanceled", o.err)
	}
}

func TestInviteAlreadyCanceled(t *testing.T) {
	t.Parallel()
	r, u := newRaw(t, nil), newUA(t, Options{})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := u.Invite(ctx, Invite{URI: r.uri(), OnSent: func() { t.Error("OnSent was called") }})
	if !errors.Is(err, ErrCanceled) {
		t.Errorf("%v, want ErrCanceled", err)
	}
	if m := r.next(30 * time.Millisecond); m != nil {
		t.Errorf("sent:\n%v", m)
	}
}

func TestFork(t *testing.T) {
	t.Parallel()
	r, u := newRaw(t, nil), newUA(t, Options{})
	d, invite := r.dial(u, Invite{})
	r.accept(invite, "two")
	tag := func(req *wire.Request) string { v, _ := req.To().Params.Get("tag"); return v }
	if ack := r.request(wire.ACK); tag(ack) != "two" {
		t.Errorf("the fork's ACK went to %q", tag(ack))
	}
	bye := r.request(wire.BYE)
	if tag(bye) != "two" {
		t.Errorf("BYE went to %q, want the second fork", tag(bye))
	}
	r.respond(bye, 200, "")
	select {
	case <-d.Done():
		t.Error("the first fork ended too")
	default:
	}
}

func TestRepeatedAnswerIsAcknowledgedAgain(t *testing.T) {
	t.Parallel()
	r, u := newRaw(t, nil), newUA(t, Options{})
	_, invite := r.dial(u, Invite{})
	for range 3 {
		r.accept(invite, "one")
		if ack := r.request(wire.ACK); ack.CSeq().SeqNo != invite.CSeq().SeqNo {
			t.Errorf("ACK with CSeq %d", ack.CSeq().SeqNo)
		}
	}
}

func TestRepeatedRefusalIsAcknowledgedAgain(t *testing.T) {
	t.Parallel()
	r, u := newRaw(t, nil), newUA(t, Options{})
	got := r.invite(within(t, 10*time.Second), u, Invite{})
	invite := r.request(wire.INVITE)
	for range 3 {
		r.respond(invite, 486, "x")
		ack := r.request(wire.ACK)
		if ack.Via().Value() != invite.Via().Value() {
			t.Errorf("the ACK has another Via than its INVITE: %s", ack.Via().Value())
		}
	}
	if o := <-got; o.err == nil || o.err.Error() != "sip: 486 Because" {
		t.Errorf("%v", o.err)
	}
}

func TestByeRightBehindTheAnswer(t *testing.T) {
	t.Parallel()
	r, u := newRaw(t, nil), newUA(t, Options{})
	got := r.invite(within(t, 10*time.Second), u, Invite{})
	invite := r.request(wire.INVITE)
	r.accept(invite, "one")
	r.send(r.within(invite, "one", "BYE", 1, "", ""))
	o := <-got
	if o.err != nil {
		t.Fatal(o.err)
	}
	await(t, "the end", o.d.Done())
	r.status(200)
}

func TestDigest(t *testing.T) {
	t.Parallel()
	const chal = `Digest realm="r", nonce="%s", algorithm=SHA-256, qop="auth-int, auth"`
	ask := func(nonce, more string) string { return strings.Replace(chal, "%s", nonce, 1) + more }
	r, u := newRaw(t, nil), newUA(t, Options{})
	sent := 0
	got := r.invite(within(t, 10*time.Second), u, Invite{Username: "alice", Password: "secret", OnSent: func() { sent++ }})
	first := r.request(wire.INVITE)
	r.respond(first, 407, "x", `Proxy-Authenticate: Digest realm="r", nonce="1", algorithm=AKAv1-MD5`, "Proxy-Authenticate: "+ask("2", ""))
	r.request(wire.ACK)
	second := r.request(wire.INVITE)
	verify(t, second, "Proxy-Authorization", ask("2", ""))
	if second.CSeq().SeqNo != first.CSeq().SeqNo+1 || second.CallID().Value() != first.CallID().Value() || second.Via().Value() == first.Via().Value() {
		t.Errorf("the second INVITE does not follow the first:\n%s\n%s", first, second)
	}
	r.respond(second, 407, "x", "Proxy-Authenticate: "+ask("3", ", stale=true"))
	third := r.request(wire.INVITE)
	verify(t, third, "Proxy-Authorization", ask("3", ""))
	r.respond(third, 401, "x", "WWW-Authenticate: "+ask("4", ""))
	fourth := r.request(wire.INVITE)
	verify(t, fourth, "Authorization", ask("4", ""))
	r.respond(fourth, 401, "x", "WWW-Authenticate: "+ask("5", ""))
	var status *StatusError
	if o := <-got; !errors.As(o.err, &status) || status.Status != 401 {
		t.Errorf("%v, want 401 after the credentials were refused", o.err)
	}
	if sent != 1 {
		t.Errorf("OnSent was called %d times", sent)
	}
}

func verify(t *testing.T, req *wire.Request, name, challenge string) {
	t.Helper()
	h := req.GetHeader(name)
	if h == nil {
		t.Fatalf("no %s:\n%s", name, req)
	}
	got, err := digest.ParseCredentials(h.Value())
	if err != nil {
		t.Fatal(err)
	}
	chal, err := digest.ParseChallenge(challenge)
	if err != nil {
		t.Fatal(err)
	}
	chal.QOP = []string{"auth"}
	want, err := digest.Digest(chal, digest.Options{
		Method: string(req.Method), URI: req.Recipient.String(), Username: "alice", Password: "secret", Cnonce: got.Cnonce, Count: got.Nc,
	})
	if err != nil {
		t.Fatal(err)
	}
	if got.Response != want.Response || got.URI != req.Recipient.String() {
		t.Errorf("credentials %s, want response %s", h.Value(), want.Response)
	}
}

func TestByeIsChallenged(t *testing.T) {
	t.Parallel()
	r, u := newRaw(t, nil), newUA(t, Options{})
	d, _ := r.dial(u, Invite{Username: "alice", Password: "secret"})
	ended := make(chan error, 1)
	go func() { ended <- d.Bye(within(t, 10*time.Second)) }()
	const ask = `Digest realm="r", nonce="9", algorithm=SHA-256, qop="auth"`
	r.respond(r.request(wire.BYE), 401, "", "WWW-Authenticate: "+ask)
	bye := r.request(wire.BYE)
	verify(t, bye, "Authorization", ask)
	r.respond(bye, 200, "")
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestByeWithoutAnswer(t *testing.T) {
	t.Parallel()
	r, u := newRaw(t, nil), newUA(t, Options{T1: quick})
	d, _ := r.dial(u, Invite{})
	ended := make(chan error, 1)
	go func() { ended <- d.Bye(within(t, 10*time.Second)) }()
	await(t, "Done", d.Done())
	if err := <-ended; !errors.Is(err, ErrTimeout) {
		t.Errorf("%v, want ErrTimeout", err)
	}
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	r, u := newRaw(t, nil), newUA(t, Options{})
	near, far := "<sip:near@"+r.addr()+";lr>", "<sip:far@192.0.2.9;lr>"
	// The first Record-Route is the one nearest to the callee: the route set is
	// the reverse (RFC 3261 section 12.1.2).
	d, _ := r.dial(u, Invite{}, "Record-Route: "+far, "Record-Route: "+near)
	ended := make(chan error, 1)
	go func() { ended <- d.Bye(within(t, 10*time.Second)) }()
	bye := r.request(wire.BYE)
	routes := bye.GetHeaders("Route")
	if len(routes) != 2 || routes[0].Value() != near || routes[1].Value() != far || bye.Recipient.String() != "sip:peer@"+r.addr() {
		t.Errorf("BYE:\n%s", bye)
	}
	r.respond(bye, 200, "")
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestStrictRoute(t *testing.T) {
	t.Parallel()
	r, u := newRaw(t, nil), newUA(t, Options{})
	d, _ := r.dial(u, Invite{}, "Record-Route: <sip:old@"+r.addr()+">")
	ended := make(chan error, 1)
	go func() { ended <- d.Bye(within(t, 10*time.Second)) }()
	bye := r.request(wire.BYE)
	if routes := bye.GetHeaders("Route"); len(routes) != 1 || routes[0].Value() != "<sip:peer@"+r.addr()+">" || bye.Recipient.String() != "sip:old@"+r.addr() {
		t.Errorf("BYE:\n%s", bye)
	}
	r.respond(bye, 200, "")
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestByeFromStoredState(t *testing.T) {
	t.Parallel()
	r, u := newRaw(t, nil), newUA(t, Options{})
	d, invite := r.dial(u, Invite{DisplayName: "Agent 7"})
	state := d.State().Bytes()
	if !json.Valid(state) || strings.Contains(string(state), "secret") {
		t.Errorf("state %s", state)
	}
	_ = u.Close() // the process dies
	next := newUA(t, Options{})
	ended := make(chan error, 1)
	go func() { ended <- next.ByeFrom(within(t, 10*time.Second), state) }()
	bye := r.request(wire.BYE)
	from, _ := bye.From().Params.Get("tag")
	ours, _ := invite.From().Params.Get("tag")
	to, _ := bye.To().Params.Get("tag")
	if bye.CallID().Value() != invite.CallID().Value() || from != ours || to != "one" || bye.CSeq().SeqNo <= invite.CSeq().SeqNo {
		t.Errorf("BYE:\n%s", bye)
	}
	r.respond(bye, 481, "")
	if err := <-ended; err != nil {
		t.Errorf("ByeFrom: %v; a far end that forgot the call is as good", err)
	}
	for _, bad := range []string{"", "{}", `{"callId":"1"}`, "[]"} {
		if err := next.ByeFrom(context.Background(), []byte(bad)); err == nil {
			t.Errorf("ByeFrom(%q) is fine", bad)
		}
	}
}

func TestInviteRefusesBadInput(t *testing.T) {
	t.Parallel()
	u := newUA(t, Options{})
	for _, in := range []Invite{
		{URI: ""}, {URI: "sip:"}, {URI: "tel:+1555"}, {URI: "sips:1@127.0.0.1;transport=udp"}, {URI: "sip:1@127.0.0.1;transport=ws"}, {URI: "sip:1@127.0.0.1;transport=sctp"},
		{URI: "sip:1@127.0.0.1", From: "1\r\nX: y"}, {URI: "sip:1@127.0.0.1", To: "<a>"}, {URI: "sip:1@127.0.0.1", From: "a@b@c"},
		{URI: "sip:1@127.0.0.1", DisplayName: "a\"b"}, {URI: "sip:1@127.0.0.1", CallID: "a b"},
		{URI: "sip:1@127.0.0.1", Headers: map[string]string{"X": "a\r\nVia: b"}}, {URI: "sip:1@127.0.0.1", Headers: map[string]string{"X:": "a"}},
	} {
		if _, err := u.Invite(within(t, time.Second), in); err == nil || errors.Is(err, ErrTimeout) {
			t.Errorf("%+v: %v", in, err)
		}
	}
}

func TestExternalIP(t *testing.T) {
	t.Parallel()
	r, u := newRaw(t, nil), newUA(t, Options{ExternalIP: "203.0.113.5", UserAgent: "Test/1"})
	_, invite := r.dial(u, Invite{})
	if c := invite.Contact().Address; c.Host != "203.0.113.5" || c.Port != int(u.Addr().Port()) {
		t.Errorf("Contact %s", c.String())
	}
	if h := invite.GetHeader("User-Agent"); h == nil || h.Value() != "Test/1" {
		t.Errorf("User-Agent %v", h)
	}
	if _, err := New(Options{ExternalIP: "host.example"}); err == nil {
		t.Error("a host name is taken for an IP address")
	}
}

func TestOccupiedPort(t *testing.T) {
	t.Parallel()
	u := newUA(t, Options{})
	_, err := New(Options{Listen: u.Addr()})
	if err == nil || !strings.Contains(err.Error(), u.Addr().String()) || !strings.Contains(err.Error(), "stop the program") {
		t.Errorf("%v", err)
	}
}

func TestCloseEndsInvite(t *testing.T) {
	t.Parallel()
	r, u := newRaw(t, nil), newUA(t, Options{})
	got := r.invite(context.Background(), u, Invite{})
	r.respond(r.request(wire.INVITE), 180, "x")
	_ = u.Close()
	if o := <-got; !errors.Is(o.err, ErrClosed) {
		t.Errorf("%v, want ErrClosed", o.err)
	}
}
