package outbox

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store/row"
)

type deliveryRow struct {
	bun.BaseModel `bun:"table:deliveries"`

	ID          domain.ID `bun:",pk"`
	WorkspaceID domain.ID
	Mode        domain.Mode
	EventID     domain.ID
	EventType   domain.EventType
	EndpointID  domain.ID
	CallID      domain.ID
	AboutID     domain.ID
	Body        []byte
	State       domain.DeliveryState
	NextAt      row.Micros
	LeaseUntil  row.Micros
	Attempt     int64
	Resent      int64
	StatusCode  int
	Error       string
	Response    string
	LatencyMs   int64
	CreatedAt   row.Micros
	FinishedAt  row.Micros
	DueAt       row.Micros `bun:",scanonly"` // made by the database
}

func newDeliveryRow(d *domain.Delivery) *deliveryRow {
	return &deliveryRow{
		ID: d.ID, WorkspaceID: d.WorkspaceID, Mode: d.Mode, EventID: d.EventID, EventType: d.EventType,
		EndpointID: d.EndpointID, CallID: d.CallID, AboutID: d.AboutID, Body: d.Body, State: d.State, NextAt: row.At(d.NextAt),
		LeaseUntil: row.At(d.LeaseUntil), Attempt: d.Attempt, Resent: d.Resent, StatusCode: d.StatusCode, Error: d.Error,
		Response: d.Response, LatencyMs: d.LatencyMs, CreatedAt: row.At(d.CreatedAt), FinishedAt: row.At(d.FinishedAt),
	}
}

func (r *deliveryRow) domain() domain.Delivery {
	return domain.Delivery{
		ID: r.ID, WorkspaceID: r.WorkspaceID, Mode: r.Mode, EventID: r.EventID, EventType: r.EventType,
		EndpointID: r.EndpointID, CallID: r.CallID, AboutID: r.AboutID, Body: r.Body, State: r.State, NextAt: r.NextAt.Time(),
		LeaseUntil: r.LeaseUntil.Time(), Attempt: r.Attempt, Resent: r.Resent, StatusCode: r.StatusCode, Error: r.Error,
		Response: r.Response, LatencyMs: r.LatencyMs, CreatedAt: r.CreatedAt.Time(), FinishedAt: r.FinishedAt.Time(),
	}
}

type deliveries struct {
	db    bun.IDB
	touch row.Touch
}

// NewDeliveries keeps deliveries. touch is told of rows that wait to be sent.
func NewDeliveries(db bun.IDB, touch row.Touch) domain.Deliveries { return &deliveries{db, touch} }

// createSize is how many bytes of bodies are written in one statement, if one body
// alone is not more.
const createSize = 64 << 10

// Create stores new deliveries.
func (s *deliveries) Create(ctx context.Context, ds ...*domain.Delivery) error {
	for len(ds) > 0 {
		rows, size := []*deliveryRow{newDeliveryRow(ds[0])}, len(ds[0].Body)
		for _, d := range ds[1:] {
			if size += len(d.Body); size > createSize {
				break
			}
			rows = append(rows, newDeliveryRow(d))
		}
		if _, err := s.db.NewInsert().Model(&rows).Exec(ctx); err != nil {
			return row.Created(err, "Delivery with id "+string(ds[0].ID)+" already exists")
		}
		ds = ds[len(rows):]
		s.touch("deliveries")
	}
	return nil
}

// Get returns one delivery.
func (s *deliveries) Get(ctx context.Context, in domain.Scope, id domain.ID) (*domain.Delivery, error) {
	r := new(deliveryRow)
	if err := row.In(s.db.NewSelect().Model(r).Where("id = ?", id), in).Scan(ctx); err != nil {
		return nil, row.Found(err, domain.NotFound("Delivery", id))
	}
	d := r.domain()
	return &d, nil
}

