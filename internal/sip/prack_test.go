package sip

import (
	"errors"
	"strings"
	"testing"
	"time"

	wire "github.com/emiago/sipgo/sip"
)

func TestReliableResponsesAreConfirmed(t *testing.T) {
	t.Parallel()
	r, u := newRaw(t, nil), newUA(t, Options{})
	var heard []int
	got := r.invite(within(t, 10*time.Second), u, Invite{OnProvisional: func(status int, _ []byte) { heard = append(heard, status) }})
	invite := r.request(wire.INVITE)
	if !supports(invite, "100rel") {
		t.Errorf("the INVITE does not know of it:\n%s", invite)
	}
	at := "Contact: <sip:early@" + r.addr() + ">"
	send := func(status int, rseq, body string) {
		r.respondBody(invite, status, "one", body, at, "Require: 100rel", "RSeq: "+rseq)
	}
	send(183, "7000", answer)
	first := r.request(wire.PRACK)
	if headerValue(first, "RAck") != "7000 1 INVITE" || first.Recipient.String() != "sip:early@"+r.addr() || first.CSeq().SeqNo <= invite.CSeq().SeqNo {
		t.Errorf("PRACK:\n%s", first)
	}
	r.respond(first, 200, "")
	send(183, "7000", answer) // again, for the PRACK was late
	send(180, "7005", "")     // overtook another
	send(180, "7001", "")
	second := r.request(wire.PRACK)
	if headerValue(second, "RAck") != "7001 1 INVITE" || second.CSeq().SeqNo <= first.CSeq().SeqNo {
		t.Errorf("second PRACK:\n%s", second)
	}
	r.respond(second, 200, "")
	r.respond(invite, 200, "one", at) // the answer came before
	r.request(wire.ACK)
	o := <-got
	if o.err != nil || string(o.d.RemoteSDP()) != answer {
		t.Fatalf("%v; remote SDP %q", o.err, o.d.RemoteSDP())
	}
	if len(heard) != 2 || heard[0] != 183 || heard[1] != 180 {
		t.Errorf("heard %v, want each once", heard)
	}
	go func() { _ = o.d.Bye(within(t, 5*time.Second)) }() // the BYE is looked at below
	bye := r.request(wire.BYE)
	if bye.CSeq().SeqNo <= second.CSeq().SeqNo {
		t.Errorf("BYE with CSeq %d after a PRACK with %d", bye.CSeq().SeqNo, second.CSeq().SeqNo)
	}
	r.respond(bye, 200, "")
}

func TestInviteWithoutOfferTakesNoReliableResponses(t *testing.T) {
	t.Parallel()
	r, u := newRaw(t, nil), newUA(t, Options{})
	go func() { _, _ = u.Invite(within(t, time.Second), Invite{URI: r.uri()}) }() // it is given up
	if invite := r.request(wire.INVITE); supports(invite, "100rel") || !supports(invite, "timer") {
		t.Errorf("INVITE:\n%s", invite)
	}
}

// ringing has u ring at a caller that requires to confirm that, and hands its
// calls out.
func ringing(t *testing.T, o Options, callID string) (*raw, *wire.Response, <-chan error, <-chan *Dialog) {
	t.Helper()
	failed, calls := make(chan error, 4), make(chan *Dialog, 1)
	o.OnInvite = func(in *Incoming) {
		failed <- in.Ring()
		failed <- in.Progress([]byte(answer))
		d, err := in.Answer([]byte(answer))
		failed <- err
		calls <- d
	}
	r := newRaw(t, newUA(t, o))
	r.send(r.ask("INVITE", "sip:+15550002@127.0.0.1", peerFrom, ourTo, callID, 1, "Require: 100rel\n", offer))
	return r, r.status(180), failed, calls
}

func TestReliableRinging(t *testing.T) {
	t.Parallel()
	r, rings, failed, calls := ringing(t, Options{T1: quick}, "reliable")
	if again := r.status(180); headerValue(again, "RSeq") != headerValue(rings, "RSeq") || headerValue(rings, "Require") != "100rel" {
		t.Errorf("repeated:\n%s\n%s", rings, again)
	}
	confirm := func(res *wire.Response, rack string, cseq, want int) {
		t.Helper()
		r.send(r.inside(res, "PRACK", cseq, "RAck: "+rack+" 1 INVITE\n", ""))
		for answered := r.status(want); answered.CSeq().MethodName != wire.PRACK; answered = r.status(want) {
		}
	}
	confirm(rings, "1", 2, 481)
	confirm(rings, headerValue(rings, "RSeq"), 3, 200)
	progress := r.status(183)
	for progress.StatusCode != 183 {
		progress = r.status(183)
	}
	if string(progress.Body()) != answer {
		t.Errorf("progress:\n%s", progress)
	}
	confirm(progress, headerValue(progress, "RSeq"), 4, 200)
	res := r.status(200)
	r.ack(res, 1)
	for range 3 {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
	if d := <-calls; d == nil {
		t.Error("no call")
	}
}

func TestReliableRingingThatIsNeverConfirmed(t *testing.T) {
	t.Parallel()
	r, _, failed, _ := ringing(t, Options{T1: quick}, "unconfirmed")
	r.status(504)
	if err := <-failed; err != nil {
		t.Errorf("Ring: %v", err)
	}
	if err := <-failed; !errors.Is(err, ErrAnswered) {
		t.Errorf("Progress after the refusal: %v", err)
	}
}

func TestOfferInPRACKIsRefused(t *testing.T) {
	t.Parallel()
	r, rings, _, _ := ringing(t, Options{}, "offers")
	r.send(r.inside(rings, "PRACK", 2, "RAck: "+headerValue(rings, "RSeq")+" 1 INVITE\nContent-Type: application/sdp\n", strings.ReplaceAll(offer, "\r\n", "\n")))
	r.status(488)
	r.status(183) // it was confirmed all the same
}
