package service

import (
	"context"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/rule"
)

// Orphan is a call that a dead process left behind, and what is needed to hang
// its far end up.
type Orphan struct {
	Call      domain.Call
	SIPCallID string
	Dialog    []byte // nil when the call was not known to be answered
}

// orphanBatch bounds how many orphans one transaction takes.
const orphanBatch = 200

// Recover ends what process runs that are dead left behind: all that are neither
// epoch nor a node whose last sign of life is younger than NodeLease. An attempt
// that was only claimed goes back to wait: nothing was sent for it. One whose
// intent was committed may have rung somebody: it ends as interrupted, its call
// fails, and it is never sent again. Those are returned: their recordings need
// repair, and their far ends a BYE.
func (s *Service) Recover(ctx context.Context, epoch domain.ID) ([]Orphan, error) {
	var all []Orphan
	for {
		var some []Orphan
		var n int
		err := s.Store.InTx(ctx, domain.LaneDial, func(ctx context.Context, st *domain.Stores) error {
			some = nil
			if _, err := st.Nodes.Expire(ctx, NodeLease); err != nil {
				return err
			}
			left, err := st.Attempts.Orphans(ctx, epoch, orphanBatch)
			if err != nil {
				return err
			}
			n = len(left)
			for _, a := range left {
				o, err := s.recoverOne(ctx, st, a)
				if err != nil {
					return err
				}
				if o != nil {
					some = append(some, *o)
				}
			}
			return nil
		})
		if err != nil {
			return all, err
		}
		all = append(all, some...)
		if n < orphanBatch {
			return all, nil
		}
	}
}

// orphansRing is how long after the death of its process a call may still be
// answered, by whoever lets it ring the longest.
const orphansRing = 5 * time.Minute

// orphansAtMost bounds how many calls a start looks after.
const orphansAtMost = 1000

// Interrupted returns the calls that ended lately because their process died, as
// Recover did when they ended. Whoever recovered them may have died before their
// far ends were hung up, or before they answered: their Call is not given.
func (s *Service) Interrupted(ctx context.Context) ([]Orphan, error) {
	return rule.View(ctx, &s.Kit, func(ctx context.Context, st *domain.Stores) ([]Orphan, error) {
		left, err := st.Nodes.Interrupted(ctx, s.Clock().Add(-orphansRing), orphansAtMost)
		orphans := make([]Orphan, 0, len(left))
		for _, a := range left {
			if a.SIPCallID != "" {
				orphans = append(orphans, Orphan{SIPCallID: a.SIPCallID, Dialog: a.Dialog})
			}
		}
		return orphans, err
	})
}

func (s *Service) recoverOne(ctx context.Context, st *domain.Stores, left domain.Attempt) (*Orphan, error) {
	// The call first, as all who change both do.
	call, err := st.Calls.ByID(ctx, left.CallID)
	if err != nil {
		return nil, err
	}
	held, err := st.Attempts.Get(ctx, left.ID)
	if err != nil {
		return nil, err
	}
	a, now := *held, s.Clock()
	switch {
	case a.Epoch != left.Epoch || a.State == domain.AttemptEnded:
		return nil, nil // another process was first
	case a.State == domain.AttemptClaimed:
		return nil, s.refuse(ctx, st, &a, &Refusal{RetryAt: now}, now)
	}
	a.State, a.EndReason, a.EndedAt = domain.AttemptEnded, domain.EndInterrupted, now
	if err := st.Attempts.Update(ctx, &a); err != nil {
		return nil, err
	}
	orphan := &Orphan{Call: *call, SIPCallID: a.SIPCallID, Dialog: a.Dialog}
	if call.State.Ended() {
		return orphan, nil // for another leg of it
	}
	call.State, call.EndReason, call.EndedAt = domain.CallFailed, domain.EndInterrupted, now
	if err := st.Calls.Update(ctx, call); err != nil {
		return nil, err
	}
	if err := s.over(ctx, st, call, 0); err != nil {
		return nil, err
	}
	orphan.Call = *call
	return orphan, nil
}
