package storetest

import (
	"context"
	"maps"
	"sync"
	"testing"

	"github.com/callwright/callwright/internal/domain"
)

// tallies adds up days of two campaigns and of all calls, each scope by itself,
// whoever adds at once; a campaign that is deleted takes its days along.
func tallies(t *testing.T, b *bench) {
	in, other := domain.Scope{Workspace: domain.NewID(), Mode: domain.Live}, domain.Scope{Workspace: domain.NewID(), Mode: domain.Live}
	test := domain.Scope{Workspace: in.Workspace, Mode: domain.Test}
	one, two := campaignOf(in, domain.NewID(), clock(), 1), domain.NewID()
	b.write(func(ctx context.Context, s *domain.Stores) error { return s.Campaigns.Create(ctx, &one) })
	add := func(in domain.Scope, campaign domain.ID, day domain.Day, gain domain.Tally) {
		b.write(func(ctx context.Context, s *domain.Stores) error {
			return s.Tallies.Add(ctx, in, campaign, day, domain.NewID(), gain)
		})
	}
	const most = 24
	var all sync.WaitGroup
	for range most {
		all.Go(func() {
			add(in, one.ID, "2026-11-02", domain.Tally{Answered: 2, Abandoned: 1, Spent: 3})
			add(in, "", "2026-11-02", domain.Tally{Spent: 5})
		})
	}
	all.Wait()
	add(in, one.ID, "2026-10-31", domain.Tally{Answered: 7})
	add(in, one.ID, "2026-11-03", domain.Tally{Abandoned: 1, Spent: domain.MaxMoney})
	add(in, two, "2026-11-03", domain.Tally{Answered: 1})
	add(in, two, "2026-11-03", domain.Tally{})
	add(test, "", "2026-11-02", domain.Tally{Spent: 1})
	add(other, one.ID, "2026-11-02", domain.Tally{Answered: 1})
	sums := func(in domain.Scope, since domain.Day, want map[domain.ID]domain.Tally, campaigns ...domain.ID) {
		t.Helper()
		b.write(func(ctx context.Context, s *domain.Stores) error {
			got, err := s.Tallies.Since(ctx, in, since, campaigns...)
			if err == nil && !maps.Equal(got, want) {
				t.Errorf("since %s: %+v, want %+v", since, got, want)
			}
			return err
		})
	}
	two0, day3 := domain.Tally{Answered: 1}, domain.Tally{Abandoned: 1, Spent: domain.MaxMoney}
	sums(in, "2026-11-03", map[domain.ID]domain.Tally{one.ID: day3, two: two0}, one.ID, two)
	sums(in, "2026-11-01", map[domain.ID]domain.Tally{one.ID: {Answered: 2 * most, Abandoned: most + 1, Spent: 3*most + domain.MaxMoney}}, one.ID)
	sums(in, "2026-10-01", map[domain.ID]domain.Tally{one.ID: {Answered: 2*most + 7, Abandoned: most + 1, Spent: 3*most + domain.MaxMoney}}, one.ID)
	sums(in, "2026-11-02", map[domain.ID]domain.Tally{"": {Spent: 5 * most}}, "")
	sums(test, "2026-11-02", map[domain.ID]domain.Tally{"": {Spent: 1}}, "", one.ID)
	sums(in, "2026-11-04", map[domain.ID]domain.Tally{}, "", one.ID, two)
	sums(in, "2026-10-01", map[domain.ID]domain.Tally{})
	b.write(func(ctx context.Context, s *domain.Stores) error { return s.Campaigns.Delete(ctx, in, one.ID) })
	sums(in, "2026-10-01", map[domain.ID]domain.Tally{two: two0}, one.ID, two)
}
