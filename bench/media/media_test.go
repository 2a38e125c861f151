//go:build linux

package main

import (
	"encoding/json"
	"os"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/callwright/callwright/bench/rig"
)

// TestMain is the echo server when it is started as such, as main is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == echoRole {
		main()
		return
	}
	goleak.VerifyTestMain(m)
}

func TestSteps(t *testing.T) {
	for _, c := range []struct {
		from, most int
		want       []int
	}{{25, 300, []int{25, 50, 100, 200, 300}}, {100, 250, []int{100, 200, 250}}, {5, 5, []int{5}}, {1, 26, []int{25, 26}}} {
		if got := steps(c.from, c.most); !slices.Equal(got, c.want) {
			t.Errorf("%d to %d: %v, want %v", c.from, c.most, got, c.want)
		}
	}
}

func TestAsksOfOneAnswer(t *testing.T) {
	var a asks
	at := time.Unix(1000, 0)
	ask := func(sense string, took int) {
		a.take(3, rig.Asked{Sense: sense, At: at, FirstAt: at.Add(time.Duration(took) * time.Millisecond)})
	}
	ask("speak", 500) // the greeting is no answer
	ask("think", 200)
	ask("speak", 100)
	ask("speak", 900) // the second clause, while the first sounds
	ask("think", 10)
	ask("speak", 5)
	want := []time.Duration{300 * time.Millisecond, 15 * time.Millisecond}
	if got := a.answers(3); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestTheBestStepThatHeldCounts(t *testing.T) {
	var r result
	r.add(step{Calls: 50, CallsPerCore: 300, Held: true})
	r.add(step{Calls: 100, CallsPerCore: 400, Held: true})
	r.add(step{Calls: 200, CallsPerCore: 500, Why: "jitter over 5 ms"})
	if r.Calls != 100 || r.CallsPerCore != 400 || len(r.Steps) != 3 {
		t.Errorf("%+v", r)
	}
	var none result
	none.add(step{Calls: 50, CallsPerCore: 300, Why: "jitter over 5 ms"})
	if none.Calls != 0 || none.CallsPerCore != 300 {
		t.Errorf("nothing held: %+v", none)
	}
}

// TestMeasure makes a whole small run: the real server, calls, baselines. What is
// measured is not judged here.
func TestMeasure(t *testing.T) {
	t.Chdir("../..")
	o, err := parse([]string{"-from", "2", "-max", "2", "-duration", "1s", "-json"}, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	r, err := measure(t.Context(), o, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Steps) != 1 || r.Steps[0].Packets < 50 || r.Steps[0].ServerCores <= 0 || r.GreetingP95Ms <= 0 || r.BaselineCallsPerCore <= 0 {
		t.Errorf("%+v", r)
	}
	raw, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var keys map[string]any
	if err := json.Unmarshal(raw, &keys); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"callsPerCore", "memoryPerCallBytes", "ownShareP95Ms", "greetingP95Ms", "jitterP99Ms", "baselineCallsPerCore", "host"} {
		if _, there := keys[key]; !there {
			t.Errorf("the object has no %q", key)
		}
	}
}
