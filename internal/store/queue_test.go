package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/queue/queuetest"
	"github.com/callwright/callwright/internal/store/storetest"
)

// The three tables of work that waits, as queuetest sees them.
type (
	attemptTable  struct{ db domain.Store }
	deliveryTable struct{ db domain.Store }
	jobTable      struct{ db domain.Store }
)

func TestQueues(t *testing.T) {
	for name, table := range map[string]func(db domain.Store) queuetest.Table{
		"attempts":   func(db domain.Store) queuetest.Table { return attemptTable{db} },
		"deliveries": func(db domain.Store) queuetest.Table { return deliveryTable{db} },
		"jobs":       func(db domain.Store) queuetest.Table { return jobTable{db} },
	} {
		t.Run(name, func(t *testing.T) {
			queuetest.Exercise(t, func(t *testing.T) queuetest.Table { return table(openAt(t, storetest.URL(t))) })
		})
	}
}

func items[T any](rows []T, item func(*T) queuetest.Item) (out []queuetest.Item) {
	for i := range rows {
		out = append(out, item(&rows[i]))
	}
	return out
}

func (q attemptTable) Add(ctx context.Context, at time.Time) (string, error) {
	a := domain.Attempt{ID: domain.NewID(), CallID: domain.NewID(), State: domain.AttemptPlanned, NextAt: at}
	return string(a.ID), q.db.InTx(ctx, domain.LaneDial, func(ctx context.Context, s *domain.Stores) error {
		return s.Attempts.Create(ctx, &a)
	})
}

func (q attemptTable) Claim(ctx context.Context, now time.Time, lease time.Duration, limit int) (got []queuetest.Item, next time.Time, err error) {
	err = q.db.InTx(ctx, domain.LaneDial, func(ctx context.Context, s *domain.Stores) error {
		var rows []domain.Attempt
		rows, next, err = s.Attempts.Claim(ctx, "epoch", now, lease, limit)
		got = items(rows, func(a *domain.Attempt) queuetest.Item { return queuetest.Item{ID: string(a.ID), Fence: a.Claim} })
		return err
	})
	return got, next, err
}

func (q attemptTable) Finish(ctx context.Context, item queuetest.Item) error {
	return q.db.InTx(ctx, domain.LaneDial, func(ctx context.Context, s *domain.Stores) error {
		return s.Attempts.Update(ctx, &domain.Attempt{ID: domain.ID(item.ID), Claim: item.Fence, State: domain.AttemptEnded})
	})
}

func (q deliveryTable) Add(ctx context.Context, at time.Time) (string, error) {
	d := domain.Delivery{ID: domain.NewID(), State: domain.DeliveryPending, NextAt: at}
	return string(d.ID), q.db.InTx(ctx, domain.LaneBackground, func(ctx context.Context, s *domain.Stores) error {
		return s.Deliveries.Create(ctx, &d)
	})
}

func (q deliveryTable) Claim(ctx context.Context, now time.Time, lease time.Duration, limit int) (got []queuetest.Item, next time.Time, err error) {
	err = q.db.InTx(ctx, domain.LaneBackground, func(ctx context.Context, s *domain.Stores) error {
		var rows []domain.Delivery
		rows, next, err = s.Deliveries.Claim(ctx, now, lease, limit)
		got = items(rows, func(d *domain.Delivery) queuetest.Item { return queuetest.Item{ID: string(d.ID), Fence: d.Attempt} })
		return err
	})
	return got, next, err
}

func (q deliveryTable) Finish(ctx context.Context, item queuetest.Item) error {
	return q.db.InTx(ctx, domain.LaneBackground, func(ctx context.Context, s *domain.Stores) error {
		return s.Deliveries.Finish(ctx, domain.Tried{Delivery: domain.Delivery{ID: domain.ID(item.ID), Attempt: item.Fence, State: domain.DeliveryDelivered}})
	})
}

func (q jobTable) Add(ctx context.Context, at time.Time) (string, error) {
	j := domain.Job{ID: domain.NewID(), Kind: "k", State: domain.JobPending, NextAt: at}
	return string(j.ID), q.db.InTx(ctx, domain.LaneBackground, func(ctx context.Context, s *domain.Stores) error {
		return s.Jobs.Create(ctx, &j)
	})
}

func (q jobTable) Claim(ctx context.Context, now time.Time, lease time.Duration, limit int) (got []queuetest.Item, next time.Time, err error) {
	err = q.db.InTx(ctx, domain.LaneBackground, func(ctx context.Context, s *domain.Stores) error {
		var rows []domain.Job
		rows, next, err = s.Jobs.Claim(ctx, "k", now, lease, limit)
		got = items(rows, func(j *domain.Job) queuetest.Item { return queuetest.Item{ID: string(j.ID), Fence: j.Attempt} })
		return err
	})
	return got, next, err
}

func (q jobTable) Finish(ctx context.Context, item queuetest.Item) error {
	return q.db.InTx(ctx, domain.LaneBackground, func(ctx context.Context, s *domain.Stores) error {
		return s.Jobs.Finish(ctx, domain.Job{ID: domain.ID(item.ID), Attempt: item.Fence, State: domain.JobDone})
	})
}
