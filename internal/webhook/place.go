package webhook

import (
	"sync"

	"github.com/callwright/callwright/internal/domain"
)

// newcomerPlaces is how many tries are under way at once to an endpoint of which
// nothing is known. Each success doubles them.
const newcomerPlaces = 8

// places bounds how many tries to one endpoint are under way at once, so that
// one that never answers does not hold up the others.
type places struct {
	each int // places per endpoint, at most

	mu      sync.Mutex
	entries map[domain.ID]*entry // of endpoints where something is under way
	closed  bool
}

// entry is one endpoint: waiting is empty unless all places are taken.
type entry struct {
	taken   int
	places  int
	waiting []task
}

func newPlaces(each int) *places {
	return &places{each: each, entries: make(map[domain.ID]*entry)}
}

// enter takes a place for t, or lets t wait for one and reports false.
func (p *places) enter(t task) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := p.entries[t.delivery.EndpointID]
	if at == nil {
		at = &entry{places: min(newcomerPlaces, p.each)}
		p.entries[t.delivery.EndpointID] = at
	}
	if at.taken >= at.places {
		at.waiting = append(at.waiting, t)
		return false
	}
	at.taken++
	return true
}

// leave hands the place on to what waited longest, or frees it and reports
// false.
func (p *places) leave(endpoint domain.ID) (task, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := p.entries[endpoint]
	if len(at.waiting) > 0 && !p.closed {
		next := at.waiting[0]
		at.waiting = at.waiting[1:]
		return next, true
	}
	if at.taken--; at.taken == 0 {
		delete(p.entries, endpoint)
	}
	return task{}, false
}

// trust gives an endpoint that answered more places.
func (p *places) trust(endpoint domain.ID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if at := p.entries[endpoint]; at != nil {
		at.places = min(2*at.places, p.each)
	}
}

// close keeps what waits from being sent; its lease brings it back elsewhere.
func (p *places) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
}

// busy lists the endpoints where all places are taken.
func (p *places) busy() []domain.ID {
	p.mu.Lock()
	defer p.mu.Unlock()
	var ids []domain.ID
	for id, at := range p.entries {
		if at.taken >= at.places {
			ids = append(ids, id)
		}
	}
	return ids
}
