//go:build linux

package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// TestMain is the sender when it is started as such, as main is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == senderRole {
		main()
		return
	}
	goleak.VerifyTestMain(m)
}

// TestNothingIsLost makes a small chaos run on every database.
func TestNothingIsLost(t *testing.T) {
	o, err := parse([]string{"-chaos", "-short"}, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	r, err := measure(t.Context(), o, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range r.Chaos {
		if !c.sound() || c.Failed != 0 || c.Committed < o.events || c.Kills != o.kills || c.Tries < c.Committed*5/4 {
			t.Errorf("%+v", c)
		}
	}
	if err := r.report(t.Output(), true); err != nil || len(r.Chaos) == 0 {
		t.Errorf("%d runs: %v", len(r.Chaos), err)
	}
	r.Chaos[0].Lost = 1
	if r.report(t.Output(), false) == nil {
		t.Error("a lost event is no error")
	}
}

// TestMeasure makes a small run of the rest. What is measured is not judged here,
// but that all of it is.
func TestMeasure(t *testing.T) {
	o, err := parse([]string{"-short"}, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	r, err := measure(t.Context(), o, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range r.Speed {
		if s.PerSecond <= 0 || s.BarePerSecond <= 0 || s.Steady.Events != o.events || s.Steady.P99Ms < s.Steady.P50Ms ||
			s.Isolated.Events < o.events/2 || s.Isolated.Events == o.events || s.MemoryAfterMB <= 0 {
			t.Errorf("%+v", s)
		}
	}
	var out bytes.Buffer
	if err := r.report(&out, false); err != nil || !strings.Contains(out.String(), "bare HTTP client") || len(r.Speed) == 0 {
		t.Errorf("%v\n%s", err, out.String())
	}
}

func TestParseRefuses(t *testing.T) {
	for _, args := range [][]string{{"-events", "-1"}, {"-endpoints", "0"}, {"-rate", "0"}, {"-failing", "1"}, {"-nonsense"}} {
		if _, err := parse(args, t.Output()); err == nil {
			t.Errorf("%q is taken", args)
		}
	}
}
