package service

import (
	"context"
	"strings"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/failpoint"
	"github.com/callwright/callwright/internal/phone"
	"github.com/callwright/callwright/internal/service/outreach"
	"github.com/callwright/callwright/internal/service/people"
)

// Dial is all that is needed to place or answer one call.
type Dial struct {
	Attempt domain.Attempt
	Call    domain.Call
	Agent   domain.Agent
	Flow    *domain.Flow // the version the call is pinned to; nil for a prompt-only agent
	Trunk   domain.Trunk
	Zone    *time.Location // the workspace's
	Message string         // all that is said to the caller, instead of the agent's talk; "" for the talk
}

// Claimed is an attempt that this process holds, with what is needed to place its
// call, or why that cannot be told.
type Claimed struct {
	domain.Attempt
	Dial *Dial
	Err  error
}

// ClaimAttempts takes up to limit attempts that are due for the process run
// epoch, which has to commit its intent before the lease ends. It also returns
// when the next one is due.
func (s *Service) ClaimAttempts(ctx context.Context, epoch domain.ID, now time.Time, lease time.Duration, limit int) ([]Claimed, time.Time, error) {
	var attempts []domain.Attempt
	var next time.Time
	err := s.Store.InTx(ctx, domain.LaneDial, func(ctx context.Context, st *domain.Stores) error {
		var err error
		attempts, next, err = st.Attempts.Claim(ctx, epoch, now, lease, limit)
		if len(attempts) > 0 {
			failpoint.Hit(failpoint.BeforeClaimCommit)
		}
		return err
	})
	if err != nil || len(attempts) == 0 {
		return nil, next, err
	}
	failpoint.Hit(failpoint.AfterClaimCommit)
	return s.dials(context.WithoutCancel(ctx), attempts), next, nil // they are held
}

// dials reads what is needed to place the calls of attempts, of which many have
// most in common.
func (s *Service) dials(ctx context.Context, attempts []domain.Attempt) []Claimed {
	all, ids := make([]Claimed, len(attempts)), make([]domain.ID, len(attempts))
	for i, a := range attempts {
		all[i].Attempt, ids[i] = a, a.CallID
	}
	err := s.Store.View(ctx, func(ctx context.Context, st *domain.Stores) error {
		calls, err := st.Calls.ByIDs(ctx, ids)
		if err != nil {
			return err
		}
		byID := make(map[domain.ID]*domain.Call, len(calls))
		for i := range calls {
			byID[calls[i].ID] = &calls[i]
		}
		st = outreach.Remembering(st)
		for i := range all {
			c := &all[i]
			if c.Dial, c.Err = s.dial(ctx, st, c.Attempt, byID[c.CallID]); domain.CodeOf(c.Err) == domain.CodeUnavailable {
				return c.Err
			}
		}
		return nil
	})
	for i := range all {
		if err != nil {
			all[i].Dial, all[i].Err = nil, err
		}
	}
	return all
}

func (s *Service) dial(ctx context.Context, st *domain.Stores, a domain.Attempt, call *domain.Call) (*Dial, error) {
	if call == nil {
		return nil, domain.NotFound("Call", a.CallID)
	}
	in := domain.Scope{Workspace: a.WorkspaceID, Mode: a.Mode}
	trunk, err := st.Trunks.Get(ctx, in, a.TrunkID)
	if err != nil {
		return nil, err
	}
	d := &Dial{Attempt: a, Call: *call, Trunk: *trunk, Zone: time.UTC}
	return d, s.cast(ctx, st, in, d)
}

// cast reads who talks: the agent, its flow and the zone it lives in.
func (s *Service) cast(ctx context.Context, st *domain.Stores, in domain.Scope, d *Dial) error {
	agent, err := st.Agents.Get(ctx, in, d.Call.AgentID)
	if err != nil {
		return err
	}
	d.Agent = *agent
	if d.Call.FlowID != "" {
		if d.Flow, err = st.Flows.Version(ctx, in, d.Call.FlowID, d.Call.FlowVersion); err != nil {
			return err
		}
	}
	if w, err := st.Workspaces.Get(ctx, in.Workspace); err == nil {
		d.Zone = phone.FirstZone(w.Timezone)
	}
	return nil
}

// Refusal is why an attempt may not be dialed now. It waits until RetryAt, or,
// without one, its call ends for End.
type Refusal struct {
	Why     string
	RetryAt time.Time
	End     domain.EndReason
}

// CommitIntent writes down, durably, that an INVITE for the attempt is about to
// be sent, together with call.started. It is the last gate before the dial: a
// Refusal tells that the call must wait, and has been put back, or that it has
// ended. After an error nothing may be sent either. The attempt's epoch must be
// a node that is alive.
func (s *Service) CommitIntent(ctx context.Context, d *Dial) (*Refusal, error) {
	var refused *Refusal
	in := domain.Scope{Workspace: d.Attempt.WorkspaceID, Mode: d.Attempt.Mode}
	err := s.Store.InTx(ctx, domain.LaneDial, func(ctx context.Context, st *domain.Stores) error {
		now := s.Clock()
		call, err := st.Calls.Get(ctx, in, d.Call.ID)
		if err != nil {
			return err
		}
		// From here on until the commit nobody takes this process for dead.
		if err := st.Nodes.Hold(ctx, d.Attempt.Epoch, NodeLease); err != nil {
			return err
		}
		a := d.Attempt
		if refused, err = s.gate(ctx, st, in, call, &a, now); err != nil {
			return err
		}
		if refused != nil {
			if err := s.refuse(ctx, st, &a, refused, now); err != nil || refused.End == "" || call.State.Ended() {
				return err
			}
			return s.fail(ctx, st, call, refused.End, now)
		}
		a.State, a.DialedAt = domain.AttemptIntent, now
		if err := st.Attempts.Update(ctx, &a); err != nil {
			return err
		}
		call.State, call.DialedAt = domain.CallDialing, now
		call.SIPCallID, call.Voice, call.Model, call.Notes = a.SIPCallID, d.Call.Voice, d.Call.Model, d.Call.Notes
		if err := st.Calls.Update(ctx, call); err != nil {
			return err
		}
		if err := s.emit(ctx, st, call, nil, domain.EventCallStarted); err != nil {
			return err
		}
		d.Attempt, d.Call = a, *call
		failpoint.Hit(failpoint.BeforeIntentCommit)
		return nil
	})
	return refused, err
}

