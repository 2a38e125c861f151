package trillet_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/api/trillet"
	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
)

var answeredAt = time.Date(2025, 1, 15, 14, 21, 57, 0, time.UTC)

// talkedCall is a call of 125 s that is over.
func talkedCall() *domain.Call {
	return &domain.Call{
		ID: "c1", AgentID: "a1", State: domain.CallCompleted, EndReason: domain.EndFlow, Direction: domain.Outbound,
		From: "+1987654321", To: "+1234567890", AnsweredAt: answeredAt, EndedAt: answeredAt.Add(125*time.Second + 900*time.Millisecond),
	}
}

func hookEvent(typ domain.EventType, c *domain.Call, turns ...domain.Turn) *domain.Event {
	return &domain.Event{ID: "e1", Type: typ, Call: c, Turns: turns, Sequence: 2, At: time.Date(2025, 1, 15, 15, 25, 0, 9, time.FixedZone("", 3600))}
}

func TestHookPayloads(t *testing.T) {
	const facts = `"roomName":"a1-c1","fromNumber":"+1987654321","toNumber":"+1234567890","direction":"outbound"`
	hooks := trillet.Hooks{RecordingURL: func(c *domain.Call) string { return "https://x/r/" + string(c.ID) }}
	failed := talkedCall()
	failed.State, failed.EndReason, failed.AnsweredAt, failed.CampaignID = domain.CallFailed, domain.EndBusy, time.Time{}, "b1"
	recorded := talkedCall()
	recorded.Recording, recorded.Extra = "2025/c1.wav", map[string]any{"metadata": map[string]any{"order": 7}, "tag": "x"}
	dialing := &domain.Call{ID: "c1", AgentID: "a1", State: domain.CallDialing, Direction: domain.Outbound, From: "+1987654321", To: "+1234567890"}
	for _, c := range []struct {
		name string
		ev   *domain.Event
		want string
	}{
		{"the documented example", hookEvent(domain.EventCallEnded, recorded,
			domain.Turn{Role: domain.RoleAgent, Text: `Hi, "Zoë" <here>.`}, domain.Turn{Role: domain.RoleCaller, Text: "Hello."}),
			`{"event":"call.completed","data":{"callId":"c1","agentId":"a1","duration":125,"status":"completed",` + facts +
				`,"batchId":null,"endReason":"flow-ended","sequence":2,"metadata":{"order":7},"timestamp":"2025-01-15T14:25:00Z","startTime":"2025-01-15T14:21:57Z","endTime":"2025-01-15T14:24:02Z",` +
				`"recordingUrl":"https://x/r/c1","transcript":"Agent: Hi, \"Zoë\" <here>.\nCaller: Hello."}}`},
		{"started", hookEvent(domain.EventCallStarted, dialing),
			`{"event":"call.started","data":{"callId":"c1","agentId":"a1","duration":0,"status":"active",` + facts +
				`,"batchId":null,"endReason":null,"sequence":2,"metadata":null,"timestamp":"2025-01-15T14:25:00Z","startTime":null,"endTime":null}}`},
		{"failed", hookEvent(domain.EventCallFailed, failed),
			`{"event":"call.failed","data":{"callId":"c1","agentId":"a1","duration":0,"status":"failed",` + facts +
				`,"batchId":"b1","endReason":"busy","sequence":2,"metadata":null,"timestamp":"2025-01-15T14:25:00Z","startTime":null,"endTime":"2025-01-15T14:24:02Z","transcript":""}}`},
		{"test", hookEvent(domain.EventWebhookTest, nil),
			`{"event":"webhook.test","data":{"message":"This is a test from Callwright. Nothing happened to a call."}}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, ok := hooks.Encode(c.ev)
			if !ok || string(got) != c.want {
				t.Errorf("Encode: %v\n got %s\nwant %s", ok, got, c.want)
			}
		})
	}
}

// TestHookEventWords names what becomes of each event that there is.
func TestHookEventWords(t *testing.T) {
	want := map[domain.EventType]string{
		domain.EventCallStarted: "call.started", domain.EventCallEnded: "call.completed", domain.EventCallFailed: "call.failed",
		domain.EventWebhookTest: "webhook.test",
	}
	for _, typ := range append(domain.EventTypes, domain.EventWebhookTest, "call.dreamt") {
		body, told := trillet.Hooks{}.Encode(hookEvent(typ, talkedCall()))
		var payload struct{ Event string }
		if told {
			if err := json.Unmarshal(body, &payload); err != nil {
				t.Fatal(err)
			}
		}
		if payload.Event != want[typ] || told != (want[typ] != "") {
			t.Errorf("%s is told as %q (%v), want %q", typ, payload.Event, told, want[typ])
		}
	}
	if body, told := (trillet.Hooks{}).Encode(hookEvent(domain.EventCallEnded, nil)); told {
		t.Errorf("an event without its call became %s", body)
	}
}

func TestHookStatusWords(t *testing.T) {
	for state, want := range map[domain.CallState]string{
		domain.CallQueued: "waiting", domain.CallDialing: "active", domain.CallRinging: "active",
		domain.CallInProgress: "active", domain.CallCompleted: "completed", domain.CallFailed: "failed",
	} {
		c := talkedCall()
		c.State = state
		if got, _ := (trillet.Hooks{}).Encode(hookEvent(domain.EventCallStarted, c)); !bytes.Contains(got, []byte(`"status":"`+want+`"`)) {
			t.Errorf("%s is not %s in %s", state, want, got)
		}
	}
}

// TestLongTranscriptIsCut takes turns of every kind of character past the limit.
func TestLongTranscriptIsCut(t *testing.T) {
	hooks := trillet.Hooks{CallURL: func(c *domain.Call) string { return "https://x/" + string(c.ID) }}
	for _, text := range []string{strings.Repeat("word ", 20), strings.Repeat("\"\\\n", 30), strings.Repeat("世", 40), strings.Repeat("\x01", 60)} {
		for _, n := range []int{1, 100, 5000} {
			ev := hookEvent(domain.EventCallEnded, talkedCall())
			for i := range n {
				ev.Turns = append(ev.Turns, domain.Turn{Role: domain.RoleCaller, Text: fmt.Sprintf("%d %s", i, text)})
			}
			body, ok := hooks.Encode(ev)
			if !ok || len(body) > trillet.MaxHookBytes {
				t.Fatalf("%d turns of %q: %v, %d bytes", n, text, ok, len(body))
			}
			var got struct {
				Data struct {
					Transcript          string
					TranscriptTruncated bool
					TranscriptURL       string
				}
			}
			if err := json.Unmarshal(body, &got); err != nil {
				t.Fatal(err)
			}
			whole := strings.HasSuffix(got.Data.Transcript, fmt.Sprintf("%d %s", n-1, text))
			if whole == got.Data.TranscriptTruncated || whole != (got.Data.TranscriptURL == "") {
				t.Errorf("%d turns of %q: whole %v, truncated %v, url %q", n, text, whole, got.Data.TranscriptTruncated, got.Data.TranscriptURL)
			}
			if !whole && len(body) < trillet.MaxHookBytes*9/10 {
				t.Errorf("%d turns of %q: cut to %d bytes, which is too eager", n, text, len(body))
			}
		}
	}
}

// TestHookSignatureByOpenSSL does what the documents tell receivers to do.
func TestHookSignatureByOpenSSL(t *testing.T) {
	const secret = "whsec_dGVzdCBzZWNyZXQ="
	ev := hookEvent(domain.EventCallEnded, talkedCall(), domain.Turn{Role: domain.RoleAgent, Text: "It's 5 € \\ \"ok\"\u2028"})
	body, ok := trillet.Hooks{}.Encode(ev)
	if !ok {
		t.Fatal("the event was not encoded")
	}
	signed := trillet.Hooks{}.Sign(secret, domain.DeliveryHead{ID: "e1", Type: ev.Type, At: ev.At}, body)
	cmd := exec.CommandContext(t.Context(), "sh", "-c", `printf '%s' "$PAYLOAD" | openssl sha256 -hmac "$WEBHOOK_SECRET"`)
	cmd.Env = append(cmd.Environ(), "PAYLOAD="+string(body), "WEBHOOK_SECRET="+secret)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("openssl: %v", err)
	}
	_, want, _ := strings.Cut(strings.TrimSpace(string(out)), "= ")
	if len(want) != 64 || len(signed) != 1 || signed["X-Trillet-Signature"] != want {
		t.Errorf("signed %v, openssl says %q", signed, want)
	}
}

func FuzzHookTranscript(f *testing.F) {
	f.Add("Hello", 3)
	f.Add("\"\\\u2028\xff", 2000)
	f.Fuzz(func(t *testing.T, text string, n int) {
		ev := hookEvent(domain.EventCallEnded, talkedCall())
		for range min(max(n, 0), 2000) {
			ev.Turns = append(ev.Turns, domain.Turn{Role: domain.RoleAgent, Text: text})
		}
		body, ok := trillet.Hooks{}.Encode(ev)
		if !ok || len(body) > trillet.MaxHookBytes {
			t.Fatalf("%v, %d bytes", ok, len(body))
		}
		if again, err := wire.CanonicalJSON(body); err != nil || !bytes.Equal(again, body) {
			t.Fatalf("not canonical: %v", err)
		}
	})
}
