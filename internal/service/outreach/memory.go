package outreach

import (
	"context"

	"github.com/callwright/callwright/internal/domain"
)

// Remembering returns stores that read what all calls of a campaign have in
// common once: for one transaction, which changes none of it.
func Remembering(st *domain.Stores) *domain.Stores {
	with := *st
	with.Agents = &agents{Agents: st.Agents, seen: make(recall[domain.Agent])}
	with.Flows = &flows{Flows: st.Flows, seen: make(recall[domain.Flow]), versions: make(map[version]domain.Flow)}
	with.Trunks = &trunks{Trunks: st.Trunks, seen: make(recall[domain.Trunk])}
	with.Numbers = &numbers{
		PhoneNumbers: st.Numbers, seen: make(recall[domain.PhoneNumber]),
		pages: make(map[numbersAsked][]domain.PhoneNumber), named: make(map[numberNamed]domain.PhoneNumber),
	}
	with.Business = &business{BusinessContext: st.Business, seen: make(map[domain.Scope]map[string]any)}
	with.Tallies = &tallies{Tallies: st.Tallies, seen: make(map[daysAsked]map[domain.ID]domain.Tally)}
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

type numberNamed struct {
	in     domain.Scope
	number string
}

type numbers struct {
	domain.PhoneNumbers
	seen  recall[domain.PhoneNumber]
	pages map[numbersAsked][]domain.PhoneNumber
	named map[numberNamed]domain.PhoneNumber
}

func (n *numbers) ByNumber(ctx context.Context, in domain.Scope, number string) (*domain.PhoneNumber, error) {
	asked := numberNamed{in, number}
	if own, known := n.named[asked]; known {
		return &own, nil
	}
	own, err := n.PhoneNumbers.ByNumber(ctx, in, number)
	if err == nil {
		n.named[asked] = *own
	}
	return own, err
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
	in       domain.Scope
	day      domain.Day
	campaign domain.ID
}

type tallies struct {
	domain.Tallies
	seen map[daysAsked]map[domain.ID]domain.Tally
}

func (t *tallies) Since(ctx context.Context, in domain.Scope, day domain.Day, ids ...domain.ID) (map[domain.ID]domain.Tally, error) {
	if len(ids) != 1 {
		return t.Tallies.Since(ctx, in, day, ids...)
	}
	asked := daysAsked{in, day, ids[0]}
	if days, known := t.seen[asked]; known {
		return days, nil
	}
	days, err := t.Tallies.Since(ctx, in, day, ids...)
	if err == nil {
		t.seen[asked] = days
	}
	return days, err
}
