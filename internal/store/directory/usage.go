package directory

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store/row"
)

// usageKey is what a sum is of.
type usageKey struct {
	WorkspaceID domain.ID   `bun:",pk"`
	Mode        domain.Mode `bun:",pk"`
	Day         domain.Day  `bun:",pk"`
	KeyID       domain.ID   `bun:",pk"`
}

// usageRow is the sum of one key and day.
type usageRow struct {
	bun.BaseModel `bun:"table:usage_days"`
	usageKey
	domain.UsageCounts
}

// usageAddition is what is to be added to a sum.
type usageAddition struct {
	bun.BaseModel `bun:"table:usage_additions"`
	ID            domain.ID `bun:",pk"`
	usageKey
	domain.UsageCounts
}

func (r *usageRow) domain() domain.Usage {
	return domain.Usage{WorkspaceID: r.WorkspaceID, Mode: r.Mode, KeyID: r.KeyID, Day: r.Day, UsageCounts: r.UsageCounts}
}

// usageCounts are the columns of domain.UsageCounts.
var usageCounts = []string{"requests", "successes", "redirects", "client_errors", "server_errors", "calls", "seconds", "cost", "messages", "segments"}

type usages struct{ db bun.IDB }

// NewUsages keeps what keys were used for.
func NewUsages(db bun.IDB) domain.Usages { return &usages{db} }

// Add adds to the counts.
func (u *usages) Add(ctx context.Context, more ...domain.Usage) error {
	if len(more) == 0 {
		return nil
	}
	rows := row.Map(more, func(m *domain.Usage) usageAddition {
		return usageAddition{ID: domain.NewID(), usageKey: usageKey{m.WorkspaceID, m.Mode, m.Day, m.KeyID}, UsageCounts: m.UsageCounts}
	})
	_, err := u.db.NewInsert().Model(&rows).Exec(ctx)
	return row.Error(err, "add usage")
}

// Fold puts additions into their sums.
func (u *usages) Fold(ctx context.Context, limit int) (int, error) {
	var taken []usageAddition
	err := u.db.NewRaw(`WITH part AS MATERIALIZED (SELECT id FROM usage_additions ORDER BY id LIMIT ? ?)
		DELETE FROM usage_additions WHERE id IN (SELECT id FROM part) RETURNING *`, limit, row.SkipLocked(u.db)).Scan(ctx, &taken)
	if err != nil {
		return 0, row.Error(err, "take usage to fold")
	}
	sums := make(map[usageKey]*usageRow)
	for i := range taken {
		sum := sums[taken[i].usageKey]
		if sum == nil {
			sum = &usageRow{usageKey: taken[i].usageKey}
			sums[sum.usageKey] = sum
		}
		sum.Add(taken[i].UsageCounts)
	}
	// In one order for all, so that nobody waits for somebody who waits for him.
	rows := make([]*usageRow, 0, len(sums))
	for _, sum := range sums {
		rows = append(rows, sum)
	}
	slices.SortFunc(rows, func(a, b *usageRow) int {
		return cmp.Or(cmp.Compare(a.WorkspaceID, b.WorkspaceID), cmp.Compare(a.Mode, b.Mode), cmp.Compare(a.Day, b.Day), cmp.Compare(a.KeyID, b.KeyID))
	})
	for _, sum := range rows {
		insert := u.db.NewInsert().Model(sum).On("CONFLICT (workspace_id, mode, day, key_id) DO UPDATE")
		for _, column := range usageCounts {
			insert = insert.Set("? = usage_row.? + excluded.?", bun.Ident(column), bun.Ident(column), bun.Ident(column))
		}
		if _, err := insert.Exec(ctx); err != nil {
			return 0, row.Error(err, "fold usage")
		}
	}
	return len(taken), nil
}

// List returns the sums of keys and days.
func (u *usages) List(ctx context.Context, in domain.Scope, f domain.UsageFilter, page domain.Page) ([]domain.Usage, int, error) {
	total, err := u.summed(in, f, "day, key_id").Count(ctx)
	if err != nil {
		return nil, 0, row.Error(err, "count usage")
	}
	rows, err := u.read(ctx, row.Bound(u.summed(in, f, "day, key_id").OrderExpr("day DESC, key_id"), page.Limit, page.Offset), in)
	return rows, int(total), err
}

// Days returns the sums of days.
func (u *usages) Days(ctx context.Context, in domain.Scope, f domain.UsageFilter) ([]domain.Usage, error) {
	return u.read(ctx, u.summed(in, f, "day").OrderExpr("day DESC"), in)
}

// summed selects sums, with what is not folded yet, by the given columns.
func (u *usages) summed(in domain.Scope, f domain.UsageFilter, by string) *bun.SelectQuery {
	part := func(table string) *bun.SelectQuery {
		q := row.In(u.db.NewSelect().TableExpr(table).ColumnExpr("day, key_id, "+strings.Join(usageCounts, ", ")), in).
			Where("day >= ?", f.From).Where("day <= ?", f.To)
		if f.KeyID != "" {
			q = q.Where("key_id = ?", f.KeyID)
		}
		return q
	}
	q := u.db.NewSelect().TableExpr("(?) AS parts", part("usage_days").UnionAll(part("usage_additions"))).ColumnExpr(by).GroupExpr(by)
	for _, column := range usageCounts {
		// PostgreSQL's sum of BIGINT is a NUMERIC.
		q = q.ColumnExpr("CAST(SUM(?) AS BIGINT) AS ?", bun.Ident(column), bun.Ident(column))
	}
	return q
}

func (u *usages) read(ctx context.Context, q *bun.SelectQuery, in domain.Scope) ([]domain.Usage, error) {
	var rows []usageRow
	if err := q.Scan(ctx, &rows); err != nil {
		return nil, row.Error(err, "sum up usage")
	}
	return row.Map(rows, func(r *usageRow) domain.Usage {
		r.WorkspaceID, r.Mode = in.Workspace, in.Mode
		return r.domain()
	}), nil
}
