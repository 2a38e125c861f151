package native

import (
	"context"
	"net/http"
	"time"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
)

// Appointment is an entry of the calendar.
type Appointment struct {
	ID        domain.ID                `json:"id"`
	ContactID *domain.ID               `json:"contactId"`
	StartTime wire.Instant             `json:"startTime"`
	EndTime   wire.Instant             `json:"endTime"`
	Title     string                   `json:"title"`
	Notes     string                   `json:"notes"`
	Status    domain.AppointmentStatus `json:"status" enum:"scheduled,confirmed,completed,cancelled,no_show,rescheduled"`
	AgentID   *domain.ID               `json:"agentId" doc:"The agent that made it, or whom it is with."`
	CallID    *domain.ID               `json:"callId" doc:"The call in which it was made."`
	Location  string                   `json:"location"`
	Customer  Customer                 `json:"customer"`
	CreatedAt wire.Instant             `json:"createdAt"`
	UpdatedAt wire.Instant             `json:"updatedAt"`
}

// Customer is whom an appointment is with, where that is not a contact.
type Customer struct {
	Name  string `json:"name"`
	Email string `json:"email"`
	Phone string `json:"phone"`
}

// AppointmentDetail is an appointment with what takes time while it does.
type AppointmentDetail struct {
	Appointment
	Overlaps []domain.ID `json:"overlaps" doc:"Appointments that are not cancelled and fall into its time, at most 100."`
}

// AppointmentFields are the fields of a new appointment, or of a change to one.
type AppointmentFields struct {
	ContactID wire.Opt[domain.ID]                `json:"contactId,omitzero" doc:"null takes the contact off."`
	StartTime wire.Opt[string]                   `json:"startTime,omitzero" doc:"Required in a new one; ISO 8601, UTC without a zone."`
	EndTime   wire.Opt[string]                   `json:"endTime,omitzero" doc:"Required in a new one, after startTime."`
	Title     wire.Opt[string]                   `json:"title,omitzero" doc:"Required in a new one."`
	Notes     wire.Opt[string]                   `json:"notes,omitzero"`
	Status    wire.Opt[domain.AppointmentStatus] `json:"status,omitzero" doc:"scheduled (when not sent), confirmed, completed, cancelled, no_show or rescheduled."`
	AgentID   wire.Opt[domain.ID]                `json:"agentId,omitzero" doc:"null takes the agent off."`
	Location  wire.Opt[string]                   `json:"location,omitzero"`
	Customer  wire.Opt[CustomerFields]           `json:"customer,omitzero" doc:"null empties it."`
}

// CustomerFields are the fields of a new customer, or of a change to one.
type CustomerFields struct {
	Name  wire.Opt[string] `json:"name,omitzero"`
	Email wire.Opt[string] `json:"email,omitzero"`
	Phone wire.Opt[string] `json:"phone,omitzero"`
}

func (f *face) appointmentRoutes(rt *wire.Router) {
	const path, one = Root + "/appointments", Root + "/appointments/{id}"
	wire.Handle(rt, wire.Route{Method: http.MethodGet, Path: path, ID: "list-appointments", Scope: "appointments:read", Summary: "List appointments"}, f.listAppointments)
	wire.Handle(rt, wire.Route{Method: http.MethodPost, Path: path, ID: "create-appointment", Scope: "appointments:write", Status: http.StatusCreated, Summary: "Create an appointment"}, f.createAppointment)
	wire.Handle(rt, wire.Route{Method: http.MethodGet, Path: path + "/available-slots", ID: "list-available-slots", Scope: "appointments:read", Summary: "List free times"}, f.listSlots)
	wire.Handle(rt, wire.Route{Method: http.MethodGet, Path: one, ID: "get-appointment", Scope: "appointments:read", Summary: "Get an appointment"}, f.getAppointment)
	wire.Handle(rt, wire.Route{Method: http.MethodDelete, Path: one, ID: "delete-appointment", Scope: "appointments:write", Summary: "Delete an appointment"}, f.deleteAppointment)
	wire.CalendarFile(rt, wire.Route{Method: http.MethodGet, Path: one + "/calendar.ics", ID: "get-appointment-calendar", Scope: "appointments:read", Summary: "Get an appointment for calendars"}, f.findAppointment)
	update(rt, wire.Route{Path: one, ID: "appointment", Scope: "appointments:write", Summary: "Update an appointment"}, f.updateAppointment)
}

type appointmentQuery struct {
	wire.Paging
	Status    domain.AppointmentStatus `query:"status" doc:"scheduled, confirmed, completed, cancelled, no_show or rescheduled."`
	From      string                   `query:"from" doc:"Those that begin then or later: a date or time, ISO 8601."`
	To        string                   `query:"to" doc:"Those that begin then or earlier; a date is its whole day."`
	ContactID domain.ID                `query:"contactId"`
	AgentID   domain.ID                `query:"agentId"`
}

func (f *face) listAppointments(ctx context.Context, in *appointmentQuery) (*list[Appointment], error) {
	filter := domain.AppointmentFilter{Status: in.Status, ContactID: in.ContactID, AgentID: in.AgentID}
	var err error
	if filter.StartMin, filter.StartMax, err = span(in.From, in.To); err != nil {
		return nil, err
	}
	page := in.Page()
	rows, total, err := f.rules.Appointments(ctx, wire.ScopeOf(ctx), filter, page)
	if err != nil {
		return nil, err
	}
	return listOf(ctx, page, total, rows, appointment), nil
}

