package native

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
)

// MaxHookBytes bounds a payload. Receivers commonly refuse bodies over 100 kB.
const MaxHookBytes = 90_000

// maxHookSummary bounds a summary in a payload, in bytes. It stands there twice,
// and a character may become six when it is escaped.
const maxHookSummary = 6_000

// Hooks is the native dialect of webhooks: {"event","timestamp","data"},
// signed in X-VoxForge-Signature. Both functions may be nil.
type Hooks struct {
	// CallURL returns where the whole call can be read; payloads whose
	// transcript was cut name it.
	CallURL func(*domain.Call) string
	// RecordingURL returns where the call's recording can be had, or "".
	RecordingURL func(*domain.Call) string
}

type hookPayload struct {
	Event     domain.EventType `json:"event"`
	Timestamp string           `json:"timestamp"`
	Data      any              `json:"data"`
}

type hookTest struct {
	Message string `json:"message"`
}

// hookCall is the data of an event about a call. The first six members and
// their order are the documented ones.
type hookCall struct {
	CallID     domain.ID        `json:"callId"`
	Status     string           `json:"status"`
	Duration   int64            `json:"duration"` // whole seconds from answer to end
	To         string           `json:"to"`
	AgentID    *domain.ID       `json:"agentId"`
	CampaignID *domain.ID       `json:"campaignId"`
	From       string           `json:"from"`
	Direction  domain.Direction `json:"direction"`
	Sequence   int64            `json:"sequence"` // per call, increasing: orders events that overtook each other
	EndReason  *string          `json:"endReason"`
	AnsweredAt *string          `json:"answeredAt"`
	EndedAt    *string          `json:"endedAt"`

	Reason              string        `json:"reason,omitempty"`       // call.failed
	RecordingURL        string        `json:"recordingUrl,omitempty"` // when there is a recording
	Transcript          *string       `json:"transcript,omitempty"`   // transcript.ready
	Turns               *[]hookTurn   `json:"turns,omitempty"`        // transcript.ready
	TranscriptTruncated bool          `json:"transcriptTruncated,omitempty"`
	TranscriptURL       string        `json:"transcriptUrl,omitempty"`
	Summary             *string       `json:"summary,omitempty"`   // analysis.complete
	Sentiment           *string       `json:"sentiment,omitempty"` // analysis.complete
	Analysis            *hookAnalysis `json:"analysis,omitempty"`  // analysis.complete
}

type hookTurn struct {
	Role    domain.Role `json:"role"`
	Text    string      `json:"text"`
	StartMs int64       `json:"startMs"`
	EndMs   int64       `json:"endMs"`
}

type hookAnalysis struct {
	Summary   string `json:"summary"`
	Sentiment string `json:"sentiment"`
	Method    string `json:"method"`
}

// Encode returns the payload for ev, canonical JSON of at most MaxHookBytes,
// and false for an event that is none of the documented ones.
func (h Hooks) Encode(ev *domain.Event) ([]byte, bool) {
	payload := hookPayload{Event: ev.Type, Timestamp: hookTime(ev.At)}
	if ev.Type == domain.EventWebhookTest {
		payload.Data = hookTest{Message: "This is a test from Callwright. Nothing happened to a call."}
		return encodeHook(payload)
	}
	if ev.Appointment != nil {
		return hookAppointment(payload, ev)
	}
	if ev.Message != nil {
		return hookMessage(payload, ev)
	}
	if ev.Call == nil {
		return nil, false
	}
	data := h.call(ev)
	switch ev.Type {
	case domain.EventCallStarted, domain.EventCallEnded, domain.EventRecordingReady:
	case domain.EventCallFailed:
		data.Reason = string(ev.Call.EndReason)
	case domain.EventTranscriptReady:
		payload.Data = data
		return h.transcript(payload, data, ev)
	case domain.EventAnalysisComplete:
		data.analyse(ev.Call.Analysis)
	default:
		return nil, false
	}
	payload.Data = data
	return encodeHook(payload)
}

