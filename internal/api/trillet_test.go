package api_test

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// trilletCalls stores calls of two agents, oldest first, and returns their ids:
// every second one is inbound and of the second agent; the last one is active.
func (a *app) trilletCalls(n int) (agents [2]string, calls []string) {
	a.Helper()
	flow := a.create("/trillet/api/v1/flows", a.key, `{"name":"=cmd|' /C calc'!A0","prompt":"p"}`)
	agents[0] = a.create("/trillet/api/v1/agents", a.key, `{"name":"Ava Sales","pathway":"`+flow+`"}`)
	agents[1] = a.create("/trillet/api/v1/agents", a.key, `{"name":"Ben Support"}`)
	a.ok(a.store.InTx(a.Context(), domain.LaneCall, func(ctx context.Context, s *domain.Stores) error {
		calls = nil
		for i := range n {
			at := a.clock.now().Add(time.Duration(i-n) * time.Hour)
			c := domain.Call{
				ID: domain.NewID(), WorkspaceID: a.first.Workspace.ID, Mode: domain.Live, Direction: domain.Outbound, State: domain.CallCompleted,
				EndReason: domain.EndFlow, AgentID: domain.ID(agents[i%2]), From: "+14155550100", To: fmt.Sprintf("+1415555%04d", i),
				Captured: map[string]any{"day": "Monday"}, Analysis: &domain.Analysis{Summary: "-1+1", Sentiment: "positive", Method: "lexicon"},
				Extra:   map[string]any{"metadata": map[string]any{"order": 7.0}, "tag": "x", "status": "kept"},
				Version: 1, CreatedAt: at, AnsweredAt: at.Add(1500 * time.Millisecond), EndedAt: at.Add(90 * time.Second),
			}
			if i%2 == 0 {
				c.FlowID, c.FlowVersion = domain.ID(flow), 1
			} else {
				c.Direction = domain.Inbound
			}
			if i == n-1 {
				c.State, c.EndReason, c.EndedAt = domain.CallInProgress, "", time.Time{}
			}
			if err := s.Calls.Create(ctx, &c); err != nil {
				return err
			}
			if err := s.Turns.Append(ctx, domain.Turn{CallID: c.ID, Sequence: 1, Role: domain.RoleAgent, Text: "Hello, \"you\"."},
				domain.Turn{CallID: c.ID, Sequence: 2, Role: domain.RoleCaller, Text: "Hi,\nAva."}); err != nil {
				return err
			}
			calls = append(calls, string(c.ID))
		}
		return nil
	}))
	return agents, calls
}

