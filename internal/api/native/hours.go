package native

import (
	"fmt"
	"strings"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// Hours are when a number's agent answers.
type Hours struct {
	Timezone string                `json:"timezone,omitempty" doc:"IANA name; the workspace's when not sent."`
	Week     map[string][][]string `json:"week,omitempty" doc:"Spans of the wall clock by day, sun to sat: {\"mon\":[[\"09:00\",\"12:30\"],[\"13:00\",\"17:00\"]]}. A day without spans is closed."`
	Closed   Closed                `json:"closed" doc:"What becomes of calls outside of the hours."`
}

// Closed is what becomes of a call outside of the hours.
type Closed struct {
	Action  string    `json:"action" doc:"message says text and hangs up; reject does not answer (480); agent lets agentId answer."`
	Text    string    `json:"text,omitempty"`
	AgentID domain.ID `json:"agentId,omitempty"`
}

// dayName is a day as the dialect writes it.
func dayName(d time.Weekday) string { return strings.ToLower(d.String()[:3]) }

// hours translates; what it cannot read is an error that names the place.
func (h *Hours) hours() (domain.Hours, error) {
	out := domain.Hours{Timezone: h.Timezone, Closed: domain.Closed{
		Action: domain.ClosedAction(h.Closed.Action), Text: h.Closed.Text, AgentID: h.Closed.AgentID,
	}}
	known := 0
	for day := range out.Week {
		name := dayName(time.Weekday(day))
		spans, sent := h.Week[name]
		if sent {
			known++
		}
		for _, span := range spans {
			field := "hours.week." + name
			if len(span) != 2 {
				return out, domain.Invalid(field, "%s: each span is a list of two times, such as [\"09:00\",\"17:00\"]", field)
			}
			from, err := minutes(field, span[0])
			if err != nil {
				return out, err
			}
			to, err := minutes(field, span[1])
			if err != nil {
				return out, err
			}
			out.Week[day] = append(out.Week[day], domain.Span{From: from, To: to})
		}
	}
	if known < len(h.Week) {
		return out, domain.Invalid("hours.week", "hours.week may only have the days sun, mon, tue, wed, thu, fri and sat")
	}
	return out, nil
}

// minutes reads a time of day, 00:00 to 24:00, as minutes since midnight.
func minutes(field, clock string) (int, error) {
	if clock == "24:00" {
		return 24 * 60, nil
	}
	at, err := time.Parse("15:04", clock)
	if err != nil || len(clock) != len("15:04") {
		return 0, domain.Invalid(field, "%s: a time is written like 09:00, from 00:00 to 24:00", field)
	}
	return 60*at.Hour() + at.Minute(), nil
}

// hoursOf renders hours, nil for always.
func hoursOf(h domain.Hours) *Hours {
	if h.Always() {
		return nil
	}
	out := &Hours{Timezone: h.Timezone, Week: map[string][][]string{}, Closed: Closed{
		Action: string(h.Closed.Action), Text: h.Closed.Text, AgentID: h.Closed.AgentID,
	}}
	for day, spans := range h.Week {
		for _, s := range spans {
			name := dayName(time.Weekday(day))
			out.Week[name] = append(out.Week[name], []string{clockTime(s.From), clockTime(s.To)})
		}
	}
	return out
}

func clockTime(minute int) string { return fmt.Sprintf("%02d:%02d", minute/60, minute%60) }
