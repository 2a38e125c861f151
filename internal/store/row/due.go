package row

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/uptrace/bun"
)

// NextDue returns when the first of the rows that q selects is due, which the
// table says in due_at; the zero time when none waits.
func NextDue(ctx context.Context, q *bun.SelectQuery) (time.Time, error) {
	var due Micros
	err := q.Column("due_at").Where("due_at IS NOT NULL").OrderExpr("due_at").Limit(1).Scan(ctx, &due)
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, nil
	}
	return due.Time(), Error(err, "find what is due next")
}