// Finish stores outcomes with their tries and gives up the leases. A delivery
// that is left pending is tried again at its NextAt.
func (s *deliveries) Finish(ctx context.Context, done ...domain.Tried) error {
	for i := range done {
		r := newDeliveryRow(&done[i].Delivery)
		r.LeaseUntil = 0
		res, err := s.db.NewUpdate().Model(r).
			Column("state", "next_at", "lease_until", "resent", "status_code", "error", "response", "latency_ms", "finished_at").
			Where("id = ?", r.ID).Where("attempt = ?", r.Attempt).Exec(ctx)
		if err != nil {
			return row.Error(err, "finish delivery")
		}
		if !row.Changed(res) {
			continue
		}
		if done[i].Try.Number > 0 {
			if _, err := s.db.NewInsert().Model(newTryRow(&done[i].Try)).On("CONFLICT DO NOTHING").Exec(ctx); err != nil {
				return row.Error(err, "log a try")
			}
		}
		if r.State == domain.DeliveryPending {
			s.touch("deliveries")
		}
	}
	return nil
}

// ByEndpoint returns a page of the deliveries to an endpoint, newest first, and
// how many there are.
func (s *deliveries) ByEndpoint(ctx context.Context, in domain.Scope, endpoint domain.ID, f domain.DeliveryFilter, page domain.Page) ([]domain.Delivery, int, error) {
	var rows []deliveryRow
	err := row.Cut(row.In(s.to(endpoint, f).Model(&rows), in), page).Scan(ctx)
	if err != nil {
		return nil, 0, row.Error(err, "list deliveries")
	}
	// An endpoint belongs to one scope: once one row says that it is this one, the
	// others are counted in the index alone.
	some, err := row.In(s.to(endpoint, f).Model((*deliveryRow)(nil)), in).Limit(1).Exists(ctx)
	if !some || err != nil {
		return row.Map(rows, (*deliveryRow).domain), 0, row.Error(err, "count deliveries")
	}
	total, err := row.Count(ctx, s.to(endpoint, f).Model((*deliveryRow)(nil)))
	return row.Map(rows, (*deliveryRow).domain), total, err
}

// to selects the deliveries to an endpoint that the filter lets through.
func (s *deliveries) to(endpoint domain.ID, f domain.DeliveryFilter) *bun.SelectQuery {
	q := s.db.NewSelect().Where("endpoint_id = ?", endpoint)
	if f.State != "" {
		q = q.Where("state = ?", f.State)
	}
	if f.EventType != "" {
		q = q.Where("event_type = ?", f.EventType)
	}
	if f.CallID != "" {
		q = q.Where("call_id = ?", f.CallID)
	}
	if !f.CreatedMin.IsZero() {
		q = q.Where("created_at >= ?", row.At(f.CreatedMin))
	}
	return q
}

// Resend makes deliveries wait to be sent once more.
func (s *deliveries) Resend(ctx context.Context, in domain.Scope, r domain.Resend) (int, error) {
	due := row.In(s.db.NewSelect().Model((*deliveryRow)(nil)).Column("id").Where("endpoint_id = ?", r.Endpoint), in)
	if r.ID != "" {
		due = due.Where("id = ?", r.ID).Where("state <> 'pending'")
	} else {
		due = due.Where("state = 'failed'").Where("created_at >= ?", row.At(r.Since)).OrderExpr("created_at, id").Limit(int64(r.Limit))
	}
	res, err := s.db.NewUpdate().Model((*deliveryRow)(nil)).
		Set("state = 'pending', next_at = ?, lease_until = 0, resent = attempt, finished_at = 0", row.At(r.Now)).
		Where("id IN (?)", due).Exec(ctx)
	if err != nil {
		return 0, row.Error(err, "send deliveries again")
	}
	s.touch("deliveries")
	n, err := res.RowsAffected()
	return int(n), row.Error(err, "send deliveries again")
}

// ByCall returns the deliveries about a call, oldest first.
func (s *deliveries) ByCall(ctx context.Context, in domain.Scope, call domain.ID) ([]domain.Delivery, error) {
	var rows []deliveryRow
	err := row.In(s.db.NewSelect().Model(&rows).Where("call_id = ?", call).Where("call_id <> ''"), in).OrderExpr("id").Scan(ctx)
	return row.Map(rows, (*deliveryRow).domain), row.Error(err, "list deliveries")
}
