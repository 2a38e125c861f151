package api_test

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// talked stores a call that is over, with turns, an analysis and a recording.
func (a *app) talked(sound []byte) *domain.Call {
	a.Helper()
	objects := a.objects(a.key)
	file, name, err := a.sounds.Create(a.Context(), domain.ID(objects["calls"]))
	a.ok(err)
	_, err = file.WriteAt(sound, 0)
	a.ok(err)
	a.ok(file.Close())
	var call *domain.Call
	a.ok(a.store.InTx(a.Context(), domain.LaneCall, func(ctx context.Context, s *domain.Stores) error {
		var err error
		if call, err = s.Calls.ByID(ctx, domain.ID(objects["calls"])); err != nil {
			return err
		}
		now := a.clock.now()
		call.State, call.EndReason, call.Recording = domain.CallCompleted, domain.EndFlow, name
		call.AnsweredAt, call.EndedAt = now, now.Add(183*time.Second+900*time.Millisecond)
		call.Captured = map[string]any{"day": "2025-03-03", "name": "Ada"}
		call.Notes, call.Voice = []string{"a note"}, "flite/kal"
		call.Analysis = &domain.Analysis{Summary: "Wants a demo.", Sentiment: "positive", Method: "lexicon"}
		if err := s.Calls.Update(ctx, call); err != nil {
			return err
		}
		return s.Turns.Append(ctx,
			domain.Turn{CallID: call.ID, Sequence: 1, Role: domain.RoleAgent, Text: "Hello?", EndMs: 800},
			domain.Turn{CallID: call.ID, Sequence: 2, Role: domain.RoleCaller, Text: "Tuesday.", StartMs: 900, EndMs: 1500})
	}))
	return call
}

func TestCallDetailAndRecording(t *testing.T) {
	a := start(t, domain.Professional)
	sound := bytes.Repeat([]byte("0123456789"), 1000)
	call := a.talked(sound)
	detail := a.send("GET", "/api/v1/calls/"+string(call.ID), a.key, "").json(t)
	for field, want := range map[string]any{
		"status": "completed", "duration": 183.0, "endReason": "flow-ended", "sentiment": "positive", "summary": "Wants a demo.",
		"transcript": "Agent: Hello?\nCaller: Tuesday.", "voice": "flite/kal", "from": "+14155550100",
	} {
		if detail[field] != want {
			t.Errorf("%s is %v, want %v", field, detail[field], want)
		}
	}
	if vars := detail["variables"].(map[string]any); vars["day"] != "2025-03-03" || len(detail["turns"].([]any)) != 2 {
		t.Errorf("%v", detail)
	}
	link, err := url.Parse(detail["recordingUrl"].(string))
	a.ok(err)
	if link.Scheme+"://"+link.Host != a.url {
		t.Errorf("the link leads to %s", link)
	}
	path := link.RequestURI()
	whole := a.send("GET", path, "", "")
	if whole.status != http.StatusOK || whole.body != string(sound) || whole.header.Get("Content-Type") != "audio/wav" {
		t.Errorf("%d %v, %d bytes", whole.status, whole.header, len(whole.body))
	}
	part := a.send("GET", path, "", "", "Range: bytes=10-19")
	if part.status != http.StatusPartialContent || part.body != "0123456789" {
		t.Errorf("%d %q", part.status, part.body)
	}
	a.want(a.send("GET", "/api/v1/recordings/"+string(call.ID), a.key, ""), http.StatusOK, "")
	a.want(a.send("GET", strings.Replace(path, "expires=", "expires=1", 1), "", ""), http.StatusForbidden, "FORBIDDEN")
	a.want(a.send("GET", path[:len(path)-1]+"x", "", ""), http.StatusForbidden, "FORBIDDEN")
	a.want(a.send("GET", strings.Replace(path, string(call.ID), string(domain.NewID()), 1), "", ""), http.StatusForbidden, "FORBIDDEN")
	a.clock.add(24 * time.Hour)
	a.want(a.send("GET", path, "", ""), http.StatusOK, "")
	a.clock.add(24*time.Hour + time.Second)
	a.want(a.send("GET", path, "", ""), http.StatusForbidden, "FORBIDDEN")
}

