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

// Attempt is one try to reach a number for a call.
type Attempt struct {
	ID          ID
	WorkspaceID ID
	Mode        Mode
	CallID      ID
	Number      string // E.164, the called party
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
	CreatedAt   time.Time
	EndedAt     time.Time
}
