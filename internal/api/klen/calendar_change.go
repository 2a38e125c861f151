package klen

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
)

// CalendarFields are the fields of a new event, or of a change to one.
type CalendarFields struct {
	Title         wire.Opt[string]                   `json:"title,omitzero" doc:"Required in a new one."`
	StartTime     wire.Opt[string]                   `json:"start_time,omitzero" doc:"Required in a new one; ISO 8601, UTC without a zone."`
	EndTime       wire.Opt[string]                   `json:"end_time,omitzero" doc:"Required in a new one, after start_time."`
	Description   wire.Opt[string]                   `json:"description,omitzero"`
	EventType     wire.Opt[domain.AppointmentKind]   `json:"event_type,omitzero" doc:"meeting when not sent."`
	Status        wire.Opt[domain.AppointmentStatus] `json:"status,omitzero" doc:"scheduled when not sent."`
	Location      wire.Opt[string]                   `json:"location,omitzero"`
	CustomerName  wire.Opt[string]                   `json:"customer_name,omitzero"`
	CustomerEmail wire.Opt[string]                   `json:"customer_email,omitzero"`
	CustomerPhone wire.Opt[string]                   `json:"customer_phone,omitzero"`
	CustomerNotes wire.Opt[string]                   `json:"customer_notes,omitzero"`
	HasVideo      wire.Opt[bool]                     `json:"has_video_conference,omitzero"`
	VideoURL      wire.Opt[string]                   `json:"video_conference_url,omitzero"`
	VideoProvider wire.Opt[string]                   `json:"video_conference_provider,omitzero"`
	ReminderOn    wire.Opt[bool]                     `json:"is_reminder_enabled,omitzero" doc:"true when not sent."`
	RemindBefore  wire.Opt[int64]                    `json:"remind_before_minutes,omitzero" doc:"60 when not sent."`
	AgentID       wire.Opt[AnyID]                    `json:"ai_agent_id,omitzero" doc:"null takes the agent off."`
	TeamID        wire.Opt[any]                      `json:"team_id,omitzero" doc:"A string or a number; kept, and given back as a string."`
	ByAgent       wire.Opt[bool]                     `json:"created_by_ai_agent,omitzero"`
	Sync          wire.Opt[bool]                     `json:"sync_external_calendars,omitzero" doc:"true when not sent; kept, nothing is copied."`
	Notify        wire.Opt[bool]                     `json:"send_notifications,omitzero" doc:"true when not sent; kept, nothing is sent."`
}

// CalendarCancel is why an event is cancelled.
type CalendarCancel struct {
	Reason wire.Opt[string] `json:"reason,omitzero" doc:"Added to the notes about the customer."`
}

// calendarReply is the answer to a change.
type calendarReply struct {
	wire.ETag
	Body CalendarWritten
}

// What the answers to changes say.
const (
	eventCreated   = "Event created successfully"
	eventUpdated   = "Event updated successfully"
	eventCancelled = "Event cancelled successfully"
)

func (f *face) createEvent(ctx context.Context, in *struct{ Body *wire.Loose[CalendarFields] }) (*calendarReply, error) {
	b := &CalendarFields{}
	if in.Body != nil {
		b = &in.Body.Value
	}
	for _, must := range []struct {
		name string
		sent wire.Opt[string]
	}{{"title", b.Title}, {"start_time", b.StartTime}, {"end_time", b.EndTime}} {
		if must.sent.Value == "" {
			return nil, missingParameter(must.name)
		}
	}
	req, err := b.change()
	if err != nil {
		return nil, err
	}
	once := wire.Once(ctx, http.StatusCreated, func(a *service.AppointmentDetail) any { return calendarWritten(a, eventCreated) })
	a, err := f.rules.CreateAppointment(ctx, wire.ScopeOf(ctx), req, once)
	return replyEvent(a, err, eventCreated)
}

