package people

import (
	"context"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/phone"
	"github.com/callwright/callwright/internal/service/rule"
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
func (p *People) Suppress(ctx context.Context, in domain.Scope, req SuppressRequest, once *rule.Once[Suppressing]) (*Suppressing, error) {
	numbers := distinctTexts(req.Numbers)
	switch {
	case len(numbers) == 0:
		return nil, domain.Invalid("number", "number is required: what is not to be called").For(domain.ReasonMissing, "")
	case len(numbers) > maxSuppressions:
		return nil, domain.Invalid("numbers", "numbers has %d entries; at most %d are allowed at once", len(numbers), maxSuppressions)
	}
	for i, n := range numbers {
		if err := phone.Exact(n); err != nil && len(numbers) > 1 {
			return nil, domain.Invalid("numbers", "numbers: entry %d %s", i+1, err).For(domain.ReasonInvalidNumber, "")
		} else if err != nil {
			return nil, rule.Number("number", n)
		}
	}
	if err := rule.Text("reason", req.Reason, rule.MaxText); err != nil {
		return nil, err
	}
	done, err := rule.Effect(ctx, &p.Kit, in, once, func(ctx context.Context, st *domain.Stores) (*Suppressing, error) {
		added, err := st.Suppressed.Add(ctx, in, p.SuppressionsOf(in, numbers, req.Reason, req.Source, "")...)
		if err != nil {
			return nil, err
		}
		entries, err := st.Suppressed.Among(ctx, in, numbers)
		return &Suppressing{Added: added, Entries: entries}, err
	})
	if err != nil {
		return nil, err
	}
	return done, p.stopRinging(ctx)
}

// SuppressionsOf are entries for numbers, not stored yet.
func (p *People) SuppressionsOf(in domain.Scope, numbers []string, reason string, source domain.SuppressionSource, call domain.ID) []domain.Suppression {
	now := p.Clock()
	entries := make([]domain.Suppression, len(numbers))
	for i, n := range numbers {
		entries[i] = domain.Suppression{
			ID: domain.NewID(), WorkspaceID: in.Workspace, Mode: in.Mode, Number: n, Reason: reason, Source: source,
			CallID: call, CreatedAt: now,
		}
	}
	return entries
}

// Suppression returns the entry of a number in the do-not-call list.
func (p *People) Suppression(ctx context.Context, in domain.Scope, listed string) (*domain.Suppression, error) {
	if phone.Valid(listed) != nil {
		return nil, notListed()
	}
	return rule.View(ctx, &p.Kit, func(ctx context.Context, st *domain.Stores) (*domain.Suppression, error) {
		return st.Suppressed.Get(ctx, in, listed)
	})
}

// notListed is the error of what is no number at all, and so is not repeated.
func notListed() error {
	return domain.Errorf(domain.CodeNotFound, "what the path names is no number of the do-not-call list; write it in E.164 form, such as +15551234567")
}

// Suppressions returns a page of the do-not-call list, newest first, and the
// number of all its entries.
func (p *People) Suppressions(ctx context.Context, in domain.Scope, page domain.Page) ([]domain.Suppression, int, error) {
	var total int
	rows, err := rule.View(ctx, &p.Kit, func(ctx context.Context, st *domain.Stores) ([]domain.Suppression, error) {
		var err error
		if total, err = st.Suppressed.Count(ctx, in); err != nil {
			return nil, err
		}
		return st.Suppressed.List(ctx, in, page)
	})
	return rows, total, err
}

// Unsuppress takes a number off the do-not-call list.
func (p *People) Unsuppress(ctx context.Context, in domain.Scope, listed string) error {
	if phone.Valid(listed) != nil {
		return notListed()
	}
	return p.Store.InTx(ctx, domain.LaneAPI, func(ctx context.Context, st *domain.Stores) error {
		removed, err := st.Suppressed.Remove(ctx, in, listed)
		if err != nil || removed > 0 {
			return err
		}
		_, err = st.Suppressed.Get(ctx, in, listed)
		return err
	})
}

// Callable refuses numbers that are on the do-not-call list. Until the
// transaction ends nobody gets onto the list.
func Callable(ctx context.Context, st *domain.Stores, in domain.Scope, number string) error {
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
