//go:build linux

package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// TestMain is the bare handler when it is started as such, as main is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == bareRole {
		main()
		return
	}
	goleak.VerifyTestMain(m)
}

// TestMeasure makes a whole small run: the real server on every database, filled
// twice, and the bare handler. What is measured is not judged here; that every
// answer has the total that the fill wrote is.
func TestMeasure(t *testing.T) {
	t.Chdir("../..")
	o, err := parse([]string{"-small", "1000", "-large", "2000", "-clients", "2", "-duration", "60ms"}, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	r, err := measure(t.Context(), o, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Runs) < 2 {
		t.Fatalf("%d runs", len(r.Runs))
	}
	totals := []map[string]string{
		{"list": "1000", "queued": "100", "agent": "50", "deep": "1000"},
		{"list": "2000", "queued": "100", "agent": "100", "deep": "2000"},
	}
	for i, run := range r.Runs {
		got := make(map[string]figure)
		for _, f := range run.Requests {
			got[f.Name] = f
			if f.PerSecond <= 0 || f.Bytes == 0 {
				t.Errorf("%s %d: %+v", run.Database, run.Calls, f)
			}
		}
		for name, total := range totals[i%2] {
			if got[name].Total != total {
				t.Errorf("%s %d: %s has the total %q, want %s", run.Database, run.Calls, name, got[name].Total, total)
			}
		}
		if got["bare"].Bytes != got["list"].Bytes || len(got) != 13 {
			t.Errorf("%s %d: %d requests; the bare handler answers %d bytes, a list has %d", run.Database, run.Calls, len(got), got["bare"].Bytes, got["list"].Bytes)
		}
	}
	var out bytes.Buffer
	r.print(&out)
	for _, want := range []string{"sqlite, 2000 calls", "campaign, inbound", "SELECT", "call_counts"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not printed:\n%s", want, out.String())
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, args := range [][]string{{"-small", "10"}, {"-large", "100"}, {"-clients", "0"}, {"-nonsense"}} {
		if _, err := parse(args, t.Output()); err == nil {
			t.Errorf("%q is taken", args)
		}
	}
}
