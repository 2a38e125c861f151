package directory

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store/row"
)

type workspaceRow struct {
	bun.BaseModel `bun:"table:workspaces"`

	ID             domain.ID `bun:",pk"`
	Name           string
	Plan           domain.Plan
	Timezone       string
	Credits        *domain.Money
	DailyBudget    *domain.Money
	PricePerMinute domain.Money
	Regions        row.JSON[[]string]
	Version        int64
	CreatedAt      row.Micros
	UpdatedAt      row.Micros
}

func newWorkspaceRow(w *domain.Workspace) *workspaceRow {
	return &workspaceRow{
		ID: w.ID, Name: w.Name, Plan: w.Plan, Timezone: w.Timezone, Credits: w.Credits, DailyBudget: w.DailyBudget, PricePerMinute: w.PricePerMinute,
		Regions: row.JSON[[]string]{V: w.Regions},
		Version: max(w.Version, 1), CreatedAt: row.At(w.CreatedAt), UpdatedAt: row.At(w.UpdatedAt),
	}
}

func (r *workspaceRow) domain() *domain.Workspace {
	return &domain.Workspace{
		ID: r.ID, Name: r.Name, Plan: r.Plan, Timezone: r.Timezone, Credits: r.Credits, DailyBudget: r.DailyBudget, PricePerMinute: r.PricePerMinute,
		Regions: r.Regions.V,
		Version: r.Version, CreatedAt: r.CreatedAt.Time(), UpdatedAt: r.UpdatedAt.Time(),
	}
}

type workspaces struct {
	db    bun.IDB
	known map[domain.ID]*workspaceRow // as the transaction has read them
}

// NewWorkspaces keeps workspaces, within one transaction.
func NewWorkspaces(db bun.IDB) domain.Workspaces {
	return &workspaces{db, make(map[domain.ID]*workspaceRow)}
}

// Create stores a new workspace.
func (w *workspaces) Create(ctx context.Context, ws *domain.Workspace) error {
	_, err := w.db.NewInsert().Model(newWorkspaceRow(ws)).Exec(ctx)
	return row.Created(err, "Workspace with id "+string(ws.ID)+" already exists")
}

// Get returns one workspace, as the transaction has read it before or as it is.
func (w *workspaces) Get(ctx context.Context, id domain.ID) (*domain.Workspace, error) {
	if r := w.known[id]; r != nil {
		return r.domain(), nil
	}
	r := new(workspaceRow)
	if err := w.db.NewSelect().Model(r).Where("id = ?", id).Scan(ctx); err != nil {
		return nil, row.Found(err, domain.NotFound("Workspace", id))
	}
	w.known[id] = r
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

// Update stores a workspace, but for its credits.
func (w *workspaces) Update(ctx context.Context, ws *domain.Workspace) error {
	r := newWorkspaceRow(ws)
	r.Version = ws.Version + 1
	delete(w.known, ws.ID)
	res, err := w.db.NewUpdate().Model(r).ExcludeColumn("id", "credits", "created_at").
		Where("id = ?", ws.ID).Where("version = ?", ws.Version).Exec(ctx)
	switch {
	case err != nil:
		return row.Error(err, "update workspace")
	case row.Changed(res):
		ws.Version++
		return nil
	}
	now, err := w.Get(ctx, ws.ID)
	if err != nil {
		return err
	}
	return domain.Errorf(domain.CodePrecondition, "Workspace with id %s is at version %d, not %d: read it again and repeat the change",
		ws.ID, now.Version, ws.Version)
}

// SetCredits stores what a workspace may spend.
func (w *workspaces) SetCredits(ctx context.Context, id domain.ID, credits *domain.Money) error {
	delete(w.known, id)
	_, err := w.db.NewUpdate().Model((*workspaceRow)(nil)).Set("credits = ?", credits).Where("id = ?", id).Exec(ctx)
	return row.Error(err, "set credits")
}

// Charge takes an amount off the credits. NULL stays NULL.
func (w *workspaces) Charge(ctx context.Context, id domain.ID, amount domain.Money) error {
	delete(w.known, id)
	_, err := w.db.NewUpdate().Model((*workspaceRow)(nil)).Set("credits = credits - ?", amount).
		Where("id = ?", id).Where("credits IS NOT NULL").Exec(ctx)
	return row.Error(err, "charge")
}
