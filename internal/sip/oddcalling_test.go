package sip

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	wire "github.com/emiago/sipgo/sip"
)

func TestOddCallsOfOurs(t *testing.T) {
	t.Parallel()
	for name, flow := range map[string]func(*testing.T){
		"redirect":                       redirect,
		"canceled by the far end":        canceledThere,
		"many provisional responses":     manyProvisional,
		"provisional after the refusal":  lateProvisional,
		"answers of nobody":              answersOfNobody,
		"answer without Contact":         answerWithoutContact,
		"answer without tag":             answerWithoutTag,
		"answer of another phone":        answerOfAnotherPhone,
		"answer although CANCEL is lost": answerInSpiteOfCancel,
		"CANCEL answered 481":            cancelUnknown,
		"CANCEL that nobody answers":     cancelUnanswered,
		"challenge nobody can answer":    impossibleChallenge,
		"BYE answered 408":               byeTimedOut,
		"two offers of ours at once":     twoOffers,
		"offer refused":                  ourOfferRefused,
		"BYE while we offer":             byeWhileWeOffer,
	} {
		t.Run(name, func(t *testing.T) { t.Parallel(); flow(t) })
	}
}

func statusOf(err error) int {
	var s *StatusError
	if errors.As(err, &s) {
		return s.Status
	}
	return 0
}

// calling starts a call of ours and returns its INVITE at the peer.
func calling(t *testing.T, ctx context.Context, o Options, in Invite) (*raw, *wire.Request, <-chan result) {
	t.Helper()
	r, u := newRaw(t, nil), newUA(t, o)
	got := r.invite(ctx, u, in)
	return r, r.request(wire.INVITE), got
}

func redirect(t *testing.T) {
	r, invite, got := calling(t, within(t, 10*time.Second), Options{}, Invite{})
	r.respond(invite, 302, "x", "Contact: <sip:elsewhere@192.0.2.1>")
	r.request(wire.ACK)
	if o := <-got; statusOf(o.err) != 302 {
		t.Errorf("%v, want 302: where a call goes is not for strangers to say", o.err)
	}
}

func canceledThere(t *testing.T) {
	r, invite, got := calling(t, within(t, 10*time.Second), Options{}, Invite{})
	r.respond(invite, 180, "x")
	r.respond(invite, 487, "x")
	r.request(wire.ACK)
	if o := <-got; statusOf(o.err) != 487 {
		t.Errorf("%v, want 487", o.err)
	}
}

func manyProvisional(t *testing.T) {
	heard := make(chan int, 32)
	r, invite, got := calling(t, within(t, 10*time.Second), Options{}, Invite{OnProvisional: func(status int, _ []byte) { heard <- status }})
	want := []int{180, 183, 180, 181, 199}
	r.respond(invite, 100, "")
	for _, status := range want {
		r.respond(invite, status, "x")
		if s := <-heard; s != status {
			t.Errorf("heard %d, want %d", s, status)
		}
	}
	r.accept(invite, "x")
	r.request(wire.ACK)
	if o := <-got; o.err != nil {
		t.Error(o.err)
	}
}

func lateProvisional(t *testing.T) {
	heard := make(chan int, 8)
	r, invite, got := calling(t, within(t, 10*time.Second), Options{}, Invite{OnProvisional: func(status int, _ []byte) { heard <- status }})
	r.respond(invite, 486, "x")
	r.request(wire.ACK)
	r.respond(invite, 180, "x")
	if o := <-got; statusOf(o.err) != 486 {
		t.Errorf("%v, want 486", o.err)
	}
	if len(heard) != 0 {
		t.Errorf("heard %d after the refusal", <-heard)
	}
}

func answersOfNobody(t *testing.T) {
	r, invite, got := calling(t, within(t, 10*time.Second), Options{}, Invite{})
	text := func(edit func(*wire.Response)) string {
		res := wire.NewResponseFromRequest(invite, 200, "OK", []byte(answer))
		res.To().Params.Add("tag", "evil")
		edit(res)
		return res.String()
	}
	r.send(text(func(m *wire.Response) { m.Via().Params.Add("branch", newBranch()) }))
	r.send(text(func(m *wire.Response) { m.CSeq().MethodName = wire.BYE }))
	r.send(text(func(m *wire.Response) { m.StatusCode = 700 }))
	r.send(text(func(m *wire.Response) { m.SipVersion = "SIP/3.0" }))
	r.send(strings.Replace(text(func(*wire.Response) {}), "Content-Length: ", "Content-Length: 9", 1))
	r.accept(invite, "good")
	ack := r.request(wire.ACK)
	if tag, _ := ack.To().Params.Get("tag"); tag != "good" {
		t.Errorf("the call is with %q", tag)
	}
	if o := <-got; o.err != nil {
		t.Error(o.err)
	}
}

func answerWithoutContact(t *testing.T) {
	r, invite, got := calling(t, within(t, 10*time.Second), Options{}, Invite{})
	r.respondBody(invite, 200, "x", answer)
	if ack := r.request(wire.ACK); ack.Recipient.String() != r.uri() {
		t.Errorf("the ACK goes to %s", ack.Recipient.String())
	}
	if o := <-got; o.err != nil {
		t.Error(o.err)
	}
}

