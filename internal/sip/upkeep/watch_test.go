package upkeep

import (
	"sync/atomic"
	"testing"
	"time"

	wire "github.com/emiago/sipgo/sip"

	"github.com/callwright/callwright/internal/sip"
)

func TestWatch(t *testing.T) {
	t.Parallel()
	p, u := newPeer(t), newUA(t, sip.Options{})
	heard := make(chan WatchStatus, 8)
	w, err := Watch{UA: u, URI: "sip:" + p.addr(), Every: 50 * time.Millisecond, OnChange: func(s WatchStatus) { heard <- s }}.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	down := <-heard
	if !down.Known || down.Up || down.Error != "it does not answer" {
		t.Errorf("after silence: %+v", down)
	}
	asked := map[string]bool{}
	for {
		req := p.request(wire.OPTIONS)
		asked[req.CallID().Value()] = true
		p.respond(req, 405) // any answer will do
		select {
		case s := <-heard:
			if !s.Up || s.Error != "" || w.Status().Since != s.Since {
				t.Errorf("after an answer: %+v", s)
			}
			if len(asked) < 3 {
				t.Errorf("down after %d silences", len(asked))
			}
			return
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// TestWatchAsksNobodyWhoIsBusy has calls show that the far end is there, and
// then stop.
func TestWatchAsksNobodyWhoIsBusy(t *testing.T) {
	t.Parallel()
	p, u := newPeer(t), newUA(t, sip.Options{})
	var idle atomic.Bool
	heard := make(chan WatchStatus, 8)
	w, err := Watch{
		UA: u, URI: "sip:" + p.addr(), Every: 20 * time.Millisecond, First: 10 * time.Millisecond,
		Busy: func() bool { return !idle.Load() }, OnChange: func(s WatchStatus) { heard <- s },
	}.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	if s := <-heard; !s.Up || !s.Known {
		t.Errorf("with calls: %+v", s)
	}
	idle.Store(true)
	p.request(wire.OPTIONS) // the first, after calls
	if s := <-heard; s.Up {
		t.Errorf("after silence: %+v", s)
	}
}