// soon is when a call is looked at again that waits for another one to end.
const soon = 500 * time.Millisecond

// gate says whether the attempt may be dialed now.
func (s *Service) gate(ctx context.Context, st *domain.Stores, in domain.Scope, call *domain.Call, a *domain.Attempt, now time.Time) (*Refusal, error) {
	if call.State.Ended() {
		return &Refusal{Why: "the call has ended", End: domain.EndCanceled}, nil
	}
	if now.After(a.LeaseUntil) {
		return &Refusal{Why: "the claim ran out", RetryAt: now}, nil
	}
	// From here on nobody else dials the number, so that what the caps count holds.
	live, err := st.Attempts.LiveTo(ctx, in, a.Number)
	if err != nil {
		return nil, err
	}
	if call.RecipientID != "" {
		ruling, err := s.Gate(ctx, st, call, now)
		if err != nil {
			return nil, err
		}
		if a.Basis = ruling.Basis; !ruling.Allowed {
			a.Basis = ruling.Said()
			return &Refusal{Why: ruling.Reason, End: endOf(ruling.Reason)}, nil
		}
	}
	switch err := people.Callable(ctx, st, in, a.Number); {
	case domain.CodeOf(err) == domain.CodeForbidden:
		return &Refusal{Why: "the number is on the do-not-call list", End: domain.EndDoNotCall}, nil
	case err != nil:
		return nil, err
	}
	if live > 0 {
		return &Refusal{Why: "a call to this number is under way", RetryAt: now.Add(soon)}, nil
	}
	w, err := st.Workspaces.Get(ctx, in.Workspace)
	if err != nil {
		return nil, err
	}
	if w.Broke() {
		return &Refusal{Why: "the workspace has no credits left", End: domain.EndNoCredits}, nil
	}
	if refused, err := s.pays(ctx, st, in, w, now); refused != nil || err != nil {
		return refused, err
	}
	trunk, err := st.Trunks.Get(ctx, in, a.TrunkID)
	if err != nil {
		return nil, err
	}
	switch err := roomFor(ctx, st, in, w, trunk); {
	case domain.CodeOf(err) == domain.CodeLimitReached:
		return &Refusal{Why: err.Error(), RetryAt: now.Add(soon)}, nil
	case err != nil:
		return nil, err
	}
	if call.RecipientID != "" {
		if until, err := s.Admit(ctx, st, a.TrunkID, now); err != nil || !until.IsZero() {
			return &Refusal{Why: "the trunk takes no calls", RetryAt: until}, err
		}
	}
	return nil, nil
}

// pays refuses a call that the budget of the day does not pay for. Where there is
// one, calls are counted one by one: what is set aside for them is exact.
func (s *Service) pays(ctx context.Context, st *domain.Stores, in domain.Scope, w *domain.Workspace, now time.Time) (*Refusal, error) {
	if w.DailyBudget == nil {
		return nil, nil
	}
	active, err := st.Calls.Active(ctx, in, 1)
	if err != nil {
		return nil, err
	}
	switch purse, err := s.Purse(ctx, st, in, w, now); {
	case err != nil:
		return nil, err
	case purse.Spent():
		return &Refusal{Why: "the workspace has spent its budget of the day", End: domain.EndDailyBudget}, nil
	case purse.Full(active):
		return &Refusal{Why: "the rest of the day's budget is set aside for calls under way", RetryAt: now.Add(soon)}, nil
	}
	return nil, nil
}

// endOf is the reason of a call that was refused for a machine reason.
func endOf(reason string) domain.EndReason {
	switch reason {
	case domain.ReasonPaused, domain.ReasonCancelled, domain.ReasonExpired:
		return domain.EndCanceled
	case domain.ReasonInvalidNumber:
		return domain.EndInvalidNumber
	}
	return domain.EndReason(strings.ReplaceAll(reason, "_", "-"))
}

// refuse puts an attempt back until it may be dialed, or ends it.
func (s *Service) refuse(ctx context.Context, st *domain.Stores, a *domain.Attempt, r *Refusal, now time.Time) error {
	if r.RetryAt.IsZero() {
		a.State, a.EndReason, a.EndedAt = domain.AttemptEnded, r.End, now
	} else {
		a.State, a.NextAt, a.Epoch = domain.AttemptPlanned, r.RetryAt, ""
	}
	return st.Attempts.Update(ctx, a)
}

// Postpone puts a claimed attempt back: what it needs was not there.
func (s *Service) Postpone(ctx context.Context, a domain.Attempt, until time.Time) error {
	return s.Store.InTx(ctx, domain.LaneDial, func(ctx context.Context, st *domain.Stores) error {
		back := a
		return s.refuse(ctx, st, &back, &Refusal{RetryAt: until}, s.Clock())
	})
}
