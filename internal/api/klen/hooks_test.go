package klen_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/api/klen"
	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
)

var answered = time.Date(2026, 3, 15, 15, 30, 4, 0, time.UTC)

// told is a call that was answered, and what is told of it.
func told(typ domain.EventType) *domain.Event {
	return &domain.Event{
		Type: typ, At: answered.Add(21 * time.Second), Sequence: 2, Agent: &domain.Agent{Name: "Ava"},
		Call: &domain.Call{
			ID: "01a2015871e95240dce939a0", AgentID: "01a2015871e84e8901f80ae4", From: "+15005550100", To: "+15005550006",
			Direction: domain.Outbound, State: domain.CallCompleted, EndReason: domain.EndFlow,
			CreatedAt: answered.Add(-5 * time.Second), DialedAt: answered.Add(-4 * time.Second), AnsweredAt: answered, EndedAt: answered.Add(20*time.Second + 900*time.Millisecond),
		},
	}
}

const facts = `"id":"01a2015871e95240dce939a0","klen_call_id":"01a2015871e95240dce939a0","agent_id":"01a2015871e84e8901f80ae4",` +
	`"assistant_id":"01a2015871e84e8901f80ae4","agent_name":"Ava","status":"completed","type":"outbound","phone_number":"+15005550006",` +
	`"started_at":"2026-03-15T15:30:00Z","ended_at":"2026-03-15T15:30:24Z","duration_seconds":20`

func TestPayloads(t *testing.T) {
	for _, c := range []struct {
		event domain.EventType
		edit  func(*domain.Event)
		want  string
	}{
		{domain.EventCallStarted, func(ev *domain.Event) {
			ev.Call.State, ev.Call.EndReason, ev.Call.AnsweredAt, ev.Call.EndedAt, ev.Agent = domain.CallDialing, "", time.Time{}, time.Time{}, nil
		}, `{"event_type":"call.started","call":{"id":"01a2015871e95240dce939a0","klen_call_id":"01a2015871e95240dce939a0","agent_id":"01a2015871e84e8901f80ae4",` +
			`"assistant_id":"01a2015871e84e8901f80ae4","agent_name":null,"status":"queued","type":"outbound","phone_number":"+15005550006",` +
			`"started_at":"2026-03-15T15:30:00Z","ended_at":null,"duration_seconds":null},"timestamp":"2026-03-15T15:30:25Z"}`},
		{domain.EventCallEnded, func(ev *domain.Event) { ev.Call.Captured = map[string]any{"party": 2.0} },
			`{"event_type":"call.ended","call":{` + facts + `,"end_reason":"flow-ended","variables":{"party":2}},"timestamp":"2026-03-15T15:30:25Z"}`},
		{domain.EventCallFailed, func(ev *domain.Event) {
			ev.Call.State, ev.Call.EndReason, ev.Call.AnsweredAt, ev.Call.EndedAt = domain.CallFailed, domain.EndDeclined, time.Time{}, answered
			ev.Call.Direction, ev.Call.From, ev.Call.DialedAt = domain.Inbound, "+15005550001", time.Time{}
		}, `{"event_type":"call.failed","call":{"id":"01a2015871e95240dce939a0","klen_call_id":"01a2015871e95240dce939a0","agent_id":"01a2015871e84e8901f80ae4",` +
			`"assistant_id":"01a2015871e84e8901f80ae4","agent_name":"Ava","status":"failed","type":"inbound","phone_number":"+15005550001",` +
			`"started_at":"2026-03-15T15:29:59Z","ended_at":"2026-03-15T15:30:04Z","duration_seconds":0,"failure_reason":"rejected","end_reason":"declined"},"timestamp":"2026-03-15T15:30:25Z"}`},
		{domain.EventTranscriptReady, func(ev *domain.Event) {
			ev.Turns = []domain.Turn{{Role: domain.RoleAgent, Text: `Hi, "Acme".`}, {Role: domain.RoleCaller, Text: "Hello, Zoë."}}
		}, `{"event_type":"call.transcript","call":{` + facts + `,"end_reason":"flow-ended","transcript":"Agent: Hi, \"Acme\".\nCaller: Hello, Zoë."},"timestamp":"2026-03-15T15:30:25Z"}`},
		{domain.EventAnalysisComplete, func(ev *domain.Event) {
			ev.Call.Analysis = &domain.Analysis{Summary: "S.", Sentiment: "positive", Method: "lexicon"}
		}, `{"event_type":"call.summary","call":{` + facts + `,"end_reason":"flow-ended","summary":"S.","sentiment":"positive"},"timestamp":"2026-03-15T15:30:25Z"}`},
		{domain.EventRecordingReady, func(ev *domain.Event) { ev.Call.Recording = "2026/x.wav" },
			`{"event_type":"call.recording","call":{` + facts + `,"end_reason":"flow-ended","recording_url":"https://x/r"},"timestamp":"2026-03-15T15:30:25Z"}`},
		{domain.EventWebhookTest, func(ev *domain.Event) { ev.Call = nil },
			`{"event_type":"webhook.test","call":null,"timestamp":"2026-03-15T15:30:25Z","message":"This is a test from Callwright. Nothing happened to a call."}`},
	} {
		ev := told(c.event)
		c.edit(ev)
		hooks := klen.Hooks{RecordingURL: func(*domain.Call) string { return "https://x/r" }}
		if got, ok := hooks.Encode(ev); !ok || string(got) != c.want {
			t.Errorf("%s: %v\n got %s\nwant %s", c.event, ok, got, c.want)
		}
	}
}

