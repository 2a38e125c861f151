package directory

import (
	"github.com/uptrace/bun"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store/row"
)

type endpointRow struct {
	bun.BaseModel `bun:"table:endpoints"`
	head
	URL         string `bun:"url"`
	Events      row.JSON[[]string]
	Dialect     string
	Description string
	Secret      string
	IsActive    bool
}

// NewEndpoints keeps receivers of webhooks.
func NewEndpoints(db bun.IDB) domain.Collection[domain.Endpoint] {
	return newCollection[domain.Endpoint, endpointRow](db, "Webhook")
}

func (r *endpointRow) fill(e *domain.Endpoint) {
	*r = endpointRow{
		head: head{
			ID: e.ID, WorkspaceID: e.WorkspaceID, Mode: e.Mode, Version: e.Version,
			CreatedAt: row.At(e.CreatedAt), UpdatedAt: row.At(e.UpdatedAt),
		},
		URL: e.URL, Events: row.JSON[[]string]{V: e.Events}, Dialect: e.Dialect,
		Description: e.Description, Secret: e.Secret, IsActive: e.IsActive,
	}
}

func (r *endpointRow) domain() domain.Endpoint {
	return domain.Endpoint{
		ID: r.ID, WorkspaceID: r.WorkspaceID, Mode: r.Mode, Version: r.Version,
		CreatedAt: r.CreatedAt.Time(), UpdatedAt: r.UpdatedAt.Time(),
		URL: r.URL, Events: r.Events.V, Dialect: r.Dialect,
		Description: r.Description, Secret: r.Secret, IsActive: r.IsActive,
	}
}