// Sign returns the documented signature, "sha256=" and the hexadecimal
// HMAC-SHA256 of body keyed with the literal secret, and beside it the event's
// name and the Unix time of this try.
func (h Hooks) Sign(secret string, ev domain.DeliveryHead, body []byte) map[string]string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body) // a hash's Write never fails
	return map[string]string{
		"X-VoxForge-Signature": "sha256=" + hex.EncodeToString(mac.Sum(nil)),
		"X-Webhook-Event":      string(ev.Type),
		"X-Webhook-Timestamp":  strconv.FormatInt(ev.At.Unix(), 10),
	}
}

func encodeHook(payload hookPayload) ([]byte, bool) {
	body, err := wire.Canonical(payload)
	return body, err == nil // strings, numbers and times of our own always encode
}

func (h Hooks) call(ev *domain.Event) *hookCall {
	c := ev.Call
	data := &hookCall{
		CallID:     c.ID,
		Status:     hookStatus(c.State),
		Duration:   int64(c.Duration() / time.Second),
		To:         c.To,
		AgentID:    orNull(c.AgentID),
		CampaignID: orNull(c.CampaignID),
		From:       c.From,
		Direction:  c.Direction,
		Sequence:   ev.Sequence,
		EndReason:  orNull(string(c.EndReason)),
		AnsweredAt: orNull(hookTime(c.AnsweredAt)),
		EndedAt:    orNull(hookTime(c.EndedAt)),
	}
	if h.RecordingURL != nil && c.Recording != "" {
		data.RecordingURL = h.RecordingURL(c)
	}
	return data
}

// transcript adds to data as many of the turns as fit.
func (h Hooks) transcript(payload hookPayload, data *hookCall, ev *domain.Event) ([]byte, bool) {
	var lines strings.Builder
	turns := make([]hookTurn, 0, len(ev.Turns))
	text := ""
	data.Transcript, data.Turns = &text, &turns
	empty, ok := h.mark(payload, data, ev.Call, false)
	if !ok {
		return nil, false
	}
	room := MaxHookBytes - len(empty)
	for _, t := range ev.Turns {
		turn := hookTurn{Role: t.Role, Text: t.Text, StartMs: t.StartMs, EndMs: t.EndMs}
		line := hookLine(t)
		if room -= hookSize(turn) + hookSize(line); room < 0 {
			break
		}
		turns = append(turns, turn)
		if lines.Len() > 0 {
			lines.WriteByte('\n')
		}
		lines.WriteString(line)
	}
	text = lines.String()
	return h.mark(payload, data, ev.Call, len(turns) == len(ev.Turns))
}

// mark encodes a transcript, with a word about it when it is not whole.
func (h Hooks) mark(payload hookPayload, data *hookCall, c *domain.Call, whole bool) ([]byte, bool) {
	data.TranscriptTruncated, data.TranscriptURL = !whole, ""
	if !whole && h.CallURL != nil {
		data.TranscriptURL = h.CallURL(c)
	}
	return encodeHook(payload)
}

// hookSize is how much v adds to a payload at most: its own bytes and a comma
// or an escaped line feed in the place of its quotes.
func hookSize(v any) int {
	raw, err := wire.Canonical(v)
	if err != nil {
		return MaxHookBytes
	}
	return len(raw) + 1
}

func hookLine(t domain.Turn) string {
	if t.Role == domain.RoleAgent {
		return "Agent: " + t.Text
	}
	return "Caller: " + t.Text
}

func (data *hookCall) analyse(a *domain.Analysis) {
	if a == nil {
		a = &domain.Analysis{}
	}
	summary := cut(a.Summary, maxHookSummary)
	sentiment := a.Sentiment
	data.Summary, data.Sentiment = &summary, &sentiment
	data.Analysis = &hookAnalysis{Summary: summary, Sentiment: sentiment, Method: a.Method}
}

// cut shortens s to at most n bytes, at a whole character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// hookStatus is the documented word for a state: a call that is not answered
// yet is queued.
func hookStatus(s domain.CallState) string {
	switch s {
	case domain.CallInProgress:
		return "in-progress"
	case domain.CallCompleted:
		return "completed"
	case domain.CallFailed:
		return "failed"
	}
	return "queued"
}

// hookTime prints t as RFC 3339 in UTC, whole seconds; "" for the zero time.
func hookTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// orNull makes "" a JSON null.
func orNull[T ~string](s T) *T {
	if s == "" {
		return nil
	}
	return &s
}
