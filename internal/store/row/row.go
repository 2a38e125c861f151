// Package row translates between the values of domain and the columns of the
// database: times, JSON, scopes, pages, and what the database's errors mean.
package row

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/callwright/callwright/internal/domain"
)

// Touch notes that rows of a table were written that somebody may wait for.
type Touch func(table string)

// Micros is a point in time as it is stored: microseconds since 1970 UTC, 0 for
// the zero time.
type Micros int64

// At returns t as it is stored.
func At(t time.Time) Micros {
	if t.IsZero() {
		return 0
	}
	return Micros(t.UnixMicro())
}

// Time returns the time, in UTC.
func (m Micros) Time() time.Time {
	if m == 0 {
		return time.Time{}
	}
	return time.UnixMicro(int64(m)).UTC()
}

// JSON keeps a value as JSON text.
type JSON[T any] struct {
	V    T
	text string // as it was read
}

// Value encodes the value. Entries of a map that JSON cannot hold (an infinite
// number out of a flow's arithmetic) are kept as text: one odd answer must not
// keep a call from being stored.
func (j JSON[T]) Value() (driver.Value, error) {
	raw, err := json.Marshal(j.V)
	if err == nil {
		return string(raw), nil
	}
	entries, ok := any(j.V).(map[string]any)
	if !ok {
		return nil, err
	}
	plain := make(map[string]any, len(entries))
	for k, v := range entries {
		if _, err := json.Marshal(v); err != nil {
			v = fmt.Sprint(v)
		}
		plain[k] = v
	}
	raw, err = json.Marshal(plain)
	return string(raw), err
}

// Scan decodes a column; NULL and "" are the zero value.
func (j *JSON[T]) Scan(src any) error {
	var raw []byte
	switch src := src.(type) {
	case nil:
	case string:
		raw = []byte(src)
	case []byte:
		raw = src
	default:
		return fmt.Errorf("a JSON column holds %T", src)
	}
	var v T
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &v); err != nil {
			return fmt.Errorf("a JSON column holds something else: %w", err)
		}
	}
	j.V, j.text = v, string(raw)
	return nil
}

// Condition is a query that takes WHERE terms, which are joined by AND.
type Condition[Q any] interface {
	Where(query string, args ...any) Q
}

// In binds a query to a scope.
func In[Q Condition[Q]](q Q, in domain.Scope) Q {
	return q.Where("workspace_id = ?", in.Workspace).Where("mode = ?", in.Mode)
}

// Pageable is a query that can be cut to a page.
type Pageable[Q any] interface {
	Condition[Q]
	OrderExpr(query string, args ...any) Q
	Limit(n int64) Q
	Offset(n int64) Q
}

// Cut orders a query newest first by id and cuts it to a page. A Limit of 0 is
// none.
func Cut[Q Pageable[Q]](q Q, page domain.Page) Q {
	q = q.OrderExpr("id DESC")
	if page.After != "" {
		return Bound(q.Where("id < ?", page.After), page.Limit, 0)
	}
	return Bound(q, page.Limit, page.Offset)
}

// Bound sets the limit (0 is none) and the offset of a query.
func Bound[Q Pageable[Q]](q Q, limit, offset int) Q {
	if limit <= 0 && offset > 0 {
		limit = 1<<31 - 1 // an offset needs a limit
	}
	if limit > 0 {
		q = q.Limit(int64(limit))
	}
	if offset > 0 {
		q = q.Offset(int64(offset))
	}
	return q
}

// Count counts the rows that q selects.
func Count(ctx context.Context, q *bun.SelectQuery) (int, error) {
	n, err := q.Count(ctx)
	return int(n), Error(err, "count")
}

// Changed reports whether a statement changed any row.
func Changed(res sql.Result) bool {
	n, err := res.RowsAffected()
	return err == nil && n > 0
}

// Map returns what f makes of each row, never nil.
func Map[R, T any](rows []R, f func(*R) T) []T {
	out := make([]T, len(rows))
	for i := range rows {
		out[i] = f(&rows[i])
	}
	return out
}
