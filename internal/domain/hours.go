package domain

import "time"

// Hours are when a phone number's agent answers, by the wall clock of a place,
// and what becomes of calls outside of them. The zero value means always.
type Hours struct {
	Timezone string    // IANA name; "" is the workspace's
	Week     [7][]Span // by time.Weekday, Sunday first; a day without spans is closed
	Closed   Closed
}

// Span is a part of a day, in minutes of the wall clock since midnight: from
// From on and before To, at most 1440.
type Span struct{ From, To int }

// ClosedAction says what is done with a call outside of the hours.
type ClosedAction string

// The actions.
const (
	ClosedMessage ClosedAction = "message" // Text is said, then the call is hung up
	ClosedReject  ClosedAction = "reject"  // the call is not answered
	ClosedAgent   ClosedAction = "agent"   // another agent answers
)

// Closed is what is done with a call outside of the hours.
type Closed struct {
	Action  ClosedAction
	Text    string
	AgentID ID
}

// Always reports whether there are no hours: every call is answered.
func (h *Hours) Always() bool { return h.Closed.Action == "" }

// Open reports whether at lies within the hours in the given zone. It compares
// wall clocks, so that a day on which the clocks change keeps its hours.
func (h *Hours) Open(at time.Time, zone *time.Location) bool {
	if h.Always() {
		return true
	}
	local := at.In(zone)
	minute := 60*local.Hour() + local.Minute()
	for _, s := range h.Week[local.Weekday()] {
		if s.From <= minute && minute < s.To {
			return true
		}
	}
	return false
}
