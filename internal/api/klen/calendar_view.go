package klen

import (
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/callwright/callwright/internal/domain"
)

// CalendarTime is a time of the calendar: UTC with milliseconds.
type CalendarTime time.Time

const calendarForm = "2006-01-02T15:04:05.000Z"

// MarshalText prints t.
func (t CalendarTime) MarshalText() ([]byte, error) {
	return time.Time(t).UTC().AppendFormat(nil, calendarForm), nil
}

// Schema says date-time.
func (CalendarTime) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "date-time"}
}

func calendarEvent(a *domain.Appointment) CalendarEvent {
	e := CalendarEvent{
		ID: a.ID, UUID: a.UUID(), Title: a.Title, EventType: a.Kind, Status: a.Status,
		StartTime: CalendarTime(a.StartAt), EndTime: CalendarTime(a.EndAt), DurationMinutes: int64(a.EndAt.Sub(a.StartAt) / time.Minute),
		Location: nullable(a.Location), HasVideo: a.Video.On, VideoURL: nullable(a.Video.URL), ByAgent: a.ByAgent,
		Customer: CalendarCustomer{Name: nullable(a.Customer.Name), Email: nullable(a.Customer.Email), Phone: nullable(a.Customer.Phone)},
	}
	if a.AgentID != "" {
		e.Agent = &CalendarAgent{ID: a.AgentID, AssistantID: a.AgentID}
	}
	return e
}

func calendarDetail(a *domain.Appointment, overlaps []domain.ID) CalendarDetail {
	return CalendarDetail{
		CalendarEvent: calendarEvent(a), Description: a.Description, CustomerNotes: a.Customer.Notes,
		VideoProvider: nullable(a.Video.Provider), ReminderOn: a.Reminder.On, RemindBefore: int64(a.Reminder.Before / time.Minute),
		TeamID: nullable(a.TeamID), CallID: nullable(a.CallID), ContactID: nullable(a.ContactID), Sync: a.Sync, Notify: a.Notify,
		ICSURL: calendarURL(a), Overlaps: overlaps, CreatedAt: CalendarTime(a.CreatedAt), UpdatedAt: CalendarTime(a.UpdatedAt),
	}
}

// calendarURL is where the event's file for calendars is, below the API's root.
func calendarURL(a *domain.Appointment) string {
	return "/calendar/event/" + a.UUID() + "/calendar.ics"
}

// nullable makes "" a JSON null.
func nullable[T ~string](s T) *T {
	if s == "" {
		return nil
	}
	return &s
}

// idTexts are ids as texts.
func idTexts(ids []domain.ID) []string {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = string(id)
	}
	return texts
}
