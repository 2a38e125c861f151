//go:build linux

package rig

import (
	"math"
	"slices"
	"time"
)

// Spread collects durations and tells how they are spread. The zero value is
// empty. It is not safe for concurrent use.
type Spread struct {
	all    []time.Duration
	sorted bool
}

// Add takes one duration.
func (s *Spread) Add(d time.Duration) { s.all, s.sorted = append(s.all, d), false }

// Join takes all of another.
func (s *Spread) Join(o *Spread) { s.all, s.sorted = append(s.all, o.all...), false }

// Len is how many there are.
func (s *Spread) Len() int { return len(s.all) }

// At is the duration that the share p (0 to 1) of all does not exceed, by
// nearest rank; 0 when there is none.
func (s *Spread) At(p float64) time.Duration {
	if len(s.all) == 0 {
		return 0
	}
	if !s.sorted {
		slices.Sort(s.all)
		s.sorted = true
	}
	rank := int(math.Ceil(p * float64(len(s.all))))
	return s.all[min(max(rank, 1), len(s.all))-1]
}

// Ms is At in milliseconds, to a hundredth.
func (s *Spread) Ms(p float64) float64 { return Milliseconds(s.At(p)) }

// Milliseconds is d in milliseconds, to a hundredth.
func Milliseconds(d time.Duration) float64 {
	return math.Round(float64(d)/float64(time.Millisecond)*100) / 100
}
