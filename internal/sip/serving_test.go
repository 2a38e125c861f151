package sip

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	wire "github.com/emiago/sipgo/sip"
)

const (
	peerFrom = `"Peer" <sip:+15550009@192.0.2.1>;tag=p`
	ourTo    = "<sip:+15550002@127.0.0.1>"
)

func (r *raw) invitation(callID string) string {
	return r.ask("INVITE", "sip:+15550002@127.0.0.1", peerFrom, ourTo, callID, 1, "", offer)
}

// answering takes every call and hands its dialog out.
func answering(t *testing.T, o Options) (*UA, <-chan *Dialog) {
	t.Helper()
	got := make(chan *Dialog, 8)
	o.OnInvite = func(in *Incoming) {
		d, err := in.Answer([]byte(answer))
		if err != nil {
			t.Errorf("Answer: %v", err)
			return
		}
		got <- d
	}
	return newUA(t, o), got
}

// ack confirms a 2xx to an INVITE of the peer's.
func (r *raw) ack(res *wire.Response, cseq int) {
	r.send(r.ask("ACK", res.Contact().Address.String(), res.From().Value(), res.To().Value(), res.CallID().Value(), cseq, "", ""))
}

// inside makes a request in the dialog of a call that the peer placed.
func (r *raw) inside(res *wire.Response, method string, cseq int, extra, body string) string {
	return r.ask(method, res.Contact().Address.String(), res.From().Value(), res.To().Value(), res.CallID().Value(), cseq, extra, body)
}

func TestRequestsThatAreRefused(t *testing.T) {
	t.Parallel()
	u := newUA(t, Options{})
	const target = "sip:+15550002@127.0.0.1"
	tests := map[string]struct {
		edit func(r *raw) string
		want int
		has  string
	}{
		"unknown method":      {func(r *raw) string { return r.ask("FROBNICATE", target, peerFrom, ourTo, "a", 1, "", "") }, 501, "Allow"},
		"method not allowed":  {func(r *raw) string { return r.ask("SUBSCRIBE", target, peerFrom, ourTo, "a", 1, "", "") }, 405, "Allow"},
		"REGISTER":            {func(r *raw) string { return r.ask("REGISTER", target, peerFrom, ourTo, "a", 1, "", "") }, 405, "Allow"},
		"unknown dialog":      {func(r *raw) string { return r.ask("BYE", target, peerFrom, ourTo+";tag=x", "a", 1, "", "") }, 481, ""},
		"BYE without dialog":  {func(r *raw) string { return r.ask("BYE", target, peerFrom, ourTo, "a", 1, "", "") }, 481, ""},
		"re-INVITE of no one": {func(r *raw) string { return r.ask("INVITE", target, peerFrom, ourTo+";tag=x", "a", 1, "", offer) }, 481, ""},
		"CANCEL of nothing":   {func(r *raw) string { return r.ask("CANCEL", target, peerFrom, ourTo, "a", 1, "", "") }, 481, ""},
		"OPTIONS":             {func(r *raw) string { return r.ask("OPTIONS", target, peerFrom, ourTo, "a", 1, "", "") }, 200, "Accept"},
		"nobody takes calls":  {func(r *raw) string { return r.invitation("a") }, 404, ""},
		"unknown scheme": {func(r *raw) string {
			return r.ask("OPTIONS", "urn:service:sos", peerFrom, ourTo, "a", 1, "", "")
		}, 416, ""},
		"required extension": {func(r *raw) string {
			return r.ask("OPTIONS", target, peerFrom, ourTo, "a", 1, "Require: 100rel, x\n", "")
		}, 420, "Unsupported"},
		"version":         {func(r *raw) string { return strings.Replace(r.invitation("a"), "SIP/2.0\n", "SIP/7.0\n", 1) }, 505, ""},
		"CSeq of another": {func(r *raw) string { return strings.Replace(r.invitation("a"), "1 INVITE", "1 OPTIONS", 1) }, 400, ""},
		"body of another kind": {func(r *raw) string {
			return r.ask("INVITE", target, peerFrom, ourTo, "a", 1, "Content-Type: text/plain\n", "hi")
		}, 415, "Accept"},
		"encoded body": {func(r *raw) string {
			return r.ask("INVITE", target, peerFrom, ourTo, "a", 1, "Content-Encoding: gzip\n", "hi")
		}, 415, "Accept-Encoding"},
		"body that is cut": {func(r *raw) string {
			return strings.Replace(r.invitation("a"), "Content-Length: ", "Content-Length: 9", 1)
		}, 400, ""},
		"broken header": {func(r *raw) string {
			return strings.Replace(r.invitation("a"), "Max-Forwards: 70", "Max-Forwards: x", 1)
		}, 400, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRaw(t, u)
			r.send(tt.edit(r))
			res := r.status(tt.want)
			if tt.has != "" && res.GetHeader(tt.has) == nil {
				t.Errorf("no %s:\n%s", tt.has, res)
			}
			if tag, _ := res.To().Params.Get("tag"); tag == "" {
				t.Errorf("no To tag:\n%s", res)
			}
		})
	}
}

