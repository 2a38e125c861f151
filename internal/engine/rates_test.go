package engine

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

var ten = domain.Trunk{ID: "ten", CallsPerSecond: 10}

func TestInvitesLeaveSpaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var (
			r     rates
			mu    sync.Mutex
			sent  []time.Time
			calls sync.WaitGroup
		)
		began := time.Now()
		for range 50 { // all are ready at the same moment
			calls.Go(func() {
				if !r.pass(t.Context(), ten) {
					t.Error("an INVITE was held back for good")
				}
				mu.Lock()
				defer mu.Unlock()
				sent = append(sent, time.Now())
			})
		}
		if !r.pass(t.Context(), domain.Trunk{ID: "other", CallsPerSecond: 1}) || !r.pass(t.Context(), domain.Trunk{ID: "free"}) || time.Since(began) != 0 {
			t.Error("one trunk holds up another")
		}
		calls.Wait()
		slices.SortFunc(sent, time.Time.Compare)
		for i := range sent[10:] {
			if window := sent[i+10].Sub(sent[i]); window < time.Second {
				t.Fatalf("11 INVITEs left within %s", window)
			}
		}
		if took := time.Since(began); took > 6*time.Second {
			t.Errorf("50 INVITEs took %s", took)
		}
	})
}

func TestCallThatIsGivenUpLetsOthersPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r rates
		one := domain.Trunk{ID: "one", CallsPerSecond: 1}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if !r.pass(ctx, one) {
			t.Fatal("the first was held back")
		}
		var given sync.WaitGroup
		for range 3 {
			given.Go(func() {
				if r.pass(ctx, one) {
					t.Error("an INVITE left that nobody wanted")
				}
			})
		}
		given.Wait()
		began := time.Now()
		if !r.pass(t.Context(), one) || time.Since(began) > time.Second {
			t.Errorf("the next waited %s", time.Since(began))
		}
	})
}

func TestAttemptsThatWaitComeBackOneByOne(t *testing.T) {
	var r rates
	now := time.Unix(1e9, 0)
	for i, want := range []time.Duration{0, 100 * time.Millisecond, 200 * time.Millisecond, 300 * time.Millisecond} {
		if got := r.book(ten, now); got != want {
			t.Errorf("attempt %d stays away for %s, want %s", i, got, want)
		}
	}
	for range 200 {
		if wait := r.book(ten, now); wait > longestDetour {
			t.Fatalf("an attempt stays away for %s", wait)
		}
	}
	if wait := r.book(ten, now.Add(time.Minute)); wait != 0 {
		t.Errorf("after a minute of rest: %s", wait)
	}
	if wait := r.book(domain.Trunk{ID: "free"}, now); wait != 0 {
		t.Errorf("without a limit: %s", wait)
	}
}
