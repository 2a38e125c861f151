package store

import (
	"context"

	"github.com/uptrace/bun"
)

// watched tells see of each statement that db runs; a nil see is told of none.
func watched(db *bun.DB, see func(statement string)) *bun.DB {
	if see == nil {
		return db
	}
	return db.WithQueryHook(watch{see})
}

type watch struct{ see func(statement string) }

// BeforeQuery does nothing.
func (w watch) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }

// AfterQuery tells of a statement.
func (w watch) AfterQuery(_ context.Context, e *bun.QueryEvent) { w.see(e.Query) }
