package rtp

import (
	"sync/atomic"
	"time"
)

// latenessBounds are the upper bounds of how late a round of ticks may begin to
// be counted with each other. A frame is 20 ms; a few of them are what the far
// end's jitter buffer bears.
var latenessBounds = [...]time.Duration{
	100 * time.Microsecond, 250 * time.Microsecond, 500 * time.Microsecond, time.Millisecond, 2 * time.Millisecond,
	3 * time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond, 20 * time.Millisecond, 50 * time.Millisecond,
	200 * time.Millisecond,
}

// lateness counts without a lock how late rounds began.
type lateness struct {
	counts [len(latenessBounds) + 1]atomic.Uint64
	sum    atomic.Int64
}

func (l *lateness) observe(late time.Duration) {
	late = max(late, 0)
	at := 0
	for at < len(latenessBounds) && late > latenessBounds[at] {
		at++
	}
	l.counts[at].Add(1)
	l.sum.Add(int64(late))
}

// Lateness is a histogram of how late rounds of ticks began: the jitter that a
// machine adds to what it sends.
type Lateness struct {
	Bounds []time.Duration // upper ones, inclusive, ascending
	Counts []uint64        // rounds up to each bound and over the one before; one more, for those over all
	Sum    time.Duration   // of all rounds
}

// Lateness returns how late rounds have begun since the pacer was made.
func (p *Pacer) Lateness() Lateness {
	out := Lateness{Bounds: latenessBounds[:], Counts: make([]uint64, len(p.late.counts)), Sum: time.Duration(p.late.sum.Load())}
	for i := range p.late.counts {
		out.Counts[i] = p.late.counts[i].Load()
	}
	return out
}
