package klen

import (
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
)

// TestCalendarHook proves the payloads of the calendar, and that their bytes
// survive a receiver who parses and writes them again.
func TestCalendarHook(t *testing.T) {
	start := time.Date(2025, 2, 15, 10, 0, 0, 0, time.UTC)
	was := domain.Appointment{
		ID: "0123456789abcdef01234567", AgentID: "g1", Title: "Demo", Status: domain.AppointmentScheduled,
		StartAt: start, EndAt: start.Add(30 * time.Minute), CreatedAt: start, UpdatedAt: start,
	}
	was.Kind, was.Customer.Name, was.Reminder.Before = domain.KindMeeting, "Zoë </b>", time.Hour
	moved := was
	moved.StartAt = start.Add(time.Minute)
	const begin = `{"event_type":"`
	const event = `","calendar_event":{"id":"0123456789abcdef01234567","uuid":"01234567-89ab-8cde-8f01-234567000000","title":"Demo","event_type":"meeting",` +
		`"status":"scheduled","start_time":"2025-02-15T10:00:00.000Z","end_time":"2025-02-15T10:30:00.000Z","duration_minutes":30,"location":null,` +
		`"has_video_conference":false,"video_conference_url":null,"created_by_ai_agent":false,"ai_agent":{"id":"g1","assistant_id":"g1"},` +
		`"customer":{"name":"Zoë </b>","email":null,"phone":null},"description":"","customer_notes":"","video_conference_provider":null,` +
		`"is_reminder_enabled":false,"remind_before_minutes":60,"team_id":null,"call_id":null,"contact_id":null,"sync_external_calendars":false,` +
		`"send_notifications":false,"ics_url":"/calendar/event/01234567-89ab-8cde-8f01-234567000000/calendar.ics","overlaps":[],` +
		`"created_at":"2025-02-15T10:00:00.000Z","updated_at":"2025-02-15T10:00:00.000Z"},"timestamp":"2025-02-15T10:00:00.000Z"`
	const previous = `,"previous_start":"2025-02-15T10:00:00.000Z","previous_end":"2025-02-15T10:30:00.000Z"}`
	for _, c := range []struct {
		ev         domain.Event
		word, tail string
	}{
		{domain.Event{Type: domain.EventAppointmentCreated, Appointment: &was}, "calendar.created", "}"},
		{domain.Event{Type: domain.EventAppointmentUpdated, Appointment: &was, Previous: &was}, "calendar.updated", `,"time_changed":false` + previous},
		{domain.Event{Type: domain.EventAppointmentUpdated, Appointment: &was, Previous: &moved}, "calendar.updated",
			`,"time_changed":true` + strings.Replace(previous, "10:00:00", "10:01:00", 1)},
		{domain.Event{Type: domain.EventAppointmentCompleted, Appointment: &was, Previous: &moved}, "calendar.completed", "}"},
		{domain.Event{Type: domain.EventAppointmentCancelled, Appointment: &was, Previous: &was, Reason: "Ill"}, "calendar.cancelled", `,"reason":"Ill"}`},
	} {
		c.ev.At = start
		got, known := calendarHook(&c.ev)
		if want := begin + c.word + event + c.tail; !known || string(got) != want {
			t.Errorf("%v\n got %s\nwant %s", known, got, want)
		}
		again, err := wire.CanonicalJSON(got)
		if err != nil || string(again) != string(got) {
			t.Errorf("it is not canonical: %v", err)
		}
	}
	for _, ev := range []domain.Event{{Type: domain.EventCallEnded, Call: &domain.Call{}}, {Type: domain.EventWebhookTest}, {Type: domain.EventAppointmentCreated}} {
		if got, known := calendarHook(&ev); known {
			t.Errorf("%s became %s", ev.Type, got)
		}
	}
}
