//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestMeasure makes a small run. What is measured is not judged here, but that
// all of it is: the run itself fails when a contact was not called, or twice.
func TestMeasure(t *testing.T) {
	o, err := parse([]string{"-short", "-json"}, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	r, err := measure(t.Context(), o, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	var raw bytes.Buffer
	if err := r.report(&raw, o); err != nil {
		t.Fatal(err)
	}
	var got result
	if err := json.Unmarshal(raw.Bytes(), &got); err != nil || len(got.Databases) == 0 {
		t.Fatalf("%v\n%s", err, raw.String())
	}
	for _, f := range got.Databases {
		if f.Rate.PerSecond <= 0 || f.Rate.IntentsPerSecond <= 0 || f.Rate.BarePerSecond <= 0 || f.Waiting.Few.PlanMs <= 0 || f.Waiting.Many.ClaimMs <= 0 || f.Waiting.PlanRatio <= 0 {
			t.Errorf("%+v", f)
		}
		if m := f.Waiting.Import; m.Rows != o.many || m.PerSecond <= 0 || m.Megabytes <= 0 || m.MemoryMB < 0 {
			t.Errorf("%+v", m)
		}
		for _, size := range []sized{f.Waiting.Few, f.Waiting.Many} {
			served(t, f.Database, size.Plans)
		}
	}
	var out strings.Builder
	if err := r.report(&out, options{explain: true}); err != nil || !strings.Contains(out.String(), "bare commits") || !strings.Contains(out.String(), "claim of calls") {
		t.Errorf("%v\n%s", err, out.String())
	}
}

// served fails when there is no plan of a statement of the dialer, or SQLite reads
// through a whole table for it. PostgreSQL is right to do so where a table is small.
func served(t *testing.T, database string, all []statement) {
	t.Helper()
	asked := map[string]bool{}
	for _, s := range all {
		asked[s.What] = true
		for _, step := range s.Steps {
			if database == "sqlite" && strings.HasPrefix(step, "SCAN ") && step != "SCAN due" {
				t.Errorf("%s: %s\n%s", s.What, s.Text, strings.Join(s.Steps, "\n"))
			}
		}
		if len(s.Steps) == 0 {
			t.Errorf("no plan of %s", s.Text)
		}
	}
	if len(asked) != 7 {
		t.Errorf("the plans are of %v", asked)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, args := range [][]string{{"-calls", "-1"}, {"-plans", "0"}, {"-few", "0"}, {"-many", "1"}, {"-nonsense"}} {
		if _, err := parse(args, t.Output()); err == nil {
			t.Errorf("%q is taken", args)
		}
	}
}
