package service

import (
	"context"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

type askedBy struct{}

// AskedBy returns a context for what is asked for with an API key: calls that are
// placed within it are known to be that key's.
func AskedBy(ctx context.Context, key domain.ID) context.Context {
	return context.WithValue(ctx, askedBy{}, key)
}

// keyOf returns the key that something is asked for with, "" when there is none.
func keyOf(ctx context.Context) domain.ID {
	key, _ := ctx.Value(askedBy{}).(domain.ID)
	return key
}

// affords refuses a call to a workspace that has used up its credits or, unless a
// campaign places it, which waits for the next one, its budget of the day.
func (s *Service) affords(ctx context.Context, st *domain.Stores, in domain.Scope, w *domain.Workspace, single bool) error {
	if !w.Broke() {
		if !single {
			return nil
		}
		purse, err := s.Purse(ctx, st, in, w, s.Clock())
		if err != nil || !purse.Spent() {
			return err
		}
		return domain.Errorf(domain.CodePayment, "the workspace's budget of the day, dailyBudget, does not pay for another minute; the next day begins at %s",
			purse.Renewed.UTC().Format(time.RFC3339)).For(domain.ReasonDailyBudget, "")
	}
	return domain.Errorf(domain.CodePayment, "the workspace has no credits left; add some before placing calls").
		For(domain.ReasonInsufficientCredits, "")
}

// countCall counts a new call on the day that it was asked for.
func (s *Service) countCall(ctx context.Context, st *domain.Stores, call *domain.Call) error {
	return s.AddUsage(ctx, st, usageOf(call, domain.UsageCounts{Calls: 1}))
}

// price works out what a call that has ended costs, and returns who is to be
// charged. What failed costs nobody: it was never answered, or broke off by a
// fault of ours.
func price(ctx context.Context, st *domain.Stores, call *domain.Call) (*domain.Workspace, error) {
	if call.State != domain.CallCompleted {
		return nil, nil
	}
	w, err := st.Workspaces.Get(ctx, call.WorkspaceID)
	if err == nil {
		_, call.Cost = w.Price(call.Duration())
	}
	return w, err
}

// charge takes what a call costs off the workspace's credits, in the transaction
// that ends it and last there: all that end wait for each other from here on.
func (s *Service) charge(ctx context.Context, st *domain.Stores, w *domain.Workspace, call *domain.Call) error {
	if w == nil {
		return nil
	}
	seconds, cost := w.Price(call.Duration())
	if err := s.AddUsage(ctx, st, usageOf(call, domain.UsageCounts{Seconds: seconds, Cost: cost})); err != nil || cost <= 0 {
		return err
	}
	if err := s.Spend(ctx, st, w, call); err != nil {
		return err
	}
	return st.Workspaces.Charge(ctx, w.ID, cost)
}

// usageOf is usage on account of a call, on the day that it was asked for.
func usageOf(call *domain.Call, counts domain.UsageCounts) domain.Usage {
	return domain.Usage{
		WorkspaceID: call.WorkspaceID, Mode: call.Mode, KeyID: call.KeyID, Day: domain.DayOf(call.CreatedAt), UsageCounts: counts,
	}
}

// fail ends a call that the gate refuses for good.
func (s *Service) fail(ctx context.Context, st *domain.Stores, call *domain.Call, reason domain.EndReason, now time.Time) error {
	call.State, call.EndReason, call.EndedAt = domain.CallFailed, reason, now
	if err := st.Calls.Update(ctx, call); err != nil {
		return err
	}
	return s.over(ctx, st, call, 0)
}
