package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/speech"
)

// politeModel says one sentence and ends the call; it keeps the prompts that it
// was given.
type politeModel struct {
	mu      sync.Mutex
	prompts []string
}

func (*politeModel) Name() string { return "polite" }

func (m *politeModel) Chat(_ context.Context, req speech.Request) iter.Seq2[speech.Chunk, error] {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.prompts = append(m.prompts, req.System)
	return func(yield func(speech.Chunk, error) bool) {
		if yield(speech.Chunk{Text: "Thank you, goodbye!"}, nil) {
			yield(speech.Chunk{Call: &speech.ToolCall{ID: "1", Name: "end_call", Arguments: []byte("{}")}}, nil)
		}
	}
}

// trilletHook is one webhook in Trillet's form, as it came.
type trilletHook struct {
	body, signature string
	event           string
	data            map[string]any
}

// trillet sends a request as a client of Trillet's does and reads the answer.
func (h *house) trillet(method, path string, body any) map[string]any {
	h.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		h.Fatal(err)
	}
	req, err := http.NewRequestWithContext(h.Context(), method, h.app.URL()+path, bytes.NewReader(raw))
	if err != nil {
		h.Fatal(err)
	}
	req.Host = "api.trillet.ai"
	req.Header.Set("X-API_KEY", h.key)
	req.Header.Set("Content-Type", "application/json")
	res, err := h.http.Do(req)
	if err != nil {
		h.Fatal(err)
	}
	defer res.Body.Close() // it was only read
	answer, err := io.ReadAll(res.Body)
	var got map[string]any
	if err != nil || res.StatusCode/100 != 2 || json.Unmarshal(answer, &got) != nil {
		h.Fatalf("%s %s answered %d: %s %v", method, path, res.StatusCode, answer, err)
	}
	return got
}

// TestTrilletCall goes the way of Trillet's documents with nothing but their
// routes: an agent, a flow, a call, the webhooks that it provokes, its history.
func TestTrilletCall(t *testing.T) {
	t.Parallel()
	model := &politeModel{}
	h := open(t, setup{mode: domain.Test, models: []speech.LLM{model}})
	hooks := make(chan trilletHook, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		got := trilletHook{body: string(raw), signature: r.Header.Get("X-Trillet-Signature")}
		var payload struct {
			Event string
			Data  map[string]any
		}
		_ = json.Unmarshal(raw, &payload)
		got.event, got.data = payload.Event, payload.Data
		hooks <- got
	}))
	t.Cleanup(receiver.Close)

	agent := h.trillet("POST", "/api/v1/agents", map[string]any{"name": "Ava"})["_id"]
	h.trillet("POST", "/api/v1/flows", map[string]any{
		"name": "Reminder", "agent": agent, "prompt": "Remind {first_name} of {{date}}. Ignore {\"braces\"}.",
		"welcomeMessage": "ai_custom", "customWelcomeMessage": "Hi {first_name}, are you well?",
	})
	placed := h.trillet("POST", "/v1/api/call", map[string]any{
		"call_agent_id": agent, "to": "+15001110006", "callback_url": receiver.URL,
		"dynamic_variables": map[string]any{"first_name": "Ada", "date": "Monday"}, "metadata": map[string]any{"order": 7},
	})
	id, secret := placed["call_id"].(string), placed["callback_secret"].(string)

	got := map[string]trilletHook{}
	for deadline := time.After(2 * callLimit); len(got) < 2; {
		select {
		case hook := <-hooks:
			got[hook.event] = hook
		case <-deadline:
			t.Fatalf("the webhooks were %v", got)
		}
	}
	for event, status := range map[string]string{"call.started": "active", "call.completed": "completed"} {
		hook := got[event]
		if hook.data["callId"] != id || hook.data["agentId"] != agent || hook.data["status"] != status || hook.data["metadata"] == nil {
			t.Errorf("%s: %s", event, hook.body)
		}
		// What the documents tell receivers to do: echo -n "$PAYLOAD" | openssl sha256 -hmac "$WEBHOOK_SECRET"
		cmd := exec.CommandContext(t.Context(), "openssl", "sha256", "-hmac", secret)
		cmd.Stdin = strings.NewReader(hook.body)
		out, err := cmd.Output()
		if err != nil || !strings.HasSuffix(strings.TrimSpace(string(out)), "= "+hook.signature) {
			t.Errorf("%s is signed %q, openssl says %s (%v)", event, hook.signature, out, err)
		}
	}
	call := h.trillet("GET", "/v2/api/call-history/"+placed["roomName"].(string), nil)
	lines, _ := json.Marshal(call["transcript"])
	if call["status"] != "completed" || !strings.Contains(string(lines), `{"content":"Hi Ada, are you well?"`) || call["callFlowName"] != "Reminder" {
		t.Errorf("the history has %v", call)
	}
	model.mu.Lock()
	defer model.mu.Unlock()
	if len(model.prompts) == 0 || !strings.Contains(model.prompts[0], `Remind Ada of Monday. Ignore {"braces"}.`) {
		t.Errorf("the model was told %q", model.prompts)
	}
}

// TestTrilletFlowLetsTheCallerBegin: without a word about it, the agent waits
// for the caller.
func TestTrilletFlowLetsTheCallerBegin(t *testing.T) {
	t.Parallel()
	h := open(t, setup{mode: domain.Test, models: []speech.LLM{&politeModel{}}})
	agent := h.trillet("POST", "/api/v1/agents", map[string]any{"name": "Ava"})["_id"]
	h.trillet("POST", "/api/v1/flows", map[string]any{"name": "Any", "agent": agent})
	placed := h.trillet("POST", "/api/v1/calls/call", map[string]any{"agentId": agent, "toNumber": "+4722000000"})
	got := h.ended(domain.ID(placed["callId"].(string)))
	if len(got.Turns) == 0 || got.Turns[0].Role != "caller" {
		t.Errorf("the turns are %+v", got.Turns)
	}
}
