package service

import (
	"context"

	"github.com/callwright/callwright/internal/compliance"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/phone"
)

// maxSuppressions is how many numbers one request may put onto the list.
const maxSuppressions = 10_000

// SuppressRequest asks that numbers are not called any more.
type SuppressRequest struct {
	Numbers []string
	Reason  string // for people
	Source  domain.SuppressionSource
}

// Suppressing is what came of a SuppressRequest.
type Suppressing struct {
	Added   int // how many numbers were not on the list before
	Entries []domain.Suppression
}

// Suppress puts numbers onto the do-not-call list. Once it has returned, no call
// to them is dialed any more; one that rings is hung up.
func (s *Service) Suppress(ctx context.Context, in domain.Scope, req SuppressRequest, once *Once[Suppressing]) (*Suppressing, error) {
	numbers := distinctTexts(req.Numbers)
	switch {
	case len(numbers) == 0:
		return nil, domain.Invalid("number", "number is required: what is not to be called").For(domain.ReasonMissing, "")
	case len(numbers) > maxSuppressions:
		return nil, domain.Invalid("numbers", "numbers has %d entries; at most %d are allowed at once", len(numbers), maxSuppressions)
	}
	for i, n := range numbers {
		if err := phone.Valid(n); err != nil && len(numbers) > 1 {
			return nil, domain.Invalid("numbers", "numbers: entry %d %s", i+1, err).For(domain.ReasonInvalidNumber, "")
		} else if err != nil {
			return nil, number("number", n)
		}
	}
	if err := text("reason", req.Reason, maxText); err != nil {
		return nil, err
	}
	done, err := effect(ctx, s, in, once, func(ctx context.Context, st *domain.Stores) (*Suppressing, error) {
		added, err := st.Suppressed.Add(ctx, in, s.suppressions(in, numbers, req.Reason, req.Source, "")...)
		if err != nil {
			return nil, err
		}
		entries, err := st.Suppressed.Among(ctx, in, numbers)
		return &Suppressing{Added: added, Entries: entries}, err
	})
	if err != nil {
		return nil, err
	}
	return done, s.stopRinging(ctx, in, numbers)
}

// suppressions are entries for numbers, not stored yet.
func (s *Service) suppressions(in domain.Scope, numbers []string, reason string, source domain.SuppressionSource, call domain.ID) []domain.Suppression {
	now := s.clock()
	entries := make([]domain.Suppression, len(numbers))
	for i, n := range numbers {
		entries[i] = domain.Suppression{
			ID: domain.NewID(), WorkspaceID: in.Workspace, Mode: in.Mode, Number: n, Reason: reason, Source: source,
			CallID: call, CreatedAt: now,
		}
	}
	return entries
}

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
	ringing, err := view(ctx, s, func(ctx context.Context, st *domain.Stores) ([]domain.Call, error) {
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
			s.log.Warn("a call to a number that must not be called goes on ringing", "call", ringing[i].ID, "err", err)
		}
	}
	return nil
}

// Suppression returns the entry of a number in the do-not-call list.
func (s *Service) Suppression(ctx context.Context, in domain.Scope, listed string) (*domain.Suppression, error) {
	if phone.Valid(listed) != nil {
		return nil, notListed()
	}
	return view(ctx, s, func(ctx context.Context, st *domain.Stores) (*domain.Suppression, error) {
		return st.Suppressed.Get(ctx, in, listed)
	})
}

// notListed is the error of what is no number at all, and so is not repeated.
func notListed() error {
	return domain.Errorf(domain.CodeNotFound, "what the path names is no number of the do-not-call list; write it in E.164 form, such as +15551234567")
}

// Suppressions returns a page of the do-not-call list, newest first, and the
// number of all its entries.
func (s *Service) Suppressions(ctx context.Context, in domain.Scope, page domain.Page) ([]domain.Suppression, int, error) {
	var total int
	rows, err := view(ctx, s, func(ctx context.Context, st *domain.Stores) ([]domain.Suppression, error) {
		var err error
		if total, err = st.Suppressed.Count(ctx, in); err != nil {
			return nil, err
		}
		return st.Suppressed.List(ctx, in, page)
	})
	return rows, total, err
}

// Unsuppress takes a number off the do-not-call list.
func (s *Service) Unsuppress(ctx context.Context, in domain.Scope, listed string) error {
	if phone.Valid(listed) != nil {
		return notListed()
	}
	return s.store.InTx(ctx, domain.LaneAPI, func(ctx context.Context, st *domain.Stores) error {
		removed, err := st.Suppressed.Remove(ctx, in, listed)
		if err != nil || removed > 0 {
			return err
		}
		_, err = st.Suppressed.Get(ctx, in, listed)
		return err
	})
}

// callable refuses numbers that are on the do-not-call list. Until the
// transaction ends nobody gets onto the list.
func callable(ctx context.Context, st *domain.Stores, in domain.Scope, number string) error {
	_, err := st.Suppressed.Get(ctx, in, number)
	switch {
	case err == nil:
		return domain.Errorf(domain.CodeForbidden, "the number is on the do-not-call list; take it off there first if its owner has agreed to be called").
			For(domain.ReasonDoNotCall, "to")
	case domain.CodeOf(err) == domain.CodeNotFound:
		return nil
	}
	return err
}

// heedOptOut puts the far end of a call onto the do-not-call list when the turn
// is the caller's wish not to be called again.
func (s *Service) heedOptOut(t domain.Turn) {
	if t.Role != domain.RoleCaller || !compliance.OptsOut(t.Text) {
		return
	}
	const reason = "asked in a call not to be called again"
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
			_, err = st.Suppressed.Add(ctx, in, s.suppressions(in, []string{far}, reason, domain.SuppressedByWord, call.ID)...)
		}
		return err
	})
	if !taken {
		s.log.Error("an opt-out was lost: the database is too far behind", "call", t.CallID)
	}
	s.background.Go(s.flushSoon)
}
