package klen

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
)

// MaxHookBytes bounds a payload. Receivers commonly refuse bodies over 100 kB.
const MaxHookBytes = 90_000

// maxHookSummary bounds a summary in a payload, in bytes: a character may become
// six when it is escaped.
const maxHookSummary = 10_000

// maxHookVariables bounds the variables in a payload, in bytes as JSON.
const maxHookVariables = 20_000

// hookWords are the dialect's words for events, in the order in which a call has
// them.
var hookWords = []struct {
	event domain.EventType
	word  string
}{
	{domain.EventCallStarted, "call.started"},
	{domain.EventCallEnded, "call.ended"},
	{domain.EventCallFailed, "call.failed"},
	{domain.EventTranscriptReady, "call.transcript"},
	{domain.EventAnalysisComplete, "call.summary"},
	{domain.EventRecordingReady, "call.recording"},
	{domain.EventAppointmentCreated, "calendar.created"},
	{domain.EventAppointmentUpdated, "calendar.updated"},
	{domain.EventAppointmentCancelled, "calendar.cancelled"},
	{domain.EventAppointmentCompleted, "calendar.completed"},
}

// wordOf is the dialect's word for an event: its own when there is none.
func wordOf(event domain.EventType) string {
	for _, w := range hookWords {
		if w.event == event {
			return w.word
		}
	}
	return string(event)
}

// wordsOf are the dialect's words for what an endpoint subscribed to.
func wordsOf(events []string) []string {
	out := make([]string, len(events))
	for i, event := range events {
		out[i] = wordOf(domain.EventType(event))
	}
	return out
}

// eventsOf are the events that the dialect's words name.
func eventsOf(list []string) ([]string, error) {
	known := []string{domain.AllEvents}
	for _, w := range hookWords {
		known = append(known, w.word)
	}
	if len(list) == 0 {
		return nil, domain.Invalid("subscribed_events", "subscribed_events is required: list at least one of %s", strings.Join(known, ", "))
	}
	out := make([]string, len(list))
	for i, word := range list {
		at := slices.Index(known, word)
		switch {
		case at < 0:
			return nil, domain.Invalid("subscribed_events", "subscribed_events: entry %d is not an event; known are %s", i+1, strings.Join(known, ", "))
		case slices.Contains(list[:i], word):
			return nil, domain.Invalid("subscribed_events", "subscribed_events: %s is listed twice", word)
		case at == 0:
			out[i] = word
		default:
			out[i] = string(hookWords[at-1].event)
		}
	}
	return out, nil
}

// Hooks is the dialect's form of webhooks: {"event_type","call","timestamp"},
// signed in X-Klen-Signature. Both functions may be nil.
type Hooks struct {
	// CallURL returns where the whole call can be read; payloads whose
	// transcript was cut name it.
	CallURL func(*domain.Call) string
	// RecordingURL returns where the call's recording can be had, or "".
	RecordingURL func(*domain.Call) string
}

type hookPayload struct {
	EventType string    `json:"event_type"`
	Call      *hookCall `json:"call"`
	Timestamp string    `json:"timestamp"`
	Message   string    `json:"message,omitempty"` // of a test
}

// hookCall is a call in a payload.
type hookCall struct {
	ID              domain.ID        `json:"id"`
	KlenCallID      domain.ID        `json:"klen_call_id"`
	AgentID         *domain.ID       `json:"agent_id"`
	AssistantID     *domain.ID       `json:"assistant_id"`
	AgentName       *string          `json:"agent_name"`
	Status          string           `json:"status"`
	Type            domain.Direction `json:"type"`
	PhoneNumber     string           `json:"phone_number"`
	StartedAt       wire.Instant     `json:"started_at"`
	EndedAt         wire.Instant     `json:"ended_at"`
	DurationSeconds *int64           `json:"duration_seconds"`
	Contact         *CallContact     `json:"contact,omitempty"` // where one is known

	FailureReason string  `json:"failure_reason,omitempty"` // call.failed
	EndReason     string  `json:"end_reason,omitempty"`     // the engine's word, once the call is over
	Summary       *string `json:"summary,omitempty"`        // call.summary
	Sentiment     string  `json:"sentiment,omitempty"`      // call.summary
	RecordingURL  string  `json:"recording_url,omitempty"`  // once there is a recording
	// Variables are there once the call is over, unless they are very long.
	Variables           map[string]any `json:"variables,omitempty"`
	Transcript          *string        `json:"transcript,omitempty"` // call.transcript
	TranscriptTruncated bool           `json:"transcript_truncated,omitempty"`
	TranscriptURL       string         `json:"transcript_url,omitempty"`
}

