package service

import (
	"context"

	"github.com/callwright/callwright/internal/compliance"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/phone"
	"github.com/callwright/callwright/internal/service/rule"
)

// stopRinging hangs up calls that this process has dialed and nobody has answered,
// when their number is on the do-not-call list.
func (s *Service) stopRinging(ctx context.Context) error {
	if s.live == nil {
		return nil
	}
	ringing, err := rule.View(ctx, &s.Kit, func(ctx context.Context, st *domain.Stores) ([]domain.ID, error) {
		return st.Suppressed.Ringing(ctx)
	})
	for _, call := range ringing {
		if err := s.live.Hangup(ctx, call, domain.EndDoNotCall); err != nil && domain.CodeOf(err) != domain.CodeNotFound {
			s.Log.Warn("a call to a number that must not be called goes on ringing", "call", call, "err", err)
		}
	}
	return err
}

// Listed is a hint that a do-not-call list has grown, perhaps by another process:
// calls of this one to such numbers are hung up soon. It never blocks.
func (s *Service) Listed() {
	if s.listed.Swap(true) {
		return // it is owed already
	}
	s.background.Go(func() {
		s.listed.Store(false)
		if err := s.stopRinging(context.Background()); err != nil {
			s.Log.Warn("calls to numbers on the do-not-call list may go on ringing", "err", err)
		}
	})
}

// heedOptOut puts the far end of a call onto the do-not-call list when the turn
// is the caller's wish not to be called again, said or by a key.
func (s *Service) heedOptOut(t domain.Turn) {
	source, reason := domain.SuppressedByWord, "asked in a call not to be called again"
	switch {
	case t.Role != domain.RoleCaller:
		return
	case t.Note == domain.NoteOptOut:
		source, reason = domain.SuppressedByKey, "pressed the key in a call not to be called again"
	case !compliance.OptsOut(t.Text):
		return
	}
	taken := s.buffer.Put(func(ctx context.Context, st *domain.Stores) error {
		call, err := st.Calls.ByID(ctx, t.CallID)
		if err != nil {
			return err
		}
		far := call.To
		if call.Direction == domain.Inbound {
			far = call.From
		}
		if phone.Valid(far) == nil { // else whoever it was did not show a number
			in := domain.Scope{Workspace: call.WorkspaceID, Mode: call.Mode}
			_, err = st.Suppressed.Add(ctx, in, s.SuppressionsOf(in, []string{far}, reason, source, call.ID)...)
		}
		return err
	})
	if !taken {
		s.Log.Error("an opt-out was lost: the database is too far behind", "call", t.CallID)
	}
	s.background.Go(s.flushSoon)
}
