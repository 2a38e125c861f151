package engine

import (
	"context"
	"sync"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// longestDetour bounds for how long an attempt is sent away, so that a slot
// that another one left free is found.
const longestDetour = 5 * time.Second

// rates keeps the calls a second of each trunk: its INVITEs leave at least so
// far apart that no second sees more of them.
type rates struct {
	mu     sync.Mutex
	trunks map[domain.ID]*pace
}

// pace is that of one trunk.
type pace struct {
	next time.Time     // when the next attempt may be taken on
	back time.Time     // when the last one that was sent away comes back
	turn chan struct{} // held by the call whose INVITE leaves next
	sent time.Time     // when the last INVITE left; belongs to who holds turn
}

func (r *rates) of(t domain.Trunk) *pace {
	if r.trunks == nil {
		r.trunks = map[domain.ID]*pace{}
	}
	p := r.trunks[t.ID]
	if p == nil {
		p = &pace{turn: make(chan struct{}, 1)}
		r.trunks[t.ID] = p
	}
	return p
}

func spacing(t domain.Trunk) time.Duration { return time.Second / time.Duration(t.CallsPerSecond) }

// book returns 0 when an attempt over the trunk may be taken on now, else how
// long it is to stay away: those that wait come back one after the other.
func (r *rates) book(t domain.Trunk, now time.Time) time.Duration {
	if t.CallsPerSecond <= 0 {
		return 0
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.of(t)
	if !p.next.After(now) {
		p.next = now.Add(spacing(t))
		return 0
	}
	if p.back = p.back.Add(spacing(t)); p.back.Before(p.next) {
		p.back = p.next
	}
	if latest := now.Add(longestDetour); p.back.After(latest) {
		p.back = latest
	}
	return p.back.Sub(now)
}

// pass waits until an INVITE over the trunk may leave, which it then must at
// once. That is here and not in book, because calls take their time between
// both: several may be ready at the same moment. It reports false when ctx was
// done before.
func (r *rates) pass(ctx context.Context, t domain.Trunk) bool {
	if t.CallsPerSecond <= 0 {
		return ctx.Err() == nil
	}
	r.mu.Lock()
	p := r.of(t)
	r.mu.Unlock()
	select {
	case p.turn <- struct{}{}:
	case <-ctx.Done():
		return false
	}
	defer func() { <-p.turn }()
	wait := time.NewTimer(time.Until(p.sent.Add(spacing(t))))
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-ctx.Done():
		return false
	}
	p.sent = time.Now()
	return true
}
