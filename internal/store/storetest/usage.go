package storetest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// credits proves that a workspace's settings are fenced by its version, that its
// credits are not, and that no charge gets lost.
func credits(_ *testing.T, b *bench) {
	w := domain.Workspace{ID: domain.NewID(), Name: "W", Plan: domain.Starter, Timezone: "UTC", Version: 1, CreatedAt: clock()}
	free := w
	free.ID = domain.NewID()
	b.write(func(ctx context.Context, s *domain.Stores) error {
		one, two := w, free
		return first(s.Workspaces.Create(ctx, &one), s.Workspaces.Create(ctx, &two))
	})
	left := func(id domain.ID) string {
		var got *domain.Workspace
		b.read(func(ctx context.Context, s *domain.Stores) (err error) {
			got, err = s.Workspaces.Get(ctx, id)
			return err
		})
		if got.Credits == nil {
			return "none"
		}
		return fmt.Sprint(*got.Credits)
	}
	b.same(left(w.ID), "none")
	b.write(func(ctx context.Context, s *domain.Stores) error {
		return s.Workspaces.SetCredits(ctx, w.ID, new(domain.Money(100)))
	})
	changed := w
	changed.Plan, changed.PricePerMinute, changed.Name, changed.UpdatedAt = domain.Business, 120_000, "W2", clock()
	b.write(func(ctx context.Context, s *domain.Stores) error {
		row := changed
		err := s.Workspaces.Update(ctx, &row)
		b.same(row.Version, 2)
		return err
	})
	b.same(left(w.ID), "100")
	b.wantCode(b.try(func(ctx context.Context, s *domain.Stores) error {
		row := changed
		return s.Workspaces.Update(ctx, &row)
	}), domain.CodePrecondition, "version 2")
	b.wantCode(b.try(func(ctx context.Context, s *domain.Stores) error {
		return s.Workspaces.Update(ctx, &domain.Workspace{ID: "nobody", Version: 1})
	}), domain.CodeNotFound, "nobody")
	const many = 40
	var wg sync.WaitGroup
	for range many {
		wg.Go(func() {
			err := b.try(func(ctx context.Context, s *domain.Stores) error {
				return first(s.Workspaces.Charge(ctx, w.ID, 3), s.Workspaces.Charge(ctx, free.ID, 3))
			})
			if err != nil {
				b.Error(err)
			}
		})
	}
	wg.Wait()
	b.same(left(w.ID), fmt.Sprint(100-3*many))
	b.same(left(free.ID), "none")
	b.write(func(ctx context.Context, s *domain.Stores) error { return s.Workspaces.SetCredits(ctx, w.ID, nil) })
	b.same(left(w.ID), "none")
	b.read(func(ctx context.Context, s *domain.Stores) error {
		got, err := s.Workspaces.Get(ctx, w.ID)
		changed.Version = 2
		b.same(*got, changed)
		return err
	})
}

// keyTraces proves that addresses and failures add up, that old addresses are
// forgotten, and that all of it goes with its key.
func keyTraces(_ *testing.T, b *bench) {
	at := clock()
	key := domain.Key{ID: domain.NewID(), WorkspaceID: domain.NewID(), Mode: domain.Live, CreatedAt: at}
	other := domain.NewID()
	b.write(func(ctx context.Context, s *domain.Stores) error {
		k := key
		return s.Keys.Create(ctx, &k)
	})
	seen := func(id domain.ID, address string, firstAt, lastAt time.Duration) domain.KeyAddress {
		return domain.KeyAddress{KeyID: id, Address: address, FirstAt: at.Add(firstAt), LastAt: at.Add(lastAt)}
	}
	var many []domain.KeyAddress
	for i := range domain.MaxKeyAddresses {
		many = append(many, seen(key.ID, fmt.Sprintf("10.0.0.%d", i), time.Duration(i)*time.Minute, time.Duration(i)*time.Minute))
	}
	b.write(func(ctx context.Context, s *domain.Stores) error {
		return first(s.KeyTraces.Seen(ctx, many...), s.KeyTraces.Seen(ctx, seen(other, "::1", 0, 0)))
	})
	// The oldest comes back, late news are no news, and a new one drives the then oldest out.
	b.write(func(ctx context.Context, s *domain.Stores) error {
		return s.KeyTraces.Seen(ctx, seen(key.ID, "10.0.0.0", time.Hour, time.Hour), seen(key.ID, "10.0.0.5", 0, 0), seen(key.ID, "2001:db8::1", 2*time.Hour, 2*time.Hour))
	})
	b.write(func(ctx context.Context, s *domain.Stores) error {
		return first(
			s.KeyTraces.Failed(ctx, domain.KeyFailure{KeyID: key.ID, Fault: domain.FaultScope, Count: 2, LastAt: at.Add(time.Hour), LastAddress: "10.0.0.1"}),
			s.KeyTraces.Failed(ctx, domain.KeyFailure{KeyID: key.ID, Fault: domain.FaultScope, Count: 3, LastAt: at, LastAddress: "10.0.0.2"},
				domain.KeyFailure{KeyID: key.ID, Fault: domain.FaultAddress, Count: 1, LastAt: at, LastAddress: "10.0.0.3"}))
	})
	of := func(id domain.ID) (trace domain.KeyTrace) {
		b.read(func(ctx context.Context, s *domain.Stores) error {
			got, err := s.KeyTraces.Of(ctx, id)
			if err == nil {
				trace = *got
			}
			return err
		})
		return trace
	}
	got := of(key.ID)
	b.same(len(got.Addresses), domain.MaxKeyAddresses)
	b.same(got.Addresses[:3], []domain.KeyAddress{
		seen(key.ID, "2001:db8::1", 2*time.Hour, 2*time.Hour), seen(key.ID, "10.0.0.0", 0, time.Hour),
		seen(key.ID, "10.0.0.19", 19*time.Minute, 19*time.Minute),
	})
	b.same(got.Addresses[domain.MaxKeyAddresses-1].Address, "10.0.0.2")
	b.same(got.Failures, []domain.KeyFailure{
		{KeyID: key.ID, Fault: domain.FaultAddress, Count: 1, LastAt: at, LastAddress: "10.0.0.3"},
		{KeyID: key.ID, Fault: domain.FaultScope, Count: 5, LastAt: at.Add(time.Hour), LastAddress: "10.0.0.1"},
	})
	b.wantCode(b.try(func(ctx context.Context, s *domain.Stores) error { return s.Keys.Delete(ctx, other, key.ID) }), domain.CodeNotFound, string(key.ID))
	b.write(func(ctx context.Context, s *domain.Stores) error { return s.Keys.Delete(ctx, key.WorkspaceID, key.ID) })
	b.same(of(key.ID), domain.KeyTrace{})
	b.same(len(of(other).Addresses), 1)
}

