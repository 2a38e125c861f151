//go:build linux

package main

import (
	"math"
	"testing"
)

func TestTrend(t *testing.T) {
	at := make([]float64, 100)
	for i := range at {
		at[i] = float64(5 * i)
	}
	values := func(of func(i int) float64) []float64 {
		out := make([]float64, len(at))
		for i := range out {
			out[i] = of(i)
		}
		return out
	}
	few := tolerance{share: 0.02, more: 5}
	for name, c := range map[string]struct {
		of     func(i int) float64
		growth float64
		flat   bool
	}{
		"flat":          {func(int) float64 { return 500 }, 0, true},
		"a warm-up":     {func(i int) float64 { return 500 - 400*math.Exp(-float64(i)/8) }, 0.5, true},
		"waves":         {func(i int) float64 { return 500 + 40*math.Sin(float64(i)) }, 0, true},
		"a leak":        {func(i int) float64 { return 500 + float64(i) }, 49, false},
		"it shrinks":    {func(i int) float64 { return 500 - float64(i) }, -49, true},
		"within limits": {func(i int) float64 { return 500 + 0.2*float64(i) }, 9.8, true},
	} {
		got := trendOf(at, values(c.of), few)
		if got.Flat != c.flat || math.Abs(got.Growth-c.growth) > 10 {
			t.Errorf("%s: %+v, want a growth of %v", name, got, c.growth)
		}
	}
	if got := trendOf(nil, nil, few); !got.Flat || got.Growth != 0 {
		t.Errorf("of nothing: %+v", got)
	}
}

// TestJudge fails a run whose calls failed or whose ports are not given back.
func TestJudge(t *testing.T) {
	steady := sample{RSS: 100 << 20, Heap: 30 << 20, Goroutines: 800, Files: 230, Ports: 100, Log: 4 << 20}
	idle := sample{RSS: 40 << 20, Heap: 5 << 20, Goroutines: 30, Files: 20}
	run := func(change func(*result, *sample)) *result {
		r, after := &result{Samples: []sample{steady, steady, steady, steady}}, idle
		for i := range r.Samples {
			r.Samples[i].At = float64(i)
		}
		change(r, &after)
		r.judge(idle, after)
		return r
	}
	for name, c := range map[string]struct {
		change func(*result, *sample)
		flat   bool
	}{
		"steady":             {func(*result, *sample) {}, true},
		"memory stays":       {func(_ *result, s *sample) { s.RSS = 90 << 20 }, true},
		"a port stays":       {func(_ *result, s *sample) { s.Ports = 1 }, false},
		"goroutines stay":    {func(_ *result, s *sample) { s.Goroutines = 80 }, false},
		"a call failed":      {func(r *result, _ *sample) { r.FailedCalls = 1 }, false},
		"descriptors gather": {func(r *result, _ *sample) { r.Samples[3].Files += 40 }, false},
	} {
		if r := run(c.change); r.Flat != c.flat {
			t.Errorf("%s: flat %v, %+v", name, r.Flat, r.Trends)
		}
	}
}

func TestParse(t *testing.T) {
	o, err := parse([]string{"-duration", "1h", "-rate", "2", "-json"}, t.Output())
	if err != nil || o.duration.Hours() != 1 || o.rate != 2 || !o.json {
		t.Errorf("%+v, %v", o, err)
	}
	for _, bad := range [][]string{{"-rate", "0"}, {"-duration", "5s"}, {"-length", "1ms"}, {"-what"}} {
		if _, err := parse(bad, t.Output()); err == nil {
			t.Errorf("%v is taken", bad)
		}
	}
}
