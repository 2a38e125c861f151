package sip

import (
	"testing"
	"time"

	wire "github.com/emiago/sipgo/sip"
)

// TestAnswerIsToldBeforeTheACK has whoever places a call keep the dialog, and
// looks whether the far end hears nothing meanwhile; what was kept ends the call.
func TestAnswerIsToldBeforeTheACK(t *testing.T) {
	t.Parallel()
	r, u := newRaw(t, nil), newUA(t, Options{})
	told, keep := make(chan DialogState), make(chan struct{})
	placed := r.invite(t.Context(), u, Invite{CallID: "kept", OnAnswered: func(d DialogState) {
		told <- d
		<-keep
	}})
	invite := r.request(wire.INVITE)
	r.accept(invite, "one")
	state := <-told
	if m := r.next(200 * time.Millisecond); m != nil {
		t.Errorf("before the answer was kept came\n%v", m)
	}
	close(keep)
	if ack := r.request(wire.ACK); ack.CallID().Value() != "kept" {
		t.Errorf("ACK:\n%s", ack)
	}
	if p := <-placed; p.err != nil {
		t.Fatal(p.err)
	}
	ended := make(chan error, 1)
	go func() { ended <- newUA(t, Options{}).ByeFrom(t.Context(), state.Bytes()) }()
	bye := r.request(wire.BYE)
	if tag, _ := bye.To().Params.Get("tag"); tag != "one" || bye.CallID().Value() != "kept" {
		t.Errorf("BYE:\n%s", bye)
	}
	r.respond(bye, 200, "")
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
