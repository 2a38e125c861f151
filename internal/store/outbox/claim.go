package outbox

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store/row"
)

const (
	// claimReach is how many of the deliveries that are due first are looked at
	// for one that goes to an endpoint that is not busy. When all of them go to
	// busy ones, the others are asked for endpoint by endpoint: what waits for a
	// slow receiver is never walked through.
	claimReach = 256
	// claimEach is how many deliveries to one endpoint are taken then.
	claimEach = 16
)

// Claim takes deliveries that are due and not on their way to a busy endpoint.
func (s *deliveries) Claim(ctx context.Context, now time.Time, lease time.Duration, limit int, busy ...domain.ID) ([]domain.Delivery, time.Time, error) {
	took := []deliveryRow{}
	due := row.At(now)
	take := func(ids *bun.SelectQuery) error {
		var rows []deliveryRow
		err := s.db.NewRaw(`WITH due AS MATERIALIZED (?)
			UPDATE deliveries SET attempt = attempt + 1, lease_until = ? WHERE id IN (SELECT id FROM due) RETURNING *`,
			ids, row.At(now.Add(lease))).Scan(ctx, &rows)
		took = append(took, rows...)
		return row.Error(err, "claim deliveries")
	}
	if err := take(s.first(due, limit, busy)); err != nil {
		return nil, time.Time{}, err
	}
	next, hidden, err := s.upcoming(ctx, busy)
	if hidden && err == nil {
		next, err = s.elsewhere(ctx, due, limit, busy, &took, take)
	}
	if err != nil {
		return nil, time.Time{}, err
	}
	slices.SortFunc(took, func(a, b deliveryRow) int {
		return cmp.Or(cmp.Compare(a.NextAt, b.NextAt), cmp.Compare(a.ID, b.ID))
	})
	return row.Map(took, (*deliveryRow).domain), next, nil
}

// locked selects the ids of deliveries that are due, oldest first, and locks them.
func (s *deliveries) locked(due row.Micros, limit int) *bun.SelectQuery {
	q := s.db.NewSelect().Model((*deliveryRow)(nil)).Column("id").Where("due_at <= ?", due).OrderExpr("due_at, id").Limit(int64(limit))
	return row.SkippingLocked(s.db, q)
}

// first selects what can be taken of the deliveries that are due first.
func (s *deliveries) first(due row.Micros, limit int, busy []domain.ID) *bun.SelectQuery {
	if len(busy) == 0 {
		return s.locked(due, limit)
	}
	ahead := s.db.NewSelect().Model((*deliveryRow)(nil)).Column("id", "endpoint_id").Where("due_at <= ?", due).OrderExpr("due_at, id").Limit(claimReach)
	return s.locked(due, limit).Where("id IN (SELECT id FROM (?) AS ahead WHERE endpoint_id NOT IN (?))", ahead, bun.List(busy))
}

// upcoming tells when the next delivery is due that does not go to a busy
// endpoint. It may be hidden behind too many that do.
func (s *deliveries) upcoming(ctx context.Context, busy []domain.ID) (next time.Time, hidden bool, err error) {
	waiting := s.db.NewSelect().Model((*deliveryRow)(nil))
	if len(busy) == 0 {
		next, err = row.NextDue(ctx, waiting)
		return next, false, err
	}
	ahead := waiting.Column("due_at", "endpoint_id").Where("due_at IS NOT NULL").OrderExpr("due_at, id").Limit(claimReach)
	var seen struct {
		Rows int64
		Due  row.Micros
	}
	err = s.db.NewSelect().TableExpr("(?) AS ahead", ahead).ColumnExpr("count(*) AS rows").
		ColumnExpr("coalesce(min(CASE WHEN endpoint_id NOT IN (?) THEN due_at END), 0) AS due", bun.List(busy)).Scan(ctx, &seen)
	return seen.Due.Time(), seen.Rows == claimReach && seen.Due == 0, row.Error(err, "find what is due next")
}

// elsewhere has take fill took up to limit with deliveries to endpoints that are
// not busy, some of each, and tells when the next one is due.
func (s *deliveries) elsewhere(ctx context.Context, due row.Micros, limit int, busy []domain.ID, took *[]deliveryRow, take func(*bun.SelectQuery) error) (time.Time, error) {
	var heads []struct {
		Endpoint domain.ID
		Due      row.Micros
	}
	// One step in the index for each endpoint, however many deliveries wait there.
	err := s.db.NewRaw(`WITH RECURSIVE ends(endpoint) AS (
			SELECT (SELECT min(endpoint_id) FROM deliveries WHERE due_at IS NOT NULL)
			UNION ALL
			SELECT (SELECT min(endpoint_id) FROM deliveries WHERE due_at IS NOT NULL AND endpoint_id > endpoint) FROM ends WHERE endpoint IS NOT NULL
		)
		SELECT endpoint, (SELECT min(due_at) FROM deliveries WHERE endpoint_id = endpoint AND due_at IS NOT NULL) AS due
		FROM ends WHERE endpoint IS NOT NULL AND endpoint NOT IN (?) ORDER BY due LIMIT ?`, bun.List(busy), limit+1).Scan(ctx, &heads)
	if err != nil {
		return time.Time{}, row.Error(err, "find what waits for other endpoints")
	}
	for _, head := range heads {
		before := len(*took)
		if head.Due > due || before >= limit {
			return head.Due.Time(), nil
		}
		some := min(limit-before, claimEach)
		if err := take(s.locked(due, some).Where("endpoint_id = ?", head.Endpoint)); err != nil {
			return time.Time{}, err
		}
		if len(*took) == before+some && before+some >= limit {
			return head.Due.Time(), nil // there may be more of them
		}
	}
	return time.Time{}, nil
}
