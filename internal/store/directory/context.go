package directory

import (
	"context"
	"fmt"
	"maps"

	"github.com/uptrace/bun"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store/row"
)

type contextVariableRow struct {
	bun.BaseModel `bun:"table:context_variables"`
	head
	ContextType domain.ContextType
	Name        string
	DisplayName string
	Description string
	Type        domain.VariableType
	Options     row.JSON[[]string]
}

var _ record[domain.ContextVariable] = (*contextVariableRow)(nil)

func (r *contextVariableRow) fill(v *domain.ContextVariable) {
	*r = contextVariableRow{
		head: head{
			ID: v.ID, WorkspaceID: v.WorkspaceID, Mode: v.Mode, Version: v.Version,
			CreatedAt: row.At(v.CreatedAt), UpdatedAt: row.At(v.UpdatedAt),
		},
		ContextType: v.ContextType, Name: v.Name, DisplayName: v.DisplayName, Description: v.Description, Type: v.Type,
		Options: row.JSON[[]string]{V: v.Options},
	}
}

func (r *contextVariableRow) domain() domain.ContextVariable {
	return domain.ContextVariable{
		ID: r.ID, WorkspaceID: r.WorkspaceID, Mode: r.Mode, Version: r.Version,
		CreatedAt: r.CreatedAt.Time(), UpdatedAt: r.UpdatedAt.Time(),
		ContextType: r.ContextType, Name: r.Name, DisplayName: r.DisplayName, Description: r.Description, Type: r.Type,
		Options: r.Options.V,
	}
}

// NewContextVariables keeps the declarations of context variables; a name is
// there once in a workspace, mode and context.
func NewContextVariables(db bun.IDB) domain.Collection[domain.ContextVariable] {
	c := newCollection[domain.ContextVariable, contextVariableRow](db, "Variable")
	c.taken = func(v *domain.ContextVariable) string {
		return fmt.Sprintf("Variable %s is already declared for the %s context", v.Name, v.ContextType)
	}
	return c
}

type businessRow struct {
	bun.BaseModel `bun:"table:business_context"`

	WorkspaceID domain.ID   `bun:",pk"`
	Mode        domain.Mode `bun:",pk"`
	Context     row.JSON[map[string]any]
}

type business struct{ db bun.IDB }

// NewBusiness keeps the values of business variables.
func NewBusiness(db bun.IDB) domain.BusinessContext { return &business{db} }

// Values returns all values.
func (s *business) Values(ctx context.Context, in domain.Scope) (map[string]any, error) {
	var rows []businessRow
	if err := row.In(s.db.NewSelect().Model(&rows), in).Scan(ctx); err != nil || len(rows) == 0 {
		return nil, row.Error(err, "read the business context")
	}
	return rows[0].Context.V, nil
}

// Merge puts changes over the values that are there, one transaction after the
// other.
func (s *business) Merge(ctx context.Context, in domain.Scope, changes map[string]any) error {
	if err := row.Alone(ctx, s.db, "business", string(in.Workspace), string(in.Mode)); err != nil {
		return err
	}
	known, err := s.Values(ctx, in)
	if err != nil {
		return err
	}
	values := make(map[string]any, len(known)+len(changes))
	maps.Copy(values, known)
	maps.Copy(values, changes)
	maps.DeleteFunc(values, func(_ string, v any) bool { return v == nil })
	_, err = s.db.NewInsert().Model(&businessRow{
		WorkspaceID: in.Workspace, Mode: in.Mode, Context: row.JSON[map[string]any]{V: values},
	}).On("CONFLICT (workspace_id, mode) DO UPDATE").Set("context = EXCLUDED.context").Exec(ctx)
	return row.Error(err, "write the business context")
}
