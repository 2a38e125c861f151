package directory

import (
	"context"
	"time"

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
	Schedule    domain.RetrySchedule
	RateLimit   int

	OldSecret      string
	OldSecretUntil row.Micros
	DisabledAt     row.Micros
	DisabledFor    string
}

var _ record[domain.Endpoint] = (*endpointRow)(nil)

type endpoints struct {
	*collection[domain.Endpoint, endpointRow, *endpointRow]
}

// NewEndpoints keeps receivers of webhooks.
func NewEndpoints(db bun.IDB, seal *row.Seal) domain.Endpoints {
	return &endpoints{newSealed[domain.Endpoint, endpointRow](db, seal, "Webhook")}
}

type failingRow struct {
	bun.BaseModel `bun:"table:endpoints_failing"`
	EndpointID    domain.ID `bun:",pk"`
	Since         row.Micros
}

// FailingSince returns which of the endpoints fail, and since when.
func (e *endpoints) FailingSince(ctx context.Context, ids ...domain.ID) (map[domain.ID]time.Time, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var rows []failingRow
	err := e.db.NewSelect().Model(&rows).Where("endpoint_id IN (?)", bun.List(ids)).Scan(ctx)
	since := make(map[domain.ID]time.Time, len(rows))
	for _, r := range rows {
		since[r.EndpointID] = r.Since.Time()
	}
	return since, row.Error(err, "read which endpoints fail")
}

// Failing notes since when an endpoint fails; an earlier note stays.
func (e *endpoints) Failing(ctx context.Context, id domain.ID, since time.Time) error {
	if since.IsZero() {
		_, err := e.db.NewDelete().Model((*failingRow)(nil)).Where("endpoint_id = ?", id).Exec(ctx)
		return row.Error(err, "note that an endpoint works")
	}
	_, err := e.db.NewInsert().Model(&failingRow{EndpointID: id, Since: row.At(since)}).On("CONFLICT DO NOTHING").Exec(ctx)
	return row.Error(err, "note that an endpoint fails")
}

func (r *endpointRow) fill(e *domain.Endpoint) {
	*r = endpointRow{
		head: head{
			ID: e.ID, WorkspaceID: e.WorkspaceID, Mode: e.Mode, Version: e.Version,
			CreatedAt: row.At(e.CreatedAt), UpdatedAt: row.At(e.UpdatedAt),
		},
		URL: e.URL, Events: row.JSON[[]string]{V: e.Events}, Dialect: e.Dialect,
		Description: e.Description, Secret: e.Secret, IsActive: e.IsActive, Schedule: e.Schedule, RateLimit: e.RateLimit,
		OldSecret: e.OldSecret, OldSecretUntil: row.At(e.OldSecretUntil), DisabledAt: row.At(e.DisabledAt), DisabledFor: e.DisabledFor,
	}
}

func (r *endpointRow) domain() domain.Endpoint {
	return domain.Endpoint{
		ID: r.ID, WorkspaceID: r.WorkspaceID, Mode: r.Mode, Version: r.Version,
		CreatedAt: r.CreatedAt.Time(), UpdatedAt: r.UpdatedAt.Time(),
		URL: r.URL, Events: r.Events.V, Dialect: r.Dialect,
		Description: r.Description, Secret: r.Secret, IsActive: r.IsActive, Schedule: r.Schedule, RateLimit: r.RateLimit,
		OldSecret: r.OldSecret, OldSecretUntil: r.OldSecretUntil.Time(), DisabledAt: r.DisabledAt.Time(), DisabledFor: r.DisabledFor,
	}
}
