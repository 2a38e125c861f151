package speech

import (
	"time"

	"github.com/callwright/callwright/internal/audio"
)

// Answerer is who seems to have answered a call.
type Answerer int

// The verdicts of a Greeting. Only Unsure changes.
const (
	Unsure Answerer = iota
	Human
	Machine
)

// Figures of greetings. People say a word or a name and wait; a machine talks on
// from the start, for longer than a receptionist does.
const (
	greetingBegins = 3 * time.Second  // after the answer, at most, when a machine greets
	greetingLong   = 5 * time.Second  // without a pause: a machine
	greetingPause  = 3 * time.Second  // of silence after something shorter: a human
	greetingUnsure = 30 * time.Second // then it does not matter any more
)

// Greeting tells by the first sounds after the answer whether a machine
// answered. It is a pure object: its only clock is the frames it is told of.
type Greeting struct {
	verdict Answerer
	frames  int // since the answer
	onset   int // frame at which the sound that goes on, or the last one, began
	run     int // frames of it
	quiet   int // frames since it ended
	heard   bool
}

// Push tells of one frame whether there is speech, as an Endpointer has it, and
// returns the verdict.
func (g *Greeting) Push(speaking bool) Answerer {
	if g.verdict != Unsure {
		return g.verdict
	}
	g.frames++
	if speaking {
		if g.run == 0 || g.quiet > 0 {
			g.onset, g.run = g.frames, 0
		}
		g.run, g.quiet, g.heard = g.run+1, 0, true
		if lasted(g.run) >= greetingLong && lasted(g.onset) <= greetingBegins {
			g.verdict = Machine
		}
		return g.verdict
	}
	g.quiet++
	if g.heard && lasted(g.quiet) >= greetingPause || lasted(g.frames) >= greetingUnsure {
		g.verdict = Human
	}
	return g.verdict
}

// Decide ends the doubt by other evidence, such as words.
func (g *Greeting) Decide(who Answerer) {
	if g.verdict == Unsure {
		g.verdict = who
	}
}

// Verdict is who seems to have answered so far.
func (g *Greeting) Verdict() Answerer { return g.verdict }

func lasted(frames int) time.Duration { return time.Duration(frames) * audio.FrameDuration }
