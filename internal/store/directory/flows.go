package directory

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store/row"
)

type flowRow struct {
	bun.BaseModel `bun:"table:flows"`
	head
	Name       string
	Status     domain.FlowStatus
	Definition []byte
	Extra      row.JSON[map[string]any]
}

var _ record[domain.Flow] = (*flowRow)(nil)

func (r *flowRow) fill(f *domain.Flow) {
	*r = flowRow{
		head: head{
			ID: f.ID, WorkspaceID: f.WorkspaceID, Mode: f.Mode, Version: f.Version,
			CreatedAt: row.At(f.CreatedAt), UpdatedAt: row.At(f.UpdatedAt),
		},
		Name: f.Name, Status: f.Status, Definition: f.Definition, Extra: row.JSON[map[string]any]{V: f.Extra},
	}
}

func (r *flowRow) domain() domain.Flow {
	return domain.Flow{
		ID: r.ID, WorkspaceID: r.WorkspaceID, Mode: r.Mode, Version: r.Version,
		CreatedAt: r.CreatedAt.Time(), UpdatedAt: r.UpdatedAt.Time(),
		Name: r.Name, Status: r.Status, Definition: r.Definition, Extra: r.Extra.V,
	}
}

// flows keeps flows and, in a second table of the same columns, every version.
type flows struct {
	*collection[domain.Flow, flowRow, *flowRow]
}

// NewFlows keeps flows and their versions.
func NewFlows(db bun.IDB) domain.Flows {
	return &flows{newCollection[domain.Flow, flowRow](db, "Flow")}
}

// Create stores a new flow and its first version.
func (f *flows) Create(ctx context.Context, flow *domain.Flow) error {
	if err := f.collection.Create(ctx, flow); err != nil {
		return err
	}
	return f.keep(ctx, flow)
}

// Update stores a flow and keeps it as one more version.
func (f *flows) Update(ctx context.Context, flow *domain.Flow) error {
	if err := f.collection.Update(ctx, flow); err != nil {
		return err
	}
	return f.keep(ctx, flow)
}

func (f *flows) keep(ctx context.Context, flow *domain.Flow) error {
	r := new(flowRow)
	r.fill(flow)
	_, err := f.db.NewInsert().Model(r).ModelTableExpr("flow_versions").Exec(ctx)
	return row.Error(err, "keep a version of Flow")
}

// Version returns a flow as it was.
func (f *flows) Version(ctx context.Context, in domain.Scope, id domain.ID, version int64) (*domain.Flow, error) {
	r := new(flowRow)
	err := row.In(f.db.NewSelect().Model(r).ModelTableExpr("flow_versions AS flow_row").Where("id = ?", id), in).
		Where("version = ?", version).Scan(ctx)
	if err != nil {
		return nil, row.Found(err, domain.Errorf(domain.CodeNotFound, "Flow with id %s has no version %d", id, version))
	}
	flow := r.domain()
	return &flow, nil
}
