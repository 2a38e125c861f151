package outreach

import (
	"context"

	"github.com/callwright/callwright/internal/domain"
)

// store stores what was collected. The counts of the campaign come last: all whose
// calls end wait for their row.
func (m *memory) store(ctx context.Context) error {
	if err := m.calls.store(ctx); err != nil {
		return err
	}
	if err := m.attempts.store(ctx); err != nil {
		return err
	}
	if err := m.usage.store(ctx); err != nil {
		return err
	}
	return m.recipients.store(ctx)
}

// placed collects new calls.
type placed struct {
	domain.Calls
	made []*domain.Call
}

func (c *placed) Create(_ context.Context, calls ...*domain.Call) error {
	c.made = append(c.made, calls...)
	return nil
}

func (c *placed) store(ctx context.Context) error { return c.Calls.Create(ctx, c.made...) }

// attempts collects new attempts.
type attempts struct {
	domain.Attempts
	made []*domain.Attempt
}

func (a *attempts) Create(_ context.Context, attempts ...*domain.Attempt) error {
	a.made = append(a.made, attempts...)
	return nil
}

func (a *attempts) store(ctx context.Context) error { return a.Attempts.Create(ctx, a.made...) }

// recipients collects contacts of one campaign that waited, as they are in the end.
type recipients struct {
	domain.Recipients
	changed []*domain.Recipient
	gain    domain.CampaignCounts
}

func (r *recipients) Update(ctx context.Context, one *domain.Recipient, was domain.RecipientState, gain domain.CampaignCounts, more ...*domain.Recipient) error {
	if was != domain.RecipientWaiting {
		return r.Recipients.Update(ctx, one, was, gain, more...)
	}
	r.changed = append(append(r.changed, one), more...)
	r.gain.Add(gain)
	return nil
}

func (r *recipients) store(ctx context.Context) error {
	if len(r.changed) == 0 {
		return nil
	}
	return r.Recipients.Update(ctx, r.changed[0], domain.RecipientWaiting, r.gain, r.changed[1:]...)
}

// usage adds up, until used is called.
type usage struct {
	domain.Usages
	sums map[domain.Usage]domain.UsageCounts // by all but the counts
}

func (u *usage) Add(_ context.Context, all ...domain.Usage) error {
	for _, of := range all {
		counts := of.UsageCounts
		of.UsageCounts = domain.UsageCounts{}
		sum := u.sums[of]
		sum.Add(counts)
		u.sums[of] = sum
	}
	return nil
}

func (u *usage) store(ctx context.Context) error {
	all := make([]domain.Usage, 0, len(u.sums))
	for of, counts := range u.sums {
		of.UsageCounts = counts
		all = append(all, of)
	}
	if len(all) == 0 {
		return nil
	}
	return u.Usages.Add(ctx, all...)
}