// TestTrilletHistoryFilters asks for the history in every documented way.
func TestTrilletHistoryFilters(t *testing.T) {
	a := start(t, domain.Enterprise)
	agents, calls := a.trilletCalls(6)
	flow := a.send("GET", "/trillet/api/v1/agents/"+agents[0], a.key, "").json(t)["pathway"].(string)
	hour := func(i int) time.Time { return a.clock.now().Add(time.Duration(i-6) * time.Hour) }
	spell := func(v any) string { raw, _ := json.Marshal(v); return string(raw) }
	for _, c := range []struct {
		name  string
		query url.Values
		want  []int
	}{
		{"all", nil, []int{5, 4, 3, 2, 1, 0}},
		{"page", url.Values{"page": {"2"}, "limit": {"4"}}, []int{1, 0}},
		{"agent", url.Values{"agentId": {agents[0]}}, []int{4, 2, 0}},
		{"flow", url.Values{"pathwayId": {flow}}, []int{4, 2, 0}},
		{"batch", url.Values{"batchId": {agents[0]}}, nil},
		{"completed", url.Values{"status": {"completed"}, "limit": {"1"}}, []int{4}},
		{"active", url.Values{"status": {"active"}}, []int{5}},
		{"ongoing", url.Values{"status": {"ongoing"}}, []int{5}},
		{"in-progress", url.Values{"status": {"in-progress"}}, []int{5}},
		{"waiting", url.Values{"status": {"waiting"}}, nil},
		{"failed", url.Values{"status": {"failed"}}, nil},
		{"inbound", url.Values{"direction": {"inbound"}, "callType": {"sip"}}, []int{5, 3, 1}},
		{"web", url.Values{"callType": {"web"}}, nil},
		{"ids", url.Values{"callIds": {spell([]string{calls[1], agents[0] + "-" + calls[3], "nonsense"})}}, []int{3, 1}},
		{"no ids", url.Values{"callIds": {"[]"}}, nil},
		{"search id", url.Values{"search": {calls[2]}}, []int{2}},
		{"search room", url.Values{"search": {agents[0] + "-" + calls[2]}}, []int{2}},
		{"search id among others", url.Values{"search": {calls[2]}, "callIds": {spell([]string{calls[1]})}}, nil},
		{"search number", url.Values{"search": {"1 (415) 555-0004"}}, []int{4}},
		{"search name", url.Values{"search": {"sales"}}, []int{4, 2, 0}},
		{"search nobody", url.Values{"search": {"Zoë"}}, nil},
		{"dates", url.Values{"dateRange": {spell(map[string]string{"from": hour(2).Format(time.RFC3339Nano), "to": hour(3).Format(time.RFC3339Nano)})}}, []int{3, 2}},
		{"epoch", url.Values{"dateRange": {spell(map[string]any{"from": hour(4).UnixMilli(), "to": nil})}}, []int{5, 4}},
		{"epoch seconds", url.Values{"dateRange": {spell(map[string]any{"to": hour(1).Unix() + 1})}}, []int{1, 0}},
		{"days", url.Values{"dateRange": {`{"from":"","to":"2020-01-01"}`}}, nil},
		{"unknown", url.Values{"postAnalysis": {"{}"}, "nonsense": {"1"}, "limit": {"1"}}, []int{5}},
	} {
		var rows []struct {
			CallID string `json:"callId"`
		}
		r := a.send("GET", "/trillet/v2/api/call-history?"+c.query.Encode(), a.key, "")
		if err := json.Unmarshal([]byte(r.body), &rows); err != nil || r.status != http.StatusOK || rows == nil {
			t.Errorf("%s: %d %s", c.name, r.status, r.body)
			continue
		}
		var got []int
		for _, row := range rows {
			got = append(got, slices.Index(calls, row.CallID))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: calls %v, want %v", c.name, got, c.want)
		}
	}
	for query, field := range map[string]string{
		"status=nonsense": "status", "direction=up": "direction", "callType=fax": "callType", "callIds=7": "callIds", "callIds=[7]": "callIds",
		"dateRange=x": "dateRange", `dateRange={"from":"yesterday"}`: "dateRange.from", `dateRange={"to":[]}`: "dateRange.to",
		`dateRange={"to":-1}`: "dateRange.to", `dateRange={"to":1e300}`: "dateRange.to", "page=-1": "page", "limit=x": "limit",
	} {
		name, value, _ := strings.Cut(query, "=")
		r := a.send("GET", "/trillet/v2/api/call-history?"+url.Values{name: {value}}.Encode(), a.key, "")
		if a.want(r, http.StatusBadRequest, "bad_request"); !strings.Contains(r.body, field) {
			t.Errorf("%s: %s does not name %s", query, r.body, field)
		}
	}
}

// TestTrilletHistoryShowsACall reads one call in both forms.
func TestTrilletHistoryShowsACall(t *testing.T) {
	a := start(t, domain.Enterprise)
	_, calls := a.trilletCalls(1)
	agents2, more := a.trilletCalls(3)
	one := a.send("GET", "/trillet/v2/api/call-history/"+agents2[0]+"-"+more[0], a.key, "").json(t)
	want := map[string]any{
		"_id": more[0], "callId": more[0], "agentId": agents2[0], "agent": "Ava Sales", "roomName": agents2[0] + "-" + more[0], "status": "completed",
		"duration": 88.0, "summary": "-1+1", "callFlowName": "=cmd|' /C calc'!A0", "tag": "x", "endReason": "flow-ended",
		"startTime": float64(a.clock.now().Add(-3*time.Hour).UnixMilli())/1000 + 1.5,
	}
	for name, value := range want {
		if one[name] != value {
			t.Errorf("%s is %v, want %v", name, one[name], value)
		}
	}
	for name, value := range map[string]string{
		"analyzedData": `{"day":"Monday","sentiment":"positive"}`, "metadata": `{"order":7}`, "cost": `{"customer_charge":0}`,
		"transcript": `[{"content":"Hello, \"you\".","endMs":0,"interrupted":false,"role":"agent","startMs":0},{"content":"Hi,\nAva.","endMs":0,"interrupted":false,"role":"user","startMs":0}]`,
	} {
		if raw, err := json.Marshal(one[name]); err != nil || string(raw) != value {
			t.Errorf("%s is %s, want %s (%v)", name, raw, value, err)
		}
	}
	a.want(a.send("GET", "/sandbox/trillet/v2/api/call-history/"+calls[0], a.key, ""), http.StatusNotFound, "not_found")
	if r := a.send("GET", "/trillet/v2/api/call-history/nonsense", a.key, ""); r.status != http.StatusNotFound {
		t.Errorf("%d %s", r.status, r.body)
	}
}

