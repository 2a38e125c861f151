package calling

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store/row"
)

// secrets are those of the call's own receiver.
func (r *callRow) secrets() []row.Secret {
	if r.Callback.V == nil {
		return nil
	}
	own := *r.Callback.V // the call's is not to be changed
	r.Callback.V = &own
	return []row.Secret{{Column: "callback.secret", Text: &own.Secret}}
}

func (r *callRow) close(seal *row.Seal) error {
	return seal.Close("calls", string(r.ID), r.secrets()...)
}

// opened returns rows as calls.
func opened(rows []callRow, seal *row.Seal) ([]domain.Call, error) {
	for i := range rows {
		if err := seal.Open("calls", string(rows[i].ID), rows[i].secrets()...); err != nil {
			return nil, err
		}
	}
	return row.Map(rows, (*callRow).domain), nil
}

// sealBatch is how many rows are sealed at once.
const sealBatch = 500

// SealAll seals what is kept as it is.
func SealAll(ctx context.Context, db bun.IDB, seal *row.Seal) error {
	for last := domain.ID(""); ; {
		var rows []callRow
		err := db.NewSelect().Model(&rows).Where("callback NOT IN ('', 'null')").Where("id > ?", last).OrderExpr("id").Limit(sealBatch).Scan(ctx)
		if err != nil {
			return row.Error(err, "read the receivers of calls")
		}
		for i := range rows {
			last = rows[i].ID
			if err := rows[i].close(seal); err != nil {
				return err
			}
			if _, err := db.NewUpdate().Model(&rows[i]).Column("callback").WherePK().Exec(ctx); err != nil {
				return row.Error(err, "seal the receivers of calls")
			}
		}
		if len(rows) < sealBatch {
			return nil
		}
	}
}
