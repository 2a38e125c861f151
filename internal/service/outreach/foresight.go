package outreach

import (
	"context"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// foresee reads what is asked of each of some contacts of a campaign.
func (m *memory) foresee(ctx context.Context, c *domain.Campaign, rows []domain.Recipient, now time.Time) error {
	if len(rows) == 0 {
		return nil
	}
	in := domain.Scope{Workspace: c.WorkspaceID, Mode: c.Mode}
	var numbers, strangers []string
	var ids []domain.ID
	for i := range rows {
		numbers = append(numbers, rows[i].Phone)
		if rows[i].ContactID != "" {
			ids = append(ids, rows[i].ContactID)
		} else {
			strangers = append(strangers, rows[i].Phone)
		}
	}
	if err := m.people.foresee(ctx, m.st.Acquaintances, in, ids, strangers); err != nil {
		return err
	}
	if err := m.suppressed.foresee(ctx, in, numbers); err != nil || !enforced(c) {
		return err
	}
	return m.tries.foresee(ctx, in, numbers, now.Add(-remembered))
}

// foreseen is what was found of some keys of a scope, all of which were asked for.
type foreseen[K comparable, V any] struct {
	in    domain.Scope
	asked map[K]bool
	found map[K]V
}

func newForeseen[K comparable, V any](in domain.Scope, keys []K) foreseen[K, V] {
	f := foreseen[K, V]{in: in, asked: make(map[K]bool, len(keys)), found: make(map[K]V)}
	for _, key := range keys {
		f.asked[key] = true
	}
	return f
}

// of returns what was found of a key, and whether it was. known is false for a key
// that was not asked for.
func (f *foreseen[K, V]) of(in domain.Scope, key K) (v V, found, known bool) {
	if f.in != in || !f.asked[key] {
		return v, false, false
	}
	v, found = f.found[key]
	return v, found, true
}

// suppressed knows which of some numbers are on the do-not-call list.
type suppressed struct {
	domain.Suppressions
	seen foreseen[string, domain.Suppression]
}

func (s *suppressed) foresee(ctx context.Context, in domain.Scope, numbers []string) error {
	// Get, which has nobody change the list from now on; Among does not.
	if _, err := s.Suppressions.Get(ctx, in, numbers[0]); err != nil && domain.CodeOf(err) != domain.CodeNotFound {
		return err
	}
	entries, err := s.Among(ctx, in, numbers)
	if err != nil {
		return err
	}
	s.seen = newForeseen[string, domain.Suppression](in, numbers)
	for _, entry := range entries {
		s.seen.found[entry.Number] = entry
	}
	return nil
}

func (s *suppressed) Get(ctx context.Context, in domain.Scope, number string) (*domain.Suppression, error) {
	switch entry, listed, known := s.seen.of(in, number); {
	case listed:
		return &entry, nil
	case known:
		return nil, domain.Errorf(domain.CodeNotFound, "The number %s is not on the do-not-call list", number)
	}
	return s.Suppressions.Get(ctx, in, number)
}

// tries knows when some numbers were dialed.
type tries struct {
	domain.Tries
	since time.Time
	seen  foreseen[string, []time.Time]
}

func (t *tries) foresee(ctx context.Context, in domain.Scope, numbers []string, since time.Time) (err error) {
	t.since, t.seen = since, newForeseen[string, []time.Time](in, numbers)
	t.seen.found, err = t.Among(ctx, in, numbers, since)
	return err
}

func (t *tries) Tried(ctx context.Context, in domain.Scope, number string, since time.Time) ([]time.Time, error) {
	tried, _, known := t.seen.of(in, number)
	if !known || since.Before(t.since) {
		return t.Tries.Tried(ctx, in, number, since)
	}
	for len(tried) > 0 && !tried[0].After(since) {
		tried = tried[1:]
	}
	return tried, nil
}

// acquainted knows some of the workspace's contacts.
type acquainted struct {
	domain.Contacts
	byID     foreseen[domain.ID, domain.Contact]
	byNumber foreseen[string, domain.ID]
}

func (a *acquainted) foresee(ctx context.Context, from domain.Acquaintances, in domain.Scope, ids []domain.ID, numbers []string) (err error) {
	a.byID, a.byNumber = newForeseen[domain.ID, domain.Contact](in, ids), newForeseen[string, domain.ID](in, numbers)
	a.byID.found, a.byNumber.found, err = from.Find(ctx, in, ids, numbers)
	return err
}

func (a *acquainted) Get(ctx context.Context, in domain.Scope, id domain.ID) (*domain.Contact, error) {
	if c, found, _ := a.byID.of(in, id); found {
		return &c, nil
	}
	return a.Contacts.Get(ctx, in, id)
}

func (a *acquainted) ByNumber(ctx context.Context, in domain.Scope, number string) (*domain.Contact, error) {
	id, found, known := a.byNumber.of(in, number)
	if !known {
		return a.Contacts.ByNumber(ctx, in, number)
	}
	if c := a.byID.found[id]; found {
		return &c, nil
	}
	return nil, domain.Errorf(domain.CodeNotFound, "Contact with the number %s not found", number)
}