// TestTrilletExport reads the whole history as CSV, over the bound of one read.
func TestTrilletExport(t *testing.T) {
	a := start(t, domain.Enterprise)
	agents, calls := a.trilletCalls(250)
	get := func(body string) [][]string {
		t.Helper()
		r := a.send("POST", "/trillet/v2/api/call-history/export-csv", a.key, body)
		if r.status != http.StatusOK || !strings.HasPrefix(r.header.Get("Content-Type"), "text/csv") {
			t.Fatalf("%d %v %s", r.status, r.header, r.body)
		}
		rows, err := csv.NewReader(strings.NewReader(r.body)).ReadAll()
		a.ok(err)
		return rows
	}
	all := get(`{}`)
	if len(all) != 251 || all[250][0] != calls[0] || all[1][0] != calls[249] {
		t.Fatalf("%d rows, the last is %v", len(all), all[len(all)-1])
	}
	some := get(`{"agentId":"` + agents[0] + `","includeTranscripts":true,"includePostAnalysis":true,"limit":110}`)
	if len(some) != 111 {
		t.Fatalf("%d rows", len(some))
	}
	want := []string{
		calls[248], calls[248], "+14155550100", "+14155550248", "outbound", "completed", "88",
		a.clock.now().Add(-2*time.Hour + 1500*time.Millisecond).Format(time.DateTime), a.clock.now().Add(-2*time.Hour + 90*time.Second).Format(time.DateTime),
		"Ava Sales", "'=cmd|' /C calc'!A0", "0", "'-1+1", "", `{"day":"Monday","sentiment":"positive"}`, "Agent: Hello, \"you\".\nCaller: Hi,\nAva.",
	}
	if !slices.Equal(some[1], want) {
		t.Errorf("got %q\nwant %q", some[1], want)
	}
	head := "Call ID,Record ID,From Phone Number,To Phone Number,Direction,Status,Duration (s),Start Time (UTC),End Time (UTC)," +
		"Agent Name,Call Flow Name,Cost,Summary,Recording Link,Analyzed Data (JSON),Transcript(s)"
	if got := strings.Join(some[0], ","); got != head {
		t.Errorf("the head is %s", got)
	}
	if rows := get(`{"limit":0}`); len(rows) != 1 {
		t.Errorf("%d rows", len(rows))
	}
	a.want(a.send("POST", "/trillet/v2/api/call-history/export-csv", a.key, `{"limit":-1}`), http.StatusBadRequest, "bad_request")
	a.want(a.send("POST", "/trillet/v2/api/call-history/export-csv", a.key, `{"agentId":7}`), http.StatusBadRequest, "bad_request")
}

// TestTrilletRateLimit gets the documented answer to too many requests.
func TestTrilletRateLimit(t *testing.T) {
	a := start(t, domain.Starter)
	for range 60 {
		if r := a.send("GET", "/trillet/v1/api", a.key, ""); r.status != http.StatusOK || r.header.Get("X-RateLimit-Limit") != "" {
			t.Fatalf("%d %v %s", r.status, r.header, r.body)
		}
	}
	a.clock.add(15 * time.Second)
	r := a.send("POST", "/trillet/api/v1/calls/call", a.key, `{}`)
	fault, _ := r.json(t)["error"].(map[string]any)
	at, err := time.Parse(time.RFC3339, fmt.Sprint(fault["reset_at"]))
	wait := r.header.Get("Retry-After")
	seconds, notNumber := strconv.Atoi(wait)
	if left := at.Sub(a.clock.now()); err != nil || notNumber != nil || seconds < 43 || seconds > 46 || left > time.Duration(seconds)*time.Second {
		t.Errorf("it is %s until %v, and Retry-After is %s (%v)", left, fault["reset_at"], wait, err)
	}
	if r.status != http.StatusTooManyRequests || r.code() != "rate_limit_exceeded" ||
		fault["message"] != "Too many requests. Please try again in "+wait+" seconds." {
		t.Errorf("%d %v %s", r.status, r.header, r.body)
	}
}

// TestTrilletCallback tells the secret of a call's own receiver, once and only
// to who names one.
func TestTrilletCallback(t *testing.T) {
	a := start(t, domain.Professional)
	agent := a.create("/sandbox/trillet/api/v1/agents", a.key, `{"name":"A","systemPrompt":"p"}`)
	place := func(body string) reply {
		t.Helper()
		return a.send("POST", "/sandbox/trillet/v1/api/call", a.key, `{"call_agent_id":"`+agent+`","to":"+15005550006"`+body+`}`)
	}
	if secret, _ := place(`,"callback_url":"http://127.0.0.1:9/hook"`).json(t)["callback_secret"].(string); !strings.HasPrefix(secret, "whsec_") {
		t.Errorf("the secret is %q", secret)
	}
	if r := place(""); r.status != http.StatusOK || strings.Contains(r.body, "secret") {
		t.Errorf("%d %s", r.status, r.body)
	}
	r := place(`,"callback_url":"http://example.com/"`)
	if a.want(r, http.StatusBadRequest, "bad_request"); !strings.Contains(r.body, "callback_url must begin with https://") {
		t.Error(r.body)
	}
	if r := a.send("GET", "/sandbox/trillet/v2/api/call-history", a.key, ""); strings.Contains(r.body, "whsec_") {
		t.Errorf("the history tells secrets: %s", r.body)
	}
}

