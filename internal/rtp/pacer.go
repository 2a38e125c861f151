package rtp

import (
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/callwright/callwright/internal/audio"
)

const (
	phases      = 4
	phaseLength = audio.FrameDuration / phases
	// maxCatchUp is how far a shard may fall behind and still make up every tick;
	// beyond it, ticks are left out rather than sent in a burst.
	maxCatchUp = 200 * time.Millisecond
)

// Paced is something that a Pacer drives.
type Paced interface {
	// Tick is called every 20 ms, never by two goroutines at once. It must not
	// block.
	Tick(now time.Time)
	// Fault is told what Tick panicked with.
	Fault(recovered any)
}

// Pacer is the clock of all media: one goroutine for each core ticks the legs
// on it by absolute deadlines, so that no tick is lost and no drift adds up. The
// 20 ms are four phases of 5 ms over which the legs are spread. Goroutines start
// with the first leg and sleep when there is none.
type Pacer struct {
	mu     sync.Mutex
	shards []*shard
	places map[Paced]place
	closed bool
	late   lateness
	stop   chan struct{}
	done   sync.WaitGroup
}

type place struct {
	shard *shard
	phase int
}

// shard is the legs of one goroutine. Their lists are replaced, never changed,
// so that a tick reads them without a lock.
type shard struct {
	phases  [phases]atomic.Pointer[[]Paced]
	wake    chan struct{}
	running bool
	late    *lateness // the pacer's
}

// NewPacer makes a clock with as many shards as Go uses cores.
func NewPacer() *Pacer {
	p := &Pacer{places: map[Paced]place{}, stop: make(chan struct{})}
	for range runtime.GOMAXPROCS(0) {
		s := &shard{wake: make(chan struct{}, 1), late: &p.late}
		for i := range s.phases {
			s.phases[i].Store(&[]Paced{})
		}
		p.shards = append(p.shards, s)
	}
	return p
}

// Add begins to tick leg, in the phase with the fewest legs. After Close the
// error is net.ErrClosed.
func (p *Pacer) Add(leg Paced) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return net.ErrClosed
	}
	if _, ok := p.places[leg]; ok {
		return nil
	}
	at := p.emptiest()
	list := *at.shard.phases[at.phase].Load()
	list = append(list[:len(list):len(list)], leg)
	at.shard.phases[at.phase].Store(&list)
	p.places[leg] = at
	if !at.shard.running {
		at.shard.running = true
		p.done.Go(func() { at.shard.run(p.stop) })
	}
	select {
	case at.shard.wake <- struct{}{}:
	default:
	}
	return nil
}

// emptiest goes round the shards before it goes round the phases, so that few
// legs are spread over all cores.
func (p *Pacer) emptiest() place {
	best, least := place{shard: p.shards[0]}, -1
	for phase := range phases {
		for _, s := range p.shards {
			if n := len(*s.phases[phase].Load()); least < 0 || n < least {
				best, least = place{shard: s, phase: phase}, n
			}
		}
	}
	return best
}

// Remove stops ticking leg. A tick that is under way may still end after it.
func (p *Pacer) Remove(leg Paced) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at, ok := p.places[leg]
	if !ok {
		return
	}
	delete(p.places, leg)
	var list []Paced
	for _, other := range *at.shard.phases[at.phase].Load() {
		if other != leg {
			list = append(list, other)
		}
	}
	at.shard.phases[at.phase].Store(&list)
}

// Close stops all ticks and waits for those under way. It must not be called
// from a tick.
func (p *Pacer) Close() {
	p.mu.Lock()
	if !p.closed {
		p.closed = true
		close(p.stop)
	}
	p.mu.Unlock()
	p.done.Wait()
}

func (s *shard) empty() bool {
	for i := range s.phases {
		if len(*s.phases[i].Load()) > 0 {
			return false
		}
	}
	return true
}

// run ticks phase after phase, each at its deadline, until stop is closed.
func (s *shard) run(stop <-chan struct{}) {
	timer := time.NewTimer(phaseLength)
	defer timer.Stop()
	next := time.Now()
	for phase := 0; ; phase = (phase + 1) % phases {
		if s.empty() {
			select {
			case <-stop:
				return
			case <-s.wake:
				next = time.Now()
			}
		}
		next = next.Add(phaseLength)
		late := time.Since(next)
		if late > maxCatchUp { // whole rounds are left out, the phase stays
			next = next.Add(late.Truncate(audio.FrameDuration))
		}
		timer.Reset(max(-late, 0))
		select {
		case <-stop:
			return
		case <-timer.C:
		}
		now := time.Now()
		legs := *s.phases[phase].Load()
		if len(legs) > 0 {
			s.late.observe(now.Sub(next))
		}
		for _, leg := range legs {
			tick(leg, now)
		}
	}
}

// tick keeps a panic of one leg from the others.
func tick(leg Paced, now time.Time) {
	defer func() {
		if r := recover(); r != nil {
			report(leg, r)
		}
	}()
	leg.Tick(now)
}

func report(leg Paced, fault any) {
	defer func() { _ = recover() }() // whoever panics while told of a panic is not told again
	leg.Fault(fault)
}
