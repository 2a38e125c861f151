package outreach

import (
	"context"
	"io"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/rule"
)

// importLease is how long a batch may go without a row that was added before it is
// taken for one whose import has died, and a campaign is kept from ending for one
// that is sent again.
const importLease = 2 * time.Minute

// BatchStarted is a batch, and what came of its sheet.
type BatchStarted struct {
	CampaignDetail
	Import ImportReport
}

// StartBatch makes a batch out of a CSV sheet. Nobody is dialed before all of it is
// stored. A sheet of which no row is good is CodeInvalid, with its first faults
// ([]sheet.Fault) as Detail.
func (o *Outreach) StartBatch(ctx context.Context, in domain.Scope, req CampaignChange, r io.Reader, once *rule.Once[BatchStarted]) (*BatchStarted, error) {
	req.Kind = domain.KindBatch
	c := domain.Campaign{ID: domain.NewID(), WorkspaceID: in.Workspace, Mode: in.Mode}
	rule.Set(&c.StartAt, req.StartAt)
	l, err := o.newLoader(&c, r)
	if err != nil {
		return nil, err
	}
	b := batch{loader: l, in: in, req: req}
	full, err := l.fill()
	switch {
	case err != nil:
		return nil, err
	case full:
		return b.startLarge(ctx, once)
	case len(l.rows) == 0:
		return nil, l.report.nobody()
	}
	return rule.Effect(ctx, &o.Kit, in, once, func(ctx context.Context, st *domain.Stores) (*BatchStarted, error) {
		n, c, err := b.create(ctx, st, domain.CampaignActive)
		if err != nil {
			return nil, err
		}
		return b.started(ctx, st, c, n)
	})
}

// nobody says that there is no row to call.
func (r *ImportReport) nobody() error {
	if len(r.Errors) == 0 {
		return domain.Invalid("file", "the file has no rows below its header: add one for each number to call")
	}
	err := domain.Invalid("file", "none of the %d rows of the file can be called; the first one, line %d: %s", r.Rows, r.Errors[0].Line, r.Errors[0].Reason)
	err.Detail = r.Errors[:min(len(r.Errors), maxShown)]
	return err
}

// maxShown is how many faults of a sheet go along with an error.
const maxShown = 100

// batch is one that is being made.
type batch struct {
	*loader
	in  domain.Scope
	req CampaignChange
}

// create stores the batch with the rows that were read.
func (b *batch) create(ctx context.Context, st *domain.Stores, state domain.CampaignState) (n int, c *domain.Campaign, err error) {
	req := b.req
	req.State = &state
	if c, err = b.newCampaign(ctx, st, b.in, req); err != nil {
		return 0, nil, err
	}
	c.ID = b.c.ID
	c.DueAt = b.due(c, true)
	if state == domain.CampaignImporting {
		c.DueAt = b.Clock().Add(importLease)
	}
	if err := st.Campaigns.Create(ctx, c); err != nil {
		return 0, nil, err
	}
	n, err = st.Recipients.Add(ctx, b.rows)
	return n, c, err
}

// started is the result.
func (b *batch) started(ctx context.Context, st *domain.Stores, c *domain.Campaign, n int) (*BatchStarted, error) {
	d, err := b.detailed(ctx, st, c)
	if err != nil {
		return nil, err
	}
	report := b.with(n)
	report.Total = d.Counts.Total()
	return &BatchStarted{CampaignDetail: *d, Import: report}, nil
}

