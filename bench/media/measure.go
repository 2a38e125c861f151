//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/callwright/callwright/bench/rig"
)

const (
	jitterLimit = 5 * time.Millisecond // at the 99th percentile
	setupLimit  = 30 * time.Second     // for the calls of one step to be answered
	warmUp      = 3 * time.Second
	answerTime  = 4 * time.Second // until an answer that has begun is over, and kept
	callRate    = 50              // calls a second that are placed
)

// ladder is how many calls the steps have.
var ladder = []int{25, 50, 100, 200, 300, 400, 500, 600, 800, 1000}

// delays are about those of good services nearby. They vary by up to a frame more,
// or answers would fall on one place of the grid of packets.
var delays = rig.Delays{Hear: 50 * time.Millisecond, Think: 200 * time.Millisecond, Speak: 100 * time.Millisecond}

var turns = rig.Turns{After: 3 * time.Second, Every: 6 * time.Second}

const manual = `Each step has more calls at once, until the gaps between packets that arrive deviate
from 20 ms by more than 5 ms at the 99th percentile, packets are lost or a call fails.`

// bench is a rig with calls.
type bench struct {
	*rig.Rig
	o        options
	asks     asks
	calls    int
	ids      []string // of the calls, by line
	idle     rig.Usage
	greeting rig.Spread
	written  atomic.Int64
	stop     context.CancelFunc // of the rows that are written beside
}

// measure makes a whole run: baselines, steps, variants.
func measure(ctx context.Context, o options, progress io.Writer) (_ *result, err error) {
	dir, err := os.MkdirTemp("", "callwright-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if o.binary == "" {
		if o.binary, err = rig.Build(ctx, dir); err != nil {
			return nil, err
		}
	}
	r := &result{Host: rig.ReadHost(), Codec: o.codec, VAD: o.vad, Recorded: o.recording}
	if err := r.baselines(ctx, o, progress); err != nil {
		return nil, err
	}
	if err := r.climb(ctx, o, filepath.Join(dir, "full"), progress); err != nil {
		return nil, err
	}
	if !o.all {
		return r, nil
	}
	for i, v := range variants(o) {
		s, err := once(ctx, v.options, filepath.Join(dir, strconv.Itoa(i)), min(variantCalls, max(r.Calls, o.from)))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", v.name, err)
		}
		r.Variants = append(r.Variants, variant{Name: v.name, step: s})
		if v.options.rows > 0 && v.options.voice != "" {
			r.JitterLoadedP99Ms = s.JitterP99Ms
		}
		fmt.Fprintf(progress, "%s, %d calls: %.2f cores, jitter p99 %.2f ms\n", v.name, s.Calls, s.ServerCores, s.JitterP99Ms)
	}
	return r, nil
}

