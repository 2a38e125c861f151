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
	if err := r.report(&raw, o.json); err != nil {
		t.Fatal(err)
	}
	var got result
	if err := json.Unmarshal(raw.Bytes(), &got); err != nil || len(got.Databases) == 0 {
		t.Fatalf("%v\n%s", err, raw.String())
	}
	for _, f := range got.Databases {
		if f.Rate.PerSecond <= 0 || f.Rate.BarePerSecond <= 0 || f.Waiting.Few.PlanMs <= 0 || f.Waiting.Many.ClaimMs <= 0 || f.Waiting.PlanRatio <= 0 {
			t.Errorf("%+v", f)
		}
	}
	var out strings.Builder
	if err := r.report(&out, false); err != nil || !strings.Contains(out.String(), "bare commits") {
		t.Errorf("%v\n%s", err, out.String())
	}
}

func TestParseRefuses(t *testing.T) {
	for _, args := range [][]string{{"-calls", "-1"}, {"-plans", "0"}, {"-few", "0"}, {"-many", "1"}, {"-nonsense"}} {
		if _, err := parse(args, t.Output()); err == nil {
			t.Errorf("%q is taken", args)
		}
	}
}
