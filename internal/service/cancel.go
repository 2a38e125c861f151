package service

import (
	"context"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/rule"
)

// CancelCall ends a call. One that was not dialed yet never is, and fails with
// EndCanceled; one that is under way is hung up. A call that is over is
// CodeConflict.
func (s *Service) CancelCall(ctx context.Context, in domain.Scope, id domain.ID, once *rule.Once[domain.Call]) (*domain.Call, error) {
	var live bool
	call, err := rule.Effect(ctx, &s.Kit, in, once, func(ctx context.Context, st *domain.Stores) (*domain.Call, error) {
		call, err := st.Calls.Get(ctx, in, id)
		if err != nil {
			return nil, err
		}
		if call.State.Ended() {
			return nil, domain.Errorf(domain.CodeConflict, "the call is over (%s); it cannot be canceled", call.EndReason)
		}
		if live, err = s.withdraw(ctx, st, call); live || err != nil {
			return call, err
		}
		call.State, call.EndReason, call.EndedAt = domain.CallFailed, domain.EndCanceled, s.Clock()
		if err := st.Calls.Update(ctx, call); err != nil {
			return nil, err
		}
		return call, s.over(ctx, st, call, 0)
	})
	if err != nil || !live {
		return call, err
	}
	return call, s.hangup(ctx, call)
}

// withdraw ends the attempts of a call that were not sent. It reports true, and
// changes nothing, when one may have been.
func (s *Service) withdraw(ctx context.Context, st *domain.Stores, call *domain.Call) (sent bool, err error) {
	attempts, err := st.Attempts.ByCall(ctx, call.ID)
	if err != nil {
		return false, err
	}
	for _, a := range attempts {
		switch a.State {
		case domain.AttemptPlanned, domain.AttemptClaimed, domain.AttemptEnded:
		default:
			return true, nil
		}
	}
	if call.State != domain.CallQueued {
		return true, nil
	}
	for i := range attempts {
		a := &attempts[i]
		if a.State == domain.AttemptEnded {
			continue
		}
		a.State, a.EndReason, a.EndedAt = domain.AttemptEnded, domain.EndCanceled, s.Clock()
		if err := st.Attempts.Update(ctx, a); err != nil {
			return false, err
		}
	}
	return false, nil
}

// hangup ends a call that is under way.
func (s *Service) hangup(ctx context.Context, call *domain.Call) error {
	reason := domain.EndCanceled
	if call.State == domain.CallInProgress {
		reason = domain.EndAgentHangup
	}
	if s.live == nil {
		return errElsewhere
	}
	err := s.live.Hangup(ctx, call.ID, reason)
	if domain.CodeOf(err) == domain.CodeNotFound {
		return errElsewhere
	}
	return err
}
