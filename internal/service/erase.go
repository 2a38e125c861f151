package service

import (
	"context"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/rule"
)

// eraseBatch is how many calls are forgotten between two looks at the store.
const eraseBatch = 50

// EraseContact deletes a contact and all that is kept of calls with it: the
// calls to and from its numbers, their transcripts, recordings, events and
// webhook payloads, its places in campaigns, and its appointments and messages
// with what webhooks told of them. Calls that wait are canceled first; while one
// is under way the error is CodeConflict, and what is left can be erased later.
// Entries of its numbers in the do-not-call list stay: without them it would be
// called again.
func (s *Service) EraseContact(ctx context.Context, in domain.Scope, id domain.ID, ifVersion int64) error {
	c, err := rule.View(ctx, &s.Kit, func(ctx context.Context, st *domain.Stores) (*domain.Contact, error) {
		return st.Contacts.Get(ctx, in, id)
	})
	if err != nil {
		return err
	}
	if err := rule.At(ifVersion, c.Version); err != nil {
		return err
	}
	// From campaigns first, so that none calls anew.
	err = s.Store.InTx(ctx, domain.LaneBackground, func(ctx context.Context, st *domain.Stores) error {
		return st.Erasure.ForgetRecipients(ctx, in, id, c.Numbers())
	})
	if err != nil {
		return err
	}
	var after, live domain.ID
	for {
		calls, err := rule.View(ctx, &s.Kit, func(ctx context.Context, st *domain.Stores) ([]domain.Call, error) {
			return st.Erasure.Calls(ctx, in, id, c.Numbers(), after, eraseBatch)
		})
		if err != nil {
			return err
		}
		for i := range calls {
			after = calls[i].ID
			gone, err := s.forget(ctx, in, &calls[i])
			if err != nil {
				return err
			}
			if !gone {
				live = calls[i].ID
			}
		}
		if len(calls) < eraseBatch {
			break
		}
	}
	if live != "" {
		return domain.Errorf(domain.CodeConflict, "call %s with the contact is under way; erase the contact again when it is over", live)
	}
	err = s.Store.InTx(ctx, domain.LaneBackground, func(ctx context.Context, st *domain.Stores) error {
		if err := st.Erasure.ForgetAppointments(ctx, in, id); err != nil {
			return err
		}
		return st.Erasure.ForgetMessages(ctx, in, id, c.Numbers())
	})
	if err != nil {
		return err
	}
	return s.DeleteContact(ctx, in, id, ifVersion)
}

// forget removes a call with its recording; false when it is under way.
func (s *Service) forget(ctx context.Context, in domain.Scope, call *domain.Call) (bool, error) {
	if call.State == domain.CallQueued {
		// Whether it was dialed meanwhile is decided where it is canceled.
		switch _, err := s.withdrawCall(ctx, in, call.ID); {
		case domain.CodeOf(err) == domain.CodeConflict:
			return false, nil
		case err != nil:
			return false, err
		}
	} else if !call.State.Ended() {
		return false, nil
	}
	if call.Recording != "" && s.recordings != nil {
		// First, so that no sound is left that nobody knows of.
		if err := s.recordings.Delete(ctx, call.Recording); err != nil {
			return false, err
		}
	}
	err := s.Store.InTx(ctx, domain.LaneBackground, func(ctx context.Context, st *domain.Stores) error {
		return st.Erasure.Forget(ctx, in, call.ID)
	})
	if domain.CodeOf(err) == domain.CodeNotFound {
		err = nil
	}
	return err == nil, err
}

// withdrawCall ends a call that was not dialed yet, without telling anybody; one
// that may have been is CodeConflict.
func (s *Service) withdrawCall(ctx context.Context, in domain.Scope, id domain.ID) (*domain.Call, error) {
	return rule.Effect(ctx, &s.Kit, in, nil, func(ctx context.Context, st *domain.Stores) (*domain.Call, error) {
		call, err := st.Calls.Get(ctx, in, id)
		if err != nil || call.State.Ended() {
			return call, err
		}
		sent, err := s.withdraw(ctx, st, call)
		if err != nil {
			return nil, err
		}
		if sent {
			return nil, errElsewhere
		}
		call.State, call.EndReason, call.EndedAt = domain.CallFailed, domain.EndCanceled, s.Clock()
		return call, st.Calls.Update(ctx, call)
	})
}