// TestCallDates: both ends of a range are included, a date is its whole day.
func TestCallDates(t *testing.T) {
	a := start(t, domain.Professional)
	a.clock.at = time.Date(2025, 2, 28, 23, 59, 59, 700_000_000, time.UTC)
	agent := a.create("/sandbox/api/v1/agents", a.key, `{"name":"A","systemPrompt":"p"}`)
	a.create("/sandbox/api/v1/calls", a.key, `{"agentId":"`+agent+`","to":"+15005550106"}`)
	for query, want := range map[string]float64{
		"": 1, "from=2025-02-28": 1, "to=2025-02-28": 1, "from=2025-02-28&to=2025-02-28": 1, "to=2025-02-27": 0, "from=2025-03-01": 0,
		"to=2025-02-28T23:59:59Z": 1, "to=2025-02-28T23:59:58Z": 0, "from=2025-02-28T23:59:59Z": 1, "from=2025-02-28T23:59:59.8Z": 0,
		"to=2025-02-28T23:59": 1, "to=2025-03-01T00:59:59%2B01:00": 1, "to=2025-03-01T00:59:59+01:00": 1, "to=2025-03-01T00:59:58+01:00": 0,
		"agentId=" + agent: 1, "agentId=" + string(domain.NewID()): 0, "campaignId=" + agent: 0, "direction=inbound": 0, "status=queued&direction=outbound": 1,
		"status=in-progress": 0,
	} {
		r := a.send("GET", "/sandbox/api/v1/calls?"+query, a.key, "")
		if got := r.json(t)["total"]; got != want {
			t.Errorf("%s: %v, want %v (%s)", query, got, want, r.body)
		}
	}
}

// TestEventsReachEndpoints: canceling a call makes one delivery for each
// endpoint that wants it, and none for the others.
func TestEventsReachEndpoints(t *testing.T) {
	a := start(t, domain.Professional)
	hook := func(prefix, body string) string { return a.create(prefix+"/api/v1/webhooks", a.key, body) }
	wants := hook("/sandbox", `{"url":"https://example.com/1","events":["call.failed"]}`)
	all := hook("/sandbox", `{"url":"https://example.com/2","events":["*"]}`)
	other := hook("/sandbox", `{"url":"https://example.com/3","events":["call.ended"]}`)
	asleep := hook("/sandbox", `{"url":"https://example.com/4","events":["*"],"isActive":false}`)
	live := hook("", `{"url":"https://example.com/5","events":["*"]}`)
	agent := a.create("/sandbox/api/v1/agents", a.key, `{"name":"A","systemPrompt":"p"}`)
	call := a.create("/sandbox/api/v1/calls", a.key, `{"agentId":"`+agent+`","to":"+15005550106"}`)
	a.want(a.send("POST", "/sandbox/api/v1/calls/"+call+"/cancel", a.key, ""), http.StatusOK, "")
	for id, n := range map[string]int{wants: 1, all: 1, other: 0, asleep: 1} {
		r := a.send("GET", "/sandbox/api/v1/webhooks/"+id+"/deliveries", a.key, "")
		if strings.Count(r.body, `"event":"call.failed"`) != n || strings.Count(r.body, call) != n {
			t.Errorf("%s got %s, want %d", id, r.body, n)
		}
	}
	// What a switched-off endpoint misses is kept, and sent when it is asked for.
	path := "/sandbox/api/v1/webhooks/" + asleep
	if r := a.send("GET", path+"/deliveries?status=failed", a.key, ""); !strings.Contains(r.body, "switched off") {
		t.Errorf("a switched-off endpoint missed %s", r.body)
	}
	a.want(a.send("POST", path+"/resend", a.key, ""), http.StatusConflict, "CONFLICT")
	a.want(a.send("POST", path+"/enable", a.key, ""), http.StatusOK, "")
	if r := a.send("POST", path+"/resend", a.key, `{"since":"2020-01-01"}`); r.status != http.StatusAccepted || r.body != `{"resent":1}` {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r := a.send("GET", path+"/deliveries?status=pending", a.key, ""); strings.Count(r.body, call) != 1 {
		t.Errorf("nothing waits to be sent again: %s", r.body)
	}
	if r := a.send("GET", "/api/v1/webhooks/"+live+"/deliveries", a.key, ""); r.body != "[]" {
		t.Errorf("the other mode's endpoint got %s", r.body)
	}
	a.ok(a.store.View(t.Context(), func(ctx context.Context, s *domain.Stores) error {
		sent, err := s.Deliveries.ByCall(ctx, domain.Scope{Workspace: a.first.Workspace.ID, Mode: domain.Test}, domain.ID(call))
		if err == nil && (len(sent) != 3 || !bytes.Equal(sent[0].Body, sent[1].Body) || !bytes.HasPrefix(sent[0].Body, []byte(`{"event":"call.failed","timestamp":"`))) {
			t.Errorf("%d deliveries, first %s", len(sent), sent[0].Body)
		}
		return err
	}))
}
