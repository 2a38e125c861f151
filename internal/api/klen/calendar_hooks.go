package klen

import (
	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
)

// calendarPayload is the body of an event of the calendar.
type calendarPayload struct {
	EventType     string         `json:"event_type"`
	Event         CalendarDetail `json:"calendar_event"`
	Timestamp     CalendarTime   `json:"timestamp"`
	TimeChanged   *bool          `json:"time_changed,omitempty"`   // calendar.updated
	PreviousStart *CalendarTime  `json:"previous_start,omitempty"` // the next two too
	PreviousEnd   *CalendarTime  `json:"previous_end,omitempty"`
	Reason        string         `json:"reason,omitempty"` // calendar.cancelled, where somebody said
}

// calendarHook returns the payload for an event about an appointment, canonical
// JSON, and false for any other event.
func calendarHook(ev *domain.Event) ([]byte, bool) {
	if ev.Appointment == nil {
		return nil, false
	}
	payload := calendarPayload{
		EventType: wordOf(ev.Type), Event: calendarDetail(ev.Appointment, []domain.ID{}), Timestamp: CalendarTime(ev.At), Reason: ev.Reason,
	}
	if was := ev.Previous; was != nil && ev.Type == domain.EventAppointmentUpdated {
		moved := !was.StartAt.Equal(ev.Appointment.StartAt) || !was.EndAt.Equal(ev.Appointment.EndAt)
		start, end := CalendarTime(was.StartAt), CalendarTime(was.EndAt)
		payload.TimeChanged, payload.PreviousStart, payload.PreviousEnd = &moved, &start, &end
	}
	body, err := wire.Canonical(payload)
	return body, err == nil // strings, numbers and times of our own always encode
}
