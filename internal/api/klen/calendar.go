package klen

import (
	"context"
	"net/http"
	"time"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
)

// CalendarEvent is an appointment in a list.
type CalendarEvent struct {
	ID              domain.ID                `json:"id"`
	UUID            string                   `json:"uuid" doc:"The id in the form of RFC 9562; either one is accepted in paths."`
	Title           string                   `json:"title"`
	EventType       domain.AppointmentKind   `json:"event_type" enum:"meeting,appointment,busy,voice_call,video_call"`
	Status          domain.AppointmentStatus `json:"status" enum:"scheduled,confirmed,completed,cancelled,no_show,rescheduled"`
	StartTime       CalendarTime             `json:"start_time"`
	EndTime         CalendarTime             `json:"end_time"`
	DurationMinutes int64                    `json:"duration_minutes"`
	Location        *string                  `json:"location"`
	HasVideo        bool                     `json:"has_video_conference"`
	VideoURL        *string                  `json:"video_conference_url"`
	ByAgent         bool                     `json:"created_by_ai_agent"`
	Agent           *CalendarAgent           `json:"ai_agent"`
	Customer        CalendarCustomer         `json:"customer"`
}

// CalendarAgent is the agent that made an event, or whom it is with.
type CalendarAgent struct {
	ID          domain.ID `json:"id"`
	Name        string    `json:"name,omitempty" doc:"Not there when the agent is gone, and in webhooks."`
	AssistantID domain.ID `json:"assistant_id"`
}

// CalendarCustomer is whom an event is with.
type CalendarCustomer struct {
	Name  *string `json:"name"`
	Email *string `json:"email"`
	Phone *string `json:"phone"`
}

// CalendarDetail is an event by itself.
type CalendarDetail struct {
	CalendarEvent
	Description   string       `json:"description"`
	CustomerNotes string       `json:"customer_notes"`
	VideoProvider *string      `json:"video_conference_provider"`
	ReminderOn    bool         `json:"is_reminder_enabled"`
	RemindBefore  int64        `json:"remind_before_minutes"`
	TeamID        *string      `json:"team_id"`
	CallID        *domain.ID   `json:"call_id" doc:"The call in which it was made."`
	ContactID     *domain.ID   `json:"contact_id"`
	Sync          bool         `json:"sync_external_calendars"`
	Notify        bool         `json:"send_notifications"`
	ICSURL        string       `json:"ics_url" doc:"Below this API's root, and below its host."`
	Overlaps      []domain.ID  `json:"overlaps" doc:"Events that are not cancelled and fall into its time, at most 100."`
	CreatedAt     CalendarTime `json:"created_at"`
	UpdatedAt     CalendarTime `json:"updated_at"`
}

// CalendarPage is a page of events, in the order in which they begin.
type CalendarPage struct {
	Pages
	Events     []CalendarEvent `json:"events"`
	NextCursor *domain.ID      `json:"next_cursor" doc:"Send it as after_id for what follows; null at the end."`
}

// CalendarWritten is the answer to a change.
type CalendarWritten struct {
	ID        domain.ID                `json:"id"`
	UUID      string                   `json:"uuid"`
	Title     string                   `json:"title"`
	StartTime CalendarTime             `json:"start_time"`
	EndTime   CalendarTime             `json:"end_time"`
	Status    domain.AppointmentStatus `json:"status"`
	ICSURL    string                   `json:"ics_url"`
	Overlaps  []domain.ID              `json:"overlaps"`
	Message   string                   `json:"message"`
}

// calendarPath is where the routes of the calendar begin.
const calendarPath = Root + "/calendar"

// calendarBeyond marks what the dialect's own document does not have.
const calendarBeyond = " (beyond the documents)"

func (f *face) calendarRoutes(rt *wire.Router) {
	const events, one = calendarPath + "/events", calendarPath + "/events/{id}"
	route := func(method, path, id, scope, summary string, aliases ...string) wire.Route {
		return wire.Route{
			Method: method, Path: path, ID: id, Tag: "calendar", Scope: scope, Summary: summary + calendarBeyond,
			Aliases: aliases, Shape: calendarShape,
		}
	}
	const read, write = "appointments:read", "appointments:write"
	wire.Handle(rt, route(http.MethodGet, events, "list-events", read, "List calendar events"), f.listEvents)
	wire.Handle(rt, route(http.MethodGet, one, "get-event", read, "Get a calendar event"), f.getEvent)
	create := route(http.MethodPost, events+"/create", "create-event", write, "Create a calendar event", events)
	create.Status = http.StatusCreated
	wire.Handle(rt, create, f.createEvent)
	wire.Handle(rt, route(http.MethodPatch, one+"/update", "update-event", write, "Update a calendar event", one), f.updateEvent)
	wire.Handle(rt, route(http.MethodPut, one+"/update", "put-event", write, "Update a calendar event", one), f.updateEvent)
	wire.Handle(rt, route(http.MethodPost, one+"/cancel", "cancel-event", write, "Cancel a calendar event"), f.cancelEvent)
	wire.Handle(rt, route(http.MethodGet, calendarPath+"/availability", "list-availability", read, "List free times"), f.listAvailability)
	const file = "/calendar/event/{id}/calendar.ics" // ics_url, below the root or the host
	wire.CalendarFile(rt, route(http.MethodGet, Root+file, "get-event-calendar", read, "Get an event for calendars", file), f.findEvent)
}

