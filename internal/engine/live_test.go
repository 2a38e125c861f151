package engine

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

func TestSlowWatcherLosesInterimsNeverTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLive()
		c := l.add("a", nil)
		watch, err := l.Watch(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		for i := range 300 {
			for range 10 {
				c.tell(domain.LiveEvent{Text: "so far", Role: domain.RoleCaller})
			}
			c.tell(domain.LiveEvent{Turn: &domain.Turn{Sequence: i + 1}})
		}
		c.tell(domain.LiveEvent{State: domain.CallCompleted})
		l.remove("a")
		turns, interims, last := 0, 0, domain.LiveEvent{}
		for e := range watch {
			time.Sleep(time.Millisecond)
			switch last = e; {
			case e.Turn != nil:
				if turns++; e.Turn.Sequence != turns {
					t.Fatalf("turn %d came as number %d", e.Turn.Sequence, turns)
				}
			case e.State == "":
				interims++
			}
		}
		if turns != 300 || interims == 0 || interims > 200 || last.State != domain.CallCompleted {
			t.Errorf("%d turns, %d interims, at last %+v", turns, interims, last)
		}
	})
}

func TestWatchersComeAndGo(t *testing.T) {
	l := newLive()
	c := l.add("a", func(domain.EndReason) {})
	var readers, writers sync.WaitGroup
	for i := range 40 {
		readers.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i%4*20+1)*time.Millisecond)
			defer cancel()
			watch, err := l.Watch(ctx, "a")
			if err != nil {
				return // it is over already
			}
			if i%2 == 0 {
				return // never reads
			}
			for range watch {
			}
		})
	}
	for range 4 {
		writers.Go(func() {
			for range 500 {
				c.tell(domain.LiveEvent{Turn: &domain.Turn{}})
			}
		})
	}
	writers.Wait()
	time.Sleep(30 * time.Millisecond)
	l.remove("a")
	l.remove("a")
	c.tell(domain.LiveEvent{State: domain.CallCompleted})
	readers.Wait()
	if _, err := l.Watch(t.Context(), "a"); domain.CodeOf(err) != domain.CodeNotFound {
		t.Errorf("a call that is over: %v", err)
	}
}

func TestHangup(t *testing.T) {
	l := newLive()
	var why domain.EndReason
	l.add("a", func(r domain.EndReason) { why = r })
	if err := l.Hangup(t.Context(), "a", domain.EndAgentHangup); err != nil || why != domain.EndAgentHangup {
		t.Errorf("%v, %q", err, why)
	}
	if err := l.Hangup(t.Context(), "b", domain.EndAgentHangup); domain.CodeOf(err) != domain.CodeNotFound {
		t.Errorf("nobody's call: %v", err)
	}
	if n := len(l.all()); n != 1 {
		t.Errorf("%d calls are live", n)
	}
}
