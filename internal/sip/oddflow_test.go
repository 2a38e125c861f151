package sip

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	wire "github.com/emiago/sipgo/sip"
)

// Calls do not always go by the book. Each of these is one that does not, seen
// from the called side or the calling side; others are in calling_test.go,
// serving_test.go and foreign_test.go.

func TestOddCallsToUs(t *testing.T) {
	t.Parallel()
	for name, flow := range map[string]func(*testing.T){
		"CANCEL after the answer":         cancelAfterAnswer,
		"CANCEL twice":                    cancelTwice,
		"refusal repeated until ACK":      refusalRepeats,
		"ACK of another CSeq":             ackOfAnotherCSeq,
		"ACK of nothing":                  ackOfNothing,
		"BYE twice, as two requests":      byeTwice,
		"BYE with an old CSeq":            byeWithOldCSeq,
		"BYE with one tag wrong":          byeWithWrongTag,
		"BYE during an offer":             byeDuringOffer,
		"BYEs that cross":                 byesCross,
		"offer refused, call goes on":     offerRefused,
		"offer before the ACK":            offerBeforeACK,
		"INFO repeated":                   infoRepeated,
		"call again after a refusal":      callAgain,
		"two copies of one call":          twoCopies,
		"required 100rel":                 required100rel,
		"PRACK of nothing":                prackOfNothing,
		"UPDATE of nothing":               updateOfNothing,
		"no Max-Forwards left":            noForwardsLeft,
		"no Contact":                      noContact,
		"RFC 2543 caller without tag":     callerWithoutTag,
		"short and folded headers":        shortHeaders,
		"Record-Route is followed":        recordRoute,
		"multipart body":                  multipartBody,
		"no offer in the INVITE":          noOffer,
		"decided twice":                   decidedTwice,
		"keep-alives between the packets": keepAlives,
	} {
		t.Run(name, func(t *testing.T) { t.Parallel(); flow(t) })
	}
}

// answered has the peer call, and returns its side and ours when confirmed.
func answered(t *testing.T) (*raw, *wire.Response, *Dialog) {
	t.Helper()
	u, calls := answering(t, Options{})
	r := newRaw(t, u)
	r.send(r.invitation(newTag()))
	res := r.status(200)
	r.ack(res, 1)
	d := <-calls
	await(t, "the ACK", d.acked)
	return r, res, d
}

// ringingCall has the peer call, and returns the call undecided.
func ringingCall(t *testing.T, o Options) (*raw, string, *Incoming) {
	t.Helper()
	ringing := make(chan *Incoming, 8)
	o.OnInvite = func(in *Incoming) { ringing <- in }
	r := newRaw(t, newUA(t, o))
	invite := r.invitation(newTag())
	r.send(invite)
	return r, invite, <-ringing
}

func alive(t *testing.T, d *Dialog) {
	t.Helper()
	select {
	case <-d.Done():
		t.Error("the call ended")
	default:
	}
}

func cancelAfterAnswer(t *testing.T) {
	r, invite, in := ringingCall(t, Options{})
	d, err := in.Answer([]byte(answer))
	if err != nil {
		t.Fatal(err)
	}
	res := r.status(200)
	r.send(toCancel(invite))
	for r.status(200).CSeq().MethodName != wire.CANCEL {
	}
	r.ack(res, 1)
	await(t, "the ACK", d.acked)
	alive(t, d)
}

func cancelTwice(t *testing.T) {
	r, invite, in := ringingCall(t, Options{})
	got := map[string]bool{}
	r.send(toCancel(invite))
	r.send(toCancel(invite))
	for len(got) < 2 {
		res := r.final(5 * time.Second)
		if res == nil {
			t.Fatalf("only %v came", got)
		}
		cseq, _ := res.get("cseq")
		got[cseq+" "+strings.Fields(res.start)[1]] = true
	}
	if !got["1 CANCEL 200"] || !got["1 INVITE 487"] {
		t.Errorf("answers %v", got)
	}
	await(t, "Canceled", in.Canceled())
	if err := in.Ring(); !errors.Is(err, ErrCanceled) {
		t.Errorf("Ring after CANCEL: %v", err)
	}
}

