package outreach

import (
	"context"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/rule"
)

// DeleteCampaign removes a campaign with its contacts and their results. The
// calls that it placed stay. While one of them is planned or under way it is
// CodeConflict. Contacts are removed some at a time, so that nobody waits for
// many: when that is broken off the campaign is cancelled, and is deleted by
// asking again.
func (o *Outreach) DeleteCampaign(ctx context.Context, in domain.Scope, id domain.ID, ifVersion int64) error {
	err := o.Store.InTx(ctx, domain.LaneAPI, func(ctx context.Context, st *domain.Stores) error {
		c, err := campaignOf(ctx, st, in, domain.KindCampaign, id)
		if err != nil {
			return err
		}
		if err := rule.At(ifVersion, c.Version); err != nil {
			return err
		}
		counts, err := st.Campaigns.Counts(ctx, id)
		if err != nil {
			return err
		}
		if n := counts[id].Active; n > 0 {
			return domain.Errorf(domain.CodeConflict, "%d calls of the campaign are under way; cancel it, and delete it when they are over", n)
		}
		if c.State.Ended() && c.DueAt.IsZero() {
			return nil
		}
		c.DueAt = time.Time{} // nobody is called any more
		if !c.State.Ended() {
			c.State, c.EndedAt = domain.CampaignCancelled, o.Clock()
		}
		return st.Campaigns.Update(ctx, c)
	})
	for n := sweep; n == sweep && err == nil; {
		err = o.Store.InTx(ctx, domain.LaneBackground, func(ctx context.Context, st *domain.Stores) error {
			n, err = st.Erasure.ForgetSome(ctx, id, sweep)
			return err
		})
	}
	if err != nil {
		return err
	}
	return o.Store.InTx(ctx, domain.LaneAPI, func(ctx context.Context, st *domain.Stores) error {
		err := st.Campaigns.Delete(ctx, in, id)
		if domain.CodeOf(err) == domain.CodeNotFound {
			return nil // by another who asked for it
		}
		return err
	})
}
