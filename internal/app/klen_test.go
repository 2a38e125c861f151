package app_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/speech"
)

// rememberer is a model that says one thing and keeps what it was told to be.
type rememberer struct {
	mu     sync.Mutex
	system string
}

func (*rememberer) Name() string { return "rememberer" }

func (m *rememberer) Chat(_ context.Context, req speech.Request) iter.Seq2[speech.Chunk, error] {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.system = req.System
	return func(yield func(speech.Chunk, error) bool) {
		if len(req.Messages) < 2 {
			yield(speech.Chunk{Text: "How can I help you?"}, nil)
			return
		}
		yield(speech.Chunk{Text: "Goodbye."}, nil)
		yield(speech.Chunk{Call: &speech.ToolCall{ID: "1", Name: "end_call", Arguments: []byte("{}")}}, nil)
	}
}

func (m *rememberer) told() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.system
}

// klen sends a request of a Klen client, whose base URL is the sandbox's or,
// where a host is named, its own.
func (h *house) klen(method, path, host, body string, into any) {
	h.Helper()
	req, err := http.NewRequestWithContext(h.Context(), method, h.app.URL()+path, strings.NewReader(body))
	if err != nil {
		h.Fatal(err)
	}
	if host != "" {
		req.Host = host
	}
	req.Header.Set("Authorization", "Bearer "+h.key)
	res, err := h.http.Do(req)
	if err != nil {
		h.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		h.Fatal(err)
	}
	if res.StatusCode/100 != 2 {
		h.Fatalf("%s %s: %d %s", method, path, res.StatusCode, raw)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		h.Fatalf("%s %s: %v in %s", method, path, err, raw)
	}
}

// nodeReceiver starts the documented receiver of Klen's webhooks. Its lines say
// the event, the call and how it was answered.
func nodeReceiver(t *testing.T) (url string, lines <-chan string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, "node", "../api/klen/testdata/receiver.js")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("node is needed on PATH: %v", err)
	}
	told, done := make(chan string, 64), make(chan struct{})
	go func() {
		defer close(done)
		for scan := bufio.NewScanner(out); scan.Scan(); {
			told <- scan.Text()
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-done
		_ = cmd.Wait() // it was killed
	})
	select {
	case port := <-told:
		return "http://127.0.0.1:" + port + "/", told
	case <-time.After(callLimit):
		t.Fatal("the receiver does not start")
		return "", nil
	}
}

