package outreach

import (
	"context"
	"time"

	"github.com/callwright/callwright/internal/compliance"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/phone"
)

// Purse is what the budget of a day leaves a workspace.
type Purse struct {
	Calls   int       // that may be under way at once, one minute of talk being set aside for each
	Renewed time.Time // when the next day begins
}

// Spent reports whether nothing is left, whatever the calls under way cost. A nil
// Purse is without limit.
func (p *Purse) Spent() bool { return p != nil && p.Calls <= 0 }

// Full reports whether what is left is set aside for calls under way, which are
// so many.
func (p *Purse) Full(active int) bool { return p != nil && active >= p.Calls }

// Purse returns what is left of the budget of the day of now, by the clock of the
// workspace; nil without a budget, or when calls cost nothing. In a transaction
// that has counted the calls under way before, what it says holds for one more
// call: those that ended meanwhile are in both figures.
func (o *Outreach) Purse(ctx context.Context, st *domain.Stores, in domain.Scope, w *domain.Workspace, now time.Time) (*Purse, error) {
	_, price := w.Price(reserved)
	if w.DailyBudget == nil || price <= 0 {
		return nil, nil
	}
	zone := phone.FirstZone(w.Timezone)
	days, err := st.Tallies.Since(ctx, in, domain.DayIn(now, zone), "")
	if err != nil {
		return nil, err
	}
	left := max(*w.DailyBudget-days[""].Spent, 0)
	return &Purse{Calls: int(min(left/price, many)), Renewed: compliance.Tomorrow(now, zone)}, nil
}

// Spend notes what a call that has ended cost, on the day that it ended on.
func (o *Outreach) Spend(ctx context.Context, st *domain.Stores, w *domain.Workspace, call *domain.Call) error {
	in := domain.Scope{Workspace: call.WorkspaceID, Mode: call.Mode}
	return st.Tallies.Add(ctx, in, "", domain.DayIn(call.EndedAt, phone.FirstZone(w.Timezone)), call.ID, domain.Tally{Spent: call.Cost})
}

// affordable keeps the budget of the day.
func (o *Outreach) affordable(ctx context.Context, st *domain.Stores, q *question) (*Ruling, error) {
	w, err := st.Workspaces.Get(ctx, q.in.Workspace)
	if err != nil {
		return nil, err
	}
	purse, err := o.Purse(ctx, st, q.in, w, q.at)
	if err != nil || !purse.Spent() {
		return nil, err
	}
	_, price := w.Price(reserved)
	return &Ruling{Reason: domain.ReasonDailyBudget, NextAt: purse.Renewed, Vague: *w.DailyBudget < price}, nil // no day brings enough
}

// aMinute is how soon a campaign is looked at again that waits for money: the
// budget may be raised.
const aMinute = time.Minute

// afford has contacts be due that were put off to the next day when the budget was
// spent: there is money again. It reports whether there are more of them.
func (p *plan) afford(ctx context.Context, st *domain.Stores) (again bool, err error) {
	if p.c.PauseReason != domain.ReasonDailyBudget {
		return false, nil
	}
	n, err := st.Dialing.Rejudge(ctx, p.c.ID, []string{domain.ReasonDailyBudget}, p.now, sweep)
	return n == sweep, err
}

// purse is how many more calls the budget of the day allows; limited is false
// without one. until is set when nothing is left of it.
func (p *plan) purse(ctx context.Context, st *domain.Stores) (calls int, limited bool, until time.Time, err error) {
	w, err := st.Workspaces.Get(ctx, p.in.Workspace)
	if err != nil || w.DailyBudget == nil {
		return 0, false, time.Time{}, err
	}
	active, err := st.Calls.Active(ctx, p.in, 0)
	if err != nil {
		return 0, false, time.Time{}, err
	}
	purse, err := p.Purse(ctx, st, p.in, w, p.now)
	switch {
	case err != nil || purse == nil:
		return 0, false, time.Time{}, err
	case purse.Spent():
		return 0, true, earlier(purse.Renewed, p.now.Add(aMinute)), nil
	}
	waiting, _, err := st.Dialing.Planned(ctx, p.in, "")
	return purse.Calls - active - waiting, true, time.Time{}, err
}
