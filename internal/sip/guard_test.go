package sip

import (
	"net/netip"
	"testing"
	"time"

	wire "github.com/emiago/sipgo/sip"
)

// door admits sources by a table; others are dropped.
func door(table map[string]Admission) func(netip.Addr) Admission {
	return func(a netip.Addr) Admission {
		if v, ok := table[a.String()]; ok {
			return v
		}
		return Drop
	}
}

func TestAdmission(t *testing.T) {
	t.Parallel()
	u := newUA(t, Options{Admit: door(map[string]Admission{"127.0.0.1": Serve, "127.0.0.2": Guest, "127.0.0.3": Refuse})})
	for ip, want := range map[string]int{"127.0.0.1": 200, "127.0.0.2": 200, "127.0.0.3": 403, "127.0.0.4": 0} {
		r := newRawAt(t, u, ip)
		for _, method := range []string{"ACK", "OPTIONS"} {
			r.send(r.ask(method, target, peerFrom, ourTo, "a", 1, "User-Agent: friendly-scanner\n", ""))
		}
		if want == 0 {
			r.send("OPTIONS nonsense\n\n")
			if m := r.next(100 * time.Millisecond); m != nil {
				t.Errorf("%s, who is dropped, got %s", ip, m.String())
			}
			continue
		}
		if res := r.status(want); res.CSeq().MethodName != wire.OPTIONS {
			t.Errorf("%s: answered %s", ip, res)
		}
	}
}

// TestAnswersNeedNoAdmission: who we call is heard, for that call alone.
func TestAnswersNeedNoAdmission(t *testing.T) {
	t.Parallel()
	u := newUA(t, Options{Admit: door(nil), OnInvite: func(in *Incoming) { t.Error("a call came through") }})
	r := newRawAt(t, nil, "127.0.0.2")
	d, invite := r.dial(u, Invite{})
	r.send(r.invitation("new"))
	r.send(r.within(invite, "one", "INFO", 1, "", ""))
	if res := r.status(200); res.CSeq().MethodName != wire.INFO {
		t.Errorf("answered %s", res)
	}
	r.send(r.within(invite, "one", "BYE", 2, "", ""))
	await(t, "the end", d.Done())
	r.status(200)
	r.send(r.ask("OPTIONS", target, peerFrom, ourTo, "a", 1, "", ""))
	if m := r.next(100 * time.Millisecond); m != nil {
		t.Errorf("after the call it got\n%s", m.String())
	}
}

// TestStrangersCannotTouchCalls: right tags from another address are not
// enough.
func TestStrangersCannotTouchCalls(t *testing.T) {
	t.Parallel()
	u, calls := answering(t, Options{})
	r, spoofer := newRaw(t, u), newRawAt(t, u, "127.0.0.2")
	r.send(r.invitation("mine"))
	res := r.status(200)
	spoofer.send(spoofer.inside(res, "ACK", 1, "", ""))
	d := <-calls
	d.OnReinvite(func([]byte) ([]byte, error) { t.Error("a stranger moved the call"); return nil, nil })
	d.OnInfo(func(string, []byte) { t.Error("a stranger pressed a key") })
	for i, method := range []string{"INFO", "INVITE", "UPDATE", "BYE"} {
		spoofer.send(spoofer.inside(res, method, 2+i, "", offer))
		spoofer.status(481)
	}
	select {
	case <-d.acked:
		t.Error("a stranger confirmed the call")
	case <-d.Done():
		t.Error("a stranger ended the call")
	default:
	}
	r.ack(res, 1)
	await(t, "the ACK", d.acked)
	r.send(r.inside(res, "BYE", 2, "", ""))
	for r.status(200).CSeq().MethodName != wire.BYE {
	}
	await(t, "the end", d.Done())
}

// TestKnownPeersMayMove: a carrier hangs up from another of its addresses.
func TestKnownPeersMayMove(t *testing.T) {
	t.Parallel()
	u, calls := answering(t, Options{Admit: door(map[string]Admission{"127.0.0.1": Serve, "127.0.0.2": Serve, "127.0.0.3": Guest})})
	r, second, guest := newRaw(t, u), newRawAt(t, u, "127.0.0.2"), newRawAt(t, u, "127.0.0.3")
	r.send(r.invitation("moving"))
	res := r.status(200)
	r.ack(res, 1)
	d := <-calls
	guest.send(guest.inside(res, "BYE", 2, "", ""))
	guest.status(481)
	second.send(second.inside(res, "BYE", 2, "", ""))
	second.status(200)
	await(t, "the end", d.Done())
}

// TestStrangersCannotCancel: a CANCEL comes from where the INVITE came from.
func TestStrangersCannotCancel(t *testing.T) {
	t.Parallel()
	ringing := make(chan *Incoming, 1)
	u := newUA(t, Options{OnInvite: func(in *Incoming) { ringing <- in }})
	r, spoofer := newRaw(t, u), newRawAt(t, u, "127.0.0.2")
	invite := r.invitation("ring")
	r.send(invite)
	in := <-ringing
	cancel := toCancel(invite)
	spoofer.send(cancel)
	select {
	case <-in.Canceled():
		t.Fatal("a stranger canceled the call")
	case <-time.After(50 * time.Millisecond):
	}
	r.send(cancel)
	await(t, "CANCEL", in.Canceled())
}

// TestFarEndsAreForgotten: nothing stays of calls that are over.
func TestFarEndsAreForgotten(t *testing.T) {
	t.Parallel()
	caller, callee, a, b := pair(t, Options{})
	for i := range 20 {
		callee.expect(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}))
	}
	heard := 0
	for i := range 20 {
		if b.guard.Talks(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)})) {
			heard++
		}
	}
	if heard != maxFarEnds-1 || !b.guard.Talks(literal("127.0.0.1")) {
		t.Errorf("%d more addresses of a far end are heard, want %d and the first", heard, maxFarEnds-1)
	}
	if err := caller.Bye(within(t, 5*time.Second)); err != nil {
		t.Error(err)
	}
	await(t, "the end", callee.Done())
	for _, u := range []*UA{a, b} {
		for _, ip := range []string{"127.0.0.1", "192.0.2.19"} {
			if u.guard.Talks(literal(ip)) {
				t.Errorf("%s is still heard", ip)
			}
		}
	}
}
