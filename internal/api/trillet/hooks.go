package trillet

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
)

// MaxHookBytes bounds a payload. Receivers commonly refuse bodies over 100 kB.
const MaxHookBytes = 90_000

// Hooks is the Trillet dialect of webhooks: {"event","data"}, signed in
// X-Trillet-Signature. Both functions may be nil.
type Hooks struct {
	// CallURL returns where the whole call can be read; payloads whose
	// transcript was cut name it.
	CallURL func(*domain.Call) string
	// RecordingURL returns where the call's recording can be had, or "".
	RecordingURL func(*domain.Call) string
}

// hookEvents are the dialect's words for what happens. Events without one are
// not told in this dialect: a transcript goes along with the end of its call.
var hookEvents = map[domain.EventType]string{
	domain.EventCallStarted: "call.started",
	domain.EventCallEnded:   "call.completed",
	domain.EventCallFailed:  "call.failed",
	domain.EventWebhookTest: "webhook.test",
}

type hookPayload struct {
	Event string `json:"event"`
	Data  any    `json:"data"`
}

type hookTest struct {
	Message string `json:"message"`
}

// hookCall is the data of an event about a call. The first four members and
// their order are the documented ones.
type hookCall struct {
	CallID   domain.ID  `json:"callId"`
	AgentID  *domain.ID `json:"agentId"`
	Duration int64      `json:"duration"` // whole seconds from answer to end
	Status   string     `json:"status"`

	RoomName   string           `json:"roomName"`
	FromNumber string           `json:"fromNumber"`
	ToNumber   string           `json:"toNumber"`
	Direction  domain.Direction `json:"direction"`
	BatchID    *domain.ID       `json:"batchId"`
	EndReason  *string          `json:"endReason"`
	Sequence   int64            `json:"sequence"` // per call, increasing: orders events that overtook each other
	Metadata   map[string]any   `json:"metadata"` // given with the request for the call
	Timestamp  wire.Instant     `json:"timestamp"`
	StartTime  wire.Instant     `json:"startTime"` // of the answer
	EndTime    wire.Instant     `json:"endTime"`

	RecordingURL        string  `json:"recordingUrl,omitempty"` // when there is a recording
	Transcript          *string `json:"transcript,omitempty"`   // of a call that is over
	TranscriptTruncated bool    `json:"transcriptTruncated,omitempty"`
	TranscriptURL       string  `json:"transcriptUrl,omitempty"`
}

// Encode returns the payload for ev, canonical JSON of at most MaxHookBytes,
// and false for an event that the dialect has no word for.
func (h Hooks) Encode(ev *domain.Event) ([]byte, bool) {
	if ev.Message != nil {
		return hookText(ev)
	}
	word, known := hookEvents[ev.Type]
	switch {
	case !known:
		return nil, false
	case ev.Type == domain.EventWebhookTest:
		return encodeHook(word, hookTest{Message: "This is a test from Callwright. Nothing happened to a call."})
	case ev.Call == nil:
		return nil, false
	}
	data := h.call(ev)
	if !ev.Call.State.Ended() {
		return encodeHook(word, data)
	}
	return h.transcript(word, data, ev)
}

// Sign returns the documented signature: the HMAC-SHA256 of body, keyed with the
// literal secret, in lowercase hexadecimal and without a prefix, which is what
// "openssl sha256 -hmac" prints.
func (h Hooks) Sign(secret string, _ domain.DeliveryHead, body []byte) map[string]string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body) // a hash's Write never fails
	return map[string]string{"X-Trillet-Signature": hex.EncodeToString(mac.Sum(nil))}
}

func encodeHook(word string, data any) ([]byte, bool) {
	body, err := wire.Canonical(hookPayload{Event: word, Data: data})
	return body, err == nil // strings, numbers and times of our own always encode
}

func (h Hooks) call(ev *domain.Event) *hookCall {
	c := ev.Call
	data := &hookCall{
		CallID: c.ID, AgentID: orNull(c.AgentID), Duration: int64(c.Duration() / time.Second), Status: statusOf(c.State),
		RoomName: roomName(c), FromNumber: c.From, ToNumber: c.To, Direction: c.Direction,
		BatchID: orNull(c.CampaignID), EndReason: orNull(string(c.EndReason)), Sequence: ev.Sequence,
		Timestamp: wire.Instant(ev.At), StartTime: wire.Instant(c.AnsweredAt), EndTime: wire.Instant(c.EndedAt),
	}
	data.Metadata, _ = c.Extra["metadata"].(map[string]any)
	if h.RecordingURL != nil && c.Recording != "" {
		data.RecordingURL = h.RecordingURL(c)
	}
	return data
}

// transcript adds to data as many of the turns as fit, and encodes it.
func (h Hooks) transcript(word string, data *hookCall, ev *domain.Event) ([]byte, bool) {
	text := ""
	data.Transcript, data.TranscriptTruncated = &text, true
	if h.CallURL != nil {
		data.TranscriptURL = h.CallURL(ev.Call)
	}
	body, ok := encodeHook(word, data)
	if !ok {
		return nil, false
	}
	var lines strings.Builder
	room, whole := MaxHookBytes-len(body), true
	for i, t := range ev.Turns {
		line := transcriptLine(t)
		if i > 0 {
			line = "\n" + line
		}
		size, err := wire.Canonical(line)
		if room -= len(size); err != nil || room < 0 {
			whole = false
			break
		}
		lines.WriteString(line)
	}
	text = lines.String()
	if whole {
		data.TranscriptTruncated, data.TranscriptURL = false, ""
	}
	return encodeHook(word, data)
}

// transcriptLine is one turn with its speaker.
func transcriptLine(t domain.Turn) string {
	if t.Role == domain.RoleAgent {
		return "Agent: " + t.Text
	}
	return "Caller: " + t.Text
}

// statusOf is the dialect's word for a state: a call waits until it is dialed
// and is active until it is over.
func statusOf(s domain.CallState) string {
	switch s {
	case domain.CallQueued:
		return "waiting"
	case domain.CallCompleted:
		return "completed"
	case domain.CallFailed:
		return "failed"
	}
	return "active"
}

// roomName is the name that the dialect has for a call's session: the agent's id
// and the call's.
func roomName(c *domain.Call) string { return string(c.AgentID) + "-" + string(c.ID) }

// orNull makes "" a JSON null.
func orNull[T ~string](s T) *T {
	if s == "" {
		return nil
	}
	return &s
}