func (f *face) updateEvent(ctx context.Context, in *struct {
	EventByID
	wire.IfMatch
	Body wire.Loose[CalendarFields]
}) (*calendarReply, error) {
	req, err := in.Body.Value.change()
	if err != nil {
		return nil, err
	}
	if req.IfVersion, err = in.Version(); err != nil {
		return nil, err
	}
	a, err := f.rules.UpdateAppointment(ctx, wire.ScopeOf(ctx), in.id(), req)
	return replyEvent(a, err, eventUpdated)
}

func (f *face) cancelEvent(ctx context.Context, in *struct {
	EventByID
	Body *wire.Loose[CalendarCancel]
}) (*calendarReply, error) {
	reason := ""
	if in.Body != nil {
		reason = in.Body.Value.Reason.Value
	}
	once := wire.Once(ctx, http.StatusOK, func(a *service.AppointmentDetail) any { return calendarWritten(a, eventCancelled) })
	a, err := f.rules.CancelAppointment(ctx, wire.ScopeOf(ctx), in.id(), reason, once)
	return replyEvent(a, err, eventCancelled)
}

func replyEvent(a *service.AppointmentDetail, err error, message string) (*calendarReply, error) {
	if err != nil {
		return nil, err
	}
	return &calendarReply{wire.ETagOf(a.Version, idTexts(a.Overlaps)...), calendarWritten(a, message)}, nil
}

func calendarWritten(a *service.AppointmentDetail, message string) CalendarWritten {
	return CalendarWritten{
		ID: a.ID, UUID: a.UUID(), Title: a.Title, StartTime: CalendarTime(a.StartAt), EndTime: CalendarTime(a.EndAt),
		Status: a.Status, ICSURL: calendarURL(&a.Appointment), Overlaps: a.Overlaps, Message: message,
	}
}

// change translates the fields. A null empties a text and says nothing where
// there must be a value.
func (b *CalendarFields) change() (service.AppointmentChange, error) {
	req := service.AppointmentChange{
		Title: b.Title.Given(), Description: b.Description.Change(), Kind: b.EventType.Given(), Status: b.Status.Given(),
		Location: b.Location.Change(), AgentID: (*domain.ID)(b.AgentID.Change()),
		Customer: service.CustomerChange{
			Name: b.CustomerName.Change(), Email: b.CustomerEmail.Change(), Phone: b.CustomerPhone.Change(), Notes: b.CustomerNotes.Change(),
		},
		VideoOn: b.HasVideo.Given(), VideoURL: b.VideoURL.Change(), VideoBy: b.VideoProvider.Change(),
		RemindOn: b.ReminderOn.Given(), ByAgent: b.ByAgent.Given(), Sync: b.Sync.Given(), Notify: b.Notify.Given(),
	}
	if minutes := b.RemindBefore.Given(); minutes != nil {
		const most = 1 << 24 // minutes; more than any rule allows
		req.RemindBefore = new(time.Duration(min(max(*minutes, -1), most)) * time.Minute)
	}
	var err error
	if req.TeamID, err = teamID(b.TeamID); err != nil {
		return req, err
	}
	if req.StartAt, err = eventTime("start_time", b.StartTime.Given()); err != nil {
		return req, err
	}
	req.EndAt, err = eventTime("end_time", b.EndTime.Given())
	return req, err
}

// eventTime reads a time that was sent.
func eventTime(field string, sent *string) (*time.Time, error) {
	if sent == nil {
		return nil, nil
	}
	at, _, err := wire.ParseInstant(field, *sent)
	if err != nil {
		return nil, notDatetime(field)
	}
	return &at, nil
}

// teamID reads a team's id, which clients send as a number or a string.
func teamID(sent wire.Opt[any]) (*string, error) {
	switch id := sent.Value.(type) {
	case nil:
		if sent.Null {
			return new(""), nil
		}
		return nil, nil
	case string:
		return &id, nil
	case float64:
		raw, err := json.Marshal(id)
		text := string(raw)
		return &text, err
	}
	return nil, domain.Invalid("team_id", "team_id must be a string or a number")
}