// TestNoEventIsForgotten: each event that an endpoint may subscribe to has a word
// and a payload.
func TestNoEventIsForgotten(t *testing.T) {
	for _, typ := range domain.EventTypes {
		if !strings.HasPrefix(string(typ), "call.") && !strings.HasPrefix(string(typ), "transcript.") &&
			!strings.HasPrefix(string(typ), "recording.") && !strings.HasPrefix(string(typ), "analysis.") {
			continue // not of calls: the calendar's own tests have them
		}
		body, ok := klen.Hooks{}.Encode(told(typ))
		if !ok || !bytes.HasPrefix(body, []byte(`{"event_type":"call.`)) {
			t.Errorf("%s: %v %s", typ, ok, body)
		}
	}
	for _, ev := range []*domain.Event{{Type: "call.dreamt", Call: &domain.Call{}}, {Type: domain.EventCallEnded}} {
		if body, ok := (klen.Hooks{}).Encode(ev); ok || body != nil {
			t.Errorf("%s is told: %s", ev.Type, body)
		}
	}
}

// TestLongPayloadsAreCut: transcripts, summaries and variables of any length and
// any characters fit.
func TestLongPayloadsAreCut(t *testing.T) {
	hooks := klen.Hooks{CallURL: func(c *domain.Call) string { return "https://x/" + string(c.ID) }}
	for _, text := range []string{strings.Repeat("word ", 20), strings.Repeat("\"\\\n", 30), strings.Repeat("世", 40), strings.Repeat("\x01", 60), ""} {
		for _, n := range []int{1, 300, 9000} {
			ev := told(domain.EventTranscriptReady)
			for range n {
				ev.Turns = append(ev.Turns, domain.Turn{Role: domain.RoleCaller, Text: text})
			}
			body, ok := hooks.Encode(ev)
			var got struct {
				Call struct {
					Transcript          string
					TranscriptTruncated bool   `json:"transcript_truncated"`
					TranscriptURL       string `json:"transcript_url"`
				}
			}
			if err := json.Unmarshal(body, &got); err != nil || !ok || len(body) > klen.MaxHookBytes {
				t.Fatalf("%d turns of %q: %v, %d bytes, %v", n, text, ok, len(body), err)
			}
			lines := (len(got.Call.Transcript) + 1) / (len("Caller: ") + len(text) + 1)
			if whole := lines == n; whole == got.Call.TranscriptTruncated || whole != (got.Call.TranscriptURL == "") {
				t.Errorf("%d turns of %q, %d told, truncated %v, %q", n, text, lines, got.Call.TranscriptTruncated, got.Call.TranscriptURL)
			}
			if got.Call.TranscriptTruncated && len(body) < klen.MaxHookBytes*9/10 {
				t.Errorf("%d turns of %q: only %d bytes", n, text, len(body))
			}
		}
		ev := told(domain.EventAnalysisComplete)
		ev.Call.Analysis = &domain.Analysis{Summary: strings.Repeat(text, 5000)}
		ev.Call.Variables = map[string]any{"long": strings.Repeat(text, 1000)}
		body, ok := hooks.Encode(ev)
		if !ok || len(body) > klen.MaxHookBytes || bytes.Contains(body, []byte("\ufffd")) {
			t.Errorf("a summary of %q: %v, %d bytes", text, ok, len(body))
		}
	}
}