// usage proves that what is added at once by many counts, before and after it is
// folded, and stays within its scope.
func usage(_ *testing.T, b *bench) {
	in, others := scopes()
	const key = domain.ID("k1")
	add := func(in domain.Scope, key domain.ID, day domain.Day, c domain.UsageCounts) domain.Usage {
		return domain.Usage{WorkspaceID: in.Workspace, Mode: in.Mode, KeyID: key, Day: day, UsageCounts: c}
	}
	one := domain.UsageCounts{Requests: 4, Successes: 1, Redirects: 1, ClientErrors: 1, ServerErrors: 1, Calls: 1, Seconds: 61, Cost: 1_000_000_000_000, Messages: 2, Segments: 5}
	report := func(f domain.UsageFilter, page domain.Page) (rows []domain.Usage, total int, days []domain.Usage) {
		b.read(func(ctx context.Context, s *domain.Stores) (err error) {
			if rows, total, err = s.Usage.List(ctx, in, f, page); err != nil {
				return err
			}
			days, err = s.Usage.Days(ctx, in, f)
			return err
		})
		return rows, total, days
	}
	const many = 30
	var wg sync.WaitGroup
	for range many {
		wg.Go(func() {
			err := b.try(func(ctx context.Context, s *domain.Stores) error {
				return s.Usage.Add(ctx, add(in, key, "2025-02-01", one), add(in, "", "2025-02-01", domain.UsageCounts{Calls: 1}),
					add(in, key, "2025-02-02", one), add(others[0], key, "2025-02-01", one), add(others[1], key, "2025-02-01", one))
			})
			if err != nil {
				b.Error(err)
			}
		})
	}
	wg.Wait()
	sum := domain.UsageCounts{Requests: 4 * many, Successes: many, Redirects: many, ClientErrors: many, ServerErrors: many, Calls: many, Seconds: 61 * many, Cost: many * one.Cost, Messages: 2 * many, Segments: 5 * many}
	day := sum
	day.Calls += many
	all := domain.UsageFilter{From: "2025-01-01", To: "2025-12-31"}
	check := func() {
		b.Helper()
		rows, total, days := report(all, domain.Page{Limit: 50})
		b.same(rows, []domain.Usage{add(in, key, "2025-02-02", sum), add(in, "", "2025-02-01", domain.UsageCounts{Calls: many}), add(in, key, "2025-02-01", sum)})
		b.same(total, 3)
		b.same(days, []domain.Usage{add(in, "", "2025-02-02", sum), add(in, "", "2025-02-01", day)})
		rows, total, _ = report(all, domain.Page{Limit: 1, Offset: 1})
		b.same(rows, []domain.Usage{add(in, "", "2025-02-01", domain.UsageCounts{Calls: many})})
		b.same(total, 3)
		rows, _, days = report(domain.UsageFilter{From: "2025-02-01", To: "2025-02-01", KeyID: key}, domain.Page{Limit: 50})
		b.same(rows, []domain.Usage{add(in, key, "2025-02-01", sum)})
		b.same(days, []domain.Usage{add(in, "", "2025-02-01", sum)})
		rows, total, days = report(domain.UsageFilter{From: "2025-02-03", To: "2025-12-31"}, domain.Page{Limit: 50})
		b.same([]int{len(rows), total, len(days)}, []int{0, 0, 0})
	}
	check()
	folded := 0
	for _, limit := range []int{7, 100, 1000} { // what is left is read with what is folded
		folded += b.fold(3, limit)
		check()
	}
	b.same(folded, 5*many)
	// What is folded is added to.
	b.write(func(ctx context.Context, s *domain.Stores) error {
		return s.Usage.Add(ctx, add(in, key, "2025-02-02", one))
	})
	sum.Add(one)
	for range 2 {
		rows, _, _ := report(all, domain.Page{Limit: 1})
		b.same(rows, []domain.Usage{add(in, key, "2025-02-02", sum)})
		b.fold(1, 10)
	}
}

// fold has several fold usage at once and returns how much they did.
func (b *bench) fold(several, limit int) (folded int) {
	b.Helper()
	var wg sync.WaitGroup
	var mu sync.Mutex
	for range several {
		wg.Go(func() {
			n := 0
			err := b.try(func(ctx context.Context, s *domain.Stores) (err error) {
				n, err = s.Usage.Fold(ctx, limit)
				return err
			})
			mu.Lock()
			defer mu.Unlock()
			if folded += n; err != nil {
				b.Error(err)
			}
		})
	}
	wg.Wait()
	return folded
}
