package outreach

import (
	"context"
	"slices"
	"time"

	"github.com/callwright/callwright/internal/compliance"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/phone"
	"github.com/callwright/callwright/internal/service/people"
	"github.com/callwright/callwright/internal/service/rule"
)

// remembered is how far back tries of a number are looked at.
const remembered = 31 * 24 * time.Hour

// question asks whether somebody may be dialed at a time.
type question struct {
	in       domain.Scope
	c        *domain.Campaign
	r        *domain.Recipient
	at       time.Time
	real     bool // numbers have classes and regions; those of simulated phones do not
	enforced bool // the law's hours and the caps are kept
}

func ask(c *domain.Campaign, r *domain.Recipient, at time.Time) *question {
	return &question{
		in: domain.Scope{Workspace: c.WorkspaceID, Mode: c.Mode}, c: c, r: r, at: at,
		real: c.Mode == domain.Live, enforced: c.Mode == domain.Live || c.EnforceRules,
	}
}

// evaluation answers one side of a question; nil says that it is no hindrance.
type evaluation func(ctx context.Context, st *domain.Stores, q *question) (*Ruling, error)

// first returns the first hindrance, or that there is none.
func first(ctx context.Context, st *domain.Stores, q *question, all ...evaluation) (*Ruling, error) {
	for _, evaluate := range all {
		if ruling, err := evaluate(ctx, st, q); ruling != nil || err != nil {
			return ruling, err
		}
	}
	return &Ruling{Allowed: true}, nil
}

// callable refuses numbers that may not be called at any time.
func (o *Outreach) callable(ctx context.Context, st *domain.Stores, q *question) (*Ruling, error) {
	if q.real { // the simulated phones have no classes and no regions
		n, err := phone.Parse(q.r.Phone)
		switch {
		case err != nil || !n.Known:
			return refused(domain.ReasonInvalidNumber, time.Time{}), nil
		case n.Class.Risky():
			return &Ruling{Reason: domain.ReasonDestinationNotAllowed, Why: "calls to " + string(n.Class) + " numbers are not allowed"}, nil
		}
		regions, err := Regions(ctx, st, q.in)
		if err != nil {
			return nil, err
		}
		if len(regions) > 0 && !slices.Contains(regions, n.Region) {
			return &Ruling{Reason: domain.ReasonRegionNotAllowed,
				Why: "the workspace calls the regions of its own numbers only, and has none of " + n.Region}, nil
		}
	}
	switch err := people.Callable(ctx, st, q.in, q.r.Phone); {
	case domain.CodeOf(err) == domain.CodeForbidden:
		return refused(domain.ReasonDoNotCall, time.Time{}), nil
	default:
		return nil, err
	}
}

// Regions are those that a workspace calls: of its own numbers.
func Regions(ctx context.Context, st *domain.Stores, in domain.Scope) ([]string, error) {
	var regions []string
	err := rule.Scan(ctx, st.Numbers, in, func(n *domain.PhoneNumber) domain.ID { return n.ID }, func(own *domain.PhoneNumber) error {
		if n, err := phone.Parse(own.Number); err == nil && n.Region != "" && !slices.Contains(regions, n.Region) {
			regions = append(regions, n.Region)
		}
		return nil
	})
	return regions, err
}

// consented refuses marketing to those who have not agreed to it.
func (o *Outreach) consented(_ context.Context, _ *domain.Stores, q *question) (*Ruling, error) {
	if q.c.Purpose == domain.PurposeMarketing && q.enforced && q.r.Consent == nil {
		return refused(domain.ReasonNoConsent, time.Time{}), nil
	}
	return nil, nil
}

// inHours keeps the hours of the called place and the campaign's window.
func (o *Outreach) inHours(ctx context.Context, st *domain.Stores, q *question) (*Ruling, error) {
	window, err := o.windowOf(ctx, st, q.c)
	if err != nil {
		return nil, err
	}
	call := compliance.Call{Places: []*time.Location{time.UTC}, Window: window, Ring: Ring}
	if q.enforced {
		if call.Places, call.Rules, err = o.law(ctx, st, q); err != nil {
			return nil, err
		}
		if len(call.Places) == 0 {
			return refused(domain.ReasonTimezoneUnknown, time.Time{}), nil
		}
	}
	if call.Allowed(q.at) {
		return nil, nil
	}
	next, found := call.Next(q.at)
	if !found {
		next = q.at.Add(never)
	}
	return refused(domain.ReasonOutsideWindow, next), nil
}

// law is where a contact may be, and the rules there; nowhere when that cannot be
// told.
func (o *Outreach) law(ctx context.Context, st *domain.Stores, q *question) ([]*time.Location, []compliance.Rule, error) {
	book, err := compliance.Current()
	if err != nil {
		return nil, nil, err
	}
	n, err := phone.Parse(q.r.Phone)
	if err != nil {
		return nil, nil, err
	}
	places, err := o.places(ctx, st, q)
	return places, book.For(n.Region, n.State()), err
}

// places are the time zones that a contact may be in: its own, else those of its
// number, else, for simulated phones, the workspace's.
func (o *Outreach) places(ctx context.Context, st *domain.Stores, q *question) ([]*time.Location, error) {
	if zone, err := phone.Zone(q.r.Timezone); err == nil {
		return []*time.Location{zone}, nil
	}
	if !q.real {
		w, err := st.Workspaces.Get(ctx, q.in.Workspace)
		if err != nil {
			return nil, err
		}
		if zone, err := phone.Zone(w.Timezone); err == nil {
			return []*time.Location{zone}, nil
		}
		return []*time.Location{time.UTC}, nil
	}
	n, err := phone.Parse(q.r.Phone)
	if err != nil {
		return nil, err
	}
	zones, err := phone.Places(n, q.at)
	if err != nil {
		return nil, nil //nolint:nilerr // nowhere is an answer
	}
	return zones, nil
}

// uncapped keeps how often a number may be tried.
func (o *Outreach) uncapped(ctx context.Context, st *domain.Stores, q *question) (*Ruling, error) {
	if !q.enforced {
		return nil, nil
	}
	tried, err := st.Dialing.Tried(ctx, q.in, q.r.Phone, q.at.Add(-remembered))
	if err != nil || len(tried) == 0 {
		return nil, err
	}
	places, rules, err := o.law(ctx, st, q)
	if err != nil {
		return nil, err
	}
	next, limit := compliance.DefaultCaps.In(rules).Next(tried, places, q.at)
	if limit == "" {
		return nil, nil
	}
	return refused(limit, next), nil
}

// affordable keeps a campaign's budget.
func (o *Outreach) affordable(ctx context.Context, st *domain.Stores, q *question) (*Ruling, error) {
	if q.c.Budget == nil {
		return nil, nil
	}
	counts, err := st.Campaigns.Counts(ctx, q.c.ID)
	if err != nil || counts[q.c.ID].Spent < *q.c.Budget {
		return nil, err
	}
	return refused(domain.ReasonBudget, time.Time{}), nil
}
