package sip

import (
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

// connected has the peer call, and returns its side and ours when confirmed.
func connected(t *testing.T) (*raw, *wire.Response, *Dialog) {
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
		cseq, _ := res.Get("cseq")
		got[cseq+" "+strings.Fields(res.Start)[1]] = true
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
	r, res, d := connected(t)
	r.send(r.inside(res, "BYE", 2, "", ""))
	r.status(200)
	await(t, "the end", d.Done())
	r.send(r.inside(res, "BYE", 3, "", ""))
	r.status(481)
}

func byeWithOldCSeq(t *testing.T) {
	r, res, d := connected(t)
	r.send(r.inside(res, "INFO", 9, "", ""))
	r.status(200)
	r.send(r.inside(res, "BYE", 2, "", "")) // the call would hang otherwise
	r.status(200)
	await(t, "the end", d.Done())
}

func byeWithWrongTag(t *testing.T) {
	r, res, d := connected(t)
	for _, wrong := range [][2]string{{res.From().Value(), ourTo + ";tag=guess"}, {peerFrom + "x", res.To().Value()}, {res.To().Value(), res.From().Value()}} {
		r.send(r.ask("BYE", target, wrong[0], wrong[1], res.CallID().Value(), 2, "", ""))
		r.status(481)
	}
	r.send(r.ask("BYE", target, res.From().Value(), res.To().Value(), res.CallID().Value()+"x", 2, "", ""))
	r.status(481)
	alive(t, d)
}

func byeDuringOffer(t *testing.T) {
	r, res, d := connected(t)
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
	r, res, d := connected(t)
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
	r, res, d := connected(t)
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
	r, res, d := connected(t)
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
	r, res, d := connected(t)
	for _, text := range []string{"\n\n", "\n", "\x00\x00\x00\x00", " ", "0"} {
		r.send(text)
	}
	r.send(r.inside(res, "BYE", 2, "", ""))
	r.status(200)
	await(t, "the end", d.Done())
}
