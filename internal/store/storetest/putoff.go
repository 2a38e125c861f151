package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// putOff proves that contacts who wait for a reason since a time are due when they
// are to be looked at again, so many at once and each once, and nobody else is.
func putOff(_ *testing.T, b *bench) {
	in, _ := scopes()
	at := clock()
	changed := at.Add(time.Hour)
	c, other := campaignOf(in, domain.NewID(), at, 0), campaignOf(in, domain.NewID(), at, 1)
	b.write(func(ctx context.Context, s *domain.Stores) error {
		for _, c := range []*domain.Campaign{&c, &other} {
			if err := s.Campaigns.Create(ctx, c); err != nil {
				return err
			}
			var rows []domain.Recipient
			for n, of := range []struct {
				why     string
				state   domain.RecipientState
				updated time.Duration
			}{
				{"outside_window", domain.RecipientWaiting, 0}, {"cap_gap", domain.RecipientWaiting, 0}, {"outside_window", domain.RecipientWaiting, 59 * time.Minute},
				{"outside_window", domain.RecipientWaiting, time.Hour}, {"busy", domain.RecipientWaiting, 0}, {"", domain.RecipientWaiting, 0},
				{"outside_window", domain.RecipientFailed, 0},
			} {
				r := recipientOf(c, n, at)
				r.NextAt, r.Why, r.State, r.UpdatedAt = at.Add(24*time.Hour), of.why, of.state, at.Add(of.updated)
				rows = append(rows, r)
			}
			if _, err := s.Recipients.Add(ctx, rows); err != nil {
				return err
			}
		}
		return nil
	})
	again := func(limit, want int) {
		b.write(func(ctx context.Context, s *domain.Stores) error {
			n, err := s.Dialing.Rejudge(ctx, c.ID, []string{"outside_window", "cap_gap"}, changed, limit)
			if err == nil && n != want {
				b.Errorf("%d are looked at again, want %d", n, want)
			}
			return err
		})
	}
	again(2, 2)
	again(2, 1)
	again(2, 0)
	for id, want := range map[domain.ID]int{c.ID: 3, other.ID: 0} {
		b.write(func(ctx context.Context, s *domain.Stores) error {
			rows, next, err := s.Recipients.Due(ctx, id, changed, 10)
			if err != nil {
				return err
			}
			if len(rows) != want || !next.Equal(at.Add(24*time.Hour)) {
				b.Errorf("%d are due, want %d; the next one at %s", len(rows), want, next)
			}
			for i := range rows {
				if r := &rows[i]; !r.NextAt.Equal(changed) || !r.UpdatedAt.Equal(changed) || r.Version != 2 || r.Why == "busy" || r.Why == "" {
					b.Errorf("%+v", r)
				}
			}
			return nil
		})
	}
}
