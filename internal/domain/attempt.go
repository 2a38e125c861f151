package domain

import "time"

// AttemptState is where one try to reach a number stands. Intent means that an
// INVITE may have been sent: from there on an attempt is never sent again.
type AttemptState string

// The states of an attempt.
const (
	AttemptPlanned  AttemptState = "planned"  // waits until NextAt
	AttemptClaimed  AttemptState = "claimed"  // a process holds it until LeaseUntil; nothing was sent
	AttemptIntent   AttemptState = "intent"   // committed and fsynced before the first INVITE byte
	AttemptRinging  AttemptState = "ringing"  // the far end says that it rings
	AttemptAnswered AttemptState = "answered" // the far end took the call; its dialog is stored
	AttemptEnded    AttemptState = "ended"    // over for EndReason, never tried again
)

// AttemptTransitions is the table of an attempt's life. A claim whose lease ran
// out returns to planned; nothing returns from intent.
var AttemptTransitions = map[AttemptState][]AttemptState{
	AttemptPlanned:  {AttemptClaimed, AttemptEnded},
	AttemptClaimed:  {AttemptIntent, AttemptPlanned, AttemptEnded},
	AttemptIntent:   {AttemptRinging, AttemptAnswered, AttemptEnded},
	AttemptRinging:  {AttemptAnswered, AttemptEnded},
	AttemptAnswered: {AttemptEnded},
	AttemptEnded:    {},
}

// AttemptKind says what an attempt is for.
type AttemptKind string

// The kinds of attempts. Only those that dial are claimed, and are one at a time
// to a number.
const (
	AttemptDial     AttemptKind = ""         // reaches the number that the call is for
	AttemptIncoming AttemptKind = "incoming" // the far end dialed us
	AttemptTransfer AttemptKind = "transfer" // reaches somebody to whom the call is handed over
)

// Attempt is one leg of a call: a try to reach a number, or an incoming one.
type Attempt struct {
	ID          ID
	WorkspaceID ID
	Mode        Mode
	CallID      ID
	Kind        AttemptKind
	Number      string // the far end: E.164, or of an incoming one what the caller sent
	TrunkID     ID
	TryNumber   int // 1 for the first try
	State       AttemptState
	NextAt      time.Time // not to be claimed before
	LeaseUntil  time.Time
	Claim       int64 // fencing token: counts up with each claim
	Epoch       ID    // the process run that holds it
	SIPCallID   string
	Dialog      []byte // what is needed to end the dialog after a crash; nil before the answer
	EndReason   EndReason
	// RecipientID is the contact of a campaign that is tried, RecipientTry its how
	// manieth try this is, from 1 on; no two attempts have the same.
	RecipientID  ID
	RecipientTry int
	DialedAt     time.Time // of the intent
	Uncharged    bool      // it does not count as a try to reach the number
	Basis        string    // by which rules and clocks the dial was allowed or refused, for people; "" without rules
	CreatedAt    time.Time
	EndedAt      time.Time
}
