package store

import (
	"context"
	"strings"

	"github.com/uptrace/bun"

	"github.com/callwright/callwright/internal/store/lift"
)

// Where the definitions of indexes are to be found.
const (
	sqliteIndexes   = "SELECT sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL"
	postgresIndexes = "SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema()"
)

// newLifter takes the values out of statements but for those that the conditions
// of indexes name.
func newLifter(ctx context.Context, db bun.IDB, numbered bool) (*lift.Lifter, error) {
	indexes := sqliteIndexes
	if numbered {
		indexes = postgresIndexes
	}
	var definitions, conditions []string
	if err := db.NewRaw(indexes).Scan(ctx, &definitions); err != nil {
		return nil, err
	}
	for _, d := range definitions {
		if _, condition, found := strings.Cut(strings.Join(strings.Fields(d), " "), " WHERE "); found {
			conditions = append(conditions, condition)
		}
	}
	return lift.New(numbered, conditions), nil
}