// TestTrilletKeepsSecretsOutOfTheLog: members that are kept may be keys of other
// services.
func TestTrilletKeepsSecretsOutOfTheLog(t *testing.T) {
	a := start(t, domain.Enterprise)
	body := `{"name":"A","ttsModel":{"provider":"11labs_byo","elevenLabsApiKey":"sk_very_secret"},"openaiKey":"sk_other_secret"}`
	r := a.send("POST", "/trillet/api/v1/agents", a.key, body)
	if r.status != http.StatusCreated || strings.Count(r.body, "_secret\"") != 2 {
		t.Errorf("%d %s", r.status, r.body)
	}
	id := r.json(t)["_id"].(string)
	a.send("PATCH", "/trillet/api/v1/agents/"+id, a.key, `{"name":7,"openaiKey":"sk_other_secret"}`)
	if native := a.send("GET", "/api/v1/agents/"+id, a.key, ""); strings.Contains(native.body, "secret") {
		t.Errorf("the native face shows %s", native.body)
	}
	if log := a.log.String(); strings.Contains(log, "secret") {
		t.Errorf("the log has %s", log)
	}
}

// TestTrilletKeepsSoMuch bounds what is kept for a client.
func TestTrilletKeepsSoMuch(t *testing.T) {
	a := start(t, domain.Enterprise)
	big := strings.Repeat("x", 100_000)
	a.want(a.send("POST", "/trillet/api/v1/agents", a.key, `{"name":"A","notes":"`+big+`"}`), http.StatusBadRequest, "bad_request")
	if r := a.send("POST", "/trillet/api/v1/flows", a.key, `{"name":"F","notes":"`+big+`"}`); r.status != http.StatusCreated {
		t.Errorf("%d %.200s", r.status, r.body)
	}
	a.want(a.send("POST", "/trillet/api/v1/flows", a.key, `{"name":"F","notes":"`+strings.Repeat(big, 6)+`"}`), http.StatusBadRequest, "bad_request")
}

// TestTrilletChangesNothing: a change that says what is there makes no new
// version of a flow, whichever dialect made it.
func TestTrilletChangesNothing(t *testing.T) {
	a := start(t, domain.Enterprise)
	for _, id := range []string{
		a.create("/api/v1/flows", a.key, `{"name":"F","nodes":[{"id":"a","type":"end","text":"Bye"}]}`),
		a.create("/trillet/api/v1/flows", a.key, `{"name":"F","prompt":"Hi {a}","settings":{"callSetting":{"maxCallDuration":60}},"own":[1]}`),
	} {
		shown := a.send("PATCH", "/trillet/api/v1/flows/"+id, a.key, `{}`)
		if shown.json(t)["__v"] != 0.0 {
			t.Error(shown.body)
		}
		// What was shown by default is the client's own when it is sent back.
		back := a.send("PUT", "/trillet/api/v1/flows/"+id, a.key, shown.body)
		again := a.send("PUT", "/trillet/api/v1/flows/"+id, a.key, back.body)
		if back.status != http.StatusOK || again.body != back.body {
			t.Errorf("%s\nbecame %s\nthen %s", shown.body, back.body, again.body)
		}
	}
}

// TestTrilletSheetTooLarge: a file over 20 MB is refused, whatever its length is
// said to be, and one of 20 MB is read.
func TestTrilletSheetTooLarge(t *testing.T) {
	a := start(t, domain.Enterprise)
	form := func(size int) string {
		head := "phone_number\n+12025550123\n"
		return "--b\nContent-Disposition: form-data; name=\"file\"; filename=\"x.csv\"\n\n" + head + strings.Repeat("\n", size-len(head)) + "\n--b--\n"
	}
	for size, want := range map[int]int{20 << 20: http.StatusOK, 20<<20 + 1: http.StatusRequestEntityTooLarge, 22 << 20: http.StatusRequestEntityTooLarge} {
		r := a.send("POST", "/v1/api/batch-calls/validate", a.key, form(size), "Content-Type: multipart/form-data; boundary=b")
		if r.status != want || want == http.StatusOK && r.json(t)["validRows"] != 1.0 || want != http.StatusOK && r.json(t)["error"] != "File too large" {
			t.Errorf("%d bytes: %d %s", size, r.status, r.body)
		}
	}
}
