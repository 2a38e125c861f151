package outreach

import (
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// TestAbandoned measures from the end of the greeting, or the answer, to the
// first of the agent's sound.
func TestAbandoned(t *testing.T) {
	type turn = domain.Turn
	agent := func(start int64) turn { return turn{Role: domain.RoleAgent, StartMs: start, EndMs: start + 900} }
	caller := func(start, end int64) turn { return turn{Role: domain.RoleCaller, StartMs: start, EndMs: end} }
	for _, c := range []struct {
		name   string
		talk   time.Duration
		turns  []turn
		result domain.Result
		want   bool
	}{
		{"at once", time.Minute, []turn{agent(60)}, domain.ResultHuman, false},
		{"after two seconds", time.Minute, []turn{agent(2000)}, domain.ResultHuman, false},
		{"late", time.Minute, []turn{agent(2001)}, domain.ResultHuman, true},
		{"never", time.Minute, nil, domain.ResultHuman, true},
		{"hung up at once", 1900 * time.Millisecond, nil, domain.ResultHuman, false},
		{"hung up after waiting", 2100 * time.Millisecond, nil, domain.ResultHuman, true},
		{"after a late greeting", time.Minute, []turn{caller(3000, 3500), agent(5400)}, domain.ResultHuman, false},
		{"too long after a greeting", time.Minute, []turn{caller(500, 1000), agent(3100)}, domain.ResultHuman, true},
		{"the second hello is no greeting", time.Minute, []turn{caller(500, 1000), caller(4000, 4500), agent(5000)}, domain.ResultHuman, true},
		{"during the greeting", time.Minute, []turn{agent(1500), caller(500, 4000)}, domain.ResultHuman, false},
		{"first words of the caller came later", time.Minute, []turn{agent(100), caller(9000, 9500), agent(19000)}, domain.ResultHuman, false},
		{"hung up while nobody spoke", 5 * time.Second, []turn{caller(500, 1000)}, domain.ResultHuman, true},
		{"hung up after the greeting", 2900 * time.Millisecond, []turn{caller(500, 1000)}, domain.ResultHuman, false},
		{"the key is no greeting", time.Minute, []turn{{Role: domain.RoleCaller, Note: domain.NoteOptOut, StartMs: 4000, EndMs: 4000}, agent(4100)}, domain.ResultOptOut, true},
		{"no opt-out is lost", time.Minute, []turn{agent(60)}, domain.ResultOptOut, false},
		{"broken off", time.Second, []turn{agent(60)}, domain.ResultDropped, true},
	} {
		call := domain.Call{AnsweredAt: time.Unix(1000, 0), EndedAt: time.Unix(1000, 0).Add(c.talk), EndReason: domain.EndFlow}
		want := domain.Tally{Answered: 1}
		if c.want {
			want.Abandoned = 1
		}
		if got := answering(&call, c.result, c.turns); got != want {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}

// TestAnswering leaves out calls that no human answered, and those of which
// nobody knows how they went on.
func TestAnswering(t *testing.T) {
	none, one, lost := domain.Tally{}, domain.Tally{Answered: 1}, domain.Tally{Answered: 1, Abandoned: 1}
	spoken := []domain.Turn{{Role: domain.RoleAgent, StartMs: 60}}
	for _, c := range []struct {
		result   domain.Result
		reason   domain.EndReason
		answered bool
		turns    []domain.Turn
		want     domain.Tally
	}{
		{domain.ResultVoicemail, domain.EndVoicemail, true, nil, none},
		{domain.ResultBusy, domain.EndBusy, false, nil, none},
		{domain.ResultNoAnswer, domain.EndNoAnswer, false, nil, none},
		{domain.ResultInterrupted, domain.EndInterrupted, true, nil, none},
		{domain.ResultInterrupted, domain.EndInternal, false, nil, none},
		{domain.ResultInterrupted, domain.EndInternal, true, nil, lost},
		{domain.ResultInterrupted, domain.EndInternal, true, spoken, one},
		{domain.ResultDropped, domain.EndInterrupted, true, spoken, lost},
		{domain.ResultHuman, domain.EndSilence, true, spoken, one},
	} {
		call := domain.Call{EndedAt: time.Unix(1030, 0), EndReason: c.reason}
		if c.answered {
			call.AnsweredAt = time.Unix(1000, 0)
		}
		if got := answering(&call, c.result, c.turns); got != c.want {
			t.Errorf("%s of %s, answered %t: %+v, want %+v", c.result, c.reason, c.answered, got, c.want)
		}
	}
}
