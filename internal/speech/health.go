package speech

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"time"
)

// restTime is how long an engine that failed is asked last: so long, calls do
// not wait for it each turn.
const restTime = 30 * time.Second

// health knows which engines failed lately. It is shared by all calls.
type health struct {
	mu    sync.Mutex
	until map[int]time.Time // by the engine's place in the list
}

func (h *health) failed(engine int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.until == nil {
		h.until = map[int]time.Time{}
	}
	h.until[engine] = time.Now().Add(restTime)
}

func (h *health) worked(engine int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.until, engine)
}

// order lists the places of n engines: first, if it is not −1 and did not fail,
// then those that did not fail, then those that did, the one whose failure is
// longest ago before the others.
func (h *health) order(n, first int) []int {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		restA, restB := h.rest(a, now), h.rest(b, now)
		switch {
		case restA != restB:
			return cmp.Compare(restA, restB)
		case a == first:
			return -1
		case b == first:
			return 1
		}
		return 0
	})
	return order
}

// rest is for how long an engine is still asked last.
func (h *health) rest(engine int, now time.Time) time.Duration {
	return max(h.until[engine].Sub(now), 0)
}

// resting counts the engines of n that failed lately.
func (h *health) resting(n int) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	failed, now := 0, time.Now()
	for i := range n {
		if h.rest(i, now) > 0 {
			failed++
		}
	}
	return failed
}

// Failing tells how many of the voices failed lately, and how many there are.
// Voices of this machine are asked again at once and never counted as failing.
func (f *Fallback) Failing() (failing, all int) {
	return f.health.resting(len(f.options.Engines)), len(f.options.Engines)
}

// Failing tells how many of the engines that hear failed lately, and how many
// there are.
func (e *Ears) Failing() (failing, all int) {
	return e.health.resting(len(e.options.Engines)), len(e.options.Engines)
}

// Failing tells how many of the models failed lately, and how many there are.
func (t *Thinkers) Failing() (failing, all int) {
	return t.health.resting(len(t.options.Engines)), len(t.options.Engines)
}

// caught makes an error of a panic: an engine's fault must not end calls. It is
// deferred.
func caught(engine string, err *error) {
	if fault := recover(); fault != nil {
		*err = &Error{Engine: engine, Err: fmt.Errorf("panic: %v", fault)}
	}
}
