package directory

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store/row"
)

type appointmentRow struct {
	bun.BaseModel `bun:"table:appointments"`
	head
	ContactID domain.ID
	AgentID   domain.ID
	CallID    domain.ID
	Title     string
	Notes     string
	StartAt   row.Micros
	EndAt     row.Micros
	Status    domain.AppointmentStatus
	Details   row.JSON[domain.AppointmentDetails]
}

var _ record[domain.Appointment] = (*appointmentRow)(nil)

func (r *appointmentRow) fill(a *domain.Appointment) {
	*r = appointmentRow{
		head: head{
			ID: a.ID, WorkspaceID: a.WorkspaceID, Mode: a.Mode, Version: a.Version,
			CreatedAt: row.At(a.CreatedAt), UpdatedAt: row.At(a.UpdatedAt),
		},
		ContactID: a.ContactID, AgentID: a.AgentID, CallID: a.CallID, Title: a.Title, Notes: a.Notes,
		StartAt: row.At(a.StartAt), EndAt: row.At(a.EndAt), Status: a.Status,
		Details: row.JSON[domain.AppointmentDetails]{V: a.AppointmentDetails},
	}
}

func (r *appointmentRow) domain() domain.Appointment {
	return domain.Appointment{
		ID: r.ID, WorkspaceID: r.WorkspaceID, Mode: r.Mode, Version: r.Version,
		CreatedAt: r.CreatedAt.Time(), UpdatedAt: r.UpdatedAt.Time(),
		ContactID: r.ContactID, AgentID: r.AgentID, CallID: r.CallID, Title: r.Title, Notes: r.Notes,
		StartAt: r.StartAt.Time(), EndAt: r.EndAt.Time(), Status: r.Status, AppointmentDetails: r.Details.V,
	}
}

type appointments struct {
	*collection[domain.Appointment, appointmentRow, *appointmentRow]
}

// NewAppointments keeps appointments.
func NewAppointments(db bun.IDB) domain.Appointments {
	return &appointments{newCollection[domain.Appointment, appointmentRow](db, "Appointment")}
}

// Find returns a page of appointments in the order in which they begin, and how
// many the filter has in all. A cursor that names none gives none.
func (s *appointments) Find(ctx context.Context, in domain.Scope, f domain.AppointmentFilter, page domain.Page) ([]domain.Appointment, int, error) {
	total, err := row.Count(ctx, appointmentsOf(s.db.NewSelect().Model((*appointmentRow)(nil)), in, f))
	if err != nil {
		return nil, 0, err
	}
	var rows []appointmentRow
	q := appointmentsOf(s.db.NewSelect().Model(&rows), in, f).OrderExpr("start_at, id")
	if page.After != "" {
		page.Offset = 0
		q = q.Where("(start_at, id) > (SELECT start_at, id FROM appointments WHERE id = ?)", page.After)
	}
	err = row.Bound(q, page.Limit, page.Offset).Scan(ctx)
	return row.Map(rows, (*appointmentRow).domain), total, row.Error(err, "list appointments")
}

func appointmentsOf(q *bun.SelectQuery, in domain.Scope, f domain.AppointmentFilter) *bun.SelectQuery {
	q = row.In(q, in)
	if f.Status != "" {
		q = q.Where("status = ?", f.Status)
	}
	if f.AgentID != "" {
		q = q.Where("agent_id = ?", f.AgentID).Where("agent_id <> ''") // the index is partial
	}
	if f.ContactID != "" {
		q = q.Where("contact_id = ?", f.ContactID).Where("contact_id <> ''")
	}
	if !f.StartMin.IsZero() {
		q = q.Where("start_at >= ?", row.At(f.StartMin))
	}
	if !f.StartMax.IsZero() {
		q = q.Where("start_at < ?", row.At(f.StartMax))
	}
	return q
}

// Taken returns appointments that take time in a span. That none lasts longer
// than domain.MaxAppointment bounds what has to be looked at.
func (s *appointments) Taken(ctx context.Context, in domain.Scope, from, to time.Time, limit int) ([]domain.Appointment, error) {
	var rows []appointmentRow
	q := row.In(s.db.NewSelect().Model(&rows), in).
		Where("start_at < ?", row.At(to)).Where("start_at > ?", row.At(from.Add(-domain.MaxAppointment))).
		Where("end_at > ?", row.At(from)).Where("status <> ?", domain.AppointmentCancelled).
		OrderExpr("start_at, id")
	err := row.Bound(q, limit, 0).Scan(ctx)
	return row.Map(rows, (*appointmentRow).domain), row.Error(err, "list appointments")
}
