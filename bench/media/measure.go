//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/callwright/callwright/bench/rig"
	"github.com/callwright/callwright/internal/audio"
)

const (
	jitterLimit = 5 * time.Millisecond // at the 99th percentile
	setupLimit  = 30 * time.Second     // for the calls of one step to be answered
	warmUp      = 2 * time.Second
	callRate    = 50 // calls a second that are placed
)

// ladder is how many calls the steps have.
var ladder = []int{25, 50, 100, 200, 300, 400, 500, 600, 800, 1000}

// delays are about those of good services nearby.
var delays = rig.Delays{Hear: 50 * time.Millisecond, Think: 200 * time.Millisecond, Speak: 100 * time.Millisecond}

var turns = rig.Turns{After: 4 * time.Second, Every: 6 * time.Second}

const manual = `Each step has more calls at once, until the gaps between packets that arrive deviate
from 20 ms by more than 5 ms at the 99th percentile, packets are lost or a call fails.`

// bench is one server and the phones that it calls.
type bench struct {
	o        options
	progress io.Writer
	dir      string
	server   *rig.Server
	office   *rig.Office
	services *rig.Services
	asks     asks
	sound    *rig.Sound
	phone    *rig.Phone
	cancel   context.CancelFunc
	ran      []chan error
	calls    int
	ids      []string // of the calls, by line
	idle     rig.Usage
	greeting rig.Spread
	written  atomic.Int64
}

// measure makes a whole run: baselines, steps, variants.
func measure(ctx context.Context, o options, progress io.Writer) (*result, error) {
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
	b, err := open(ctx, o, filepath.Join(dir, "main"), progress)
	if err != nil {
		return nil, err
	}
	defer b.close()
	for _, calls := range steps(o.from, o.max) {
		s, err := b.step(ctx, calls)
		if err != nil {
			return nil, err
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
	setup := b.phone.Setup()
	r.SetupP50Ms, r.SetupP95Ms = setup.Ms(0.5), setup.Ms(0.95)
	return r, nil
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
	r.Calls, r.CallsPerCore, r.MemoryPerCallBytes = s.Calls, s.CallsPerCore, s.MemoryPerCallBytes
	r.JitterP50Ms, r.JitterP99Ms = s.JitterP50Ms, s.JitterP99Ms
	r.OwnShareP50Ms, r.OwnShareP95Ms, r.OwnShareP99Ms = s.OwnShareP50Ms, s.OwnShareP95Ms, s.OwnShareP99Ms
	r.Stopped = "the most that was asked for"
}

// open starts a server and phones.
func open(ctx context.Context, o options, dir string, progress io.Writer) (_ *bench, err error) {
	b := &bench{o: o, progress: progress, dir: dir}
	ctx, b.cancel = context.WithCancel(ctx)
	defer func() {
		if err != nil {
			b.close()
		}
	}()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	local := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	if b.services, err = rig.NewServices(delays, b.asks.take); err != nil {
		return nil, err
	}
	if b.sound, err = rig.NewSound(local); err != nil {
		return nil, err
	}
	codec, ok := audio.CodecByName(strings.ToUpper(o.codec))
	if !ok {
		return nil, fmt.Errorf("there is no codec %q", o.codec)
	}
	voice, err := rig.NewVoice(codec)
	if err != nil {
		return nil, err
	}
	if b.phone, err = rig.NewPhone(local, b.sound, voice, turns); err != nil {
		return nil, err
	}
	b.run(ctx, b.sound.Run)
	b.run(ctx, b.phone.Run)
	if b.server, err = rig.StartServer(ctx, b.serverOptions()); err != nil {
		return nil, err
	}
	trunk := map[string]any{"codecs": []string{codec.Name}}
	if b.office, err = b.server.OpenOffice(ctx, b.phone.Addr(), trunk, b.agent()); err != nil {
		return nil, err
	}
	if o.rows > 0 {
		b.run(ctx, b.write)
	}
	b.idle, err = b.server.Usage()
	return b, err
}

func (b *bench) serverOptions() rig.ServerOptions {
	so := rig.ServerOptions{Binary: b.o.binary, Dir: b.dir, Database: b.o.database, Settings: b.settings()}
	if b.o.vad != "" {
		so.Args = append(so.Args, "--vad", b.o.vad)
	}
	return so
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
				err := b.server.Do(ctx, "POST", "/agents", map[string]any{"name": fmt.Sprintf("Row %d of %d", i, w), "systemPrompt": "Speak."}, nil)
				if err != nil && ctx.Err() == nil {
					return err
				}
				b.written.Add(1)
			}
		})
	}
	return all.Wait()
}

func (b *bench) run(ctx context.Context, part func(context.Context) error) {
	ran := make(chan error, 1)
	go func() { ran <- part(ctx) }()
	b.ran = append(b.ran, ran)
}

// settings has the scripted services hear, think and, unless flite is asked for,
// talk.
func (b *bench) settings() string {
	at := b.services.Addr
	s := fmt.Sprintf("llm: [{engine: openai, url: \"http://%[1]s/v1\", key: k, model: scripted}]\n"+
		"stt: [{engine: deepgram, url: \"ws://%[1]s/v1\", key: k}]\n", at)
	if b.o.voice == "" {
		s += fmt.Sprintf("tts: [{engine: openai, url: \"http://%s/v1\", key: k}]\n", at)
	}
	return s
}

// agent is who talks in the calls: it greets, and answers what it hears.
func (b *bench) agent() map[string]any {
	return map[string]any{
		"systemPrompt": "You are on line {{line}}. Be brief.", "firstMessage": "Hello, this is the office.",
		"record": b.o.recording, "maxCallDuration": 600,
	}
}

func (b *bench) close() {
	if b.server != nil {
		_ = b.server.Kill()
	}
	b.cancel()
	for _, ran := range b.ran {
		<-ran
	}
	if b.sound != nil {
		_ = b.sound.Close()
	}
	if b.services != nil {
		_ = b.services.Close()
	}
}

// raise places calls until there are so many.
func (b *bench) raise(ctx context.Context, calls int) error {
	for next := time.Now(); b.calls < calls; b.calls++ {
		id, err := b.office.Call(ctx, b.calls)
		if err != nil {
			return err
		}
		b.ids = append(b.ids, id)
		next = next.Add(time.Second / callRate)
		time.Sleep(time.Until(next))
	}
	if !rig.Wait(ctx, setupLimit, func() bool { live, _ := b.phone.Live(); return live >= calls }) {
		live, ended := b.phone.Live()
		return fmt.Errorf("only %d of %d calls are live, %d are over\n%s", live, calls, ended, b.server.Log())
	}
	return nil
}

// step measures so many calls.
func (b *bench) step(ctx context.Context, calls int) (step, error) {
	if err := b.raise(ctx, calls); err != nil {
		return step{}, err
	}
	time.Sleep(warmUp)
	before := b.sound.Take()
	began := time.Now()
	b.greeting.Join(&before.Greeting)
	meter, err := rig.StartMeter(b.server.PID())
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
	live, _ := b.phone.Live()
	s := b.judge(calls, live, load, b.sound.Take())
	own, err := b.own(ctx, began)
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
		perf := exec.CommandContext(ctx, "perf", "record", "-q", "-F", "499", "-g", "-p", strconv.Itoa(b.server.PID()),
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
		Packets: seen.Packets, LostPackets: seen.Lost,
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
