package service

import (
	"context"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// NodeLease is how long a process run counts as alive after its last sign of
// life, by the database's clock. Then others take over what it held, and no
// intent of it is accepted any more.
const NodeLease = 15 * time.Second

// Join makes the process run n.Epoch a node, which may claim attempts and commit
// intents as long as it beats.
func (s *Service) Join(ctx context.Context, n domain.Node) error {
	return s.Store.InTx(ctx, domain.LaneCall, func(ctx context.Context, st *domain.Stores) error {
		joining := n
		return st.Nodes.Join(ctx, &joining)
	})
}

// Beat notes a sign of life of a node. CodeNotFound means that it was taken for
// dead, and what it held is no longer its own.
func (s *Service) Beat(ctx context.Context, epoch domain.ID) error {
	return s.Store.InTx(ctx, domain.LaneCall, func(ctx context.Context, st *domain.Stores) error {
		return st.Nodes.Beat(ctx, epoch)
	})
}

// Leave ends a node that holds nothing any more.
func (s *Service) Leave(ctx context.Context, epoch domain.ID) error {
	return s.Store.InTx(ctx, domain.LaneCall, func(ctx context.Context, st *domain.Stores) error {
		return st.Nodes.Leave(ctx, epoch)
	})
}

// Unsent tells that no INVITE was sent for an attempt although its intent may
// have been committed: the commit was lost sight of. Without an intent the
// attempt goes back to wait; with one its call ends as interrupted, since nothing
// returns from intent. Somebody else's attempt is left alone.
func (s *Service) Unsent(ctx context.Context, a domain.Attempt) error {
	return s.Store.InTx(ctx, domain.LaneDial, func(ctx context.Context, st *domain.Stores) error {
		call, err := st.Calls.ByID(ctx, a.CallID)
		if err != nil {
			return err
		}
		held, err := st.Attempts.Get(ctx, a.ID)
		if err != nil {
			return err
		}
		now := s.Clock()
		switch {
		case held.Claim != a.Claim || held.Epoch != a.Epoch:
			return nil
		case held.State == domain.AttemptClaimed:
			return s.refuse(ctx, st, held, &Refusal{RetryAt: now}, now)
		case held.State != domain.AttemptIntent:
			return nil
		}
		held.State, held.EndReason, held.EndedAt = domain.AttemptEnded, domain.EndInterrupted, now
		if err := st.Attempts.Update(ctx, held); err != nil || call.State.Ended() {
			return err
		}
		call.State, call.EndReason, call.EndedAt = domain.CallFailed, domain.EndInterrupted, now
		if err := st.Calls.Update(ctx, call); err != nil {
			return err
		}
		return s.over(ctx, st, call, 0)
	})
}
