//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/callwright/callwright/bench/rig"
)

// result is what -json prints.
type result struct {
	Flat            bool             `json:"flat"` // nothing grew, all was given back, no call failed
	DurationSeconds float64          `json:"durationSeconds"`
	Calls           int              `json:"calls"`
	FailedCalls     int              `json:"failedCalls"`
	LostPackets     int              `json:"lostPackets"`
	ServerCores     float64          `json:"serverCores"`
	Trends          map[string]trend `json:"trends"`
	Samples         []sample         `json:"samples"`
	Host            rig.Host         `json:"host"`
}

// things are what is watched, and how much of it may come to stay. Memory is let
// vary by a few megabytes, which the garbage collector's rhythm explains.
var things = []struct {
	name   string
	of     func(sample) float64
	grow   tolerance
	remain tolerance // when all calls are over, of what there was before the first
	bytes  bool
}{
	{"rss", func(s sample) float64 { return s.RSS }, tolerance{0.03, 3 << 20}, tolerance{}, true},
	{"heap", func(s sample) float64 { return s.Heap }, tolerance{0.03, 3 << 20}, tolerance{}, true},
	{"goroutines", func(s sample) float64 { return s.Goroutines }, tolerance{0.02, 10}, tolerance{0.1, 20}, false},
	{"files", func(s sample) float64 { return s.Files }, tolerance{0.02, 5}, tolerance{0.1, 20}, false},
	{"ports", func(s sample) float64 { return s.Ports }, tolerance{0.02, 5}, tolerance{0, 0}, false},
	{"log", func(s sample) float64 { return s.Log }, tolerance{0.25, 8 << 20}, tolerance{}, true},
}

const (
	sampleEvery = 5 * time.Second
	giveBack    = 15 * time.Second // after the last call: ports rest for 5 s, connections idle for longer
	answers     = 200              // different ones: more than this adds nothing but prepared speech
)

// soak runs the calls and judges.
func soak(ctx context.Context, o options, progress io.Writer) (_ *result, err error) {
	dir, err := os.MkdirTemp("", "callwright-soak-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if o.binary == "" {
		if o.binary, err = rig.Build(ctx, dir); err != nil {
			return nil, err
		}
	}
	ops, err := freeAddress()
	if err != nil {
		return nil, err
	}
	home := filepath.Join(dir, "soak")
	r, err := rig.Open(ctx, rig.Options{
		Binary: o.binary, Dir: home, Database: o.database, Args: []string{"--ops", ops}, Codec: "pcmu",
		Turns:    rig.Turns{After: time.Second, Every: 5 * time.Second},
		Services: rig.ServiceOptions{Delays: rig.Delays{Hear: 50 * time.Millisecond, Think: 100 * time.Millisecond, Speak: 50 * time.Millisecond}, Answers: answers},
		Agent:    map[string]any{"record": true, "maxCallDuration": int(o.length.Seconds())},
	})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	s := &soaking{o: o, rig: r, progress: progress, began: time.Now(),
		look: func() (sample, error) { return look(ctx, r, home, ops, time.Now()) }}
	return s.run(ctx)
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// soaking is a run under way.
type soaking struct {
	o        options
	rig      *rig.Rig
	progress io.Writer
	began    time.Time
	look     func() (sample, error)
	samples  []sample
	calls    int
}

func (s *soaking) run(ctx context.Context) (*result, error) {
	before, err := s.look()
	if err != nil {
		return nil, err
	}
	meter, err := rig.StartMeter(s.rig.Server.PID())
	if err != nil {
		return nil, err
	}
	if err := s.place(ctx); err != nil {
		return nil, err
	}
	load, err := meter.Stop()
	if err != nil {
		return nil, err
	}
	over := func() bool { live, _ := s.rig.Phone.Live(); return live == 0 }
	if !rig.Wait(ctx, s.o.length+giveBack, over) {
		return nil, errors.New("calls go on after their maximum duration")
	}
	time.Sleep(giveBack)
	after, err := s.look()
	if err != nil {
		return nil, err
	}
	_, ended := s.rig.Phone.Live()
	out := &result{
		DurationSeconds: s.o.duration.Seconds(), Calls: s.calls, FailedCalls: s.calls - ended, LostPackets: s.rig.Sound.Take().Lost,
		ServerCores: load.Server, Samples: s.samples, Host: rig.ReadHost(),
	}
	out.Host.OtherCores = load.Other
	out.judge(before, after)
	return out, nil
}

// place makes calls at the rate, and samples, until the time is over.
func (s *soaking) place(ctx context.Context) error {
	nextSample := s.began.Add(sampleEvery)
	for next := time.Now(); time.Since(s.began) < s.o.duration; s.calls++ {
		if _, err := s.rig.Office.Call(ctx, s.calls); err != nil {
			return err
		}
		if time.Now().After(nextSample) {
			nextSample = nextSample.Add(sampleEvery)
			now, err := s.look()
			if err != nil {
				return err
			}
			now.At = time.Since(s.began).Seconds()
			s.samples = append(s.samples, now)
			if len(s.samples)%6 == 0 {
				fmt.Fprintf(s.progress, "%4.0f s: %d calls, %.0f live, %.1f MB, heap %.1f MB, %.0f goroutines, %.0f files, %.0f ports\n",
					now.At, s.calls, now.Live, now.RSS/(1<<20), now.Heap/(1<<20), now.Goroutines, now.Files, now.Ports)
			}
		}
		next = next.Add(time.Duration(float64(time.Second) / s.o.rate))
		select {
		case <-time.After(time.Until(next)):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// judge makes the trends.
func (r *result) judge(before, after sample) {
	at := make([]float64, len(r.Samples))
	for i, s := range r.Samples {
		at[i] = s.At
	}
	r.Trends, r.Flat = map[string]trend{}, r.FailedCalls == 0
	for _, thing := range things {
		values := make([]float64, len(r.Samples))
		for i, s := range r.Samples {
			values[i] = thing.of(s)
		}
		t := trendOf(at, values, thing.grow)
		t.Before, t.After = thing.of(before), thing.of(after)
		if !thing.bytes && t.After > t.Before*(1+thing.remain.share)+thing.remain.more {
			t.Flat = false
		}
		r.Trends[thing.name] = t
		r.Flat = r.Flat && t.Flat
	}
}

func (r *result) print(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "\tbefore\tmean\tgrowth\tmay grow\tafter\t\t")
	for _, thing := range things {
		v, unit, scale := r.Trends[thing.name], "", 1.0
		if thing.bytes {
			unit, scale = " MB", 1<<20
		}
		verdict := "flat"
		if !v.Flat {
			verdict = "GROWS"
		}
		fmt.Fprintf(t, "%s\t%.1f%s\t%.1f%s\t%.1f%s\t%.1f%s\t%.1f%s\t%s\t\n", thing.name, v.Before/scale, unit, v.Mean/scale, unit,
			v.Growth/scale, unit, v.Limit/scale, unit, v.After/scale, unit, verdict)
	}
	_ = t.Flush() // to a terminal or nowhere
	fmt.Fprintf(w, "\n%d calls in %.0f s, %d failed; the server used %.2f cores, other programs %.2f\n",
		r.Calls, r.DurationSeconds, r.FailedCalls, r.ServerCores, r.Host.OtherCores)
}
