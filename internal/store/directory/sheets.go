package directory

import (
	"context"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store/row"
)

type sheets struct{ db bun.IDB }

// NewSheets tells what campaigns look like as tables.
func NewSheets(db bun.IDB) domain.Sheets { return &sheets{db} }

// VariableNames returns the names of variables.
func (s *sheets) VariableNames(ctx context.Context, in domain.Scope, campaign domain.ID, limit int) (names []string, err error) {
	// NULL, the only other value there is, has no names.
	of := `SELECT DISTINCT one.key AS name FROM recipients, json_each(CASE WHEN variables = 'null' THEN '{}' ELSE variables END) AS one`
	if s.db.Dialect().Name() == dialect.PG {
		of = `SELECT DISTINCT json_object_keys(CAST(CASE WHEN variables = 'null' THEN '{}' ELSE variables END AS json)) AS name FROM recipients`
	}
	err = s.db.NewRaw(of+` WHERE campaign_id = ? AND workspace_id = ? AND mode = ? ORDER BY name LIMIT ?`,
		campaign, in.Workspace, in.Mode, limit).Scan(ctx, &names)
	return names, row.Error(err, "list names of variables")
}
