package directory

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store/row"
)

// tries tells how often numbers were called.
type tries struct{ db bun.IDB }

// NewTries tells how often numbers were called.
func NewTries(db bun.IDB) domain.Tries { return &tries{db} }

// Tried returns when a number was dialed.
func (s *tries) Tried(ctx context.Context, in domain.Scope, number string, since time.Time) ([]time.Time, error) {
	var at []row.Micros
	err := row.In(s.db.NewSelect().Table("attempts").Column("dialed_at"), in).
		Where("number = ?", number).Where("dialed_at > ?", row.At(since)).Where("dialed_at > 0").Where("kind = ''").
		Where("NOT uncharged").OrderExpr("dialed_at").Scan(ctx, &at)
	return row.Map(at, func(m *row.Micros) time.Time { return m.Time() }), row.Error(err, "list tries of a number")
}

// Among returns when numbers were dialed. It asks for each number in a query within
// the query: for many numbers in one condition PostgreSQL would rather read all
// attempts, unless they are very many.
func (s *tries) Among(ctx context.Context, in domain.Scope, numbers []string, since time.Time) (map[string][]time.Time, error) {
	tried := make(map[string][]time.Time)
	if len(numbers) == 0 {
		return tried, nil
	}
	var rows []struct {
		Number string
		At     string
	}
	asked := make([]any, len(numbers), len(numbers)+3)
	for i, number := range numbers {
		asked[i] = number
	}
	err := s.db.NewRaw(`WITH asked (number) AS (VALUES `+strings.TrimSuffix(strings.Repeat("(?), ", len(numbers)), ", ")+`)
		SELECT number, (SELECT string_agg(CAST(dialed_at AS TEXT), ' ') FROM attempts WHERE workspace_id = ? AND mode = ?
			AND number = asked.number AND dialed_at > ? AND dialed_at > 0 AND kind = '' AND NOT uncharged) AS at FROM asked`,
		append(asked, in.Workspace, in.Mode, row.At(since))...).Scan(ctx, &rows)
	if err != nil {
		return nil, row.Error(err, "list tries of numbers")
	}
	for _, r := range rows {
		for each := range strings.FieldsSeq(r.At) {
			at, err := strconv.ParseInt(each, 10, 64)
			if err != nil {
				return nil, row.Error(err, "read tries of numbers")
			}
			tried[r.Number] = append(tried[r.Number], row.Micros(at).Time())
		}
		slices.SortFunc(tried[r.Number], time.Time.Compare)
	}
	return tried, nil
}

// Talked returns when somebody was last talked with.
func (s *tries) Talked(ctx context.Context, in domain.Scope, number string, since time.Time) (time.Time, error) {
	var at []row.Micros
	err := s.db.NewRaw(`SELECT calls.ended_at FROM attempts JOIN calls ON calls.id = attempts.call_id
		WHERE attempts.workspace_id = ? AND attempts.mode = ? AND attempts.number = ? AND attempts.dialed_at > ? AND attempts.dialed_at > 0
		AND attempts.kind = '' AND calls.state = ? AND calls.end_reason <> ? ORDER BY calls.ended_at DESC LIMIT 1`,
		in.Workspace, in.Mode, number, row.At(since), domain.CallCompleted, domain.EndVoicemail).Scan(ctx, &at)
	if err != nil || len(at) == 0 {
		return time.Time{}, row.Error(err, "find the last talk with a number")
	}
	return at[0].Time(), nil
}
