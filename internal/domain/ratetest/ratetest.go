// Package ratetest proves that what counts requests does it exactly: the
// conformance suite of domain.RateLimits.
package ratetest

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// Kit is what is exercised.
type Kit struct {
	// Limits are several that count together, as those of processes do; one or
	// more.
	Limits []domain.RateLimits
	// Pass lets time go by for the windows of a key.
	Pass func(t *testing.T, key domain.ID, d time.Duration)
}

// Exercise runs the suite; open returns a kit in which nothing was counted.
func Exercise(t *testing.T, open func(t *testing.T) Kit) {
	t.Run("Window", func(t *testing.T) { window(t, open(t)) })
	t.Run("Limits", func(t *testing.T) { limits(t, open(t)) })
	t.Run("Exact", func(t *testing.T) { exact(t, open(t)) })
}

// take counts a request with one limit after the other.
func (k Kit) take(t *testing.T, n *int, key domain.ID, limit int) domain.Rate {
	t.Helper()
	rate, err := k.Limits[*n%len(k.Limits)].Take(t.Context(), key, limit)
	if err != nil {
		t.Fatal(err)
	}
	*n++
	if rate.Limit != limit || rate.Wait <= 0 || rate.Wait > domain.RateWindow || rate.ResetAt.Nanosecond() != 0 {
		t.Fatalf("%+v", rate)
	}
	return rate
}

// window proves that a window begins with the first request, lasts a minute
// whatever is asked within, and is then followed by a full one.
func window(t *testing.T, k Kit) {
	n, key, other := 0, domain.NewID(), domain.NewID()
	first := k.take(t, &n, key, 3)
	if !first.Passed || first.Left != 2 || first.Wait < domain.RateWindow-5*time.Second {
		t.Fatalf("the first request: %+v", first)
	}
	k.Pass(t, key, 30*time.Second)
	for i, want := range []struct {
		passed bool
		left   int
	}{{true, 1}, {true, 0}, {false, 0}, {false, 0}} {
		got := k.take(t, &n, key, 3)
		if got.Passed != want.passed || got.Left != want.left || got.Wait > 31*time.Second {
			t.Fatalf("request %d: %+v, want %+v", i+2, got, want)
		}
	}
	if got := k.take(t, &n, other, 3); !got.Passed || got.Left != 2 {
		t.Fatalf("another key: %+v", got)
	}
	k.Pass(t, key, 31*time.Second)
	if got := k.take(t, &n, key, 3); !got.Passed || got.Left != 2 || got.Wait < domain.RateWindow-5*time.Second {
		t.Fatalf("the next window: %+v", got)
	}
}

// limits proves that a request that does not pass is not counted, also when the
// limit is another one the next time.
func limits(t *testing.T, k Kit) {
	n, key := 0, domain.NewID()
	for i, c := range []struct {
		limit  int
		passed bool
		left   int
	}{{3, true, 2}, {3, true, 1}, {2, false, 0}, {1, false, 0}, {4, true, 1}, {4, true, 0}, {4, false, 0}, {10, true, 5}, {3, false, 0}, {10, true, 4}} {
		if got := k.take(t, &n, key, c.limit); got.Passed != c.passed || got.Left != c.left {
			t.Fatalf("request %d against %d: %+v, want %+v", i, c.limit, got, c)
		}
	}
}

// exact proves that of 50 clients' requests exactly as many pass as the limit
// says, that each of those is told another number of requests left, and all the
// same end.
func exact(t *testing.T, k Kit) {
	const clients, each, limit = 50, 8, 137
	key := domain.NewID()
	var wg sync.WaitGroup
	var passed atomic.Int64
	var left [limit]atomic.Int64
	var ends sync.Map
	for i := range clients {
		wg.Go(func() {
			for j := range each {
				rate, err := k.Limits[(i+j)%len(k.Limits)].Take(context.WithoutCancel(t.Context()), key, limit)
				switch {
				case err != nil:
					t.Error(err)
				case rate.Passed:
					passed.Add(1)
					left[rate.Left].Add(1)
				case rate.Left != 0:
					t.Errorf("refused, with %d left", rate.Left)
				}
				ends.Store(rate.ResetAt, true)
			}
		})
	}
	wg.Wait()
	if n := passed.Load(); n != limit {
		t.Errorf("%d of %d requests passed, want %d", n, clients*each, limit)
	}
	for i := range left {
		if n := left[i].Load(); n != 1 {
			t.Errorf("%d requests were told that %d are left", n, i)
		}
	}
	n := 0
	ends.Range(func(any, any) bool { n++; return true })
	if n != 1 {
		t.Errorf("the window has %d ends", n)
	}
}