func refusalRepeats(t *testing.T) {
	r, invite, in := ringingCall(t, Options{T1: quick})
	if err := in.Reject(603, "Decline"); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		r.status(603)
	}
	ack := strings.Replace(strings.Replace(invite, "INVITE", "ACK", 1), " INVITE\n", " ACK\n", 1)
	head, _, _ := strings.Cut(ack, "Content-Length")
	r.send(head + "Content-Length: 0\n\n")
	for last := time.Now(); time.Since(last) < 8*quick; {
		if m := r.next(10 * quick); m == nil {
			return
		}
		if time.Since(last) > time.Second {
			t.Fatal("the refusal is repeated after the ACK")
		}
	}
}

func ackOfAnotherCSeq(t *testing.T) {
	u, calls := answering(t, Options{})
	r := newRaw(t, u)
	r.send(r.invitation("odd-ack"))
	res := r.status(200)
	r.ack(res, 7)
	d := <-calls
	r.send(r.inside(res, "OPTIONS", 3, "", "")) // when it is answered, the ACK was read
	for r.status(200).CSeq().MethodName != wire.OPTIONS {
	}
	select {
	case <-d.acked:
		t.Error("an ACK of another request confirms the call")
	default:
	}
	r.ack(res, 1)
	await(t, "the ACK", d.acked)
}

func ackOfNothing(t *testing.T) {
	u := newUA(t, Options{})
	r := newRaw(t, u)
	r.send(r.ask("ACK", target, peerFrom, ourTo+";tag=none", "none", 1, "", ""))
	r.send(r.ask("OPTIONS", target, peerFrom, ourTo, "o", 1, "", ""))
	if res := r.status(200); res.CSeq().MethodName != wire.OPTIONS {
		t.Errorf("an ACK is answered %s", res)
	}
}

func byeTwice(t *testing.T) {
	r, res, d := answered(t)
	r.send(r.inside(res, "BYE", 2, "", ""))
	r.status(200)
	await(t, "the end", d.Done())
	r.send(r.inside(res, "BYE", 3, "", ""))
	r.status(481)
}

func byeWithOldCSeq(t *testing.T) {
	r, res, d := answered(t)
	r.send(r.inside(res, "INFO", 9, "", ""))
	r.status(200)
	r.send(r.inside(res, "BYE", 2, "", "")) // the call would hang otherwise
	r.status(200)
	await(t, "the end", d.Done())
}

func byeWithWrongTag(t *testing.T) {
	r, res, d := answered(t)
	for _, wrong := range [][2]string{{res.From().Value(), ourTo + ";tag=guess"}, {peerFrom + "x", res.To().Value()}, {res.To().Value(), res.From().Value()}} {
		r.send(r.ask("BYE", target, wrong[0], wrong[1], res.CallID().Value(), 2, "", ""))
		r.status(481)
	}
	r.send(r.ask("BYE", target, res.From().Value(), res.To().Value(), res.CallID().Value()+"x", 2, "", ""))
	r.status(481)
	alive(t, d)
}

func byeDuringOffer(t *testing.T) {
	r, res, d := answered(t)
	asked, release := make(chan struct{}), make(chan struct{})
	d.OnReinvite(func([]byte) ([]byte, error) { close(asked); <-release; return []byte(answer), nil })
	r.send(r.inside(res, "INVITE", 2, "", offer))
	await(t, "the offer", asked)
	r.send(r.inside(res, "BYE", 3, "", ""))
	for r.status(200).CSeq().MethodName != wire.BYE {
	}
	await(t, "the end", d.Done())
	close(release)
}

func byesCross(t *testing.T) {
	r, res, d := answered(t)
	ended := make(chan error, 1)
	go func() { ended <- d.Bye(within(t, 10*time.Second)) }()
	ours := r.request(wire.BYE)
	r.send(r.inside(res, "BYE", 2, "", ""))
	r.status(200)
	r.respond(ours, 481, "") // the peer forgot the call with its own BYE
	if err := <-ended; err != nil {
		t.Errorf("Bye: %v", err)
	}
}

func offerRefused(t *testing.T) {
	r, res, d := answered(t)
	d.OnReinvite(func([]byte) ([]byte, error) { return nil, errors.New("no") })
	before := string(d.RemoteSDP())
	r.send(r.inside(res, "INVITE", 2, "", strings.Replace(offer, "sendrecv", "inactive", 1)))
	r.status(488)
	alive(t, d)
	if after := string(d.RemoteSDP()); after != before {
		t.Errorf("a refused offer changed the call: %q", after)
	}
	r.send(r.inside(res, "BYE", 3, "", ""))
	for r.status2(200).CSeq().MethodName != wire.BYE {
	}
}