// startLarge stores the batch in several transactions, of which the last one starts
// it.
func (b *batch) startLarge(ctx context.Context, once *rule.Once[BatchStarted]) (*BatchStarted, error) {
	var n int
	err := b.Store.InTx(ctx, domain.LaneAPI, func(ctx context.Context, st *domain.Stores) error {
		var err error
		n, _, err = b.create(ctx, st, domain.CampaignImporting)
		return err
	})
	if err != nil {
		return nil, err
	}
	b.report = b.with(n)
	var result *BatchStarted
	if err = b.all(ctx); err == nil {
		result, err = rule.Effect(ctx, &b.Kit, b.in, once, func(ctx context.Context, st *domain.Stores) (*BatchStarted, error) {
			c, n, err := b.load(ctx, st, time.Time{})
			if err != nil {
				return nil, err
			}
			c.State, c.DueAt, c.UpdatedAt = domain.CampaignActive, b.due(c, true), b.Clock()
			if err := st.Campaigns.Update(ctx, c); err != nil {
				return nil, err
			}
			return b.started(ctx, st, c, n)
		})
	}
	if err != nil {
		b.undo(ctx)
	}
	return result, err
}

// undone is how long it may take to remove a batch whose import failed.
const undone = 30 * time.Second

// undo removes what was stored of a batch that is not started. What it leaves is
// cancelled when its lease is over.
func (b *batch) undo(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undone)
	defer cancel()
	for left := true; left; {
		err := b.Store.InTx(ctx, domain.LaneBackground, func(ctx context.Context, st *domain.Stores) error {
			c, err := st.Dialing.Plan(ctx, b.c.ID)
			if err != nil || c.State != domain.CampaignImporting {
				left = false
				return err
			}
			n, err := st.Recipients.Discard(ctx, c.ID, importRows)
			if left = n == importRows; err != nil || left {
				return err
			}
			return st.Campaigns.Delete(ctx, b.in, c.ID)
		})
		if err != nil && domain.CodeOf(err) != domain.CodeNotFound {
			b.Log.WarnContext(ctx, "a batch whose import failed could not be removed; it will be cancelled", "batch", b.c.ID, "err", err)
			return
		}
	}
}

// Cancelled is a batch that was cancelled, and how far it was then.
type Cancelled struct {
	CampaignDetail
	Completed, Failed, Stopped int
}

// cancellation is the member of a batch's Extra that holds the numbers of
// Cancelled.
const cancellation = "cancellation"

// CancelBatch ends a batch: who waits is not called any more, calls that are under
// way go on. It returns once nobody waits. Cancelling it again changes nothing and
// has the same result.
func (o *Outreach) CancelBatch(ctx context.Context, in domain.Scope, id domain.ID, version int64) (*Cancelled, error) {
	result, err := rule.Effect(ctx, &o.Kit, in, nil, func(ctx context.Context, st *domain.Stores) (*Cancelled, error) {
		c, err := campaignOf(ctx, st, in, domain.KindBatch, id)
		if err != nil {
			return nil, err
		}
		was, err := o.detailed(ctx, st, c)
		switch {
		case err != nil:
			return nil, err
		case c.State == domain.CampaignCancelled:
			return cancelled(was), nil
		case c.State.Ended():
			return nil, domain.Errorf(domain.CodeConflict, "the batch is %s: there is nothing to cancel", c.State)
		}
		n := was.Counts
		extra := rule.Merged(c.Extra, map[string]any{cancellation: []any{float64(n.Completed), float64(n.Failed), float64(n.Waiting + n.Active)}})
		if err := rule.At(version, c.Version); err != nil {
			return nil, err
		}
		if err := o.change(ctx, st, in, c, CampaignChange{State: new(domain.CampaignCancelled), Extra: &extra}); err != nil {
			return nil, err
		}
		c.DueAt = c.EndedAt
		if err := st.Campaigns.Update(ctx, c); err != nil {
			return nil, err
		}
		return cancelled(&CampaignDetail{Campaign: *c, Counts: n}), nil
	})
	if err != nil {
		return nil, err
	}
	for more := true; more; {
		if more, err = o.Plan(ctx, id); err != nil {
			return nil, err
		}
	}
	return result, nil
}

