package webhook

import (
	"slices"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

func TestBreaker(t *testing.T) {
	b, e, now := newBreakers(), &domain.Endpoint{ID: "e"}, time.Unix(1_700_000_000, 0)
	fail := func(n int) {
		for range n {
			b.learn(e.ID, false, now)
		}
	}
	fail(failuresToOpen - 1)
	if b.pass(e, now) != 0 || len(b.shut(now)) != 0 {
		t.Fatal("it opens too early")
	}
	b.learn(e.ID, true, now)
	fail(failuresToOpen - 1)
	if b.pass(e, now) != 0 {
		t.Fatal("a success in between does not count")
	}
	fail(1)
	if wait := b.pass(e, now); wait != firstOpen || !slices.Equal(b.shut(now), []domain.ID{"e"}) {
		t.Fatalf("it is left alone for %s", wait)
	}
	fail(5) // tries that were under way
	open := firstOpen
	for range 6 {
		now = now.Add(open)
		if len(b.shut(now)) != 0 || b.pass(e, now) != 0 {
			t.Fatal("no probe is made")
		}
		if b.pass(e, now) == 0 || len(b.shut(now)) != 1 {
			t.Fatal("two probes at once")
		}
		fail(1)
		open = min(2*open, maxOpen)
		if wait := b.pass(e, now); wait != open {
			t.Fatalf("after a probe that failed it is left alone for %s, want %s", wait, open)
		}
	}
	now = now.Add(open)
	b.pass(e, now)
	b.learn(e.ID, true, now)
	if b.pass(e, now) != 0 || len(b.entries) != 0 {
		t.Fatal("a probe that went well does not close it")
	}
}

func TestRateLimit(t *testing.T) {
	b, e, now := newBreakers(), &domain.Endpoint{ID: "e", RateLimit: 5}, time.Unix(1_700_000_000, 0)
	var within, later, put int
	for range 30 {
		switch wait := b.pass(e, now); {
		case wait == 0:
			within++
		case wait <= patience:
			later++
		default:
			put++
		}
	}
	if within != 5 || later != 10 || put != 15 {
		t.Errorf("%d at once, %d within %s, %d put back", within, later, patience, put)
	}
	if wait := b.pass(e, now.Add(10*time.Second)); wait != 0 {
		t.Errorf("after ten seconds it waits %s", wait)
	}
}
