package directory

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store/row"
)

// tallyParts is over how many rows a day is spread: of those who add to it at
// once few wait for one another.
const tallyParts = 32

type tallies struct{ db bun.IDB }

// NewTallies keeps what happened on each day.
func NewTallies(db bun.IDB) domain.Tallies { return &tallies{db} }

// Add adds to a day.
func (s *tallies) Add(ctx context.Context, in domain.Scope, campaign domain.ID, day domain.Day, call domain.ID, gain domain.Tally) error {
	if gain == (domain.Tally{}) {
		return nil
	}
	_, err := s.db.NewRaw(`INSERT INTO tallies (workspace_id, mode, campaign_id, day, part, answered, abandoned, spent)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (workspace_id, mode, campaign_id, day, part) DO UPDATE SET
			answered = tallies.answered + excluded.answered, abandoned = tallies.abandoned + excluded.abandoned,
			spent = tallies.spent + excluded.spent`,
		in.Workspace, in.Mode, campaign, day, row.Part(call, tallyParts), gain.Answered, gain.Abandoned, int64(gain.Spent)).Exec(ctx)
	return row.Error(err, "add to a day")
}

// Since adds up days.
func (s *tallies) Since(ctx context.Context, in domain.Scope, day domain.Day, campaigns ...domain.ID) (map[domain.ID]domain.Tally, error) {
	sums := make(map[domain.ID]domain.Tally, len(campaigns))
	if len(campaigns) == 0 {
		return sums, nil
	}
	var rows []struct {
		CampaignID          domain.ID
		Answered, Abandoned int
		Spent               domain.Money
	}
	q := row.In(s.db.NewSelect().Table("tallies").Column("campaign_id"), in).
		Where("campaign_id IN (?)", bun.List(campaigns)).Where("day >= ?", day).Group("campaign_id")
	for _, column := range []string{"answered", "abandoned", "spent"} {
		// PostgreSQL's sum of BIGINT is a NUMERIC.
		q = q.ColumnExpr("CAST(sum(?) AS BIGINT) AS ?", bun.Ident(column), bun.Ident(column))
	}
	if err := q.Scan(ctx, &rows); err != nil {
		return nil, row.Error(err, "add up days")
	}
	for _, r := range rows {
		sums[r.CampaignID] = domain.Tally{Answered: r.Answered, Abandoned: r.Abandoned, Spent: r.Spent}
	}
	return sums, nil
}
