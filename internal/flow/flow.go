// Package flow walks a conversation's graph. It is pure: a step takes a state
// and an event and returns the next state and what to do; nothing is spoken,
// heard or fetched here.
//
// The acts of one step, when there are any, end with exactly one that has an
// answer: Listen, Think, Route, Do or Wait; or with End. That act takes the
// place of the one that was pending before. A step without acts leaves what is
// pending as it is: whoever listened goes on listening.
package flow

import (
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// State is where a conversation stands in its graph. It is a value: Step never
// changes the one it was given, nor the maps and slices in it.
type State struct {
	Node     string         // id of the current node; "" before the start and after the end
	Vars     map[string]any // variables, as JSON would decode them; dotted paths reach into nested objects
	Captured []string       // names of the variables that nodes have set, in order of their first setting
	Visits   map[string]int // how often each node was entered
	Asked    int            // how often the current question was put again
	Answered bool           // whether the current question was understood, while a Route is pending
	Text     string         // what the caller said or pressed last
	Turns    int            // how often the caller was heard
	Passed   int            // nodes entered since the caller was last heard or a Wait was over
	Ended    bool
}

// EventKind says what happened.
type EventKind string

// The closed set of events.
const (
	Started     EventKind = "started"  // the call was answered and may talk
	Heard       EventKind = "heard"    // the caller ended a turn; Text
	Digit       EventKind = "digit"    // the caller pressed keys; Text
	Silence     EventKind = "silence"  // the caller said nothing for the listen's timeout
	Played      EventKind = "played"   // all that was said has been played
	Thought     EventKind = "thought"  // a Think is done; OK, Text is what was said, Name is Goodbye to end
	Routed      EventKind = "routed"   // a Route is done; Name is the edge's target or "" for stay
	Done        EventKind = "done"     // a Do is done; OK, Value is its result as JSON would decode it
	Injected    EventKind = "injected" // a named event from outside; Name, Value
	Machine     EventKind = "machine"  // an answering machine was detected
	Beep        EventKind = "beep"     // its beep was heard
	Timer       EventKind = "timer"    // a Wait is over
	Hangup      EventKind = "hangup"   // the far end is gone
	Interrupted EventKind = "interrupted"
)

// Goodbye is the Name of a Thought after which the model wants the call to end.
const Goodbye = "goodbye"

// Event is one thing that happened in the conversation.
type Event struct {
	Kind  EventKind
	Node  string // with Thought, Routed, Done, Timer: the State.Node whose act this answers; "" is the current one. Late answers are dropped by it.
	Text  string
	Name  string
	OK    bool
	Value any
	At    time.Time // in the time zone in which words like "tomorrow" are meant
}

// Act is one thing to do. The closed set of acts are the types below.
type Act interface{ act() }

type (
	// Say speaks text. Variables are already filled in.
	Say struct {
		Text string
		Node string // the node that speaks
	}
	// Listen waits for the caller's next turn, or digits when Digits is set.
	Listen struct {
		Timeout time.Duration // 0 is the conversation's default
		Digits  *DigitRule
	}
	// Think lets the model speak by a prompt and tools; it ends with Thought.
	Think struct {
		Prompt string // the flow's global prompt and the node's own, filled in
		Tools  []Tool
	}
	// Route asks once which of the intents was meant; it ends with Routed.
	Route struct {
		Text    string // what the caller said
		Intents []Intent
	}
	// Do performs something outside the talk and ends with Done: an HTTP
	// request, a transfer, an SMS, a booking.
	Do struct {
		Kind string         // http, transfer, sms, book, digits
		Args map[string]any // templates already filled in; the node type's documentation names them
	}
	// Wait lets time pass and ends with Timer.
	Wait struct{ For time.Duration }
	// Note is something that a reader of the call should know: a variable that
	// was missing, an expression that failed. It may come more than once.
	Note struct{ Text string }
	// End ends the call when all that was said has been played. Reason is one of
	// domain's words for it.
	End struct{ Reason domain.EndReason }
)

// DigitRule says when keys that were pressed are complete.
type DigitRule struct {
	Max        int    // this many, 0 for no limit
	Terminator string // or one of these keys
	Timeout    time.Duration
	Only       string // the keys that mean something; "" is any
}

// Intent is one of the meanings a Route chooses between.
type Intent struct {
	To       string // the edge's target; what Routed answers with
	Text     string
	Keywords []string
}

func (Say) act()    {}
func (Listen) act() {}
func (Think) act()  {}
func (Route) act()  {}
func (Do) act()     {}
func (Wait) act()   {}
func (Note) act()   {}
func (End) act()    {}
