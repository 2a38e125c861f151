//go:build linux

package rig

import "time"

// Gaps are counted in steps of 10 µs up to 100 ms.
const (
	gapStep  = 10 * time.Microsecond
	gapCount = 10001
)

func (o *observations) gap(d time.Duration) {
	off := (d - frame).Abs()
	o.gaps[min(int(off/gapStep), gapCount-1)]++
}

// Seen is what callers saw of the agents' side over some time.
type Seen struct {
	Packets  int
	Lost     int    // packets that never came
	Greeting Spread // from the 200 OK to the first sound
	Response Spread // from the last sound of an utterance to the first of the answer
	Late     time.Duration

	gaps [gapCount]int
}

// Take returns what was seen since the last Take.
func (s *Sound) Take() *Seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := &s.seen
	out := &Seen{Packets: o.packets, Lost: o.lost, Greeting: o.greeting, Response: o.response, Late: s.late, gaps: o.gaps}
	s.seen, s.late = observations{answered: o.answered}, 0
	return out
}

// Jitter is the deviation of the gap between two packets of a stream from
// 20 ms that the share p (0 to 1) of all gaps does not exceed, to 10 µs.
func (s *Seen) Jitter(p float64) time.Duration {
	total := 0
	for _, n := range s.gaps {
		total += n
	}
	sum := 0
	for i, n := range s.gaps {
		if sum += n; n > 0 && float64(sum) >= p*float64(total) {
			return time.Duration(i) * gapStep
		}
	}
	return 0
}