// EventByID is the input of a route for one event. (huma passes over embedded
// types that are not exported.)
type EventByID struct {
	Event string `path:"id" doc:"The event's id or uuid."`
}

func (e *EventByID) id() domain.ID { return domain.IDOfUUID(e.Event) }

type calendarQuery struct {
	Paging
	StartDate string                   `query:"start_date" doc:"The first day or time, ISO 8601; today when not sent."`
	EndDate   string                   `query:"end_date" doc:"The last day or time; 30 days from today when not sent."`
	Status    domain.AppointmentStatus `query:"status"`
}

// calendarList is a page of events with its headers.
type calendarList struct {
	PageHead
	Body CalendarPage
}

func (f *face) listEvents(ctx context.Context, in *calendarQuery) (*calendarList, error) {
	filter := domain.AppointmentFilter{Status: in.Status}
	var err error
	if filter.StartMin, filter.StartMax, err = calendarDays(in.StartDate, in.EndDate, 30); err != nil {
		return nil, err
	}
	window, err := in.window(defaultLimit)
	if err != nil {
		return nil, err
	}
	rows, total, err := f.rules.Appointments(ctx, wire.ScopeOf(ctx), filter, window)
	if err != nil {
		return nil, err
	}
	rows, next := cut(rows, window, func(a *domain.Appointment) domain.ID { return a.ID })
	body := CalendarPage{Pages: in.head(window.Limit-1, total), Events: make([]CalendarEvent, len(rows)), NextCursor: next}
	agents := calendarAgents{face: f}
	for i := range rows {
		body.Events[i] = calendarEvent(&rows[i])
		if err := agents.name(ctx, body.Events[i].Agent); err != nil {
			return nil, err
		}
	}
	return &calendarList{in.headers(ctx, body.Pages, next), body}, nil
}

// calendarDays reads the bounds of a list: today, and so many days from then,
// where they are not sent.
func calendarDays(from, to string, days int) (least, most time.Time, err error) {
	today := time.Now().UTC().Truncate(24 * time.Hour)
	least, most = today, today.AddDate(0, 0, days+1)
	if from != "" {
		if least, _, err = wire.ParseInstant("start_date", from); err != nil {
			return least, most, notDatetime("start_date")
		}
		most = least.AddDate(0, 0, days+1)
	}
	if to != "" {
		if _, most, err = wire.ParseInstant("end_date", to); err != nil {
			return least, most, notDatetime("end_date")
		}
	}
	return least, most, nil
}

func (f *face) getEvent(ctx context.Context, in *EventByID) (*struct {
	wire.ETag
	Body CalendarDetail
}, error) {
	a, err := f.rules.Appointment(ctx, wire.ScopeOf(ctx), in.id())
	if err != nil {
		return nil, err
	}
	body := calendarDetail(&a.Appointment, a.Overlaps)
	if err := (&calendarAgents{face: f}).name(ctx, body.Agent); err != nil {
		return nil, err
	}
	return &struct {
		wire.ETag
		Body CalendarDetail
	}{wire.ETagOf(a.Version, idTexts(a.Overlaps)...), body}, nil
}

func (f *face) findEvent(ctx context.Context, id string) (*domain.Appointment, error) {
	a, err := f.rules.Appointment(ctx, wire.ScopeOf(ctx), domain.IDOfUUID(id))
	if err != nil {
		return nil, err
	}
	return &a.Appointment, nil
}

// calendarAgents names the agents of events, each read once.
type calendarAgents struct {
	face  *face
	known map[domain.ID]string
}

func (c *calendarAgents) name(ctx context.Context, agent *CalendarAgent) error {
	if agent == nil {
		return nil
	}
	name, known := c.known[agent.ID]
	if !known {
		a, err := c.face.rules.Agent(ctx, wire.ScopeOf(ctx), agent.ID)
		if err != nil && domain.CodeOf(err) != domain.CodeNotFound { // it may be gone
			return err
		}
		if err == nil {
			name = a.Name
		}
		if c.known == nil {
			c.known = make(map[domain.ID]string)
		}
		c.known[agent.ID] = name
	}
	agent.Name = name
	return nil
}
