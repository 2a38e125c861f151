package app_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// TestBooking has a flow make an appointment with the person on the call, twice
// for the same time, and fail at one whose time nobody can read.
func TestBooking(t *testing.T) {
	t.Parallel()
	h, from := sandbox(t, setup{})
	book := map[string]any{
		"id": "make", "type": "book", "title": "Visit", "notes": "Came by phone", "date": "{{day}}", "time": "{{hour}}", "durationMinutes": 45,
		"save":  map[string]any{"booking": "id", "clash": "overlaps"},
		"edges": []any{map[string]any{"to": "done", "kind": "success"}, map[string]any{"to": "sorry", "kind": "failure"}},
	}
	nodes := func(book map[string]any) []map[string]any {
		return []map[string]any{
			ask("day", "What day would you like to come?", "date", "hour"),
			ask("hour", "What time works best for you?", "time", "make"), book,
			{"id": "done", "type": "end", "text": "It is number {{booking}}. Goodbye."},
			{"id": "sorry", "type": "end", "text": "That did not work. Goodbye."},
		}
	}
	agent := h.agent(nil, nodes(book)...)
	var made [2]appointmentSeen
	for i, to := range []string{"+15001110006", "+15001120006"} {
		got := h.ended(h.place(agent, from, to))
		if got.Status != "completed" || got.EndReason != "flow-ended" {
			t.Errorf("%+v", got)
		}
		h.hooks.exactly(t, got.ID, "call.started", "appointment.created", "call.ended", "transcript.ready", "recording.ready", "analysis.complete")
		id, _ := got.Variables["booking"].(string)
		h.must(http.MethodGet, "/appointments/"+id, nil, &made[i])
		a := made[i]
		day, hour, _ := strings.Cut(a.StartTime.UTC().Format("2006-01-02 15:04"), " ")
		if a.CallID != got.ID || a.AgentID != agent || a.Title != "Visit" || a.Notes != "Came by phone" || a.Status != "scheduled" ||
			a.Customer.Phone != to || a.EndTime.Sub(a.StartTime) != 45*time.Minute || day != got.Variables["day"] || hour != got.Variables["hour"] {
			t.Errorf("%+v of a call with %v", a, got.Variables)
		}
		if said := words(got, "agent"); !slices.ContainsFunc(said, func(s string) bool { return strings.Contains(s, id) }) {
			t.Errorf("the agent said %q", said)
		}
		if i == 1 && made[0].StartTime.Equal(a.StartTime) {
			if clash, _ := got.Variables["clash"].([]any); !slices.Equal(a.Overlaps, []domain.ID{made[0].ID}) || len(clash) != 1 {
				t.Errorf("overlaps %v, and the flow has %v", a.Overlaps, got.Variables["clash"])
			}
		}
	}

	unreadable := map[string]any{"id": "make", "type": "book", "startTime": "some time", "edges": book["edges"]}
	got := h.ended(h.place(h.agent(nil, nodes(unreadable)...), from, "+15001130006"))
	h.wants(got, "completed", "flow-ended")
	if said := words(got, "agent"); !strings.Contains(strings.Join(said, " "), "That did not work.") {
		t.Errorf("the agent said %q", said)
	}
	if !slices.ContainsFunc(got.Notes, func(n string) bool { return strings.Contains(n, `"some time" is no date and time`) }) {
		t.Errorf("notes %q", got.Notes)
	}
}

// appointmentSeen is what TestBooking reads of an appointment.
type appointmentSeen struct {
	ID, CallID, AgentID  domain.ID
	Title, Notes, Status string
	StartTime, EndTime   time.Time
	Customer             struct{ Phone string }
	Overlaps             []domain.ID
}
