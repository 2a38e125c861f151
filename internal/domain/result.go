package domain

import "time"

// Result is how a try to reach somebody ended, in the words by which it is
// decided whether and when they are tried again.
type Result string

// The results.
const (
	ResultHuman       Result = "human"       // a person answered, and the call came to its end
	ResultVoicemail   Result = "voicemail"   // an answering machine did
	ResultBusy        Result = "busy"        // 486, 600
	ResultNoAnswer    Result = "no-answer"   // it rang, or they are not there: 408, 480, 487, our own patience
	ResultDeclined    Result = "declined"    // 603: not now
	ResultBlocked     Result = "blocked"     // 607, 608: not from us
	ResultInvalid     Result = "invalid"     // nobody has the number
	ResultMoved       Result = "moved"       // 3xx: the number is another one, which is not called
	ResultTrunk       Result = "trunk"       // our side is set up wrong: authentication, codecs, credits, agent
	ResultCongestion  Result = "congestion"  // the network is overloaded or away: 5xx, no answer to the INVITE at all
	ResultInterrupted Result = "interrupted" // a crash, a forced stop or a fault of ours; it may have rung
	ResultOptOut      Result = "opt-out"     // they asked in the call not to be called again
	ResultDoNotCall   Result = "do-not-call" // the number is on the do-not-call list for another reason
	ResultDropped     Result = "dropped"     // answered, and broken off by us in the first ten seconds
	ResultCanceled    Result = "canceled"    // given up by a request
)

// DroppedWithin is how soon after the answer a fault of ours leaves somebody with
// a call that was none.
const DroppedWithin = 10 * time.Second

// unansweredResults are the results of calls that nobody answered.
var unansweredResults = map[EndReason]Result{
	EndBusy:           ResultBusy,
	EndNoAnswer:       ResultNoAnswer,
	EndCallerHangup:   ResultNoAnswer,
	EndDeclined:       ResultDeclined,
	EndBlocked:        ResultBlocked,
	EndInvalidNumber:  ResultInvalid,
	EndMoved:          ResultMoved,
	EndTrunkError:     ResultTrunk,
	EndMediaNotAgreed: ResultTrunk,
	EndConfiguration:  ResultTrunk,
	EndNoCredits:      ResultTrunk,
	EndDailyBudget:    ResultTrunk,
	EndCongestion:     ResultCongestion,
	EndUnreachable:    ResultCongestion,
	EndDoNotCall:      ResultDoNotCall,
	EndCanceled:       ResultCanceled,
	EndAgentHangup:    ResultCanceled,
}

// ResultOf returns how an outbound call that is over ended. listed is the entry
// of the called number in the do-not-call list, nil for none: it tells whether
// the wish not to be called again came up in this call.
func ResultOf(c *Call, listed *Suppression) Result {
	answered := !c.AnsweredAt.IsZero()
	switch {
	case listed != nil && listed.CallID != "" && listed.CallID == c.ID && listed.Source != SuppressedByRefusal:
		return ResultOptOut
	case !answered:
		return resultUnanswered(c)
	case c.EndReason == EndVoicemail:
		return ResultVoicemail
	case (!c.EndReason.Completes() || c.EndReason == EndMediaTimeout) && c.Duration() < DroppedWithin:
		return ResultDropped
	case !c.EndReason.Completes():
		return ResultInterrupted
	}
	return ResultHuman
}

func resultUnanswered(c *Call) Result {
	if r, known := unansweredResults[c.EndReason]; known {
		return r
	}
	if c.DialedAt.IsZero() {
		return ResultTrunk // nothing was sent: it broke while it was prepared
	}
	return ResultInterrupted
}

// Charged reports whether the try counts as one of those that somebody may get,
// given that their phone rang, or not. What failed on our side or in the network
// before it rang does not.
func (r Result) Charged(rang bool) bool {
	switch r {
	case ResultTrunk, ResultCongestion, ResultCanceled, ResultDoNotCall:
		return rang
	}
	return true
}

// Suppresses reports whether the number belongs on the do-not-call list after a
// try with this result.
func (r Result) Suppresses() bool { return r == ResultBlocked || r == ResultOptOut }

// Rang reports whether the called phone rang, or was answered, as far as is known.
func (c *Call) Rang() bool { return !c.RingingAt.IsZero() || !c.AnsweredAt.IsZero() }
