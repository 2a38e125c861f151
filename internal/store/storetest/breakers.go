package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// breakers keeps what is known of two trunks.
func breakers(_ *testing.T, b *bench) {
	at := time.Date(2026, 2, 3, 4, 5, 6, 7000, time.UTC)
	one := domain.Breaker{
		TrunkID: domain.NewID(), WorkspaceID: domain.NewID(), Mode: domain.Live, Failed: 10,
		AliveAt: at, OpenedAt: at.Add(time.Minute), OpenUntil: at.Add(2 * time.Minute),
	}
	two := domain.Breaker{TrunkID: domain.NewID(), WorkspaceID: one.WorkspaceID, Mode: domain.Test, AliveAt: at}
	is := func(want domain.Breaker, look func(context.Context, *domain.Stores) (domain.Breaker, error)) {
		b.Helper()
		b.write(func(ctx context.Context, s *domain.Stores) error {
			got, err := look(ctx, s)
			if err == nil && got != want {
				b.Errorf("got %+v, want %+v", got, want)
			}
			return err
		})
	}
	looked := func(id domain.ID) func(context.Context, *domain.Stores) (domain.Breaker, error) {
		return func(ctx context.Context, s *domain.Stores) (domain.Breaker, error) { return s.Breakers.Look(ctx, id) }
	}
	is(domain.Breaker{}, looked(one.TrunkID))
	for _, put := range []domain.Breaker{one, two} {
		b.write(func(ctx context.Context, s *domain.Stores) error { return s.Breakers.Put(ctx, put) })
		is(put, looked(put.TrunkID))
	}
	one.Failed, one.AliveAt, one.OpenedAt, one.OpenUntil = 0, at.Add(time.Hour), time.Time{}, time.Time{}
	b.write(func(ctx context.Context, s *domain.Stores) error { return s.Breakers.Put(ctx, one) })
	is(one, func(ctx context.Context, s *domain.Stores) (domain.Breaker, error) {
		return s.Breakers.Hold(ctx, one.TrunkID)
	})
	is(two, looked(two.TrunkID))
}
