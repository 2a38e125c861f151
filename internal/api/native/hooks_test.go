package native_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/api/native"
	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
)

var hookAnswered = time.Date(2025, 1, 15, 14, 21, 57, 0, time.UTC)

func hookCall() *domain.Call {
	return &domain.Call{
		ID: "c1", AgentID: "a1", CampaignID: "k1", State: domain.CallCompleted, EndReason: domain.EndCallerHangup,
		Direction: domain.Outbound, From: "+15550001111", To: "+15551234567",
		AnsweredAt: hookAnswered, EndedAt: hookAnswered.Add(183*time.Second + 900*time.Millisecond),
	}
}

func hookEvent(typ domain.EventType, c *domain.Call) *domain.Event {
	return &domain.Event{ID: "e1", Type: typ, Call: c, Sequence: 2, At: time.Date(2025, 1, 15, 15, 25, 0, 9, time.FixedZone("", 3600))}
}

const hookFacts = `"from":"+15550001111","direction":"outbound","sequence":2,"endReason":"caller-hangup",` +
	`"answeredAt":"2025-01-15T14:21:57Z","endedAt":"2025-01-15T14:25:00Z"`

func TestHookPayloads(t *testing.T) {
	turns := []domain.Turn{
		{Role: domain.RoleAgent, Text: `Hi, "Acme" <here>.`, StartMs: 0, EndMs: 900},
		{Role: domain.RoleCaller, Text: "Hello, Zoë.", StartMs: 1000, EndMs: 1800},
	}
	for _, c := range []struct {
		name string
		ev   *domain.Event
		edit func(*domain.Event)
		want string
	}{
		{"the documented example", hookEvent(domain.EventCallEnded, hookCall()), nil,
			`{"event":"call.ended","timestamp":"2025-01-15T14:25:00Z","data":{"callId":"c1","status":"completed","duration":183,` +
				`"to":"+15551234567","agentId":"a1","campaignId":"k1",` + hookFacts + `}}`},
		{"started", hookEvent(domain.EventCallStarted, hookCall()), func(ev *domain.Event) {
			ev.Call = &domain.Call{ID: "c1", AgentID: "a1", State: domain.CallDialing, Direction: domain.Outbound, From: "+1", To: "+2"}
		}, `{"event":"call.started","timestamp":"2025-01-15T14:25:00Z","data":{"callId":"c1","status":"queued","duration":0,` +
			`"to":"+2","agentId":"a1","campaignId":null,"from":"+1","direction":"outbound","sequence":2,"endReason":null,"answeredAt":null,"endedAt":null}}`},
		{"failed", hookEvent(domain.EventCallFailed, hookCall()), func(ev *domain.Event) {
			ev.Call.State, ev.Call.EndReason, ev.Call.AnsweredAt, ev.Call.CampaignID = domain.CallFailed, domain.EndBusy, time.Time{}, ""
		}, `{"event":"call.failed","timestamp":"2025-01-15T14:25:00Z","data":{"callId":"c1","status":"failed","duration":0,` +
			`"to":"+15551234567","agentId":"a1","campaignId":null,"from":"+15550001111","direction":"outbound","sequence":2,` +
			`"endReason":"busy","answeredAt":null,"endedAt":"2025-01-15T14:25:00Z","reason":"busy"}}`},
		{"transcript", hookEvent(domain.EventTranscriptReady, hookCall()), func(ev *domain.Event) { ev.Turns = turns },
			`{"event":"transcript.ready","timestamp":"2025-01-15T14:25:00Z","data":{"callId":"c1","status":"completed","duration":183,` +
				`"to":"+15551234567","agentId":"a1","campaignId":"k1",` + hookFacts +
				`,"transcript":"Agent: Hi, \"Acme\" <here>.\nCaller: Hello, Zoë.","turns":[{"role":"agent","text":"Hi, \"Acme\" <here>.","startMs":0,"endMs":900},` +
				`{"role":"caller","text":"Hello, Zoë.","startMs":1000,"endMs":1800}]}}`},
		{"transcript of silence", hookEvent(domain.EventTranscriptReady, hookCall()), nil,
			`{"event":"transcript.ready","timestamp":"2025-01-15T14:25:00Z","data":{"callId":"c1","status":"completed","duration":183,` +
				`"to":"+15551234567","agentId":"a1","campaignId":"k1",` + hookFacts + `,"transcript":"","turns":[]}}`},
		{"analysis and recording", hookEvent(domain.EventAnalysisComplete, hookCall()), func(ev *domain.Event) {
			ev.Call.Recording = "2025/c1.wav"
			ev.Call.Analysis = &domain.Analysis{Summary: "S.", Sentiment: "positive", Method: "lexicon"}
		}, `{"event":"analysis.complete","timestamp":"2025-01-15T14:25:00Z","data":{"callId":"c1","status":"completed","duration":183,` +
			`"to":"+15551234567","agentId":"a1","campaignId":"k1",` + hookFacts + `,"recordingUrl":"https://x/r/c1",` +
			`"summary":"S.","sentiment":"positive","analysis":{"summary":"S.","sentiment":"positive","method":"lexicon"}}}`},
		{"test", hookEvent(domain.EventWebhookTest, nil), nil,
			`{"event":"webhook.test","timestamp":"2025-01-15T14:25:00Z","data":{"message":"This is a test from Callwright. Nothing happened to a call."}}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.edit != nil {
				c.edit(c.ev)
			}
			hooks := native.Hooks{RecordingURL: func(c *domain.Call) string { return "https://x/r/" + string(c.ID) }}
			got, ok := hooks.Encode(c.ev)
			if !ok || string(got) != c.want {
				t.Errorf("Encode: %v\n got %s\nwant %s", ok, got, c.want)
			}
		})
	}
}

func TestHookStatusWords(t *testing.T) {
	for state, want := range map[domain.CallState]string{
		domain.CallQueued: "queued", domain.CallDialing: "queued", domain.CallRinging: "queued",
		domain.CallInProgress: "in-progress", domain.CallCompleted: "completed", domain.CallFailed: "failed",
	} {
		c := hookCall()
		c.State = state
		got, _ := native.Hooks{}.Encode(hookEvent(domain.EventCallStarted, c))
		if !bytes.Contains(got, []byte(`"status":"`+want+`"`)) {
			t.Errorf("%s is not %s in %s", state, want, got)
		}
	}
}

func TestHookUnknownEvents(t *testing.T) {
	for _, ev := range []*domain.Event{hookEvent("call.dreamt", hookCall()), hookEvent(domain.EventCallEnded, nil)} {
		if got, ok := (native.Hooks{}).Encode(ev); ok || got != nil {
			t.Errorf("%s: got %s, want nothing", ev.Type, got)
		}
	}
}

// TestLongTranscriptIsCut takes turns of every kind of character past the limit.
func TestLongTranscriptIsCut(t *testing.T) {
	hooks := native.Hooks{CallURL: func(c *domain.Call) string { return "https://x/api/v1/calls/" + string(c.ID) }}
	for _, text := range []string{strings.Repeat("word ", 20), strings.Repeat("\"\\\n", 30), strings.Repeat("世", 40), strings.Repeat("\x01", 60), ""} {
		for _, n := range []int{1, 100, 300, 5000} {
			ev := hookEvent(domain.EventTranscriptReady, hookCall())
			for i := range n {
				ev.Turns = append(ev.Turns, domain.Turn{Role: domain.RoleCaller, Text: fmt.Sprintf("%d %s", i, text)})
			}
			body, ok := hooks.Encode(ev)
			if !ok || len(body) > native.MaxHookBytes {
				t.Fatalf("%d turns of %q: %v, %d bytes", n, text, ok, len(body))
			}
			var got struct {
				Data struct {
					Transcript          string
					Turns               []struct{ Text string }
					TranscriptTruncated bool
					TranscriptURL       string
				}
			}
			if err := json.Unmarshal(body, &got); err != nil {
				t.Fatal(err)
			}
			whole := len(got.Data.Turns) == n
			if whole == got.Data.TranscriptTruncated || whole != (got.Data.TranscriptURL == "") {
				t.Errorf("%d turns, %d sent, truncated %v, url %q", n, len(got.Data.Turns), got.Data.TranscriptTruncated, got.Data.TranscriptURL)
			}
			if !whole && len(body) < native.MaxHookBytes*9/10 {
				t.Errorf("%d turns of %q: cut to %d bytes, which is too eager", n, text, len(body))
			}
			var lines []string
			for _, turn := range got.Data.Turns {
				lines = append(lines, "Caller: "+turn.Text)
			}
			if got.Data.Transcript != strings.Join(lines, "\n") {
				t.Errorf("the transcript does not say what the turns say")
			}
		}
	}
}

func TestLongSummaryIsCut(t *testing.T) {
	for _, summary := range []string{strings.Repeat("世", 50_000), strings.Repeat("\x01", 50_000)} {
		c := hookCall()
		c.Analysis = &domain.Analysis{Summary: summary}
		body, ok := native.Hooks{}.Encode(hookEvent(domain.EventAnalysisComplete, c))
		if !ok || len(body) > native.MaxHookBytes || bytes.Contains(body, []byte("\ufffd")) {
			t.Errorf("%v, %d bytes", ok, len(body))
		}
	}
}

func TestHookSignature(t *testing.T) {
	// printf '%s' '{"event":"call.ended"}' | openssl dgst -sha256 -hmac whsec_dGVzdA==
	const want = "sha256=479aa246d343fb20d0ca36278dd905dfe655b6802cfd78c3b95e00955668776e"
	head := domain.DeliveryHead{ID: "e1", Type: domain.EventCallEnded, At: time.Unix(1736951100, 5)}
	got := native.Hooks{}.Sign("whsec_dGVzdA==", head, []byte(`{"event":"call.ended"}`))
	if got["X-VoxForge-Signature"] != want || got["X-Webhook-Event"] != "call.ended" || got["X-Webhook-Timestamp"] != "1736951100" || len(got) != 3 {
		t.Errorf("got %v", got)
	}
}

func FuzzHookTranscript(f *testing.F) {
	f.Add("Hello", 3)
	f.Add("\"\\\u2028\xff", 2000)
	f.Fuzz(func(t *testing.T, text string, n int) {
		ev := hookEvent(domain.EventTranscriptReady, hookCall())
		for range min(max(n, 0), 2000) {
			ev.Turns = append(ev.Turns, domain.Turn{Role: domain.RoleAgent, Text: text})
		}
		body, ok := native.Hooks{}.Encode(ev)
		if !ok || len(body) > native.MaxHookBytes {
			t.Fatalf("%v, %d bytes", ok, len(body))
		}
		again, err := wire.CanonicalJSON(body)
		if err != nil || !bytes.Equal(again, body) {
			t.Fatalf("not canonical: %v", err)
		}
	})
}
