package outreach

import (
	"context"
	"fmt"
	"math"

	"github.com/callwright/callwright/internal/domain"
)

// Bounds of the share of answered calls of a campaign in which nobody spoke to
// whom was called. The law of the USA allows 3 % (47 CFR 64.1200(a)(7)).
const (
	judged    = 50    // answered calls, before which the share says little
	slowShare = 0.02  // from here on half as many calls at once are placed
	stopShare = 0.028 // from here on none
)

// guard keeps a campaign from abandoning too many of those who answer. It
// reports whether the campaign was paused. One that somebody has resumed is
// paused again when the next call is over and the share is no better.
func (p *plan) guard(ctx context.Context, st *domain.Stores) (paused bool, err error) {
	if p.counts.Answered < judged {
		return false, nil
	}
	share := float64(p.counts.Abandoned) / float64(p.counts.Answered)
	if share < slowShare {
		return false, nil
	}
	if share < stopShare || !p.counts.LastAt.After(p.c.UpdatedAt) {
		p.most = max(1, (p.counts.Active+1)/2)
		if p.c.MaxConcurrent > 0 {
			p.most = max(1, p.c.MaxConcurrent/2)
		}
		return false, nil
	}
	percent := math.Round(1000*share) / 10
	p.Log.Warn("a campaign was paused: too many who answered heard nobody", "campaign", p.c.ID, "percent", percent)
	p.c.State, p.c.PauseReason = domain.CampaignPaused, domain.ReasonAbandonment
	return true, st.Notices.Create(ctx, &domain.Notice{
		ID: domain.NewID(), WorkspaceID: p.c.WorkspaceID, Mode: p.c.Mode, Kind: domain.NoticeAbandonment, SubjectID: p.c.ID, Version: 1,
		CreatedAt: p.now, UpdatedAt: p.now,
		Text: fmt.Sprintf("The campaign %s was paused: of %d calls that were answered, %d (%.1f %%) broke off by a fault of ours in their first seconds. "+
			"Find out why before you resume it; the law of many places allows 3 %%.", p.c.Name, p.counts.Answered, p.counts.Abandoned, percent),
	})
}
