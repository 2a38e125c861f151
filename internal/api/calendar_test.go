package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
	"github.com/callwright/callwright/internal/service/access"
)

const klenCalendar = "/klen/api/v1/calendar"

// calendarEvent is what these tests read of an event in Klen's words.
type calendarEvent struct {
	ID, UUID, Title, Status, Message string
	EventType                        string `json:"event_type"`
	StartTime                        string `json:"start_time"`
	EndTime                          string `json:"end_time"`
	DurationMinutes                  int    `json:"duration_minutes"`
	ICSURL                           string `json:"ics_url"`
	Notes                            string `json:"customer_notes"`
	Location, TeamID                 *string
	ReminderOn                       bool `json:"is_reminder_enabled"`
	RemindBefore                     int  `json:"remind_before_minutes"`
	Agent                            *struct {
		ID, Name    string
		AssistantID string `json:"assistant_id"`
	} `json:"ai_agent"`
	Customer struct{ Name, Email, Phone *string }
	Overlaps []string
}

func (a *app) event(r reply, status int) (e calendarEvent) {
	a.Helper()
	if r.status != status {
		a.Fatalf("got %d %s, want %d", r.status, r.body, status)
	}
	a.ok(json.Unmarshal([]byte(r.body), &e))
	return e
}

// TestKlenCalendar goes through an event's life in the dialect of Klen's clients.
func TestKlenCalendar(t *testing.T) {
	a := start(t, domain.Professional)
	agent := a.create("/api/v1/agents", a.key, `{"name":"Ava","systemPrompt":"Be kind."}`)
	body := `{"title":"Demo","start_time":"2031-03-05T10:00:00.000Z","end_time":"2031-03-05T11:30:00+00:00","event_type":"video_call",
		"customer_name":"Zoë","customer_phone":"+15551234567","ai_agent_id":"` + agent + `","team_id":7,"remind_before_minutes":15,"colour":"red"}`
	sent := a.send("POST", klenCalendar+"/events/create", a.key, body, "Idempotency-Key: one")
	made := a.event(sent, http.StatusCreated)
	if made.Message != "Event created successfully" || made.Status != "scheduled" || made.StartTime != "2031-03-05T10:00:00.000Z" ||
		made.ICSURL != "/calendar/event/"+made.UUID+"/calendar.ics" || made.UUID == made.ID {
		t.Errorf("%s", sent.body)
	}
	again := a.send("POST", klenCalendar+"/events/create", a.key, body, "Idempotency-Key: one")
	if again.status != http.StatusCreated || again.body != sent.body {
		t.Errorf("again: %d %s", again.status, again.body)
	}
	for _, name := range []string{made.ID, made.UUID} {
		r := a.send("GET", klenCalendar+"/events/"+name, a.key, "")
		e := a.event(r, http.StatusOK)
		if e.ID != made.ID || e.DurationMinutes != 90 || e.Agent == nil || e.Agent.Name != "Ava" || e.Agent.AssistantID != agent ||
			*e.Customer.Name != "Zoë" || e.Customer.Email != nil || e.Location != nil || !e.ReminderOn || e.RemindBefore != 15 ||
			e.EventType != "video_call" || !strings.Contains(r.body, `"team_id":"7"`) || r.header.Get("ETag") == "" {
			t.Errorf("%s", r.body)
		}
	}
	tag := a.send("GET", klenCalendar+"/events/"+made.ID, a.key, "").header.Get("ETag")
	moved := a.event(a.send("PUT", klenCalendar+"/events/"+made.UUID+"/update", a.key, `{"start_time":"2031-03-05T10:30:00Z","status":"confirmed","title":null,"location":"Room 1"}`, "If-Match: "+tag), http.StatusOK)
	if moved.StartTime != "2031-03-05T10:30:00.000Z" || moved.Status != "confirmed" || moved.Title != "Demo" || moved.Message != "Event updated successfully" {
		t.Errorf("%+v", moved)
	}
	late := a.send("PATCH", klenCalendar+"/events/"+made.ID, a.key, `{"title":"Late"}`, "If-Match: "+tag)
	if late.status != http.StatusPreconditionFailed || late.json(t)["error"] != "precondition_failed" {
		t.Errorf("%d %s", late.status, late.body)
	}
	// A second one at that time, as the native dialect sees both.
	other := a.event(a.send("POST", klenCalendar+"/events", a.key, `{"title":"Other","start_time":"2031-03-05T11:00","end_time":"2031-03-05T12:00"}`), http.StatusCreated)
	if len(other.Overlaps) != 1 || other.Overlaps[0] != made.ID {
		t.Errorf("%+v", other)
	}
	native := a.send("GET", "/api/v1/appointments/"+made.ID, a.key, "").json(t)
	if native["startTime"] != "2031-03-05T10:30:00Z" || native["customer"].(map[string]any)["phone"] != "+15551234567" || native["overlaps"].([]any)[0] != other.ID {
		t.Errorf("%v", native)
	}
	cancelled := a.send("POST", klenCalendar+"/events/"+made.UUID+"/cancel", a.key, `{"reason":"Ill"}`)
	if e := a.event(cancelled, http.StatusOK); e.Status != "cancelled" || e.Message != "Event cancelled successfully" {
		t.Errorf("%s", cancelled.body)
	}
	if e := a.event(a.send("GET", klenCalendar+"/events/"+made.ID, a.key, ""), http.StatusOK); e.Notes != "Ill" {
		t.Errorf("%+v", e)
	}
	if e := a.event(a.send("POST", klenCalendar+"/events/"+made.ID+"/cancel", a.key, ""), http.StatusOK); e.Status != "cancelled" {
		t.Errorf("%+v", e) // without a body, and for the second time
	}
	// The address of the file is taken below the API's root, and below its host.
	for _, before := range []string{"/klen/api/v1", "/klen", ""} {
		ics := a.send("GET", before+made.ICSURL, a.key, "")
		if ics.status != http.StatusOK || ics.header.Get("Content-Type") != "text/calendar; charset=utf-8" ||
			!strings.Contains(ics.body, "UID:"+made.UUID+"\r\n") || !strings.Contains(ics.body, "STATUS:CANCELLED\r\nSUMMARY:Demo\r\n") {
			t.Errorf("%q: %d %q", before, ics.status, ics.body)
		}
		if r := a.send("GET", before+made.ICSURL, "", ""); r.status != http.StatusUnauthorized {
			t.Errorf("%q without a key: %d %q", before, r.status, r.body)
		}
	}
	// A test key, and the sandbox, have a calendar of their own.
	for _, path := range []string{"/klen/api/v1" + made.ICSURL, klenCalendar + "/events/" + made.ID} {
		if r := a.send("GET", "/sandbox"+path, a.key, ""); r.status != http.StatusNotFound {
			t.Errorf("%d %s", r.status, r.body)
		}
	}
}

