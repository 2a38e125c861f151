package sip

import (
	"context"
	"testing"
	"time"

	wire "github.com/emiago/sipgo/sip"
)

// A call that rang when its process died is answered after the restart: the
// answer is acknowledged and the call hung up, once, and only if it was named.
func TestAnswerToADisownedCallIsHungUp(t *testing.T) {
	t.Parallel()
	r, u := newRaw(t, nil), newUA(t, Options{})
	ctx, giveUp := context.WithCancel(t.Context())
	placed := r.invite(ctx, u, Invite{CallID: "rings-on"})
	invite := r.request(wire.INVITE)
	addr := u.Addr()
	_ = u.Close() // the process dies
	giveUp()
	<-placed
	k := newKeeping()
	close(k.wait)
	next := newUA(t, Options{Listen: addr, Keeper: k})
	r.accept(invite, "one")
	time.Sleep(100 * time.Millisecond) // a stranger's answer is dropped
	next.Disown("rings-on")
	r.accept(invite, "one")
	ack := r.request(wire.ACK)
	if ack.CSeq().SeqNo != invite.CSeq().SeqNo || ack.CallID().Value() != "rings-on" {
		t.Errorf("ACK:\n%s", ack)
	}
	bye := r.request(wire.BYE)
	if to, _ := bye.To().Params.Get("tag"); to != "one" || bye.CSeq().SeqNo <= invite.CSeq().SeqNo {
		t.Errorf("BYE:\n%s", bye)
	}
	r.respond(bye, 200, "")
	if kept, dropped := <-k.kept, <-k.dropped; kept != dropped { // it may die again in between
		t.Errorf("%q was kept, %q dropped", kept, dropped)
	}
}
