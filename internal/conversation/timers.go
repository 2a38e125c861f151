package conversation

import "time"

// timerKind names what a timer is for; one of each kind can run.
type timerKind int

const (
	timeWords  timerKind = iota // words for a sound that ended
	timeTyped                   // the next character of a typed turn
	timeListen                  // the caller's silence
	timeWait                    // a flow.Wait
	timeTail                    // the pause before hanging up
	timeDigits                  // the next key
	timeFiller                  // a filler, when an answer is owed
	timeGiveUp                  // the model's first word
	timeNoise                   // words for a sound that goes on
	timerKinds
)

// timers is a handful of deadlines on one clock.
type timers struct {
	due   [timerKinds]time.Time
	clock *time.Timer
	still time.Time // since when no time passes; zero when it does
}

func (t *timers) init() {
	t.clock = time.NewTimer(time.Hour)
	t.clock.Stop()
}

func (t *timers) stop() { t.clock.Stop() }

// C fires when a deadline has come.
func (t *timers) C() <-chan time.Time { return t.clock.C }

func (t *timers) set(k timerKind, d time.Duration) {
	t.due[k] = time.Now().Add(d)
	t.arm()
}

func (t *timers) clear(k timerKind) {
	t.due[k] = time.Time{}
	t.arm()
}

// freeze lets no time pass until thaw.
func (t *timers) freeze() {
	t.still = time.Now()
	t.clock.Stop()
}

// thaw lets time pass again: what was due is due later by the time that stood
// still.
func (t *timers) thaw() {
	stood := time.Since(t.still)
	t.still = time.Time{}
	for k, d := range t.due {
		if !d.IsZero() {
			t.due[k] = d.Add(stood)
		}
	}
	t.arm()
}

func (t *timers) arm() {
	if !t.still.IsZero() {
		return
	}
	var first time.Time
	for _, d := range t.due {
		if !d.IsZero() && (first.IsZero() || d.Before(first)) {
			first = d
		}
	}
	if first.IsZero() {
		t.clock.Stop()
		return
	}
	t.clock.Reset(max(time.Until(first), 0))
}

// expired returns the kinds whose deadline has come, and clears them.
func (t *timers) expired() []timerKind {
	now := time.Now()
	var out []timerKind
	for k, d := range t.due {
		if !d.IsZero() && !d.After(now) {
			t.due[k] = time.Time{}
			out = append(out, timerKind(k))
		}
	}
	t.arm()
	return out
}
