package directory

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store/row"
)

type breakerRow struct {
	bun.BaseModel `bun:"table:trunk_breakers"`

	TrunkID     domain.ID `bun:",pk"`
	WorkspaceID domain.ID
	Mode        domain.Mode
	Failed      int
	AliveAt     row.Micros
	OpenedAt    row.Micros
	OpenUntil   row.Micros
}

type breakers struct{ db bun.IDB }

// NewBreakers keeps the breakers of trunks.
func NewBreakers(db bun.IDB) domain.Breakers { return &breakers{db} }

// Look returns the breaker of a trunk, the zero one when there is none.
func (s *breakers) Look(ctx context.Context, trunk domain.ID) (domain.Breaker, error) {
	var rows []breakerRow
	if err := s.db.NewSelect().Model(&rows).Where("trunk_id = ?", trunk).Scan(ctx); err != nil || len(rows) == 0 {
		return domain.Breaker{}, row.Error(err, "read the breaker of a trunk")
	}
	r := rows[0]
	return domain.Breaker{
		TrunkID: r.TrunkID, WorkspaceID: r.WorkspaceID, Mode: r.Mode, Failed: r.Failed,
		AliveAt: r.AliveAt.Time(), OpenedAt: r.OpenedAt.Time(), OpenUntil: r.OpenUntil.Time(),
	}, nil
}

// Hold returns the breaker of a trunk to the only one who may change it.
func (s *breakers) Hold(ctx context.Context, trunk domain.ID) (domain.Breaker, error) {
	if err := row.Alone(ctx, s.db, "breaker", string(trunk)); err != nil {
		return domain.Breaker{}, err
	}
	return s.Look(ctx, trunk)
}

// Put stores a breaker.
func (s *breakers) Put(ctx context.Context, b domain.Breaker) error {
	r := &breakerRow{
		TrunkID: b.TrunkID, WorkspaceID: b.WorkspaceID, Mode: b.Mode, Failed: b.Failed,
		AliveAt: row.At(b.AliveAt), OpenedAt: row.At(b.OpenedAt), OpenUntil: row.At(b.OpenUntil),
	}
	_, err := s.db.NewInsert().Model(r).On("CONFLICT (trunk_id) DO UPDATE").
		Set("failed = excluded.failed").Set("alive_at = excluded.alive_at").
		Set("opened_at = excluded.opened_at").Set("open_until = excluded.open_until").Exec(ctx)
	return row.Error(err, "store the breaker of a trunk")
}

// Unheard counts the INVITEs over a trunk of which nothing was heard yet.
func (s *breakers) Unheard(ctx context.Context, trunk domain.ID) (int, error) {
	return row.Count(ctx, s.db.NewSelect().Table("attempts").Where("trunk_id = ?", trunk).
		Where("state IN ('intent', 'ringing', 'answered')").Where("state = 'intent'"))
}
