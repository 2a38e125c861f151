package store

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store/row"
)

// pgRates is how many requests are counted at once.
const pgRates = 4

// Rates counts requests for all processes that share the database. It is nil with
// SQLite, where there is one process, which counts in its memory.
func (db *DB) Rates() domain.RateLimits {
	if db.rates == nil {
		return nil
	}
	return db.rates
}

// rates counts requests in PostgreSQL, by its clock.
type rates struct{ db *bun.DB }

// Take counts one request. The row's lock, which the upsert holds, makes that
// exact. The window begins and ends on a whole second, as domain.WindowEnd says.
func (r *rates) Take(ctx context.Context, key domain.ID, limit int) (domain.Rate, error) {
	var used, now, end row.Micros
	rate := domain.Rate{Limit: limit}
	err := r.db.NewRaw(`WITH clock AS MATERIALIZED (SELECT ? AS now)
		INSERT INTO rate_windows AS w (key_id, used, passed, ends_at)
		SELECT ?, 1, true, now / 1000000 * 1000000 + ? FROM clock
		ON CONFLICT (key_id) DO UPDATE SET
			used = CASE WHEN w.ends_at <= (SELECT now FROM clock) THEN 1 WHEN w.used < ? THEN w.used + 1 ELSE w.used END,
			passed = w.ends_at <= (SELECT now FROM clock) OR w.used < ?,
			ends_at = CASE WHEN w.ends_at <= (SELECT now FROM clock) THEN excluded.ends_at ELSE w.ends_at END
		RETURNING used, passed, ends_at, (SELECT now FROM clock)`,
		row.Now(r.db), key, domain.RateWindow.Microseconds(), limit, limit).Scan(ctx, &used, &rate.Passed, &end, &now)
	if err != nil {
		return rate, row.Error(err, "count a request")
	}
	rate.Left = max(limit-int(used), 0)
	rate.ResetAt = end.Time()
	rate.Wait = rate.ResetAt.Sub(now.Time())
	return rate, nil
}
