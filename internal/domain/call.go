package domain

import "time"

// CallState is where a call stands in the engine. The dialects have words of
// their own for it.
type CallState string

// The states of a call, in the order in which it passes them.
const (
	CallQueued     CallState = "queued"      // accepted; an attempt waits for its turn
	CallDialing    CallState = "dialing"     // the INVITE may have been sent
	CallRinging    CallState = "ringing"     // the far end says that it rings
	CallInProgress CallState = "in-progress" // answered; the two sides talk
	CallCompleted  CallState = "completed"   // was answered and came to an end
	CallFailed     CallState = "failed"      // was never answered, or was interrupted
)

// CallTransitions is the table of a call's life: what may follow a state.
var CallTransitions = map[CallState][]CallState{
	CallQueued:     {CallDialing, CallRinging, CallFailed},
	CallDialing:    {CallRinging, CallInProgress, CallFailed},
	CallRinging:    {CallInProgress, CallFailed},
	CallInProgress: {CallCompleted, CallFailed},
	CallCompleted:  {},
	CallFailed:     {},
}

// Ended reports whether s is a final state.
func (s CallState) Ended() bool { return s == CallCompleted || s == CallFailed }

// Direction says who called.
type Direction string

// The two directions.
const (
	Outbound Direction = "outbound"
	Inbound  Direction = "inbound"
)

// EndReason is the machine word for why a call is over.
type EndReason string

// The reasons of calls that were answered and ended.
const (
	EndFlow         EndReason = "flow-ended"    // the agent said goodbye
	EndCallerHangup EndReason = "caller-hangup" // the far end hung up
	EndAgentHangup  EndReason = "agent-hangup"  // a request or tool hung up
	EndSilence      EndReason = "silence"       // nobody answered the reminders
	EndMaxDuration  EndReason = "max-duration"  // the call was as long as it may be
	EndMediaTimeout EndReason = "media-timeout" // no sound arrived any more
	EndTransferred  EndReason = "transferred"   // the caller was handed over
	EndVoicemail    EndReason = "voicemail"     // an answering machine took the call
)

// The reasons of calls that failed.
const (
	EndBusy           EndReason = "busy"             // 486, 600
	EndNoAnswer       EndReason = "no-answer"        // it rang, or nobody is there: 408, 480, 487, our own patience
	EndDeclined       EndReason = "declined"         // 603
	EndInvalidNumber  EndReason = "invalid-number"   // 404, 410, 484, 604
	EndBlocked        EndReason = "blocked"          // 607, 608
	EndMoved          EndReason = "moved"            // the far end named another address, which is not called: 3xx
	EndCanceled       EndReason = "canceled"         // a request gave it up
	EndUnreachable    EndReason = "unreachable"      // the trunk did not answer, or refused the transport
	EndCongestion     EndReason = "congestion"       // the network is overloaded or broken: 5xx
	EndTrunkError     EndReason = "trunk-error"      // the trunk refused: authentication, what it does not understand
	EndConfiguration  EndReason = "configuration"    // no voice, no brain, no trunk
	EndInterrupted    EndReason = "interrupted"      // a crash or a forced drain
	EndInternal       EndReason = "internal-error"   // a fault of ours; the log has it
	EndDoNotCall      EndReason = "do-not-call"      // the number is on the do-not-call list
	EndNoCredits      EndReason = "no-credits"       // the workspace's credits were used up when its turn came
	EndDailyBudget    EndReason = "daily-budget"     // the workspace had spent its budget of the day when its turn came
	EndMediaNotAgreed EndReason = "media-not-agreed" // no codec in common: 488, 606
)

// Completes reports whether a call that was answered and ended for this reason
// counts as completed. An interrupted or broken one failed.
func (r EndReason) Completes() bool {
	switch r {
	case EndFlow, EndCallerHangup, EndAgentHangup, EndSilence, EndMaxDuration,
		EndMediaTimeout, EndTransferred, EndVoicemail:
		return true
	}
	return false
}

// EndedState returns the final state for a call that ended for reason r.
func EndedState(answered bool, r EndReason) CallState {
	if answered && r.Completes() {
		return CallCompleted
	}
	return CallFailed
}

// Analysis is what was made of a call after it.
type Analysis struct {
	Summary   string
	Sentiment string // positive, neutral, negative
	Method    string // lexicon, the model's name, or sample
}

// Call is one phone call, placed or answered.
type Call struct {
	ID            ID
	WorkspaceID   ID
	Mode          Mode
	Direction     Direction
	State         CallState
	EndReason     EndReason
	AgentID       ID
	FlowID        ID
	FlowVersion   int64
	PhoneNumberID ID
	CampaignID    ID
	RecipientID   ID // the contact of the campaign, or ""
	ContactID     ID // whom it is with, or ""
	KeyID         ID // the API key that asked for it, or ""
	From          string
	To            string
	Record        bool
	MaxDuration   time.Duration
	Callback      *Callback      // a receiver of its events beside the endpoints; nil for none
	Variables     map[string]any // given with the request
	Captured      map[string]any // answers and values that the flow set
	Extra         map[string]any // members that a dialect keeps and gives back
	Notes         []string       // what a reader of this call should know: a voice that was missing …
	Voice         string         // the engine and voice that really spoke
	Model         string         // the model that really thought, or ""
	Recording     string         // the recording store's name for the file, or ""
	SIPCallID     string
	Analysis      *Analysis
	Cost          Money // what it was charged, once it has ended
	Version       int64
	CreatedAt     time.Time
	DialedAt      time.Time
	RingingAt     time.Time
	AnsweredAt    time.Time
	EndedAt       time.Time
}

// Duration is the time from answer to end, 0 for a call that was not answered
// or is not over.
func (c *Call) Duration() time.Duration {
	if c.AnsweredAt.IsZero() || c.EndedAt.IsZero() || c.EndedAt.Before(c.AnsweredAt) {
		return 0
	}
	return c.EndedAt.Sub(c.AnsweredAt)
}

// CallFilter narrows a list of calls; zero fields do not filter.
type CallFilter struct {
	States     []CallState
	IDs        []ID // one of these
	AgentID    ID
	Agents     []ID // one of these
	FlowID     ID
	CampaignID ID
	Direction  Direction
	To         string
	CreatedMin time.Time // inclusive
	CreatedMax time.Time // exclusive
	// Brief leaves out of the calls what only one call by itself shows: flow,
	// settings, Variables, Captured, Notes, Voice, Model, SIPCallID, and the times
	// of dialing and ringing.
	Brief bool
	// Held is told of the Brief calls of the page, in their order, and reports
	// whether whoever asks has what it needs of that version of one: such a call
	// may be left out. Should the list be read once more, Held is told of all its
	// calls once more. nil holds none.
	Held func(id ID, version int64) bool
}
