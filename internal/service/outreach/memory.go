package outreach

import (
	"context"

	"github.com/callwright/callwright/internal/domain"
)

// Remembering returns stores that read what all calls of a campaign have in
// common once: for one transaction, which changes none of it.
func Remembering(st *domain.Stores) *domain.Stores {
	with := *st
	with.Workspaces = &workspaces{Workspaces: st.Workspaces, seen: make(recall[domain.Workspace])}
	with.Agents = &agents{Agents: st.Agents, seen: make(recall[domain.Agent])}
	with.Flows = &flows{Flows: st.Flows, seen: make(recall[domain.Flow]), versions: make(map[version]domain.Flow)}
	with.Trunks = &trunks{Trunks: st.Trunks, seen: make(recall[domain.Trunk])}
	with.Numbers = &numbers{PhoneNumbers: st.Numbers, seen: make(recall[domain.PhoneNumber]), pages: make(map[numbersAsked][]domain.PhoneNumber)}
	with.Business = &business{BusinessContext: st.Business, seen: make(map[domain.Scope]map[string]any)}
	with.Usage = &usage{Usages: st.Usage, sums: make(map[domain.Usage]domain.UsageCounts)}
	return &with
}

// used stores what was counted meanwhile.
func used(ctx context.Context, st *domain.Stores) error {
	u, ok := st.Usage.(*usage)
	if !ok {
		return nil
	}
	var sums []domain.Usage
	for of, counts := range u.sums {
		of.UsageCounts = counts
		sums = append(sums, of)
	}
	clear(u.sums)
	if len(sums) == 0 {
		return nil
	}
	return u.Usages.Add(ctx, sums...)
}

// usage adds up, until used is called.
type usage struct {
	domain.Usages
	sums map[domain.Usage]domain.UsageCounts // by all but the counts
}

func (u *usage) Add(_ context.Context, all ...domain.Usage) error {
	for _, of := range all {
		counts := of.UsageCounts
		of.UsageCounts = domain.UsageCounts{}
		sum := u.sums[of]
		sum.Add(counts)
		u.sums[of] = sum
	}
	return nil
}

// recall is what was read before.
type recall[T any] map[domain.ID]T

// get returns a copy of what was read before, or reads it.
func (r recall[T]) get(id domain.ID, read func() (*T, error)) (*T, error) {
	if v, known := r[id]; known {
		return &v, nil
	}
	v, err := read()
	if err == nil {
		r[id] = *v
	}
	return v, err
}

type workspaces struct {
	domain.Workspaces
	seen recall[domain.Workspace]
}

func (w *workspaces) Get(ctx context.Context, id domain.ID) (*domain.Workspace, error) {
	return w.seen.get(id, func() (*domain.Workspace, error) { return w.Workspaces.Get(ctx, id) })
}

type agents struct {
	domain.Agents
	seen recall[domain.Agent]
}

func (a *agents) Get(ctx context.Context, in domain.Scope, id domain.ID) (*domain.Agent, error) {
	return a.seen.get(id, func() (*domain.Agent, error) { return a.Agents.Get(ctx, in, id) })
}

type version struct {
	flow   domain.ID
	number int64
}

type flows struct {
	domain.Flows
	seen     recall[domain.Flow]
	versions map[version]domain.Flow
}

func (f *flows) Version(ctx context.Context, in domain.Scope, id domain.ID, number int64) (*domain.Flow, error) {
	if v, known := f.versions[version{id, number}]; known {
		return &v, nil
	}
	v, err := f.Flows.Version(ctx, in, id, number)
	if err == nil {
		f.versions[version{id, number}] = *v
	}
	return v, err
}

func (f *flows) Get(ctx context.Context, in domain.Scope, id domain.ID) (*domain.Flow, error) {
	return f.seen.get(id, func() (*domain.Flow, error) { return f.Flows.Get(ctx, in, id) })
}

type trunks struct {
	domain.Trunks
	seen recall[domain.Trunk]
}

func (t *trunks) Get(ctx context.Context, in domain.Scope, id domain.ID) (*domain.Trunk, error) {
	return t.seen.get(id, func() (*domain.Trunk, error) { return t.Trunks.Get(ctx, in, id) })
}

type numbersAsked struct {
	in   domain.Scope
	page domain.Page
}

type numbers struct {
	domain.PhoneNumbers
	seen  recall[domain.PhoneNumber]
	pages map[numbersAsked][]domain.PhoneNumber
}

func (n *numbers) Get(ctx context.Context, in domain.Scope, id domain.ID) (*domain.PhoneNumber, error) {
	return n.seen.get(id, func() (*domain.PhoneNumber, error) { return n.PhoneNumbers.Get(ctx, in, id) })
}

func (n *numbers) List(ctx context.Context, in domain.Scope, page domain.Page) ([]domain.PhoneNumber, error) {
	asked := numbersAsked{in, page}
	if rows, known := n.pages[asked]; known {
		return rows, nil
	}
	rows, err := n.PhoneNumbers.List(ctx, in, page)
	if err == nil {
		n.pages[asked] = rows
	}
	return rows, err
}

type business struct {
	domain.BusinessContext
	seen map[domain.Scope]map[string]any
}

func (b *business) Values(ctx context.Context, in domain.Scope) (map[string]any, error) {
	if values, known := b.seen[in]; known {
		return values, nil
	}
	values, err := b.BusinessContext.Values(ctx, in)
	if err == nil {
		b.seen[in] = values
	}
	return values, err
}
