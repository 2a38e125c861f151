package directory

import (
	"context"
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

// Among returns when numbers were dialed.
func (s *tries) Among(ctx context.Context, in domain.Scope, numbers []string, since time.Time) (map[string][]time.Time, error) {
	tried := make(map[string][]time.Time)
	if len(numbers) == 0 {
		return tried, nil
	}
	var rows []struct {
		Number   string
		DialedAt row.Micros
	}
	err := row.In(s.db.NewSelect().Table("attempts").Column("number", "dialed_at"), in).
		Where("number IN (?)", bun.List(numbers)).Where("dialed_at > ?", row.At(since)).Where("dialed_at > 0").Where("kind = ''").
		Where("NOT uncharged").OrderExpr("dialed_at").Scan(ctx, &rows)
	if err != nil {
		return nil, row.Error(err, "list tries of numbers")
	}
	for _, r := range rows {
		tried[r.Number] = append(tried[r.Number], r.DialedAt.Time())
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
