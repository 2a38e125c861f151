//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"time"

	"github.com/callwright/callwright/bench/rig"
)

// speed is what one database came to.
type speed struct {
	Database       string  `json:"database"`
	PerSecond      float64 `json:"perSecond"`  // deliveries of a backlog
	Micros         float64 `json:"micros"`     // of the sender's processor time for each
	OtherCores     float64 `json:"otherCores"` // that other programs used meanwhile
	BarePerSecond  float64 `json:"barePerSecond"`
	Steady         latency `json:"steady"`
	Isolated       latency `json:"isolated"` // of the others, beside an endpoint that never answers
	Floods         int     `json:"floods"`   // answers without an end
	MemoryBeforeMB float64 `json:"memoryBeforeMB"`
	MemoryAfterMB  float64 `json:"memoryAfterMB"`
}

// latency is from the return of a commit to the arrival of the first byte's
// request at the receiver.
type latency struct {
	Events int     `json:"events"`
	Rate   float64 `json:"rate"` // events a second
	P50Ms  float64 `json:"p50Ms"`
	P99Ms  float64 `json:"p99Ms"`
	MaxMs  float64 `json:"maxMs"`
}

// patience bounds each part of a run.
const patience = 5 * time.Minute

// speed measures one database, each part on an empty one.
func (o options) speed(ctx context.Context, name string, progress io.Writer) (*speed, error) {
	s := &speed{Database: name}
	for _, part := range []struct {
		what string
		do   func(context.Context, options, rig.Place) error
	}{
		{"a backlog", s.backlog}, {"a bare client", s.bare}, {"a steady rate", s.steady}, {"the same beside a tarpit", s.isolated}, {"answers without an end", s.flooded},
	} {
		fmt.Fprintf(progress, "%s: %s\n", name, part.what)
		if err := rig.Within(ctx, name, o.database, func(at rig.Place) error { return part.do(ctx, o, at) }); err != nil {
			return nil, fmt.Errorf("%s: %w", part.what, err)
		}
	}
	return s, nil
}

// trial is a receiver and a sender beside it.
type trial struct {
	*receiver
	*process
}

// try starts a receiver and a sender, has watch wait for what is to happen, and
// ends both.
func try(ctx context.Context, o order, endpoints int, answer func(*receiver) func(http.ResponseWriter, *http.Request, int) bool, watch func(trial) error) (err error) {
	r, err := listen(answer)
	if err != nil {
		return err
	}
	o.URLs = r.urls(endpoints)
	p, err := start(ctx, o)
	if err != nil {
		return errors.Join(err, r.close(ctx))
	}
	select {
	case <-p.started:
	case <-time.After(patience):
	}
	err = watch(trial{r, p})
	return errors.Join(err, r.close(ctx), p.stop())
}

// await waits until n events were taken.
func (t trial) await(ctx context.Context, n int) error {
	for deadline := time.Now().Add(patience); t.taken() < n; time.Sleep(5 * time.Millisecond) {
		if ctx.Err() != nil || time.Now().After(deadline) {
			return errors.Join(ctx.Err(), fmt.Errorf("%d of %d events were taken", t.taken(), n))
		}
	}
	return nil
}

// rate is deliveries a second from the first to the last.
func (t trial) rate() float64 {
	t.receiver.mu.Lock()
	defer t.receiver.mu.Unlock()
	first := t.last
	for _, ev := range t.events {
		if ev.first.Before(first) {
			first = ev.first
		}
	}
	return math.Round(float64(len(t.events)) / t.last.Sub(first).Seconds())
}

func (s *speed) backlog(ctx context.Context, o options, at rig.Place) error {
	return try(ctx, order{Do: doBacklog, Dir: at.Dir, DSN: at.DSN, Events: o.events}, o.endpoints, nil, func(t trial) error {
		began := time.Now()
		meter, err := rig.StartMeter(t.cmd.Process.Pid)
		if err != nil {
			return err
		}
		if err := t.await(ctx, o.events); err != nil {
			return err
		}
		load, err := meter.Stop()
		s.Micros = math.Round(load.Server * float64(time.Since(began).Microseconds()) / float64(o.events))
		s.PerSecond, s.OtherCores = t.rate(), math.Round(100*load.Other)/100
		return err
	})
}

