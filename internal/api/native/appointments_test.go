package native_test

import (
	"testing"
	"time"

	"github.com/callwright/callwright/internal/api/native"
	"github.com/callwright/callwright/internal/domain"
)

// TestAppointmentPayloads proves what is sent of each change of an appointment.
func TestAppointmentPayloads(t *testing.T) {
	start := time.Date(2025, 2, 15, 11, 0, 0, 0, time.FixedZone("", 3600))
	was := domain.Appointment{
		ID: "a1", ContactID: "k1", AgentID: "g1", CallID: "c1", Title: "Product Demo", Notes: "n", Status: domain.AppointmentScheduled,
		StartAt: start, EndAt: start.Add(30 * time.Minute), CreatedAt: hookAnswered, UpdatedAt: hookAnswered,
	}
	now := was
	now.StartAt, now.EndAt, now.Status, now.Customer.Name = start.Add(time.Hour), start.Add(2*time.Hour), domain.AppointmentConfirmed, "Zoë"
	const head, tail = `","timestamp":"2025-01-15T14:21:57Z","data":{"id":"a1","contactId":"k1",`, `,"createdAt":"2025-01-15T14:21:57Z","updatedAt":"2025-01-15T14:21:57Z"`
	const before = `"startTime":"2025-02-15T10:00:00Z","endTime":"2025-02-15T10:30:00Z"`
	const after = `"startTime":"2025-02-15T11:00:00Z","endTime":"2025-02-15T12:00:00Z"`
	for _, c := range []struct {
		ev   domain.Event
		want string
	}{
		{domain.Event{Type: domain.EventAppointmentCreated, Appointment: &was},
			`{"event":"appointment.created` + head + before + `,"title":"Product Demo","notes":"n","status":"scheduled","agentId":"g1","callId":"c1",` +
				`"location":"","customer":{"name":"","email":"","phone":""}` + tail + `}}`},
		{domain.Event{Type: domain.EventAppointmentUpdated, Appointment: &now, Previous: &was},
			`{"event":"appointment.updated` + head + after + `,"title":"Product Demo","notes":"n","status":"confirmed","agentId":"g1","callId":"c1",` +
				`"location":"","customer":{"name":"Zoë","email":"","phone":""}` + tail + `,"previous":{` + before + `,"status":"scheduled"}}}`},
		{domain.Event{Type: domain.EventAppointmentCancelled, Appointment: &now, Previous: &was, Reason: "Ill"},
			`{"event":"appointment.cancelled` + head + after + `,"title":"Product Demo","notes":"n","status":"confirmed","agentId":"g1","callId":"c1",` +
				`"location":"","customer":{"name":"Zoë","email":"","phone":""}` + tail + `,"previous":{` + before + `,"status":"scheduled"},"reason":"Ill"}}`},
	} {
		c.ev.At = hookAnswered
		got, known := native.Hooks{}.Encode(&c.ev)
		if !known || string(got) != c.want {
			t.Errorf("%v\n got %s\nwant %s", known, got, c.want)
		}
	}
	if got, known := (native.Hooks{}).Encode(&domain.Event{Type: domain.EventCallEnded, Appointment: &now}); known {
		t.Errorf("an event of a call told of an appointment: %s", got)
	}
}
