package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

func uptimes(_ *testing.T, b *bench) {
	now := clock()
	today := now.Truncate(24 * time.Hour)
	day := func(c domain.Component, ago, good, bad int) domain.UptimeDay {
		return domain.UptimeDay{Component: c, Day: today.AddDate(0, 0, -ago), Good: good, Bad: bad, CheckedAt: now.AddDate(0, 0, -ago)}
	}
	b.write(func(ctx context.Context, s *domain.Stores) error {
		return s.Uptimes.Add(ctx, day("calls", 0, 1, 0), day("api", 0, 2, 1), day("api", 3, 7, 0), day("api", 1, 5, 0))
	})
	late := day("api", 0, 1, 1)
	late.CheckedAt = now.Add(-time.Minute) // of a process that waited for the database
	b.write(func(ctx context.Context, s *domain.Stores) error { return s.Uptimes.Add(ctx, late) })
	b.read(func(ctx context.Context, s *domain.Stores) error {
		got, err := s.Uptimes.Days(ctx, today.AddDate(0, 0, -1))
		b.same(got, []domain.UptimeDay{day("api", 1, 5, 0), day("api", 0, 3, 2), day("calls", 0, 1, 0)})
		return err
	})

	incident := func(c domain.Component, opened, closed time.Time) domain.Incident {
		return domain.Incident{ID: domain.NewID(), Component: c, OpenedAt: opened, SeenAt: opened, ClosedAt: closed}
	}
	old := incident("api", now.Add(-50*time.Hour), now.Add(-49*time.Hour))
	first := incident("api", now.Add(-2*time.Hour), time.Time{})
	other := incident("calls", now.Add(-time.Hour), time.Time{})
	open := func(i domain.Incident) error {
		return b.try(func(ctx context.Context, s *domain.Stores) error { return s.Uptimes.Open(ctx, &i) })
	}
	for _, i := range []domain.Incident{old, first, other} {
		if err := open(i); err != nil {
			b.Fatal(err)
		}
	}
	b.wantCode(open(incident("api", now, time.Time{})), domain.CodeConflict, "An incident of api is open already")
	first.SeenAt, first.ClosedAt = now.Add(-time.Minute), now
	b.write(func(ctx context.Context, s *domain.Stores) error { return s.Uptimes.Save(ctx, &first) })
	again := incident("api", now, time.Time{})
	if err := open(again); err != nil {
		b.Fatal(err)
	}
	list := func(limit int, want ...domain.Incident) {
		b.Helper()
		b.read(func(ctx context.Context, s *domain.Stores) error {
			got, err := s.Uptimes.Incidents(ctx, limit)
			b.same(got, want)
			return err
		})
	}
	list(3, again, other, first)
	prune := func(since time.Time, keep int) {
		b.write(func(ctx context.Context, s *domain.Stores) error { return s.Uptimes.Prune(ctx, since, keep) })
	}
	prune(today.AddDate(0, 0, -1), 9)
	list(9, again, other, first)
	prune(today, 1) // first has ended and is not the latest; other lasts
	list(9, again, other)
	b.read(func(ctx context.Context, s *domain.Stores) error {
		got, err := s.Uptimes.Days(ctx, time.Time{})
		b.same(len(got), 2)
		return err
	})
	b.wantCode(b.try(func(ctx context.Context, s *domain.Stores) error { return s.Uptimes.Save(ctx, &first) }), domain.CodeNotFound, string(first.ID))
}
