package outreach

import (
	"context"
	"slices"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/redial"
)

// DefaultRetry is how often a campaign tries a contact.
var DefaultRetry = domain.Retry{MaxAttempts: redial.Default.MaxAttempts}

// Settle notes on the contact of a campaign how its call ended, in the
// transaction in which it did: it is finished, or waits to be tried again.
// turns is what was said in it, and retryAfter for how long the far end asked not
// to be called.
func (o *Outreach) Settle(ctx context.Context, st *domain.Stores, call *domain.Call, turns []domain.Turn, retryAfter time.Duration) error {
	in := domain.Scope{Workspace: call.WorkspaceID, Mode: call.Mode}
	if err := o.heed(ctx, st, in, call); err != nil || call.RecipientID == "" {
		return err
	}
	r, err := st.Recipients.Get(ctx, in, call.CampaignID, call.RecipientID)
	if domain.CodeOf(err) == domain.CodeNotFound {
		return nil // erased
	} else if err != nil || r.State != domain.RecipientActive || r.CallID != call.ID {
		return err
	}
	c, err := st.Dialing.Running(ctx, call.CampaignID)
	if err != nil {
		return err
	}
	about := ask(c, r, call.EndedAt)
	if err := about.acquaint(ctx, st); err != nil {
		return err
	}
	listed, err := asked(ctx, st, in, call, turns)
	if err != nil {
		return err
	}
	try := domain.RecipientTry{CallID: call.ID, At: call.DialedAt, Result: domain.ResultOf(call, listed), Talk: call.Duration(), RetryAfter: retryAfter}
	if try.Charged = !call.DialedAt.IsZero() && try.Result.Charged(call.Rang()); !try.Charged {
		if err := uncharge(ctx, st, call); err != nil {
			return err
		}
	}
	if try.At.IsZero() {
		try.At = call.EndedAt
	}
	r.Tries, r.Result, r.UpdatedAt, r.Why = append(r.Tries, try), try.Result, call.EndedAt, ""
	places, err := o.places(ctx, st, about)
	if err != nil {
		return err
	}
	decide(c, r, places, call.EndedAt)
	answered := answering(call, try.Result, turns)
	if err := st.Tallies.Add(ctx, in, c.ID, domain.DayOf(call.EndedAt), call.ID, answered); err != nil {
		return err
	}
	return st.Recipients.Update(ctx, r, domain.RecipientActive, domain.CampaignCounts{
		Answered: answered.Answered, Abandoned: answered.Abandoned, Talk: call.Duration(), Spent: call.Cost, LastAt: call.EndedAt,
	})
}

// asked returns the do-not-call entry of the called number, if somebody who was
// called said anything that may have led to it.
func asked(ctx context.Context, st *domain.Stores, in domain.Scope, call *domain.Call, turns []domain.Turn) (*domain.Suppression, error) {
	if !slices.ContainsFunc(turns, func(t domain.Turn) bool { return t.Role == domain.RoleCaller }) {
		return nil, nil
	}
	listed, err := st.Suppressed.Get(ctx, in, call.To)
	if domain.CodeOf(err) == domain.CodeNotFound {
		return nil, nil
	}
	return listed, err
}

// heed puts a number onto the do-not-call list that has refused us for good (RFC
// 8197, RFC 8688).
func (o *Outreach) heed(ctx context.Context, st *domain.Stores, in domain.Scope, call *domain.Call) error {
	if call.Direction != domain.Outbound || !domain.ResultOf(call, nil).Suppresses() {
		return nil
	}
	_, err := st.Suppressed.Add(ctx, in, domain.Suppression{
		ID: domain.NewID(), WorkspaceID: in.Workspace, Mode: in.Mode, Number: call.To, CallID: call.ID,
		Reason: "the far end refused the call as unwanted", Source: domain.SuppressedByRefusal, CreatedAt: call.EndedAt,
	})
	return err
}

// decide says what becomes of a contact after its last try.
func decide(c *domain.Campaign, r *domain.Recipient, places []*time.Location, now time.Time) {
	tries := make([]redial.Try, len(r.Tries))
	for i, t := range r.Tries {
		tries[i] = redial.Try{At: t.At, Result: t.Result, Charged: t.Charged, RetryAfter: t.RetryAfter}
	}
	d := redial.Policy{MaxAttempts: c.Retry.MaxAttempts, Gaps: c.Retry.Gaps}.Next(tries, places, now)
	switch {
	case d.Done && d.Reached:
		r.State, r.EndedAt = domain.RecipientCompleted, now
	case d.Done:
		r.State, r.EndedAt, r.Why = domain.RecipientFailed, now, d.Why
	case c.State.Ended():
		r.State, r.EndedAt, r.Why = domain.RecipientFailed, now, endWord(c)
	default:
		r.State, r.NextAt, r.Why = domain.RecipientWaiting, d.At, d.Why
	}
}

// uncharge notes that the attempt of a call does not count for its number.
func uncharge(ctx context.Context, st *domain.Stores, call *domain.Call) error {
	attempts, err := st.Attempts.ByCall(ctx, call.ID)
	if err != nil {
		return err
	}
	for i := range attempts {
		if a := &attempts[i]; a.Kind == domain.AttemptDial && !a.Uncharged {
			a.Uncharged = true
			if err := st.Attempts.Update(ctx, a); err != nil {
				return err
			}
		}
	}
	return nil
}