func TestRepeatedInviteIsAnsweredFromItsTransaction(t *testing.T) {
	t.Parallel()
	u, calls := answering(t, Options{})
	r := newRaw(t, u)
	text := r.invitation("again")
	r.send(text)
	first := r.status(200)
	<-calls
	r.send(text)
	if second := r.status(200); second.To().Value() != first.To().Value() {
		t.Errorf("To %s, then %s", first.To().Value(), second.To().Value())
	}
	r.ack(first, 1)
	select {
	case <-calls:
		t.Error("the repetition made a second call")
	case <-time.After(50 * time.Millisecond):
	}
}

func TestAnswerIsRepeatedUntilConfirmed(t *testing.T) {
	t.Parallel()
	u, calls := answering(t, Options{T1: quick})
	r := newRaw(t, u)
	r.send(r.invitation("repeat"))
	for range 3 {
		r.status(200)
	}
	res := r.status(200)
	r.ack(res, 1)
	d := <-calls
	await(t, "the ACK", d.acked)
	for m := r.next(8 * quick); m != nil; m = r.next(8 * quick) {
		// one may have been on its way
		if time.Since(d.born) > 2*time.Second {
			t.Fatal("the 200 is repeated after the ACK")
		}
	}
}

func TestAnswerThatIsNeverConfirmed(t *testing.T) {
	t.Parallel()
	u, calls := answering(t, Options{T1: quick})
	r := newRaw(t, u)
	r.send(r.invitation("lost"))
	bye := r.request(wire.BYE) // after 64*T1
	r.respond(bye, 200, "")
	await(t, "the end", (<-calls).Done())
}

func TestByeBeforeACK(t *testing.T) {
	t.Parallel()
	u, calls := answering(t, Options{})
	r := newRaw(t, u)
	r.send(r.invitation("hasty"))
	res := r.status(200)
	bye := r.inside(res, "BYE", 2, "", "")
	r.send(bye)
	for r.status(200).CSeq().MethodName != wire.BYE {
	}
	d := <-calls
	await(t, "the end", d.Done())
	if !d.ByRemote() {
		t.Error("ByRemote is false")
	}
	r.send(bye) // a repetition of the BYE is answered the same
	for r.status(200).CSeq().MethodName != wire.BYE {
	}
}

