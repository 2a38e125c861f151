package outreach

import (
	"context"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// reserved is the talk that a call under way is taken to cost until it is over.
const reserved = time.Minute

// spent reports whether a campaign has spent its budget.
func (o *Outreach) spent(ctx context.Context, st *domain.Stores, c *domain.Campaign) (bool, error) {
	if c.Budget == nil {
		return false, nil
	}
	counts, err := st.Campaigns.Counts(ctx, c.ID)
	return err == nil && counts[c.ID].Spent >= *c.Budget, err
}

// funds is how many more calls the budget allows, one minute of talk being set
// aside for each that is under way; limited is false without a budget, or when
// calls cost nothing.
func (p *plan) funds(ctx context.Context, st *domain.Stores) (calls int, limited bool, err error) {
	if p.c.Budget == nil {
		return 0, false, nil
	}
	left := *p.c.Budget - p.counts.Spent
	if left <= 0 {
		return 0, true, nil
	}
	w, err := st.Workspaces.Get(ctx, p.in.Workspace)
	if err != nil {
		return 0, false, err
	}
	_, price := w.Price(reserved)
	if price <= 0 {
		return 0, false, nil
	}
	return int(min(left/price, maxConcurrent)) - p.counts.Active, true, nil
}

// broke pauses a campaign that has no money left for another call, once those
// under way are over.
func (p *plan) broke(ctx context.Context, st *domain.Stores) (more bool, err error) {
	if p.counts.Active > 0 {
		return false, nil // stays due: the end of a call tells what is left
	}
	p.c.State, p.c.PauseReason = domain.CampaignPaused, domain.ReasonBudget
	return p.until(ctx, st, time.Time{})
}
