package transport

import (
	"sync"
	"time"
)

// FailureMemory is for how long a server that failed is tried last.
const FailureMemory = 5 * time.Minute

// maxFailures bounds what is remembered.
const maxFailures = 1000

// Failures remembers the hops that did not answer.
type Failures struct {
	mu    sync.Mutex
	until map[Hop]time.Time
}

// Note remembers for d that h failed.
func (f *Failures) Note(h Hop, d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	if f.until == nil || len(f.until) >= maxFailures {
		f.until = map[Hop]time.Time{}
	}
	f.until[h] = now.Add(d)
}

// Forget is for a hop that works again.
func (f *Failures) Forget(h Hop) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.until, h)
}

// Lately reports whether a failure of h is remembered.
func (f *Failures) Lately(h Hop) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return time.Now().Before(f.until[h])
}

// last returns the hops in the same order but for those that failed.
func (f *Failures) last(hops []Hop) []Hop {
	if len(hops) < 2 {
		return hops
	}
	var good, bad []Hop
	for _, h := range hops {
		if f.Lately(h) {
			bad = append(bad, h)
		} else {
			good = append(good, h)
		}
	}
	return append(good, bad...)
}
