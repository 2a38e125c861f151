package service

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// TestSteps: each thing is told once, in order, wherever the telling is taken up.
func TestSteps(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	turns := func(n int) []domain.Turn {
		var all []domain.Turn
		for i := range n {
			all = append(all, domain.Turn{Sequence: i + 1, Text: fmt.Sprint("t", i+1)})
		}
		return all
	}
	answered := domain.Call{State: domain.CallInProgress, CreatedAt: at, DialedAt: at, RingingAt: at, AnsweredAt: at}
	over := answered
	over.State, over.EndedAt = domain.CallCompleted, at
	for _, c := range []struct {
		call  domain.Call
		turns int
		seen  Seen
		want  string
	}{
		{domain.Call{State: domain.CallQueued, CreatedAt: at}, 0, Seen{}, "queued"},
		{domain.Call{State: domain.CallQueued, CreatedAt: at}, 0, Seen{States: 1}, ""},
		{answered, 2, Seen{}, "queued dialing ringing in-progress t1 t2"},
		{answered, 3, Seen{States: 4, Turns: 2}, "t3"},
		{answered, 3, Seen{States: 4, Turns: 9}, ""},
		{over, 1, Seen{States: 2}, "ringing in-progress t1 completed"},
		{over, 1, Seen{States: 4, Turns: 1}, "completed"},
		{over, 1, Seen{States: 5, Turns: 1}, ""},
		{domain.Call{State: domain.CallFailed, CreatedAt: at, EndedAt: at}, 0, Seen{}, "queued failed"},
		{domain.Call{State: domain.CallRinging, Direction: domain.Inbound, CreatedAt: at, RingingAt: at}, 0, Seen{}, "queued ringing"},
	} {
		detail := &CallDetail{Call: c.call, Turns: turns(c.turns)}
		var got []string
		seen := c.seen
		for _, s := range Steps(detail, c.seen) {
			if s.Turn != nil {
				got = append(got, s.Turn.Text)
			} else {
				got = append(got, string(s.State))
			}
			if s.Seen.States < seen.States || s.Seen.Turns < seen.Turns || s.Seen == seen {
				t.Errorf("%v is seen after %v", s.Seen, seen)
			}
			seen = s.Seen
			// Whoever takes it up here is told the rest.
			if rest := len(Steps(detail, seen)); rest != len(Steps(detail, c.seen))-len(got) {
				t.Errorf("after %v there are %d more", seen, rest)
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%+v after %+v: %q, want %q", c.call.State, c.seen, got, c.want)
		}
	}
}
