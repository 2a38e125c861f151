package outreach

import (
	"context"

	"github.com/callwright/callwright/internal/domain"
)

// Remembering returns stores that read what all calls of a campaign have in
// common once: for one transaction, which changes none of it.
func Remembering(st *domain.Stores) *domain.Stores {
	with := *st
	with.Agents = &agents{Agents: st.Agents, seen: make(recall[scoped[domain.ID], *domain.Agent])}
	with.Flows = &flows{Flows: st.Flows, seen: make(recall[scoped[domain.ID], *domain.Flow]), versions: make(recall[scoped[version], *domain.Flow])}
	with.Trunks = &trunks{Trunks: st.Trunks, seen: make(recall[scoped[domain.ID], *domain.Trunk])}
	with.Numbers = &numbers{
		PhoneNumbers: st.Numbers, seen: make(recall[scoped[domain.ID], *domain.PhoneNumber]),
		named: make(recall[scoped[string], *domain.PhoneNumber]), pages: make(recall[scoped[domain.Page], []domain.PhoneNumber]),
	}
	with.Business = &business{BusinessContext: st.Business, seen: make(recall[domain.Scope, map[string]any])}
	with.Tallies = &tallies{Tallies: st.Tallies, seen: make(recall[scoped[daysAsked], map[domain.ID]domain.Tally])}
	return &with
}

// memory is what the transaction of a plan has read of its contacts, of all of them
// at once, and what it is to store in the end.
type memory struct {
	st         *domain.Stores
	people     *acquainted
	suppressed *suppressed
	tries      *tries

	calls      *placed
	attempts   *attempts
	usage      *usage
	recipients *recipients
}

// memorizing is Remembering for a plan of a campaign whose counts were read. What
// is created, and what becomes of contacts, is stored by the memory.
func memorizing(st *domain.Stores, campaign domain.ID, counts domain.CampaignCounts) (*domain.Stores, *memory) {
	with := Remembering(st)
	m := &memory{
		st: st, people: &acquainted{Contacts: st.Contacts}, suppressed: &suppressed{Suppressions: st.Suppressed}, tries: &tries{Tries: st.Tries},
		calls: &placed{Calls: st.Calls}, attempts: &attempts{Attempts: st.Attempts}, recipients: &recipients{Recipients: st.Recipients},
		usage: &usage{Usages: st.Usage, sums: make(map[domain.Usage]domain.UsageCounts)},
	}
	with.Campaigns = &campaigns{Campaigns: st.Campaigns, id: campaign, counts: counts}
	with.Suppressed, with.Contacts, with.Tries = m.suppressed, m.people, m.tries
	with.Calls, with.Attempts, with.Usage, with.Recipients = m.calls, m.attempts, m.usage, m.recipients
	return with, m
}

// recall is what was read before, by what was asked for.
type recall[K comparable, V any] map[K]V

// get returns what was read before, or reads it.
func (r recall[K, V]) get(asked K, read func() (V, error)) (V, error) {
	if v, known := r[asked]; known {
		return v, nil
	}
	v, err := read()
	if err == nil {
		r[asked] = v
	}
	return v, err
}

// scoped is what is asked for in a scope.
type scoped[K comparable] struct {
	in domain.Scope
	of K
}

// copied returns a copy, so that whoever changes it changes nobody else's.
func copied[T any](v *T, err error) (*T, error) {
	if err != nil {
		return nil, err
	}
	own := *v
	return &own, nil
}

type agents struct {
	domain.Agents
	seen recall[scoped[domain.ID], *domain.Agent]
}

func (a *agents) Get(ctx context.Context, in domain.Scope, id domain.ID) (*domain.Agent, error) {
	return copied(a.seen.get(scoped[domain.ID]{in, id}, func() (*domain.Agent, error) { return a.Agents.Get(ctx, in, id) }))
}

type version struct {
	flow   domain.ID
	number int64
}

type flows struct {
	domain.Flows
	seen     recall[scoped[domain.ID], *domain.Flow]
	versions recall[scoped[version], *domain.Flow]
}

func (f *flows) Version(ctx context.Context, in domain.Scope, id domain.ID, number int64) (*domain.Flow, error) {
	return copied(f.versions.get(scoped[version]{in, version{id, number}}, func() (*domain.Flow, error) { return f.Flows.Version(ctx, in, id, number) }))
}

func (f *flows) Get(ctx context.Context, in domain.Scope, id domain.ID) (*domain.Flow, error) {
	return copied(f.seen.get(scoped[domain.ID]{in, id}, func() (*domain.Flow, error) { return f.Flows.Get(ctx, in, id) }))
}

type trunks struct {
	domain.Trunks
	seen recall[scoped[domain.ID], *domain.Trunk]
}

func (t *trunks) Get(ctx context.Context, in domain.Scope, id domain.ID) (*domain.Trunk, error) {
	return copied(t.seen.get(scoped[domain.ID]{in, id}, func() (*domain.Trunk, error) { return t.Trunks.Get(ctx, in, id) }))
}

type numbers struct {
	domain.PhoneNumbers
	seen  recall[scoped[domain.ID], *domain.PhoneNumber]
	named recall[scoped[string], *domain.PhoneNumber]
	pages recall[scoped[domain.Page], []domain.PhoneNumber]
}

func (n *numbers) Get(ctx context.Context, in domain.Scope, id domain.ID) (*domain.PhoneNumber, error) {
	return copied(n.seen.get(scoped[domain.ID]{in, id}, func() (*domain.PhoneNumber, error) { return n.PhoneNumbers.Get(ctx, in, id) }))
}

func (n *numbers) ByNumber(ctx context.Context, in domain.Scope, number string) (*domain.PhoneNumber, error) {
	return copied(n.named.get(scoped[string]{in, number}, func() (*domain.PhoneNumber, error) { return n.PhoneNumbers.ByNumber(ctx, in, number) }))
}

func (n *numbers) List(ctx context.Context, in domain.Scope, page domain.Page) ([]domain.PhoneNumber, error) {
	return n.pages.get(scoped[domain.Page]{in, page}, func() ([]domain.PhoneNumber, error) { return n.PhoneNumbers.List(ctx, in, page) })
}

type business struct {
	domain.BusinessContext
	seen recall[domain.Scope, map[string]any]
}

func (b *business) Values(ctx context.Context, in domain.Scope) (map[string]any, error) {
	return b.seen.get(in, func() (map[string]any, error) { return b.BusinessContext.Values(ctx, in) })
}

type campaigns struct {
	domain.Campaigns
	id     domain.ID
	counts domain.CampaignCounts
}

func (c *campaigns) Counts(ctx context.Context, ids ...domain.ID) (map[domain.ID]domain.CampaignCounts, error) {
	if len(ids) != 1 || ids[0] != c.id {
		return c.Campaigns.Counts(ctx, ids...)
	}
	return map[domain.ID]domain.CampaignCounts{c.id: c.counts}, nil
}

type daysAsked struct {
	day      domain.Day
	campaign domain.ID
}

type tallies struct {
	domain.Tallies
	seen recall[scoped[daysAsked], map[domain.ID]domain.Tally]
}

func (t *tallies) Since(ctx context.Context, in domain.Scope, day domain.Day, ids ...domain.ID) (map[domain.ID]domain.Tally, error) {
	read := func() (map[domain.ID]domain.Tally, error) { return t.Tallies.Since(ctx, in, day, ids...) }
	if len(ids) != 1 {
		return read()
	}
	return t.seen.get(scoped[daysAsked]{in, daysAsked{day, ids[0]}}, read)
}