// TestKlenCalendarLists cuts the list into pages, and looks for free times.
func TestKlenCalendarLists(t *testing.T) {
	a := start(t, domain.Professional)
	for i := range 12 {
		at := time.Date(2031, 3, 5, 9+i/2, i%2*30, 0, 0, time.UTC)
		status := domain.AppointmentScheduled
		if i%4 == 0 {
			status = domain.AppointmentConfirmed
		}
		_, err := a.service.CreateAppointment(t.Context(), domain.Scope{Workspace: a.first.Workspace.ID, Mode: domain.Live}, service.AppointmentChange{
			Title: new("E"), StartAt: &at, EndAt: new(at.Add(20 * time.Minute)), Status: &status,
		}, nil)
		a.ok(err)
	}
	for _, c := range []struct {
		query                     string
		count, page, limit, pages int
		first                     string
		events                    int
	}{
		{"?start_date=2031-03-05", 12, 1, 10, 2, "09:00", 10},
		{"?start_date=2031-03-05&page=2", 12, 2, 10, 2, "14:00", 2},
		{"?start_date=2031-03-05&page=9&limit=1000", 12, 9, 100, 1, "", 0},
		{"?start_date=2031-03-05&limit=5&page=2", 12, 2, 5, 3, "11:30", 5},
		{"?start_date=2031-03-05&end_date=2031-03-05T09:30:00Z", 2, 1, 10, 1, "09:00", 2},
		{"?start_date=2031-03-05&end_date=2031-03-05&status=confirmed", 3, 1, 10, 1, "09:00", 3},
		{"?start_date=2031-03-06", 0, 1, 10, 0, "", 0},
		{"", 0, 1, 10, 0, "", 0}, // the next 30 days
	} {
		r := a.send("GET", klenCalendar+"/events"+c.query, a.key, "")
		var got struct {
			Count, Page, Limit, Pages int
			Events                    []calendarEvent
		}
		a.ok(json.Unmarshal([]byte(r.body), &got))
		if r.status != http.StatusOK || got.Count != c.count || got.Page != c.page || got.Limit != c.limit || got.Pages != c.pages || len(got.Events) != c.events ||
			c.events > 0 && got.Events[0].StartTime != "2031-03-05T"+c.first+":00.000Z" {
			t.Errorf("%s: %d %s", c.query, r.status, r.body)
		}
	}
	r := a.send("GET", klenCalendar+"/availability?start_date=2031-03-05&end_date=2031-03-06&duration=240", a.key, "")
	const want = `"start_date":"2031-03-05","end_date":"2031-03-06","duration_minutes":240,"available_slots":[` +
		`{"start":"2031-03-06T09:00:00.000Z","end":"2031-03-06T13:00:00.000Z","duration_minutes":240},` +
		`{"start":"2031-03-06T13:00:00.000Z","end":"2031-03-06T17:00:00.000Z","duration_minutes":240}],"count":2}`
	if r.status != http.StatusOK || !strings.HasSuffix(r.body, want) {
		t.Errorf("%d %s", r.status, r.body)
	}
	week := a.send("GET", klenCalendar+"/availability", a.key, "").json(t)
	from, err := time.Parse(time.DateOnly, week["start_date"].(string))
	a.ok(err)
	if week["end_date"] != from.AddDate(0, 0, 7).Format(time.DateOnly) || week["duration_minutes"] != 30.0 {
		t.Errorf("%v", week)
	}
}