// span reads the bounds from and to of a list, either of which may be absent: the
// first moment that is in, and the first after it that is not.
func span(from, to string) (least, most time.Time, err error) {
	if from != "" {
		if least, _, err = wire.ParseInstant("from", from); err != nil {
			return least, most, err
		}
	}
	if to != "" {
		_, most, err = wire.ParseInstant("to", to)
	}
	return least, most, err
}

func (f *face) createAppointment(ctx context.Context, in *struct{ Body AppointmentFields }) (*object[AppointmentDetail], error) {
	req, err := in.Body.change()
	if err != nil {
		return nil, err
	}
	a, err := f.rules.CreateAppointment(ctx, wire.ScopeOf(ctx), req, wire.Once(ctx, http.StatusCreated, appointmentBody))
	if err != nil {
		return nil, err
	}
	return replyAppointment(a), nil
}

func (f *face) getAppointment(ctx context.Context, in *ByID) (*object[AppointmentDetail], error) {
	a, err := f.rules.Appointment(ctx, wire.ScopeOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return replyAppointment(a), nil
}

func (f *face) updateAppointment(ctx context.Context, in *struct {
	ByID
	wire.IfMatch
	Body AppointmentFields
}) (*object[AppointmentDetail], error) {
	req, err := in.Body.change()
	if err != nil {
		return nil, err
	}
	if req.IfVersion, err = in.Version(); err != nil {
		return nil, err
	}
	if err := in.Body.notNull(); err != nil {
		return nil, err
	}
	a, err := f.rules.UpdateAppointment(ctx, wire.ScopeOf(ctx), in.ID, req)
	if err != nil {
		return nil, err
	}
	return replyAppointment(a), nil
}

func (f *face) deleteAppointment(ctx context.Context, in *Removal) (*object[Deleted], error) {
	return remove(ctx, in, f.rules.DeleteAppointment)
}

func (f *face) findAppointment(ctx context.Context, id string) (*domain.Appointment, error) {
	a, err := f.rules.Appointment(ctx, wire.ScopeOf(ctx), domain.ID(id))
	if err != nil {
		return nil, err
	}
	return &a.Appointment, nil
}

// change translates the fields.
func (b *AppointmentFields) change() (service.AppointmentChange, error) {
	c := b.Customer.Value
	req := service.AppointmentChange{
		Title: b.Title.Given(), Status: b.Status.Given(), Notes: b.Notes.Change(), Location: b.Location.Change(),
		ContactID: b.ContactID.Change(), AgentID: b.AgentID.Change(),
		Customer: service.CustomerChange{Name: c.Name.Change(), Email: c.Email.Change(), Phone: c.Phone.Change()},
	}
	if b.Customer.Null {
		req.Customer = service.CustomerChange{Name: new(""), Email: new(""), Phone: new("")}
	}
	var err error
	if req.StartAt, err = instant("startTime", b.StartTime.Given()); err != nil {
		return req, err
	}
	req.EndAt, err = instant("endTime", b.EndTime.Given())
	return req, err
}

// instant reads a time that was sent.
func instant(field string, sent *string) (*time.Time, error) {
	if sent == nil {
		return nil, nil
	}
	at, _, err := wire.ParseInstant(field, *sent)
	return &at, err
}

// notNull refuses a null where a field must have a value.
func (b *AppointmentFields) notNull() error {
	for _, f := range []struct {
		name string
		null bool
	}{
		{"title", b.Title.Null}, {"startTime", b.StartTime.Null}, {"endTime", b.EndTime.Null}, {"status", b.Status.Null},
	} {
		if err := notNull(f.name, f.null); err != nil {
			return err
		}
	}
	return nil
}

func appointment(a *domain.Appointment) Appointment {
	return Appointment{
		ID: a.ID, ContactID: orNull(a.ContactID), AgentID: orNull(a.AgentID), CallID: orNull(a.CallID),
		StartTime: wire.Instant(a.StartAt), EndTime: wire.Instant(a.EndAt), Title: a.Title, Notes: a.Notes, Status: a.Status,
		Location: a.Location, Customer: Customer{Name: a.Customer.Name, Email: a.Customer.Email, Phone: a.Customer.Phone},
		CreatedAt: wire.Instant(a.CreatedAt), UpdatedAt: wire.Instant(a.UpdatedAt),
	}
}

func appointmentDetail(a *service.AppointmentDetail) AppointmentDetail {
	return AppointmentDetail{Appointment: appointment(&a.Appointment), Overlaps: a.Overlaps}
}

func appointmentBody(a *service.AppointmentDetail) any { return appointmentDetail(a) }

// replyAppointment names the version of an appointment together with what
// overlaps it, which changes without it.
func replyAppointment(a *service.AppointmentDetail) *object[AppointmentDetail] {
	beside := make([]string, len(a.Overlaps))
	for i, id := range a.Overlaps {
		beside[i] = string(id)
	}
	return &object[AppointmentDetail]{ETag: wire.ETagOf(a.Version, beside...), Body: appointmentDetail(a)}
}