// Encode returns the payload for ev, canonical JSON of at most MaxHookBytes,
// and false for an event that the dialect has no word for. Receivers verify the
// text that JSON.stringify makes of what they parsed; canonical JSON is that.
func (h Hooks) Encode(ev *domain.Event) ([]byte, bool) {
	payload := hookPayload{EventType: wordOf(ev.Type), Timestamp: ev.At.UTC().Format(time.RFC3339)}
	if ev.Type == domain.EventWebhookTest {
		payload.Message = "This is a test from Callwright. Nothing happened to a call."
		return encode(payload)
	}
	if ev.Appointment != nil {
		return calendarHook(ev)
	}
	known := slices.ContainsFunc(hookWords, func(w struct {
		event domain.EventType
		word  string
	}) bool {
		return w.event == ev.Type
	})
	if !known || ev.Call == nil {
		return nil, false
	}
	payload.Call = h.call(ev)
	switch ev.Type {
	case domain.EventCallFailed:
		payload.Call.FailureReason = failure(ev.Call.EndReason)
		payload.Call.know(ev.Call)
	case domain.EventCallEnded:
		payload.Call.know(ev.Call)
	case domain.EventTranscriptReady:
		return h.transcript(payload, ev)
	case domain.EventAnalysisComplete:
		payload.Call.summarise(ev.Call.Analysis)
		payload.Call.know(ev.Call)
	}
	return encode(payload)
}

// Sign returns the signature: the hexadecimal HMAC-SHA256 of body keyed with the
// literal secret.
func (h Hooks) Sign(secret string, _ domain.DeliveryHead, body []byte) map[string]string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body) // a hash's Write never fails
	return map[string]string{"X-Klen-Signature": hex.EncodeToString(mac.Sum(nil))}
}

func encode(payload hookPayload) ([]byte, bool) {
	body, err := wire.Canonical(payload)
	return body, err == nil // strings, numbers and times of our own always encode
}

func (h Hooks) call(ev *domain.Event) *hookCall {
	c := ev.Call
	out := &hookCall{
		ID: c.ID, KlenCallID: c.ID, AgentID: orNull(c.AgentID), AssistantID: orNull(c.AgentID), Status: status(c.State), Type: c.Direction,
		PhoneNumber: far(c), StartedAt: wire.Instant(began(c)), EndedAt: wire.Instant(c.EndedAt), DurationSeconds: seconds(c),
		EndReason: string(c.EndReason), Contact: callContact(ev.Contact),
	}
	if ev.Agent != nil {
		out.AgentName = &ev.Agent.Name
	}
	if h.RecordingURL != nil && c.Recording != "" {
		out.RecordingURL = h.RecordingURL(c)
	}
	return out
}

// know adds the variables of the call, unless they are too long for a payload.
func (c *hookCall) know(call *domain.Call) {
	all := variables(call)
	if raw, err := wire.Canonical(all); err == nil && len(raw) <= maxHookVariables {
		c.Variables = all
	}
}

// summarise adds the analysis.
func (c *hookCall) summarise(a *domain.Analysis) {
	if a == nil {
		a = &domain.Analysis{}
	}
	summary := a.Summary
	if len(summary) > maxHookSummary {
		n := maxHookSummary
		for n > 0 && !utf8.RuneStart(summary[n]) {
			n--
		}
		summary = summary[:n]
	}
	c.Summary, c.Sentiment = &summary, a.Sentiment
}

// transcript adds as many of the turns as fit. When some do not, the payload
// says so and where all of them are.
func (h Hooks) transcript(payload hookPayload, ev *domain.Event) ([]byte, bool) {
	text, call := "", payload.Call
	call.Transcript, call.TranscriptTruncated = &text, true
	if h.CallURL != nil {
		call.TranscriptURL = h.CallURL(ev.Call)
	}
	empty, ok := encode(payload)
	if !ok {
		return nil, false
	}
	room := MaxHookBytes - len(empty)
	var lines []string
	for i := range ev.Turns {
		said := line(&ev.Turns[i])
		raw, err := wire.Canonical(said)
		if err != nil {
			break
		}
		if room -= len(raw); room < 0 { // an escaped line feed takes the place of the quotes
			break
		}
		lines = append(lines, said)
	}
	text = strings.Join(lines, "\n")
	if len(lines) == len(ev.Turns) {
		call.TranscriptTruncated, call.TranscriptURL = false, ""
	}
	return encode(payload)
}