// nasty are variables that JSON.stringify would write otherwise than most
// encoders do.
var nasty = map[string]any{
	"text": "Grüß Gott, \"Zoë\" <zoe@example.com> & Söhne\u2028\u2029 世界 😀 \\ / \x00\x1f\x7f", "\u2028": "\xff\xfe",
	"10": "ten", "2": "two", "-0": math.Copysign(0, -1), "01": 1.0, "__proto__": "p", "constructor": nil,
	"numbers": []any{1e21, 1e-7, 120.0, 0.1, 1 << 53, json.Number("12345678901234567890"), json.Number("1E-400")},
	"deep":    map[string]any{"b": []any{}, "a": map[string]any{}, "": []any{nil, true, map[string]any{"9": 1, "1": 2}}},
}

// TestReceiverVerifies runs the documented receiver, in its own language, on
// every payload: it signs again what it parsed.
func TestReceiverVerifies(t *testing.T) {
	const secret = "whsec_dGhpcyBpcyBhIHNlY3JldA=="
	url, _ := receiver(t, secret)
	hooks := klen.Hooks{}
	for _, typ := range append([]domain.EventType{domain.EventWebhookTest}, domain.EventTypes...) {
		ev := told(typ)
		ev.Agent.Name = nasty["text"].(string)
		ev.Call.Variables = nasty
		ev.Turns = []domain.Turn{{Role: domain.RoleAgent, Text: ev.Agent.Name}, {Text: "\xed\xa0\x80 lone"}}
		ev.Call.Analysis = &domain.Analysis{Summary: ev.Agent.Name}
		body, ok := hooks.Encode(ev)
		if !ok {
			continue
		}
		if typ == domain.EventCallEnded && !bytes.Contains(body, []byte(`"__proto__":"p"`)) {
			t.Fatalf("the variables are left out: %s", body)
		}
		if again, err := wire.CanonicalJSON(body); err != nil || !bytes.Equal(again, body) {
			t.Errorf("%s is not canonical: %v", typ, err)
		}
		signature := hooks.Sign(secret, domain.DeliveryHead{}, body)["X-Klen-Signature"]
		if status := deliver(t, url, body, signature); status != http.StatusOK {
			t.Errorf("%s: the receiver answers %d to\n%s", typ, status, body)
		}
		if status := deliver(t, url, bytes.Replace(body, []byte("15:30:25"), []byte("15:30:26"), 1), signature); status != http.StatusUnauthorized {
			t.Errorf("%s: a forged payload is answered %d", typ, status)
		}
	}
}

// receiver starts the receiver of testdata. It returns its address and what it
// prints of each request.
func receiver(t *testing.T, secret string) (url string, lines *bufio.Scanner) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, "node", "testdata/receiver.js")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("node is needed on PATH: %v", err)
	}
	t.Cleanup(func() {
		cancel()
		if err := cmd.Wait(); err == nil {
			t.Error("the receiver ended by itself")
		}
		http.DefaultClient.CloseIdleConnections()
	})
	lines = bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatal("the receiver does not start")
	}
	url = fmt.Sprintf("http://127.0.0.1:%s/", lines.Text())
	send(t, http.MethodPut, url+"secret", []byte(secret), "")
	return url, lines
}

func deliver(t *testing.T, url string, body []byte, signature string) int {
	t.Helper()
	return send(t, http.MethodPost, url, body, signature)
}

func send(t *testing.T, method, url string, body []byte, signature string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Klen-Signature", signature)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil {
		t.Error(err)
	}
	return res.StatusCode
}

func FuzzTranscript(f *testing.F) {
	f.Add("Hello", 3)
	f.Add("\"\\\u2028\xff", 2000)
	f.Fuzz(func(t *testing.T, text string, n int) {
		ev := told(domain.EventTranscriptReady)
		for range min(max(n, 0), 2000) {
			ev.Turns = append(ev.Turns, domain.Turn{Role: domain.RoleAgent, Text: text})
		}
		body, ok := klen.Hooks{}.Encode(ev)
		if !ok || len(body) > klen.MaxHookBytes {
			t.Fatalf("%v, %d bytes", ok, len(body))
		}
		if again, err := wire.CanonicalJSON(body); err != nil || !bytes.Equal(again, body) {
			t.Fatalf("not canonical: %v", err)
		}
	})
}
