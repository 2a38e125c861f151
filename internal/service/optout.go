package service

import (
	"context"

	"github.com/callwright/callwright/internal/compliance"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/phone"
	"github.com/callwright/callwright/internal/service/rule"
)

// stopRinging hangs up calls to numbers that this process has dialed and nobody
// has answered.
func (s *Service) stopRinging(ctx context.Context, in domain.Scope, numbers []string) error {
	if len(numbers) == 0 || s.live == nil {
		return nil
	}
	listed := make(map[string]bool, len(numbers))
	for _, n := range numbers {
		listed[n] = true
	}
	ringing, err := rule.View(ctx, &s.Kit, func(ctx context.Context, st *domain.Stores) ([]domain.Call, error) {
		calls, _, err := st.Calls.List(ctx, in, domain.CallFilter{
			States: []domain.CallState{domain.CallDialing, domain.CallRinging}, Direction: domain.Outbound,
		}, domain.Page{})
		return calls, err
	})
	if err != nil {
		return err
	}
	for i := range ringing {
		if !listed[ringing[i].To] {
			continue
		}
		if err := s.live.Hangup(ctx, ringing[i].ID, domain.EndDoNotCall); err != nil && domain.CodeOf(err) != domain.CodeNotFound {
			s.Log.Warn("a call to a number that must not be called goes on ringing", "call", ringing[i].ID, "err", err)
		}
	}
	return nil
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