// TestKlenCalendarRefuses proves the codes and messages of the calendar's errors.
func TestKlenCalendarRefuses(t *testing.T) {
	a := start(t, domain.Professional)
	const at = `"start_time":"2031-03-05T10:00:00Z","end_time":"2031-03-05T11:00:00Z"`
	made := a.event(a.send("POST", klenCalendar+"/events/create", a.key, `{"title":"T",`+at+`}`), http.StatusCreated)
	for _, c := range []struct {
		method, path, body, word, message string
		status                            int
	}{
		{"POST", "/events/create", `{` + at + `}`, "missing_parameter", "Missing required parameter: title", 400},
		{"POST", "/events/create", `{"title":null,` + at + `}`, "missing_parameter", "Missing required parameter: title", 400},
		{"POST", "/events/create", ``, "missing_parameter", "", 400},
		{"POST", "/events/create", `{"title":"T","end_time":"2031-03-05"}`, "missing_parameter", "Missing required parameter: start_time", 400},
		{"POST", "/events/create", `{"title":"T","start_time":"2031-03-05"}`, "missing_parameter", "Missing required parameter: end_time", 400},
		{"POST", "/events/create", `{"title":"T","start_time":"tomorrow","end_time":"2031-03-05"}`,
			"invalid_datetime_format", "Invalid datetime format for start_time: use ISO 8601, such as 2025-02-01T09:00:00Z", 400},
		{"POST", "/events/create", `{"title":"T","start_time":"2031-03-05","end_time":"2031-03-05"}`, "validation_error", "end_time must be after start_time", 400},
		{"POST", "/events/create", `{"title":"T","event_type":"party",` + at + `}`, "validation_error", "event_type must be one of: meeting", 400},
		{"POST", "/events/create", `{"title":"T","status":"maybe",` + at + `}`, "validation_error", "status must be one of: scheduled", 400},
		{"POST", "/events/create", `{"title":"T","remind_before_minutes":-5,` + at + `}`, "validation_error", "remind_before_minutes must be from 0 to 40320", 400},
		{"POST", "/events/create", `{"title":"T","remind_before_minutes":9007199254740993,` + at + `}`, "validation_error", "", 400},
		{"POST", "/events/create", `{"title":"T","team_id":[],` + at + `}`, "validation_error", "team_id must be a string or a number", 400},
		{"POST", "/events/create", `{"title":["T"],` + at + `}`, "validation_error", "", 400},
		{"POST", "/events/create", `{"title":"T","ai_agent_id":"0123456789abcdef01234567",` + at + `}`, "not_found", "Agent with id", 404},
		{"POST", "/events/create", `{"title":"T","ai_agent_id":17,` + at + `}`, "not_found", "Agent with id 17 not found", 404},
		{"GET", "/events?start_date=soon", "", "invalid_datetime_format", "", 400},
		{"GET", "/events?end_date=soon", "", "invalid_datetime_format", "", 400},
		{"GET", "/events?page=x", "", "validation_error", "", 400},
		{"GET", "/events?limit=-1", "", "validation_error", "", 400},
		{"GET", "/events?status=soon", "", "validation_error", "", 400},
		{"GET", "/availability?start_date=soon", "", "invalid_datetime_format", "", 400},
		{"GET", "/availability?end_date=soon", "", "invalid_datetime_format", "", 400},
		{"GET", "/availability?duration=3", "", "validation_error", "", 400},
		{"GET", "/events/0123456789abcdef01234567", "", "not_found", "Event not found or you do not have access", 404},
		{"GET", "/events/01234567-89ab-8cde-8f01-234567000000", "", "not_found", "Event not found or you do not have access", 404},
		{"POST", "/events/x/cancel", `{}`, "not_found", "", 404},
		{"PATCH", "/events/x/update", `{}`, "not_found", "", 404},
		{"PATCH", "/events/" + made.ID + "/update", `{"end_time":"never"}`, "invalid_datetime_format", "", 400},
		{"GET", "/event/x/calendar.ics", "", "not_found", "", 404},
		{"DELETE", "/events/" + made.ID, "", "method_not_allowed", "", 405},
	} {
		r := a.send(c.method, klenCalendar+c.path, a.key, c.body)
		got := r.json(t)
		if message, _ := got["message"].(string); r.status != c.status || got["error"] != c.word || !strings.HasPrefix(message, c.message) {
			t.Errorf("%s %s %s: %d %s\nwant %d %s %s", c.method, c.path, c.body, r.status, r.body, c.status, c.word, c.message)
		}
	}
	readOnly := a.newKey(access.NewKey{Name: "r", Scopes: []string{"appointments:read"}})
	if r := a.send("POST", klenCalendar+"/events/create", readOnly, `{"title":"T",`+at+`}`); r.status != http.StatusForbidden || r.json(t)["error"] != "permission_denied" {
		t.Errorf("%d %s", r.status, r.body)
	}
}