// status2 is status that passes over repeated refusals.
func (r *raw) status2(want int) *wire.Response {
	r.t.Helper()
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); {
		if res, ok := r.next(time.Until(deadline)).(*wire.Response); ok && res.StatusCode == want {
			return res
		}
	}
	r.t.Fatalf("no %d came", want)
	return nil
}

func offerBeforeACK(t *testing.T) {
	u, calls := answering(t, Options{})
	r := newRaw(t, u)
	r.send(r.invitation("eager"))
	res := r.status(200)
	d := <-calls
	d.OnReinvite(func([]byte) ([]byte, error) { return []byte(answer), nil })
	r.send(r.inside(res, "INVITE", 2, "", offer))
	for r.status(200).CSeq().SeqNo != 2 {
	}
	r.ack(res, 2)
	r.ack(res, 1)
	alive(t, d)
}

func infoRepeated(t *testing.T) {
	r, res, d := answered(t)
	keys := make(chan string, 4)
	d.OnInfo(func(_ string, body []byte) { keys <- string(body) })
	info := r.inside(res, "INFO", 2, "Content-Type: application/dtmf-relay\n", "Signal=5")
	for range 3 {
		r.send(info)
		r.status(200)
	}
	if len(keys) != 1 {
		t.Errorf("the key was heard %d times", len(keys))
	}
}

func callAgain(t *testing.T) {
	u := refusing(t, Options{})
	r := newRaw(t, u)
	const id = "again-after-refusal"
	for cseq := range 3 { // the last two have the same CSeq, as a retry over another way has
		r.send(r.ask("INVITE", target, peerFrom, ourTo, id, min(cseq+1, 2), "", offer))
		for r.status2(486).CSeq().SeqNo != uint32(min(cseq+1, 2)) {
		}
	}
}

func twoCopies(t *testing.T) {
	r, invite, in := ringingCall(t, Options{})
	_, rest, _ := strings.Cut(invite, "branch=")
	branch, _, _ := strings.Cut(rest, "\n")
	other := strings.Replace(invite, branch, newBranch(), 1)
	r.send(other)
	if res := r.status(482); param(res.Via().Params, "branch") == branch {
		t.Error("the first copy was refused")
	}
	if err := in.Ring(); err != nil {
		t.Error(err)
	}
	d, err := in.Answer([]byte(answer))
	if err != nil {
		t.Fatal(err)
	}
	r.send(strings.Replace(invite, branch, newBranch(), 1)) // a late third
	r.status2(482)
	r.ack(r.status2(200), 1)
	await(t, "the ACK", d.acked)
}

func required100rel(t *testing.T) {
	r := newRaw(t, refusing(t, Options{}))
	r.send(r.ask("INVITE", target, peerFrom, ourTo, "rel", 1, "Require: 100rel, gruu\n", offer))
	if res := r.status(420); res.GetHeader("Unsupported") == nil || !strings.Contains(res.GetHeader("Unsupported").Value(), "gruu") {
		t.Errorf("answered\n%s", res)
	}
}

func prackOfNothing(t *testing.T) {
	r := newRaw(t, newUA(t, Options{}))
	r.send(r.ask("PRACK", target, peerFrom, ourTo+";tag=none", "prack", 1, "RAck: 1 1 INVITE\n", ""))
	if res := r.final(5 * time.Second); res == nil || res.status != 405 && res.status != 481 {
		t.Errorf("answered %v", res)
	}
}

func updateOfNothing(t *testing.T) {
	r, _, in := ringingCall(t, Options{})
	if err := in.Ring(); err != nil {
		t.Fatal(err)
	}
	r.send(r.ask("UPDATE", target, peerFrom, ourTo+";tag=none", in.CallID, 2, "", offer))
	r.status(481)
	r.send(r.ask("UPDATE", target, peerFrom, ourTo, in.CallID, 3, "", ""))
	r.status(481)
}

func noForwardsLeft(t *testing.T) {
	r := newRaw(t, refusing(t, Options{}))
	r.send(strings.Replace(r.invitation("last-hop"), "Max-Forwards: 70", "Max-Forwards: 0", 1))
	r.status(486) // only who forwards counts (RFC 3261 section 16.3)
}

func noContact(t *testing.T) {
	u, calls := answering(t, Options{})
	r := newRaw(t, u)
	r.send(strings.Replace(r.invitation("no-contact"), "Contact: <sip:peer@"+r.addr()+">\n", "", 1))
	r.ack(r.status(200), 1)
	d := <-calls
	if got := d.RemoteContact(); got != "sip:+15550009@192.0.2.1" {
		t.Errorf("requests go to %s, want the From", got)
	}
}