func TestOffersInTheCall(t *testing.T) {
	t.Parallel()
	u, calls := answering(t, Options{})
	r := newRaw(t, u)
	r.send(r.invitation("offers"))
	res := r.status(200)
	r.ack(res, 1)
	d := <-calls
	release := make(chan struct{})
	d.OnReinvite(func(sdp []byte) ([]byte, error) {
		if strings.Contains(string(sdp), "refuse") {
			return nil, errors.New("refused")
		}
		<-release
		return []byte(answer), nil
	})
	slow := r.inside(res, "INVITE", 10, "", offer)
	r.send(slow)
	r.send(r.inside(res, "INVITE", 11, "", offer))
	if got := r.status(500); got.GetHeader("Retry-After") == nil {
		t.Error("a second offer gets no Retry-After")
	}
	close(release)
	ok := r.status(200)
	if string(ok.Body()) != answer || ok.CSeq().SeqNo != 10 || ok.Contact() == nil {
		t.Errorf("answer:\n%s", ok)
	}
	r.ack(ok, 10)
	r.send(r.inside(res, "INVITE", 12, "", strings.Replace(offer, "s=-", "s=refuse", 1)))
	r.status(488)
	r.send(r.inside(res, "INVITE", 5, "", offer))
	r.status(500) // out of order
	r.send(r.inside(res, "UPDATE", 20, "", ""))
	r.status(200)
	r.send(r.inside(res, "UPDATE", 21, "", offer))
	if got := r.status(200); string(got.Body()) != answer {
		t.Errorf("answer to UPDATE:\n%s", got)
	}
	r.send(r.inside(res, "MESSAGE", 22, "", ""))
	r.status(405)
	r.send(r.inside(res, "OPTIONS", 23, "", ""))
	r.status(200)
}

func TestInfoWithoutContentType(t *testing.T) {
	t.Parallel()
	u, calls := answering(t, Options{})
	r := newRaw(t, u)
	r.send(r.invitation("info"))
	res := r.status(200)
	r.ack(res, 1)
	got := make(chan string, 2)
	(<-calls).OnInfo(func(kind string, body []byte) { got <- kind + "|" + string(body) })
	r.send(r.inside(res, "INFO", 2, "", "Signal=1"))
	r.status(200)
	r.send(r.inside(res, "INFO", 3, "Content-Type: Application/DTMF-Relay; x=y\n", "Signal=2"))
	r.status(200)
	r.send(r.inside(res, "INFO", 4, "", "")) // only asks whether the call is alive
	r.status(200)
	if a, b := <-got, <-got; a != "|Signal=1" || b != "application/dtmf-relay|Signal=2" {
		t.Errorf("heard %q and %q", a, b)
	}
}

func TestReinvite(t *testing.T) {
	t.Parallel()
	caller, callee, _, _ := pair(t, Options{})
	callee.OnReinvite(func(sdp []byte) ([]byte, error) { return append([]byte(answer), sdp[:0]...), nil })
	held := strings.Replace(offer, "sendrecv", "sendonly", 1)
	got, err := caller.Reinvite(within(t, 5*time.Second), []byte(held))
	if err != nil || string(got) != answer || string(callee.RemoteSDP()) != held {
		t.Errorf("Reinvite: %q, %v; the callee has %q", got, err, callee.RemoteSDP())
	}
	_ = callee.Bye(within(t, 5*time.Second))
	await(t, "the end", caller.Done())
	if _, err := caller.Reinvite(within(t, time.Second), []byte(held)); !errors.Is(err, ErrEnded) {
		t.Errorf("Reinvite after the end: %v", err)
	}
}

func TestGlare(t *testing.T) {
	t.Parallel()
	r, u := newRaw(t, nil), newUA(t, Options{})
	d, invite := r.dial(u, Invite{})
	d.OnReinvite(func([]byte) ([]byte, error) { return []byte(answer), nil })
	got := make(chan error, 1)
	go func() { _, err := d.Reinvite(within(t, 10*time.Second), []byte(offer)); got <- err }()
	ours := r.request(wire.INVITE)
	r.send(r.within(invite, "one", "INVITE", 1, "", offer))
	r.status(491)
	r.respond(ours, 491, "")
	r.request(wire.ACK)
	// We made the Call-ID, so we wait 2.1 to 4 s and offer again.
	again := r.request(wire.INVITE)
	r.accept(again, "")
	r.request(wire.ACK)
	if err := <-got; err != nil {
		t.Error(err)
	}
}

