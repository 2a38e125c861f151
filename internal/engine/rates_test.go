package engine

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

func TestRatesTakeOnNoMoreThanATrunkMayDial(t *testing.T) {
	var r rates
	now := time.Unix(1e9, 0)
	ten := domain.Trunk{ID: "ten", CallsPerSecond: 10}
	taken := 0
	for at := range 2000 { // each millisecond somebody tries
		if r.book(ten, now.Add(time.Duration(at)*time.Millisecond)) == 0 {
			taken++
		}
	}
	if taken != 20 {
		t.Errorf("%d attempts were taken on in two seconds", taken)
	}
	if r.book(domain.Trunk{ID: "one", CallsPerSecond: 1}, now) != 0 || r.book(domain.Trunk{ID: "free"}, now) != 0 || r.book(domain.Trunk{ID: "free"}, now) != 0 {
		t.Error("trunks hold one another up")
	}
	for range 1000 {
		if away := r.book(ten, now); away > longestDetour {
			t.Fatalf("an attempt is sent away for %s", away)
		}
	}
}

func TestRatesSpaceInvitesEvenly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r rates
		ten := domain.Trunk{ID: "ten", CallsPerSecond: 10}
		began := time.Now()
		var mu sync.Mutex
		var left []time.Duration
		var work sync.WaitGroup
		for range 25 {
			work.Go(func() {
				if r.pass(t.Context(), ten) {
					mu.Lock()
					left = append(left, time.Since(began))
					mu.Unlock()
				}
			})
		}
		work.Wait()
		for i := 1; i < len(left); i++ {
			if gap := left[i] - left[i-1]; gap < 100*time.Millisecond {
				t.Errorf("INVITEs %d and %d leave %s apart", i-1, i, gap)
			}
		}
		if len(left) != 25 {
			t.Errorf("%d INVITEs left", len(left))
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if r.pass(gone, ten) {
			t.Error("an INVITE left for a call that was given up")
		}
	})
}