func answerWithoutTag(t *testing.T) {
	r, invite, got := calling(t, within(t, 10*time.Second), Options{}, Invite{})
	res := wire.NewResponseFromRequest(invite, 200, "OK", []byte(answer))
	tag, _ := res.To().Params.Get("tag")
	res.AppendHeader(wire.NewHeader("Contact", "<sip:peer@"+r.addr()+">"))
	r.send(strings.Replace(res.String(), ";tag="+tag, "", 1))
	r.request(wire.ACK)
	o := <-got
	if o.err != nil {
		t.Fatal(o.err)
	}
	r.send(r.ask("BYE", invite.Contact().Address.String(), invite.To().Value(), invite.From().Value(), invite.CallID().Value(), 1, "", ""))
	r.status(200)
	await(t, "the end", o.d.Done())
}

func answerOfAnotherPhone(t *testing.T) {
	r, invite, got := calling(t, within(t, 10*time.Second), Options{}, Invite{})
	r.respond(invite, 180, "kitchen")
	r.respond(invite, 180, "bedroom")
	r.accept(invite, "bedroom")
	ack := r.request(wire.ACK)
	if tag, _ := ack.To().Params.Get("tag"); tag != "bedroom" {
		t.Errorf("the ACK goes to %q", tag)
	}
	if o := <-got; o.err != nil {
		t.Error(o.err)
	}
}

func answerInSpiteOfCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	r, invite, got := calling(t, ctx, Options{T1: quick}, Invite{})
	r.respond(invite, 180, "x")
	cancel()
	r.request(wire.CANCEL) // it is not answered
	r.accept(invite, "x")
	r.request(wire.ACK)
	r.respond(r.request(wire.BYE), 200, "")
	if o := <-got; !errors.Is(o.err, ErrCanceled) || o.d != nil {
		t.Errorf("%v, %v, want ErrCanceled", o.d, o.err)
	}
}

func cancelUnknown(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	r, invite, got := calling(t, ctx, Options{}, Invite{})
	r.respond(invite, 180, "x")
	cancel()
	r.respond(r.request(wire.CANCEL), 481, "y")
	r.respond(invite, 486, "x") // it was decided before
	r.request(wire.ACK)
	if o := <-got; !errors.Is(o.err, ErrCanceled) {
		t.Errorf("%v, want ErrCanceled", o.err)
	}
}

func cancelUnanswered(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	r, invite, got := calling(t, ctx, Options{T1: quick}, Invite{})
	r.respond(invite, 180, "x")
	cancel()
	r.request(wire.CANCEL)
	r.request(wire.CANCEL) // it is repeated
	select {
	case o := <-got:
		if !errors.Is(o.err, ErrCanceled) {
			t.Errorf("%v, want ErrCanceled", o.err)
		}
	case <-time.After(10 * time.Second):
		t.Error("the call does not end")
	}
}

func impossibleChallenge(t *testing.T) {
	r, invite, got := calling(t, within(t, 10*time.Second), Options{}, Invite{Username: "alice", Password: "secret"})
	r.respond(invite, 401, "x", `WWW-Authenticate: Digest realm="r", nonce="1", algorithm=AKAv1-MD5`, "WWW-Authenticate: Basic realm=r")
	r.request(wire.ACK)
	if o := <-got; o.err == nil || o.d != nil {
		t.Errorf("%v, %v", o.d, o.err)
	}
}

func byeTimedOut(t *testing.T) {
	r, u := newRaw(t, nil), newUA(t, Options{})
	d, _ := r.dial(u, Invite{})
	ended := make(chan error, 1)
	go func() { ended <- d.Bye(within(t, 10*time.Second)) }()
	r.respond(r.request(wire.BYE), 408, "")
	if err := <-ended; err != nil {
		t.Errorf("Bye: %v", err)
	}
}

func twoOffers(t *testing.T) {
	r, u := newRaw(t, nil), newUA(t, Options{})
	d, _ := r.dial(u, Invite{})
	got := make(chan error, 1)
	go func() { _, err := d.Reinvite(within(t, 10*time.Second), []byte(offer)); got <- err }()
	invite := r.request(wire.INVITE)
	if _, err := d.Reinvite(within(t, time.Second), []byte(offer)); !errors.Is(err, ErrPending) {
		t.Errorf("%v, want ErrPending", err)
	}
	r.accept(invite, "")
	r.request(wire.ACK)
	if err := <-got; err != nil {
		t.Error(err)
	}
}

func ourOfferRefused(t *testing.T) {
	r, u := newRaw(t, nil), newUA(t, Options{})
	d, _ := r.dial(u, Invite{})
	got := make(chan error, 1)
	go func() { _, err := d.Reinvite(within(t, 10*time.Second), []byte(offer)); got <- err }()
	r.respond(r.request(wire.INVITE), 488, "")
	r.request(wire.ACK)
	if err := <-got; statusOf(err) != 488 {
		t.Errorf("%v, want 488", err)
	}
	alive(t, d)
}

func byeWhileWeOffer(t *testing.T) {
	r, u := newRaw(t, nil), newUA(t, Options{})
	d, invite := r.dial(u, Invite{})
	got := make(chan error, 1)
	go func() { _, err := d.Reinvite(within(t, 10*time.Second), []byte(offer)); got <- err }()
	ours := r.request(wire.INVITE)
	r.send(r.within(invite, "one", "BYE", 1, "", ""))
	r.status(200)
	await(t, "the end", d.Done())
	r.respond(ours, 487, "")
	r.request(wire.ACK)
	if err := <-got; err == nil {
		t.Error("an offer in a call that ended succeeded")
	}
}