// TestKlenCall is a day of a Klen client in the sandbox, with the live key: the
// documented variables reach the agent's instructions, and the documented
// receiver verifies what it is told of the call.
func TestKlenCall(t *testing.T) {
	t.Parallel()
	model := &rememberer{}
	h := open(t, setup{models: []speech.LLM{model}})
	url, lines := nodeReceiver(t)
	var hook struct{ Secret string }
	h.klen("POST", "/sandbox/api/webhooks/create/", "", `{"name":"node","url":"`+url+`","subscribed_events":`+
		`["call.started","call.ended","call.failed","call.transcript","call.recording","call.summary"]}`, &hook)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, url+"secret", strings.NewReader(hook.Secret))
	if err != nil {
		t.Fatal(err)
	}
	res, err := h.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	var agent struct{ ID domain.ID }
	h.klen("POST", "/sandbox/klen/api/v1/agents", "", `{"name":"Grüße, \"Zoë\" 😀","model_instructions":"Greet {{customer_name}}. Tickets: {{open_tickets}}."}`, &agent)
	var placed struct{ ID, Status string }
	h.klen("POST", "/api/v1/calls", "api-sandbox.klen.ai", `{"phone_number":"+15005550006","agent_id":"`+string(agent.ID)+`",
"variables": {
"customer_name": "John Doe",
"last_purchase": "Premium Plan (3 months ago)",
"open_tickets": [
{
"id": "T-12345",
"subject": "Integration issue with API",
"status": "In Progress"
}
],
"subscription_status": "Active",
"renewal_date": "2025-07-15"
}}`, &placed)
	if placed.Status != "queued" {
		t.Errorf("a new call is %s", placed.Status)
	}
	want := []string{"call.started", "call.ended", "call.transcript", "call.recording", "call.summary"}
	for i, event := range want {
		want[i] = fmt.Sprintf("%s %s 200", event, placed.ID)
	}
	var got []string
	for deadline := time.After(2 * callLimit); len(got) < len(want); {
		select {
		case line := <-lines:
			got = append(got, line)
		case <-deadline:
			t.Fatalf("only %q", got)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("the receiver says %q", got)
	}
	if said := model.told(); !strings.Contains(said, `Greet John Doe. Tickets: [{"id":"T-12345","status":"In Progress","subject":"Integration issue with API"}].`) {
		t.Errorf("the model was told %q", said)
	}
	var detail struct {
		Status, Type, Transcript, Summary string
		PhoneNumber                       string `json:"phone_number"`
		RecordingURL                      string `json:"recording_url"`
		StartedAt                         string `json:"started_at"`
		Duration                          int    `json:"duration_seconds"`
		Agent                             struct{ Name string }
	}
	h.klen("GET", "/sandbox/klen/api/v1/calls/"+placed.ID, "", "", &detail)
	if detail.Status != "completed" || detail.Type != "outbound" || detail.PhoneNumber != "+15005550006" || detail.Agent.Name != `Grüße, "Zoë" 😀` ||
		!strings.HasPrefix(detail.Transcript, "Agent: How can I help you?\nCaller: ") || detail.Summary == "" || len(detail.StartedAt) != len("2006-01-02T15:04:05Z") {
		t.Errorf("%+v", detail)
	}
	sound, err := h.http.Get(detail.RecordingURL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sound.Body.Close() }()
	if head, err := io.ReadAll(io.LimitReader(sound.Body, 4)); err != nil || !bytes.Equal(head, []byte("RIFF")) {
		t.Errorf("the recording is %d, %q, %v", sound.StatusCode, head, err)
	}
}

// TestSampleAgent: the agent that the sandbox has from the start gets along with
// everybody who lives there.
func TestSampleAgent(t *testing.T) {
	t.Parallel()
	h := open(t, setup{mode: domain.Test, ring: 2 * time.Second})
	agent, number := h.app.First.Agent.ID, h.app.First.Number.ID
	var listed struct {
		Count  int
		Agents []struct {
			ID           domain.ID
			TotalCalls   int     `json:"total_calls"`
			MinutesUsed  float64 `json:"minutes_used"`
			CanMakeCalls bool    `json:"can_make_calls"`
		}
	}
	h.klen("GET", "/klen/api/v1/agents", "", "", &listed)
	if len(listed.Agents) != 1 || listed.Agents[0].ID != agent || listed.Agents[0].TotalCalls < 12 || listed.Agents[0].MinutesUsed <= 0 || !listed.Agents[0].CanMakeCalls {
		t.Errorf("%+v", listed)
	}
	personas := []struct{ to, status, reason string }{
		{"+15001110000", "failed", "invalid-number"},
		{"+15001110001", "failed", "busy"},
		{"+15001110002", "failed", "no-answer"},
		{"+15001110003", "completed", "voicemail"},
		{"+15001110004", "failed", "declined"},
		{"+15001110005", "completed", "caller-hangup"},
		{"+15001110006", "completed", "flow-ended"},
		{"+15001110007", "completed", "silence"},
		{"+15001110008", "completed", "flow-ended"},
		{"+15001110009", "completed", "flow-ended"},
		{"+4722000000", "completed", "caller-hangup"},
	}
	calls := make([]domain.ID, len(personas))
	for i, p := range personas {
		calls[i] = h.place(agent, number, p.to)
	}
	for i, p := range personas {
		got := h.ended(calls[i])
		if got.Status != p.status || got.EndReason != p.reason {
			t.Errorf("%s: %s, %s: %+v", p.to, got.Status, got.EndReason, got.Turns)
		}
	}
	booked := h.read(calls[6])
	if booked.Variables["party"] != 2.0 || booked.Variables["day"] == nil {
		t.Errorf("the willing booked %v", booked.Variables)
	}
}
