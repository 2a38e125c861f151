package sip

import (
	"sync"
	"testing"
	"time"

	wire "github.com/emiago/sipgo/sip"
)

// keeping is a Keeper that tells what it is asked.
type keeping struct {
	kept, dropped chan string
	wait          chan struct{} // closed when Keep may return

	mu     sync.Mutex
	states map[string][]byte
}

func newKeeping() *keeping {
	k := &keeping{kept: make(chan string, 8), dropped: make(chan string, 8), wait: make(chan struct{}), states: map[string][]byte{}}
	return k
}

func (k *keeping) Keep(id string, state []byte) error {
	k.mu.Lock()
	k.states[id] = state
	k.mu.Unlock()
	k.kept <- id
	<-k.wait
	return nil
}

func (k *keeping) Drop(id string) error {
	k.dropped <- id
	return nil
}

func (k *keeping) state(id string) []byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.states[id]
}

// TestDialogIsKeptBeforeTheACK looks whether the far end hears nothing before its
// dialog is kept, and whether another process can end it with what was.
func TestDialogIsKeptBeforeTheACK(t *testing.T) {
	t.Parallel()
	k := newKeeping()
	r, u := newRaw(t, nil), newUA(t, Options{Keeper: k})
	placed := r.invite(t.Context(), u, Invite{CallID: "kept"})
	invite := r.request(wire.INVITE)
	r.accept(invite, "one")
	id := <-k.kept
	if m := r.next(200 * time.Millisecond); m != nil {
		t.Errorf("before the dialog was kept came\n%v", m)
	}
	close(k.wait)
	r.request(wire.ACK)
	if p := <-placed; p.err != nil {
		t.Fatal(p.err)
	}
	next := newKeeping()
	ended := make(chan error, 1)
	go func() { ended <- newUA(t, Options{Keeper: next}).ByeFrom(t.Context(), k.state(id)) }()
	bye := r.request(wire.BYE)
	if tag, _ := bye.To().Params.Get("tag"); tag != "one" || bye.CallID().Value() != "kept" {
		t.Errorf("BYE:\n%s", bye)
	}
	r.respond(bye, 200, "")
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if got := <-next.dropped; got != id {
		t.Errorf("%q was dropped, want %q", got, id)
	}
}

// TestDialogIsDropped hangs up from either side.
func TestDialogIsDropped(t *testing.T) {
	t.Parallel()
	k := newKeeping()
	close(k.wait)
	r, u := newRaw(t, nil), newUA(t, Options{Keeper: k})
	same := func() {
		t.Helper()
		if kept, dropped := <-k.kept, <-k.dropped; kept != dropped {
			t.Errorf("%q was kept, %q dropped", kept, dropped)
		}
	}
	d, _ := r.dial(u, Invite{CallID: "ours"})
	go func() { _ = d.Bye(t.Context()) }() // the far end sees it
	r.respond(r.request(wire.BYE), 200, "")
	same()
	_, invite := r.dial(u, Invite{CallID: "theirs"})
	r.send(r.within(invite, "one", "BYE", 7, "", ""))
	same()
}
