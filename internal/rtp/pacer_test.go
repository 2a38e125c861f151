package rtp

import (
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

type counter struct {
	ticks, faults atomic.Int64
	finished      atomic.Int64
	panics        bool
	first, last   atomic.Int64
}

func (c *counter) Tick(now time.Time) {
	c.first.CompareAndSwap(0, now.UnixNano())
	c.last.Store(now.UnixNano())
	c.ticks.Add(1)
	if c.panics {
		panic("broken leg")
	}
}

// Finish is counted against ticks: it follows each.
func (c *counter) Finish(time.Time) { c.finished.Add(1) }

func (c *counter) Fault(r any) {
	c.faults.Add(1)
	if c.panics {
		panic(r)
	}
}

// TestPacerKeepsTime lets a second pass on a clock that never stalls.
func TestPacerKeepsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newTestPacer(t)
		legs := make([]counter, 20)
		for i := range legs {
			legs[i].panics = i == 3
			if err := p.Add(&legs[i]); err != nil {
				t.Fatal(err)
			}
			if err := p.Add(&legs[i]); err != nil { // twice is once
				t.Fatal(err)
			}
		}
		time.Sleep(time.Second)
		for i := range legs {
			p.Remove(&legs[i])
			p.Remove(&legs[i])
		}
		p.Close()
		for i := range legs {
			c := &legs[i]
			span := time.Duration(c.last.Load() - c.first.Load())
			want := float64(span)/float64(20*time.Millisecond) + 1
			if got := float64(c.ticks.Load()); got < want-0.5 || got > want+0.5 || got < 49 {
				t.Errorf("leg %d: %v ticks in %v", i, got, span)
			}
			if c.finished.Load() != c.ticks.Load() {
				t.Errorf("leg %d: %d ticks were finished of %d", i, c.finished.Load(), c.ticks.Load())
			}
			if c.panics && c.faults.Load() != c.ticks.Load() {
				t.Errorf("%d panics, %d faults", c.ticks.Load(), c.faults.Load())
			}
		}
		if err := p.Add(&counter{}); !errors.Is(err, net.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
		p.Close()
	})
}

func TestPacerSpreadsLegsAndWakesAgain(t *testing.T) {
	p := newTestPacer(t)
	n := len(p.shards) * phases
	legs := make([]counter, n)
	for i := range legs {
		_ = p.Add(&legs[i])
	}
	for _, s := range p.shards {
		for i := range s.phases {
			if got := len(*s.phases[i].Load()); got != 1 {
				t.Errorf("%d legs in one phase of %d for %d", got, n, n)
			}
		}
	}
	for i := range legs {
		p.Remove(&legs[i])
	}
	time.Sleep(30 * time.Millisecond) // the shards fall asleep
	var again counter
	_ = p.Add(&again)
	eventually(t, "a tick after sleep", func() bool { return again.ticks.Load() > 2 })
}
