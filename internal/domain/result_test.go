package domain

import (
	"testing"
	"time"
)

// TestResultOf goes through every reason for which a call ends, answered long
// ago, answered just now, only dialed, and never sent.
func TestResultOf(t *testing.T) {
	type outcome struct{ talked, short, dialed, unsent Result }
	always := func(r Result) outcome { return outcome{ResultHuman, ResultHuman, r, r} }
	fault := func(r Result) outcome { return outcome{ResultInterrupted, ResultDropped, r, r} }
	ours := outcome{ResultInterrupted, ResultDropped, ResultInterrupted, ResultTrunk}
	for reason, want := range map[EndReason]outcome{
		EndFlow:           {ResultHuman, ResultHuman, ResultInterrupted, ResultTrunk},
		EndCallerHangup:   always(ResultNoAnswer),
		EndAgentHangup:    always(ResultCanceled),
		EndSilence:        {ResultHuman, ResultHuman, ResultInterrupted, ResultTrunk},
		EndMaxDuration:    {ResultHuman, ResultHuman, ResultInterrupted, ResultTrunk},
		EndMediaTimeout:   {ResultHuman, ResultDropped, ResultInterrupted, ResultTrunk},
		EndTransferred:    {ResultHuman, ResultHuman, ResultInterrupted, ResultTrunk},
		EndVoicemail:      {ResultVoicemail, ResultVoicemail, ResultInterrupted, ResultTrunk},
		EndBusy:           fault(ResultBusy),
		EndNoAnswer:       fault(ResultNoAnswer),
		EndDeclined:       fault(ResultDeclined),
		EndInvalidNumber:  fault(ResultInvalid),
		EndBlocked:        fault(ResultBlocked),
		EndMoved:          fault(ResultMoved),
		EndCanceled:       fault(ResultCanceled),
		EndUnreachable:    fault(ResultCongestion),
		EndCongestion:     fault(ResultCongestion),
		EndTrunkError:     fault(ResultTrunk),
		EndConfiguration:  fault(ResultTrunk),
		EndMediaNotAgreed: fault(ResultTrunk),
		EndNoCredits:      fault(ResultTrunk),
		EndDailyBudget:    fault(ResultTrunk),
		EndDoNotCall:      fault(ResultDoNotCall),
		EndInterrupted:    ours,
		EndInternal:       ours,
		"new":             ours,
	} {
		now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
		for name, c := range map[string]struct {
			call Call
			want Result
		}{
			"talked": {Call{DialedAt: now, AnsweredAt: now, EndedAt: now.Add(DroppedWithin)}, want.talked},
			"short":  {Call{DialedAt: now, AnsweredAt: now, EndedAt: now.Add(DroppedWithin - 1)}, want.short},
			"dialed": {Call{DialedAt: now, EndedAt: now.Add(time.Minute)}, want.dialed},
			"unsent": {Call{EndedAt: now}, want.unsent},
		} {
			c.call.ID, c.call.EndReason = "c1", reason
			if got := ResultOf(&c.call, nil); got != c.want {
				t.Errorf("%s, %s: %q, want %q", reason, name, got, c.want)
			}
			if got := ResultOf(&c.call, &Suppression{CallID: "c1"}); got != ResultOptOut {
				t.Errorf("%s, %s: %q after an opt-out in it", reason, name, got)
			}
			if got := ResultOf(&c.call, &Suppression{CallID: "another"}); got != c.want {
				t.Errorf("%s, %s: %q after an opt-out in another call", reason, name, got)
			}
		}
	}
	if got := ResultOf(&Call{EndReason: EndBusy}, &Suppression{}); got != ResultBusy {
		t.Errorf("%q for an entry of no call and a call of no id", got)
	}
}

func TestResultCharged(t *testing.T) {
	never := map[Result]bool{ResultTrunk: true, ResultCongestion: true, ResultCanceled: true, ResultDoNotCall: true}
	suppresses := map[Result]bool{ResultBlocked: true, ResultOptOut: true}
	for _, r := range []Result{
		ResultHuman, ResultVoicemail, ResultBusy, ResultNoAnswer, ResultDeclined, ResultBlocked, ResultInvalid, ResultMoved, ResultTrunk,
		ResultCongestion, ResultInterrupted, ResultOptOut, ResultDoNotCall, ResultDropped, ResultCanceled,
	} {
		if !r.Charged(true) || r.Charged(false) == never[r] {
			t.Errorf("%s is charged %t when it rang, %t when it did not", r, r.Charged(true), r.Charged(false))
		}
		if r.Suppresses() != suppresses[r] {
			t.Errorf("%s suppresses: %t", r, r.Suppresses())
		}
	}
}

func TestRang(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		call Call
		want bool
	}{{Call{DialedAt: now}, false}, {Call{RingingAt: now}, true}, {Call{AnsweredAt: now}, true}} {
		if c.call.Rang() != c.want {
			t.Errorf("%+v", c.call)
		}
	}
}