// climb makes the steps of the full pipeline.
func (r *result) climb(ctx context.Context, o options, dir string, progress io.Writer) (err error) {
	b, err := open(ctx, o, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	for _, calls := range steps(o.from, o.max) {
		s, err := b.step(ctx, calls)
		if err != nil {
			return err
		}
		r.add(s)
		fmt.Fprintf(progress, "%4d calls: %.2f cores, jitter p99 %.2f ms, response p50 %.0f ms %s\n",
			s.Calls, s.ServerCores, s.JitterP99Ms, s.ResponseP50Ms, s.Why)
		if !s.Held {
			r.Stopped = s.Why
			break
		}
	}
	r.GreetingP50Ms, r.GreetingP95Ms = b.greeting.Ms(0.5), b.greeting.Ms(0.95)
	setup := b.Phone.Setup()
	r.SetupP50Ms, r.SetupP95Ms = setup.Ms(0.5), setup.Ms(0.95)
	return nil
}

// changed is the pipeline with something changed.
type changed struct {
	name    string
	options options
}

const (
	variantCalls = 200
	variantRows  = 500 // a second
)

func variants(o options) []changed {
	with := func(name string, change func(*options)) changed {
		c := o
		c.profile = ""
		change(&c)
		return changed{name, c}
	}
	return []changed{
		with("not recorded", func(o *options) { o.recording = false }),
		with("G.722", func(o *options) { o.codec = "g722" }),
		with("Silero", func(o *options) { o.vad = "silero" }),
		with("rows written", func(o *options) { o.rows = variantRows }),
		with("flite speaks", func(o *options) { o.voice = "flite" }),
		with("rows and flite", func(o *options) { o.rows, o.voice = variantRows, "flite" }),
	}
}

// once measures one number of calls on a server of its own.
func once(ctx context.Context, o options, dir string, calls int) (_ step, err error) {
	b, err := open(ctx, o, dir)
	if err != nil {
		return step{}, err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	return b.step(ctx, calls)
}

// steps are those of the ladder from the first number on up to most, which is
// the last one.
func steps(from, most int) []int {
	out := slices.DeleteFunc(slices.Clone(ladder), func(n int) bool { return n < from || n >= most })
	return append(out, most)
}

func (r *result) baselines(ctx context.Context, o options, progress io.Writer) error {
	var err1, err2 error
	d := min(o.duration, 3*time.Second)
	r.BaselineCallsPerCore, err1 = bareEcho(ctx, min(o.max, 300), d)
	r.SippCallsPerCore, err2 = sippEcho(ctx, min(o.max, 300), d)
	fmt.Fprintf(progress, "baseline: %.0f calls per core in a bare Go echo loop, %.0f in sipp -rtp_echo\n",
		r.BaselineCallsPerCore, r.SippCallsPerCore)
	return errors.Join(err1, err2)
}

// add takes a step; the highest that held is the result.
func (r *result) add(s step) {
	r.Steps = append(r.Steps, s)
	r.Host.OtherCores = max(r.Host.OtherCores, s.OtherCores)
	if !s.Held && r.Calls > 0 {
		return
	}
	if s.Held {
		r.Calls = s.Calls
	}
	r.CallsPerCore, r.MemoryPerCallBytes = s.CallsPerCore, s.MemoryPerCallBytes
	r.JitterP50Ms, r.JitterP99Ms = s.JitterP50Ms, s.JitterP99Ms
	r.OwnShareP50Ms, r.OwnShareP95Ms, r.OwnShareP99Ms = s.OwnShareP50Ms, s.OwnShareP95Ms, s.OwnShareP99Ms
	r.Stopped = "the most that was asked for"
}

// open starts a server and phones.
func open(ctx context.Context, o options, dir string) (*bench, error) {
	b := &bench{o: o}
	ro := rig.Options{
		Binary: o.binary, Dir: dir, Database: o.database, Codec: o.codec, OwnVoice: o.voice == "flite", Turns: turns,
		Services: rig.ServiceOptions{Delays: delays, Asked: b.asks.take},
		Agent:    map[string]any{"record": o.recording, "maxCallDuration": 600},
	}
	if o.vad != "" {
		ro.Args = append(ro.Args, "--vad", o.vad)
	}
	var err error
	if b.Rig, err = rig.Open(ctx, ro); err != nil {
		return nil, err
	}
	if b.idle, err = b.Server.Usage(); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	if o.rows > 0 {
		writing, stop := context.WithCancel(ctx)
		b.Run(writing, b.write)
		b.stop = stop
	}
	return b, nil
}

// write makes rows through the API until ctx is done, at the rate asked for: each
// is validated and committed in a transaction, as rows of a CSV file are.
func (b *bench) write(ctx context.Context) error {
	const writers = 8
	var all errgroup.Group
	for w := range writers {
		all.Go(func() error {
			tick := time.NewTicker(time.Second * writers / time.Duration(b.o.rows))
			defer tick.Stop()
			for i := 0; ; i++ {
				select {
				case <-tick.C:
				case <-ctx.Done():
					return nil
				}
				err := b.Server.Do(ctx, "POST", "/agents", map[string]any{"name": fmt.Sprintf("Row %d of %d", i, w), "systemPrompt": "Speak."}, nil)
				if err != nil && ctx.Err() == nil {
					return err
				}
				b.written.Add(1)
			}
		})
	}
	return all.Wait()
}

// close ends everything. Rows that are being written then fail as they may.
func (b *bench) close() error {
	if b.stop != nil {
		b.stop()
	}
	return b.Close()
}

// raise places calls until there are so many.
func (b *bench) raise(ctx context.Context, calls int) error {
	for next := time.Now(); b.calls < calls; b.calls++ {
		id, err := b.Office.Call(ctx, b.calls)
		if err != nil {
			return err
		}
		b.ids = append(b.ids, id)
		next = next.Add(time.Second / callRate)
		time.Sleep(time.Until(next))
	}
	if !rig.Wait(ctx, setupLimit, func() bool { live, _ := b.Phone.Live(); return live >= calls }) {
		live, ended := b.Phone.Live()
		return fmt.Errorf("only %d of %d calls are live, %d are over\n%s", live, calls, ended, b.Server.Log())
	}
	return nil
}

// step measures so many calls.
func (b *bench) step(ctx context.Context, calls int) (step, error) {
	if err := b.raise(ctx, calls); err != nil {
		return step{}, err
	}
	time.Sleep(warmUp)
	before := b.Sound.Take()
	began := time.Now()
	b.greeting.Join(&before.Greeting)
	meter, err := rig.StartMeter(b.Server.PID())
	if err != nil {
		return step{}, err
	}
	if err := b.watch(ctx, calls); err != nil {
		return step{}, err
	}
	load, err := meter.Stop()
	if err != nil {
		return step{}, err
	}
	live, _ := b.Phone.Live()
	s := b.judge(calls, live, load, b.Sound.Take())
	ended := time.Now()
	time.Sleep(answerTime)
	own, err := b.own(ctx, began, ended)
	if err != nil {
		return step{}, err
	}
	s.OwnShareP50Ms, s.OwnShareP95Ms, s.OwnShareP99Ms = own.strict.Ms(0.5), own.strict.Ms(0.95), own.strict.Ms(0.99)
	s.OwnReportedP95Ms, s.Turns = own.reported.Ms(0.95), own.strict.Len()
	return s, nil
}

// watch lets the time of a step pass, the last under perf when that is asked for.
func (b *bench) watch(ctx context.Context, calls int) error {
	if b.o.profile != "" && calls == b.o.max {
		perf := exec.CommandContext(ctx, "perf", "record", "-q", "-F", "499", "-g", "-p", strconv.Itoa(b.Server.PID()),
			"-o", b.o.profile, "--", "sleep", strconv.Itoa(int(b.o.duration.Seconds())))
		out, err := perf.CombinedOutput()
		if err != nil {
			return fmt.Errorf("perf: %w\n%s", err, out)
		}
		return nil
	}
	select {
	case <-time.After(b.o.duration):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (b *bench) judge(calls, live int, load rig.Load, seen *rig.Seen) step {
	s := step{
		Calls: calls, ServerCores: load.Server, ServerSystemCores: load.ServerSystem, GeneratorCores: load.Generator, OtherCores: load.Other,
		CallsPerCore: float64(calls) / max(load.Server, 0.001), MemoryPerCallBytes: (load.Usage.RSS - b.idle.RSS) / int64(calls),
		JitterP50Ms: rig.Milliseconds(seen.Jitter(0.5)), JitterP99Ms: rig.Milliseconds(seen.Jitter(0.99)), JitterMaxMs: rig.Milliseconds(seen.Jitter(1)),
		FloorP99Ms: seen.Late.Ms(0.99),
		Packets:    seen.Packets, LostPackets: seen.Lost,
		GreetingP50Ms: seen.Greeting.Ms(0.5), GreetingP95Ms: seen.Greeting.Ms(0.95),
		ResponseP50Ms: seen.Response.Ms(0.5), ResponseP95Ms: seen.Response.Ms(0.95),
		Held: true,
	}
	want := calls * int(b.o.duration/(20*time.Millisecond))
	switch {
	case live < calls:
		s.Held, s.Why = false, fmt.Sprintf("%d calls failed", calls-live)
	case seen.Jitter(0.99) > jitterLimit:
		s.Held, s.Why = false, "jitter over 5 ms"
	case seen.Packets < want*98/100:
		s.Held, s.Why = false, fmt.Sprintf("%d packets of %d were missing", want-seen.Packets, want)
	}
	return s
}
