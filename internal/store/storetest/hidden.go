package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// deliveriesHidden proves that what waits for other endpoints is found behind
// however many deliveries wait for those that are busy.
func deliveriesHidden(_ *testing.T, b *bench) {
	in, _ := scopes()
	now := clock()
	busy := []domain.ID{domain.NewID(), domain.NewID()}
	put := func(to domain.ID, n int, at time.Time) {
		b.Helper()
		b.write(func(ctx context.Context, s *domain.Stores) error {
			for range n {
				if err := s.Deliveries.Create(ctx, &domain.Delivery{
					ID: domain.NewID(), WorkspaceID: in.Workspace, Mode: in.Mode, EventID: domain.NewID(), EventType: domain.EventCallEnded,
					EndpointID: to, Body: []byte("{}"), State: domain.DeliveryPending, NextAt: at, CreatedAt: now,
				}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	claim := func(limit int) (took map[domain.ID]int, next time.Time) {
		b.Helper()
		b.write(func(ctx context.Context, s *domain.Stores) error {
			got, due, err := s.Deliveries.Claim(ctx, now, time.Minute, limit, busy...)
			took, next = map[domain.ID]int{}, due
			for _, d := range got {
				took[d.EndpointID]++
			}
			return err
		})
		return took, next
	}
	put(busy[0], 200, now.Add(-2*time.Hour))
	put(busy[1], 200, now.Add(-time.Hour))
	took, next := claim(9)
	b.same([]any{len(took), next}, []any{0, time.Time{}})
	one, many, later := domain.NewID(), domain.NewID(), domain.NewID()
	put(later, 3, now.Add(time.Second))
	took, next = claim(9)
	b.same([]any{len(took), next}, []any{0, now.Add(time.Second)})
	put(one, 1, now.Add(-time.Minute))
	put(many, 40, now.Add(-time.Second))
	took, next = claim(9)
	b.same([]any{len(took), took[one], took[many] > 0, took[many] <= 8, next.After(now)}, []any{2, 1, true, true, false})
	rest := 40 - took[many]
	for rest > 0 {
		took, _ = claim(9)
		if took[many] == 0 || len(took) != 1 {
			b.Fatalf("%d are left, and this was taken: %v", rest, fmt.Sprint(took))
		}
		rest -= took[many]
	}
	took, next = claim(9)
	b.same([]any{len(took), next}, []any{0, now.Add(time.Second)})
}
