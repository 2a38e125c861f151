package flow

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// maxPassed is how many nodes may be entered without the caller having a turn,
// or time passing.
const maxPassed = 100

// What the agent says on its own account. It can be synthesised before a call.
const (
	goodbyeConfused = "I am sorry, I could not understand you. Goodbye."
	goodbyeSilent   = "I did not hear anything. Goodbye."
	goodbyeFailed   = "I am sorry, something went wrong. Goodbye."
	stillThere      = "Are you still there?"
	apology         = "I am sorry, that did not work."
)

// Step answers one event. It is a function of its arguments: s is not changed,
// and the same arguments give the same result. After the end nothing happens
// any more.
func (g *Graph) Step(s State, ev Event) (State, []Act) {
	if s.Ended {
		return s, nil
	}
	w := &walk{graph: g, state: s, event: ev}
	w.take()
	for w.next != "" && !w.state.Ended {
		w.enter()
	}
	return w.state, w.acts
}

// walk is one step under way.
type walk struct {
	graph *Graph
	state State
	event Event
	acts  []Act
	next  string // the node to enter, or ""

	ownVars, ownVisits bool // the maps in state are copies already
}

// take gives the event to the node in which the conversation is.
func (w *walk) take() {
	ev := w.event
	switch ev.Kind {
	case Hangup:
		w.state.Ended, w.state.Node = true, ""
		return
	case Started:
		if w.state.Node == "" {
			w.next = w.graph.StartNodeID
		}
		return
	case Played, Interrupted:
		return
	}
	n := w.graph.node(w.state.Node)
	if n == nil || ev.Node != "" && ev.Node != n.ID {
		return
	}
	switch ev.Kind {
	case Heard, Digit:
		if strings.TrimSpace(ev.Text) == "" {
			return
		}
		w.state.Text = ev.Text
		w.state.Turns++
		w.state.Passed = 0
	case Timer:
		w.state.Passed = 0
	case Injected:
		w.setVar(varEvent, ev.Value)
	}
	if w.followEvent(n) {
		return
	}
	_, atMachine := n.body.(*voicemail)
	if (ev.Kind == Machine || ev.Kind == Beep) && !atMachine {
		w.machine()
		return
	}
	n.body.take(w, n)
}

// enter goes into the next node.
func (w *walk) enter() {
	n := w.graph.node(w.next)
	w.next = ""
	w.state.Passed++
	if n == nil || w.state.Passed > maxPassed {
		w.note("the flow passed %d nodes without a turn of the caller", maxPassed)
		w.end(domain.EndConfiguration)
		return
	}
	w.state.Node = n.ID
	w.state.Asked = 0
	w.state.Answered = false
	if !w.ownVisits {
		w.state.Visits = maps.Clone(w.state.Visits)
		w.ownVisits = true
	}
	if w.state.Visits == nil {
		w.state.Visits = map[string]int{}
	}
	w.state.Visits[n.ID]++
	n.body.enter(w, n)
}

// machine goes to the flow's voicemail node; without one the call ends, for
// nobody is there to talk to.
func (w *walk) machine() {
	if n := w.graph.voicemailNode(); n != nil {
		w.next = n.ID
	} else if w.graph.Settings.answersMachineByHangup() {
		w.end(domain.EndVoicemail)
	}
}

func (w *walk) do(act Act) { w.acts = append(w.acts, act) }

// say speaks text with its variables filled in, if that leaves anything.
func (w *walk) say(text string) {
	if filled := strings.TrimSpace(w.fill(text)); filled != "" {
		w.do(Say{Text: filled, Node: w.state.Node})
	}
}

// fill fills the variables into text and notes those that are missing.
func (w *walk) fill(text string) string {
	filled, missing := Fill(text, w.env())
	w.noteMissing(missing)
	return filled
}

// listen waits for the caller. Seconds 0 is the flow's own setting.
func (w *walk) listen(seconds float64, digits *DigitRule) {
	if seconds == 0 {
		seconds = w.graph.Settings.ListenSeconds
	}
	w.do(Listen{Timeout: duration(seconds), Digits: digits})
}

// end ends the call. What was said before is played first.
func (w *walk) end(reason domain.EndReason) {
	w.do(End{Reason: reason})
	w.state.Ended, w.state.Node = true, ""
}

// setVar sets a variable in a copy of the variables.
func (w *walk) setVar(name string, value any) {
	if !w.ownVars {
		w.state.Vars = maps.Clone(w.state.Vars)
		w.ownVars = true
	}
	if w.state.Vars == nil {
		w.state.Vars = map[string]any{}
	}
	w.state.Vars[name] = value
}

// capture sets a variable and remembers that the flow did.
func (w *walk) capture(name string, value any) {
	if name == "" {
		return
	}
	w.setVar(name, value)
	if !slices.Contains(w.state.Captured, name) {
		w.state.Captured = append(slices.Clip(w.state.Captured), name)
	}
}

// captureAnswer sets a variable and its two forms: name_raw is what the caller
// said, name_spoken is the value as an agent would say it.
func (w *walk) captureAnswer(name string, value any, spoken string) {
	if name == "" {
		return
	}
	w.capture(name, value)
	w.setVar(name+"_raw", w.event.Text)
	w.setVar(name+"_spoken", spoken)
}

// duration turns seconds as they are written in a flow into a duration.
func duration(seconds float64) time.Duration {
	return time.Duration(seconds * float64(time.Second))
}