func TestForgottenDialogEnds(t *testing.T) {
	t.Parallel()
	r, u := newRaw(t, nil), newUA(t, Options{})
	d, _ := r.dial(u, Invite{})
	got := make(chan error, 1)
	go func() { got <- d.Info(within(t, 5*time.Second), "application/dtmf-relay", []byte("Signal=1")) }()
	r.respond(r.request(wire.INFO), 481, "")
	var status *StatusError
	if err := <-got; !errors.As(err, &status) || status.Status != 481 {
		t.Errorf("%v, want 481", err)
	}
	await(t, "the end", d.Done())
}

func TestTooManyCalls(t *testing.T) {
	t.Parallel()
	u := newUA(t, Options{MaxIncoming: 2, OnInvite: func(*Incoming) {}})
	r := newRaw(t, u)
	for _, id := range []string{"a", "b"} {
		r.send(r.invitation(id))
		if res, ok := r.next(5 * time.Second).(*wire.Response); !ok || res.StatusCode != 100 {
			t.Fatalf("call %s: %v", id, res)
		}
	}
	r.send(r.invitation("c"))
	if res := r.status(503); res.GetHeader("Retry-After") == nil {
		t.Error("503 without Retry-After")
	}
	r.send(r.ask("OPTIONS", "sip:x@127.0.0.1", peerFrom, ourTo, "o", 1, "", ""))
	r.status(200) // still there
}

func TestManyAnsweredTransactionsAreForgotten(t *testing.T) {
	s := serverTable{byKey: map[string]*serverTx{}}
	now := time.Now()
	for i := range maxServers + 100 {
		tx := &serverTx{key: string(rune(i)) + "k", until: now.Add(time.Minute)}
		s.put(tx)
		s.answered(tx, now)
	}
	if len(s.queue) != maxServers {
		t.Errorf("%d are kept, want %d", len(s.queue), maxServers)
	}
	s.answered(&serverTx{key: "last", until: now.Add(3 * time.Minute)}, now.Add(2*time.Minute))
	if len(s.queue) != 1 || len(s.byKey) != 0 {
		t.Errorf("%d and %d are kept after their time", len(s.queue), len(s.byKey))
	}
}

// panicLog fails the test when a recovered panic is logged.
type panicLog struct{ t testing.TB }

func (l panicLog) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelError }
func (l panicLog) WithAttrs([]slog.Attr) slog.Handler               { return l }
func (l panicLog) WithGroup(string) slog.Handler                    { return l }
func (l panicLog) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool { l.t.Errorf("%s: %v", r.Message, a); return true })
	return nil
}

// FuzzReceive: no datagram panics, blocks or ends the user agent.
func FuzzReceive(f *testing.F) {
	u, err := New(Options{Listen: netip.MustParseAddrPort("127.0.0.1:0"), Logger: slog.New(panicLog{f}), T1: time.Millisecond, OnInvite: func(in *Incoming) {
		if d, err := in.Answer([]byte(answer)); err == nil {
			d.OnReinvite(func([]byte) ([]byte, error) { return nil, nil })
		}
	}})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = u.Close() })
	from := hop{Network: "UDP", Addr: u.Addr()} // answers come back to it, and are dropped
	for _, method := range []string{"INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "INFO", "X"} {
		f.Add([]byte(method + " sip:a@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1;rport\r\nFrom: <sip:b@c>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: 1\r\nCSeq: 1 " +
			method + "\r\nContact: <sip:b@127.0.0.1>\r\nRecord-Route: <sip:r@127.0.0.1;lr>, <sip:s@127.0.0.1>\r\nContent-Length: 0\r\n\r\n"))
	}
	f.Add([]byte("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1\r\nFrom: <sip:b@c>;tag=1\r\nTo: <sip:a@b>;tag=2\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n\r\n"))
	f.Add([]byte("\r\n\r\n"))
	f.Fuzz(func(_ *testing.T, data []byte) { u.receive(from, data) })
}
