package webhook

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/callwright/callwright/internal/domain"
)

// How a breaker behaves: after failuresToOpen failures in a row an endpoint is
// left alone for a while, which doubles up to maxOpen with each probe that fails.
const (
	failuresToOpen = 10
	firstOpen      = 30 * time.Second
	maxOpen        = 5 * time.Minute
)

// patience is how long a delivery may wait for its turn at an endpoint with a
// rate limit before it is put back.
const patience = 2 * time.Second

// breakers keep deliveries from endpoints that fail, and hold them to their
// rate limits. They are this process's own: each node learns for itself.
type breakers struct {
	mu      sync.Mutex
	entries map[domain.ID]*breaker
}

// breaker is one endpoint that failed lately or has a rate limit.
type breaker struct {
	failures int
	open     time.Duration // the present length of being left alone; 0 is closed
	until    time.Time     // left alone until then; afterwards one probe is made
	probing  bool
	limit    *rate.Limiter
}

func newBreakers() *breakers { return &breakers{entries: make(map[domain.ID]*breaker)} }

func (b *breakers) entry(id domain.ID) *breaker {
	e := b.entries[id]
	if e == nil {
		e = &breaker{}
		b.entries[id] = e
	}
	return e
}

// pass returns 0 when a delivery may be sent now, else how long it has to wait.
func (b *breakers) pass(e *domain.Endpoint, now time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	if at := b.entries[e.ID]; at != nil && at.open > 0 {
		switch {
		case now.Before(at.until):
			return at.until.Sub(now)
		case at.probing:
			return time.Second
		}
		at.probing = true
		return 0
	}
	if e.RateLimit <= 0 {
		return 0
	}
	at := b.entry(e.ID)
	if at.limit == nil || at.limit.Burst() != e.RateLimit {
		at.limit = rate.NewLimiter(rate.Limit(e.RateLimit), e.RateLimit)
	}
	turn := at.limit.ReserveN(now, 1)
	wait := turn.DelayFrom(now)
	if wait > patience {
		turn.CancelAt(now)
	}
	return wait
}

// learn notes how a try went.
func (b *breakers) learn(id domain.ID, ok bool, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if ok {
		if at := b.entries[id]; at != nil {
			at.failures, at.open, at.probing = 0, 0, false
			if at.limit == nil {
				delete(b.entries, id)
			}
		}
		return
	}
	at := b.entry(id)
	at.failures++
	switch {
	case at.probing:
		at.open = min(2*at.open, maxOpen)
	case at.open == 0 && at.failures >= failuresToOpen:
		at.open = firstOpen
	default:
		return
	}
	at.until, at.probing = now.Add(at.open), false
}

// shut lists the endpoints that are left alone at now.
func (b *breakers) shut(now time.Time) []domain.ID {
	b.mu.Lock()
	defer b.mu.Unlock()
	var ids []domain.ID
	for id, at := range b.entries {
		if at.open > 0 && (at.probing || now.Before(at.until)) {
			ids = append(ids, id)
		}
	}
	return ids
}