// cancelled reads how far a batch was when it was cancelled.
func cancelled(c *CampaignDetail) *Cancelled {
	out := &Cancelled{CampaignDetail: *c, Completed: c.Counts.Completed, Failed: c.Counts.Failed}
	if n, _ := c.Extra[cancellation].([]any); len(n) == 3 {
		for i, at := range []*int{&out.Completed, &out.Failed, &out.Stopped} {
			v, _ := n[i].(float64)
			*at = int(v)
		}
	}
	return out
}

// Contacted is a contact of a campaign with its last call.
type Contacted struct {
	domain.Recipient
	Call *domain.Call // nil: none, or it was erased
}

// Contacted returns a page of a campaign's contacts in the order in which they were
// added, the campaign, and the number of all that the filter lets through.
func (o *Outreach) Contacted(ctx context.Context, in domain.Scope, kind domain.CampaignKind, campaign domain.ID,
	f domain.RecipientFilter, page domain.Page) (list []Contacted, c *CampaignDetail, total int, err error) {
	err = o.Store.View(ctx, func(ctx context.Context, st *domain.Stores) error {
		found, err := campaignOf(ctx, st, in, kind, campaign)
		if err != nil {
			return err
		}
		if c, err = o.detailed(ctx, st, found); err != nil {
			return err
		}
		rows, n, err := st.Recipients.List(ctx, in, campaign, f, page)
		if err != nil {
			return err
		}
		total = n
		list, err = contacted(ctx, st, in, rows)
		return err
	})
	return list, c, total, err
}

// OneContacted returns a contact of a campaign.
func (o *Outreach) OneContacted(ctx context.Context, in domain.Scope, kind domain.CampaignKind, campaign, id domain.ID) (*Contacted, error) {
	return rule.View(ctx, &o.Kit, func(ctx context.Context, st *domain.Stores) (*Contacted, error) {
		if _, err := campaignOf(ctx, st, in, kind, campaign); err != nil {
			return nil, err
		}
		r, err := st.Recipients.Get(ctx, in, campaign, id)
		if err != nil {
			return nil, err
		}
		list, err := contacted(ctx, st, in, []domain.Recipient{*r})
		if err != nil {
			return nil, err
		}
		return &list[0], nil
	})
}

// recent is how many of the contacts that were finished last a progress shows.
const recent = 10

// CampaignProgress returns a campaign with the contacts that were finished last, the last
// one first. What it costs does not grow with the campaign.
func (o *Outreach) CampaignProgress(ctx context.Context, in domain.Scope, kind domain.CampaignKind, campaign domain.ID) (c *CampaignDetail, last []Contacted, err error) {
	err = o.Store.View(ctx, func(ctx context.Context, st *domain.Stores) error {
		found, err := campaignOf(ctx, st, in, kind, campaign)
		if err != nil {
			return err
		}
		if c, err = o.detailed(ctx, st, found); err != nil {
			return err
		}
		rows, err := st.Recipients.Recent(ctx, campaign, recent)
		if err != nil {
			return err
		}
		last, err = contacted(ctx, st, in, rows)
		return err
	})
	return c, last, err
}

// contacted adds the calls of recipients.
func contacted(ctx context.Context, st *domain.Stores, in domain.Scope, rows []domain.Recipient) ([]Contacted, error) {
	list := make([]Contacted, len(rows))
	var ids []domain.ID
	for i := range rows {
		list[i].Recipient = rows[i]
		if rows[i].CallID != "" {
			ids = append(ids, rows[i].CallID)
		}
	}
	if len(ids) == 0 {
		return list, nil
	}
	calls, _, err := st.Calls.List(ctx, in, domain.CallFilter{IDs: ids}, domain.Page{Limit: len(ids)})
	if err != nil {
		return nil, err
	}
	byID := make(map[domain.ID]*domain.Call, len(calls))
	for i := range calls {
		byID[calls[i].ID] = &calls[i]
	}
	for i := range list {
		list[i].Call = byID[list[i].CallID]
	}
	return list, nil
}
