package directory

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store/row"
)

type workspaceRow struct {
	bun.BaseModel `bun:"table:workspaces"`

	ID        domain.ID `bun:",pk"`
	Name      string
	Plan      domain.Plan
	Timezone  string
	CreatedAt row.Micros
}

func (r *workspaceRow) domain() *domain.Workspace {
	return &domain.Workspace{ID: r.ID, Name: r.Name, Plan: r.Plan, Timezone: r.Timezone, CreatedAt: r.CreatedAt.Time()}
}

type workspaces struct{ db bun.IDB }

// NewWorkspaces keeps workspaces.
func NewWorkspaces(db bun.IDB) domain.Workspaces { return &workspaces{db} }

// Create stores a new workspace.
func (w *workspaces) Create(ctx context.Context, ws *domain.Workspace) error {
	_, err := w.db.NewInsert().Model(&workspaceRow{
		ID: ws.ID, Name: ws.Name, Plan: ws.Plan, Timezone: ws.Timezone, CreatedAt: row.At(ws.CreatedAt),
	}).Exec(ctx)
	return row.Created(err, "Workspace with id "+string(ws.ID)+" already exists")
}

// Get returns one workspace.
func (w *workspaces) Get(ctx context.Context, id domain.ID) (*domain.Workspace, error) {
	r := new(workspaceRow)
	if err := w.db.NewSelect().Model(r).Where("id = ?", id).Scan(ctx); err != nil {
		return nil, row.Found(err, domain.NotFound("Workspace", id))
	}
	return r.domain(), nil
}

// First returns the oldest workspace.
func (w *workspaces) First(ctx context.Context) (*domain.Workspace, error) {
	if err := row.Alone(ctx, w.db, "first workspace"); err != nil {
		return nil, err
	}
	r := new(workspaceRow)
	if err := w.db.NewSelect().Model(r).OrderExpr("id").Limit(1).Scan(ctx); err != nil {
		return nil, row.Found(err, domain.Errorf(domain.CodeNotFound, "There is no workspace yet"))
	}
	return r.domain(), nil
}
