package outreach

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// Bounds of the share of answered calls of a campaign that are abandoned. The law
// of the USA allows 3 % in 30 days (47 CFR 64.1200(a)(7)).
const (
	judged    = 50    // answered calls, before which the share says little
	slowShare = 0.02  // from here on half as many calls at once are placed
	stopShare = 0.028 // from here on none
	// lawful is over how many days, by their dates in UTC, the share is taken. It
	// is taken over the last one alone too, so that what breaks is noticed also in
	// a campaign that went well for weeks.
	lawful = 30
	// patience is how long after their greeting somebody who answers may hear
	// nothing before the call counts as abandoned (47 CFR 64.1200(a)(7)(i)).
	patience = 2 * time.Second
)

// abandoned reports whether nobody spoke to the person who took a call within
// patience of the end of their greeting, or of the answer if they said nothing
// first. Who hangs up before that was not abandoned.
func abandoned(call *domain.Call, turns []domain.Turn) bool {
	spoke, greeted := call.Duration(), time.Duration(0)
	for i := range turns {
		if t := &turns[i]; t.Role == domain.RoleAgent {
			spoke = min(spoke, time.Duration(t.StartMs)*time.Millisecond)
		}
	}
	for i := range turns {
		if t := &turns[i]; t.Role == domain.RoleCaller && t.Note != domain.NoteOptOut && time.Duration(t.StartMs)*time.Millisecond < spoke {
			greeted = time.Duration(t.EndMs) * time.Millisecond
			break
		}
	}
	return spoke-greeted > patience
}

// answering is what a call that is over adds to those that a human answered. Of
// one that a crash broke off, nobody knows what was said last: it counts only if
// it did so at once.
func answering(call *domain.Call, result domain.Result, turns []domain.Turn) (t domain.Tally) {
	switch result {
	case domain.ResultDropped:
		return domain.Tally{Answered: 1, Abandoned: 1}
	case domain.ResultInterrupted:
		if call.AnsweredAt.IsZero() || call.EndReason == domain.EndInterrupted {
			return t
		}
	case domain.ResultHuman, domain.ResultOptOut:
	default:
		return t
	}
	t.Answered = 1
	if abandoned(call, turns) {
		t.Abandoned = 1
	}
	return t
}

// lately is what became of the answered calls of campaigns in the days that the
// law looks at. Campaigns of which no call was ever abandoned need not be in it.
func lately(ctx context.Context, st *domain.Stores, in domain.Scope, now time.Time, counts map[domain.ID]domain.CampaignCounts) (map[domain.ID]domain.Tally, error) {
	var ids []domain.ID
	for id, n := range counts {
		if n.Abandoned > 0 {
			ids = append(ids, id)
		}
	}
	return st.Tallies.Since(ctx, in, domain.DayOf(now.AddDate(0, 0, 1-lawful)), ids...)
}

// guard keeps a campaign from abandoning too many of those who answer. It
// reports whether the campaign was paused. One that somebody has resumed is
// paused again when the next call is over and the share is no better.
func (p *plan) guard(ctx context.Context, st *domain.Stores) (paused bool, err error) {
	if p.counts.Answered < judged || p.counts.Abandoned == 0 {
		return false, nil
	}
	worst, when := domain.Tally{}, ""
	for _, span := range [...]struct {
		days int
		name string
	}{{1, "today"}, {lawful, fmt.Sprintf("in the last %d days", lawful)}} {
		sums, err := st.Tallies.Since(ctx, p.in, domain.DayOf(p.now.AddDate(0, 0, 1-span.days)), p.c.ID)
		if err != nil {
			return false, err
		}
		if t := sums[p.c.ID]; t.Answered >= judged && t.Share() >= worst.Share() {
			worst, when = t, span.name
		}
	}
	switch share := worst.Share(); {
	case share < slowShare:
		return false, nil
	case share < stopShare || !p.counts.LastAt.After(p.c.UpdatedAt):
		p.most = max(1, (p.counts.Active+1)/2)
		if p.c.MaxConcurrent > 0 {
			p.most = max(1, p.c.MaxConcurrent/2)
		}
		return false, nil
	}
	percent := math.Round(1000*worst.Share()) / 10
	p.Log.Warn("a campaign was paused: too many who answered heard nobody", "campaign", p.c.ID, "percent", percent, "when", when)
	p.c.State, p.c.PauseReason = domain.CampaignPaused, domain.ReasonAbandonment
	return true, st.Notices.Create(ctx, &domain.Notice{
		ID: domain.NewID(), WorkspaceID: p.c.WorkspaceID, Mode: p.c.Mode, Kind: domain.NoticeAbandonment, SubjectID: p.c.ID, Version: 1,
		CreatedAt: p.now, UpdatedAt: p.now,
		Text: fmt.Sprintf("The campaign %s was paused: of %d calls that were answered %s, %d (%.1f %%) broke off by a fault of ours in their first seconds, "+
			"or nobody spoke within two seconds. Find out why before you resume it; the law of many places allows 3 %%.", p.c.Name, worst.Answered, when, worst.Abandoned, percent),
	})
}