func callerWithoutTag(t *testing.T) {
	u, calls := answering(t, Options{})
	r := newRaw(t, u)
	r.send(strings.Replace(r.invitation("old"), ";tag=p", "", 1))
	res := r.status(200)
	r.ack(res, 1)
	d := <-calls
	await(t, "the ACK", d.acked)
	r.send(r.inside(res, "BYE", 2, "", ""))
	r.status(200)
	await(t, "the end", d.Done())
}

func shortHeaders(t *testing.T) {
	got := make(chan *Incoming, 1)
	u := newUA(t, Options{OnInvite: func(in *Incoming) { got <- in; _ = in.Reject(486, "Busy Here") }})
	r := newRaw(t, u)
	text := r.invitation("short")
	for long, short := range map[string]string{"Via: SIP/2.0/UDP ": "v:SIP / 2.0\n /\tUDP ", "From:": "f :", "To:": "T\t:", "Call-ID:": "i:", "Contact:": "M:", "Content-Length:": "L\n:"} {
		if long == "Content-Length:" {
			short = "L:\n "
		}
		text = strings.Replace(text, long, short, 1)
	}
	r.send(text)
	r.status(486)
	if in := <-got; in.From != "+15550009" || in.To != "+15550002" || in.DisplayName != "Peer" || string(in.Body) != offer {
		t.Errorf("incoming %+v", in)
	}
}

func recordRoute(t *testing.T) {
	u, calls := answering(t, Options{})
	r := newRaw(t, u)
	near, far := "<sip:near@"+r.addr()+";lr>", "<sip:far@192.0.2.9;lr>"
	r.send(strings.Replace(r.invitation("routed"), "Max-Forwards", "Record-Route: "+near+", "+far+"\nMax-Forwards", 1))
	r.ack(r.status(200), 1)
	d := <-calls
	ended := make(chan error, 1)
	go func() { ended <- d.Bye(within(t, 10*time.Second)) }()
	bye := r.request(wire.BYE)
	if routes := bye.GetHeaders("Route"); len(routes) != 2 || routes[0].Value() != near || routes[1].Value() != far {
		t.Errorf("BYE:\n%s", bye)
	}
	r.respond(bye, 200, "")
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func multipartBody(t *testing.T) {
	r := newRaw(t, refusing(t, Options{}))
	r.send(r.ask("INVITE", target, peerFrom, ourTo, "parts", 1, "Content-Type: multipart/mixed;boundary=x\n", "--x\n\n--x--\n"))
	if res := r.status(415); res.GetHeader("Accept") == nil {
		t.Errorf("answered\n%s", res)
	}
}

func noOffer(t *testing.T) {
	r, _, in := func() (*raw, string, *Incoming) {
		ringing := make(chan *Incoming, 1)
		r := newRaw(t, newUA(t, Options{OnInvite: func(in *Incoming) { ringing <- in }}))
		r.send(r.ask("INVITE", target, peerFrom, ourTo, "late-offer", 1, "", ""))
		return r, "", <-ringing
	}()
	if len(in.Body) != 0 {
		t.Errorf("body %q", in.Body)
	}
	if _, err := in.Answer([]byte(offer)); err != nil {
		t.Fatal(err)
	}
	if res := r.status(200); string(res.Body()) != offer {
		t.Errorf("the 200 offers %q", res.Body())
	}
}

func decidedTwice(t *testing.T) {
	_, _, in := ringingCall(t, Options{})
	if err := in.Reject(486, "Busy Here"); err != nil {
		t.Fatal(err)
	}
	if err := in.Ring(); !errors.Is(err, ErrAnswered) {
		t.Errorf("Ring: %v", err)
	}
	if err := in.Reject(603, "Decline"); !errors.Is(err, ErrAnswered) {
		t.Errorf("Reject: %v", err)
	}
	if _, err := in.Answer([]byte(answer)); !errors.Is(err, ErrAnswered) {
		t.Errorf("Answer: %v", err)
	}
}

func keepAlives(t *testing.T) {
	r, res, d := answered(t)
	for _, text := range []string{"\n\n", "\n", "\x00\x00\x00\x00", " ", "0"} {
		r.send(text)
	}
	r.send(r.inside(res, "BYE", 2, "", ""))
	r.status(200)
	await(t, "the end", d.Done())
}

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