func (s *speed) bare(ctx context.Context, o options, _ rig.Place) error {
	return try(ctx, order{Do: doBare, Events: o.events}, o.endpoints, nil, func(t trial) error {
		err := t.await(ctx, o.events)
		s.BarePerSecond = t.rate()
		return err
	})
}

func (s *speed) steady(ctx context.Context, o options, at rig.Place) (err error) {
	s.Steady, err = o.latency(ctx, at, o.endpoints, false)
	return err
}

func (s *speed) isolated(ctx context.Context, o options, at rig.Place) (err error) {
	s.Isolated, err = o.latency(ctx, at, o.endpoints+1, true)
	return err
}

// latency measures at a steady rate; the last endpoint may be a tarpit, and is
// not counted then.
func (o options) latency(ctx context.Context, at rig.Place, endpoints int, tarpit bool) (latency, error) {
	l := latency{Rate: o.rate, Events: min(o.events, int(20*o.rate))}
	slow := -1
	if tarpit {
		slow = endpoints - 1
	}
	answer := func(r *receiver) func(http.ResponseWriter, *http.Request, int) bool {
		return func(w http.ResponseWriter, req *http.Request, endpoint int) bool {
			return endpoint != slow || r.hang(w, req)
		}
	}
	var spread rig.Spread
	work := order{Do: doSteady, Dir: at.Dir, DSN: at.DSN, Events: l.Events, Rate: o.rate}
	if tarpit {
		work.Behind = o.behind
	}
	err := try(ctx, work, endpoints, answer, func(t trial) error {
		wait := func() bool { return t.process.count() < l.Events+work.Behind || tarpit && len(t.came()) == 0 }
		for deadline := time.Now().Add(patience); wait(); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(deadline) {
				return fmt.Errorf("%d of %d events were committed", t.process.count(), l.Events)
			}
		}
		// What was committed last is on its way; what goes to the tarpit waits.
		for quiet, before := 0, 0; quiet < 40; quiet++ {
			time.Sleep(25 * time.Millisecond)
			if n := t.receiver.taken(); n != before {
				before, quiet = n, 0
			}
		}
		for id, ev := range t.came() {
			if committed, known := t.acked[id]; known && ev.endpoint != slow {
				spread.Add(max(0, ev.first.Sub(committed))) // it may be on its way before the sender knows of the commit
			}
		}
		return nil
	})
	l.Events = spread.Len()
	l.P50Ms, l.P99Ms, l.MaxMs = spread.Ms(0.5), spread.Ms(0.99), spread.Ms(1)
	return l, err
}

// came is what came so far.
func (t trial) came() map[string]received {
	t.receiver.mu.Lock()
	defer t.receiver.mu.Unlock()
	came := make(map[string]received, len(t.events))
	for id, ev := range t.events {
		came[id] = *ev
	}
	return came
}

// flooded has receivers answer without an end, and looks what that does to the
// sender's memory.
func (s *speed) flooded(ctx context.Context, o options, at rig.Place) error {
	s.Floods = min(o.events, 4000)
	return try(ctx, order{Do: doBacklog, Dir: at.Dir, DSN: at.DSN, Events: s.Floods}, o.endpoints, func(r *receiver) func(http.ResponseWriter, *http.Request, int) bool { return r.flood }, func(t trial) error {
		if err := t.await(ctx, s.Floods/4); err != nil { // it has its connections and buffers
			return err
		}
		before, err := rig.ReadUsage(t.cmd.Process.Pid)
		if err != nil {
			return err
		}
		if err := t.await(ctx, s.Floods); err != nil {
			return err
		}
		after, err := rig.ReadUsage(t.cmd.Process.Pid)
		s.MemoryBeforeMB, s.MemoryAfterMB = math.Round(float64(before.RSS)/1e5)/10, math.Round(float64(after.RSS)/1e5)/10
		return err
	})
}
