package engine

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/callwright/callwright/internal/service"
)

// TestFence lets the time pass since the last sign of life.
func TestFence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n node
		if n.name() != "" || n.holds("") {
			t.Error("a node that never joined may dial")
		}
		n.set("one", time.Now())
		time.Sleep(fenceAfter)
		if n.name() != "one" || !n.holds("one") || n.holds("two") {
			t.Errorf("after %s the node is %q", fenceAfter, n.name())
		}
		time.Sleep(time.Millisecond)
		if n.name() != "" || n.holds("one") || n.current() != "one" {
			t.Error("a node that gave no sign of life may dial")
		}
		n.set("one", time.Now())
		if !n.holds("one") {
			t.Error("after a sign of life the node may not dial")
		}
		n.set("two", time.Now())
		if n.holds("one") {
			t.Error("what the old epoch held may be dialed under the new one")
		}
	})
	if fenceAfter+beatEvery >= service.NodeLease {
		t.Errorf("a node stops after %s, others take over after %s", fenceAfter, service.NodeLease)
	}
}

// TestFenceAfterSleep is about a machine that slept: its wall clock jumped and
// the monotonic one did not.
func TestFenceAfterSleep(t *testing.T) {
	now := time.Now()
	for name, c := range map[string]struct {
		alive time.Time
		want  bool
	}{
		"fresh":                 {now.Add(-time.Second), false},
		"silent":                {now.Add(-fenceAfter - time.Second), true},
		"slept, by the wall":    {now.Round(0).Add(-time.Hour), true},
		"the wall was set back": {now.Round(0).Add(time.Hour), false},
	} {
		if got := fenced(c.alive, now); got != c.want {
			t.Errorf("%s: fenced is %t", name, got)
		}
	}
}
