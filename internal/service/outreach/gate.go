package outreach

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/callwright/callwright/internal/compliance"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/phone"
)

// Ruling is whether a contact may be dialed at a time.
type Ruling struct {
	Allowed bool
	Reason  string    // one of the domain's Reason words; "" when Allowed
	Why     string    // Reason for people, where the word alone says too little
	NextAt  time.Time // when it may be, if later; zero: never
	Vague   bool      // NextAt is only when to ask again
	Basis   string    // by what it was found, for people: rules, zones and their wall clocks
}

// Said is a refusal with all that is known of it, for people.
func (r *Ruling) Said() string {
	said := cmp.Or(r.Why, explained[r.Reason], r.Reason)
	if !r.NextAt.IsZero() && !r.Vague {
		said += "; next at " + r.NextAt.Format(time.RFC3339)
	}
	if r.Basis != "" {
		said += "; " + r.Basis
	}
	return said
}

// put notes a refusal on a contact.
func (r *Ruling) put(to *domain.Recipient, now time.Time) {
	to.Why, to.UpdatedAt = r.Reason, now
	if !r.NextAt.IsZero() {
		to.State, to.NextAt = domain.RecipientWaiting, r.NextAt
		return
	}
	to.State, to.EndedAt = domain.RecipientFailed, now
}

func refused(reason string, next time.Time) *Ruling { return &Ruling{Reason: reason, NextAt: next} }

// Gate says, in the transaction of the intent, whether the call of a campaign may
// be dialed now. A refusal is noted on the contact, which waits or is finished;
// its call is then to be ended.
func (o *Outreach) Gate(ctx context.Context, st *domain.Stores, call *domain.Call, now time.Time) (*Ruling, error) {
	c, err := st.Dialing.Running(ctx, call.CampaignID)
	if domain.CodeOf(err) == domain.CodeNotFound {
		return refused(domain.ReasonCancelled, time.Time{}), nil
	} else if err != nil {
		return nil, err
	}
	in := domain.Scope{Workspace: c.WorkspaceID, Mode: c.Mode}
	r, err := st.Recipients.Get(ctx, in, c.ID, call.RecipientID)
	if domain.CodeOf(err) == domain.CodeNotFound {
		return refused(domain.ReasonCancelled, time.Time{}), nil // erased
	} else if err != nil {
		return nil, err
	}
	if r.State != domain.RecipientActive || r.CallID != call.ID {
		return refused(domain.ReasonCancelled, time.Time{}), nil
	}
	ruling, err := o.judge(ctx, st, c, r, now)
	if err != nil || ruling.Allowed {
		return ruling, err
	}
	ruling.put(r, now)
	return ruling, st.Recipients.Update(ctx, r, domain.RecipientActive, domain.CampaignCounts{LastAt: r.EndedAt})
}

// judge says whether a contact of a campaign may be dialed at a time. The order
// is that in which a reader wants to know what is wrong.
func (o *Outreach) judge(ctx context.Context, st *domain.Stores, c *domain.Campaign, r *domain.Recipient, now time.Time) (*Ruling, error) {
	switch {
	case c.State.Ended():
		return refused(endWord(c), time.Time{}), nil
	case c.State != domain.CampaignActive:
		return refused(domain.ReasonPaused, now), nil
	case c.StartAt.After(now):
		return refused(domain.ReasonOutsideWindow, c.StartAt), nil
	}
	if spent, err := o.spent(ctx, st, c); spent || err != nil {
		return refused(domain.ReasonBudget, now), err
	}
	q := ask(c, r, now)
	if err := q.acquaint(ctx, st); err != nil {
		return nil, err
	}
	ruling, err := first(ctx, st, q, o.callable, o.consented, o.inHours, o.uncapped, o.affordable)
	if err == nil && q.enforced {
		ruling.Basis, err = o.basis(ctx, st, q)
	}
	return ruling, err
}

// basis tells by what a question was answered.
func (o *Outreach) basis(ctx context.Context, st *domain.Stores, q *question) (string, error) {
	book, err := compliance.Current()
	if err != nil {
		return "", err
	}
	law, err := o.law(ctx, st, q)
	if err != nil {
		return "", err
	}
	var names, clocks []string
	for i := range law.rules {
		names = append(names, law.rules[i].ID)
	}
	for _, zone := range law.places {
		clocks = append(clocks, q.at.In(zone).Format("15:04")+" "+zone.String())
	}
	return fmt.Sprintf("rules %s: %s; clocks %s: %s", book.Version, strings.Join(names, ", "),
		phone.Zones().Version, strings.Join(clocks, ", ")), nil
}
