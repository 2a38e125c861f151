package app_test

import (
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// campaign is what these tests read of one.
type campaign struct {
	ID                         domain.ID
	Status                     string
	CallsTotal, CallsCompleted int
	PauseReason                *string
	StartedAt, EndedAt         *time.Time
	Counts                     struct{ Waiting, Active, Completed, Failed, Answered, Abandoned int }
	AbandonedShare             float64
}

// recipientSeen is what they read of its contacts.
type recipientSeen struct {
	ID                    domain.ID
	Phone, Status, Result string
	Reason                *string
	CallID                domain.ID
	Attempts              []struct {
		CallID  domain.ID
		Result  string
		Charged bool
	}
}

// campaign makes one that calls numbers once each.
func (h *house) campaign(agent, from domain.ID, atOnce int, numbers ...string) domain.ID {
	h.Helper()
	contacts := make([]map[string]any, len(numbers))
	for i, n := range numbers {
		contacts[i] = map[string]any{"phone": n, "firstName": fmt.Sprintf("P%d", i)}
	}
	var made campaign
	h.post("/campaigns", map[string]any{
		"name": "February Outreach", "agentId": agent, "phoneNumberId": from, "scheduledStart": "2025-02-01T09:00:00Z", "timezone": "America/New_York",
		"callWindow": map[string]any{"start": "00:00", "end": "24:00"}, "maxConcurrentCalls": atOnce, "retry": map[string]any{"maxAttempts": 1},
		"contacts": contacts,
	}, &made)
	if made.Status != "active" || made.CallsTotal != len(numbers) {
		h.Fatalf("it was made as %+v", made)
	}
	return made.ID
}

// poll reads a campaign; its counts must add up, and calls at once be no more than
// it may have.
func (h *house) poll(id domain.ID, total, atOnce int) campaign {
	h.Helper()
	var c campaign
	h.must(http.MethodGet, "/campaigns/"+string(id), nil, &c)
	n := c.Counts
	if c.CallsTotal != total || n.Waiting+n.Active+n.Completed+n.Failed != total || c.CallsCompleted != n.Completed+n.Failed || n.Active > atOnce {
		h.Fatalf("the counts do not add up to %d: %+v", total, c)
	}
	return c
}

// until polls a campaign until it is as it should be. What is finished stays so.
func (h *house) until(id domain.ID, total, atOnce int, is func(campaign) bool) campaign {
	h.Helper()
	finished := 0
	for deadline := time.Now().Add(4 * callLimit); ; time.Sleep(40 * time.Millisecond) {
		c := h.poll(id, total, atOnce)
		if c.CallsCompleted < finished {
			h.Fatalf("callsCompleted went from %d to %d", finished, c.CallsCompleted)
		}
		if finished = c.CallsCompleted; is(c) {
			return c
		}
		if time.Now().After(deadline) {
			h.Fatalf("it stays %+v", c)
		}
	}
}

// callsOf returns the calls of a campaign as the filter finds them.
func (h *house) callsOf(id domain.ID) map[domain.ID]string {
	h.Helper()
	var page struct {
		Calls []struct {
			ID, CampaignID domain.ID
			Status         string
		}
		Total int
	}
	h.must(http.MethodGet, "/calls?limit=200&campaignId="+string(id), nil, &page)
	all := make(map[domain.ID]string)
	for _, c := range page.Calls {
		if all[c.ID] = c.Status; c.CampaignID != id {
			h.Errorf("the call %s is of campaign %s", c.ID, c.CampaignID)
		}
	}
	if page.Total != len(all) {
		h.Errorf("%d calls of %d", len(all), page.Total)
	}
	return all
}

// TestCampaignPersonas calls everybody who lives in the sandbox, and each drives
// its result. Who asks not to be called again is not, by no campaign.
func TestCampaignPersonas(t *testing.T) {
	t.Parallel()
	h, from := sandbox(t, setup{ring: 2 * time.Second})
	agent := h.agent(nil, say("hello", "Hello, this is Ava.", "n"), ask("n", "How many people are you?", "number", "bye"), bye("Goodbye."))
	personas := map[string]struct{ status, result string }{
		"+15004440000": {"failed", "invalid"}, "+15004440001": {"failed", "busy"}, "+15004440002": {"failed", "no-answer"},
		"+15004440003": {"completed", "voicemail"}, "+15004440004": {"failed", "declined"}, "+15004440005": {"completed", "human"},
		"+15004440006": {"completed", "human"}, "+15004440007": {"completed", "human"}, "+15004440008": {"completed", "human"},
		"+15004440009": {"completed", "opt-out"},
	}
	const atOnce = 4
	id := h.campaign(agent, from, atOnce, slices.Sorted(maps.Keys(personas))...)
	c := h.until(id, 10, atOnce, func(c campaign) bool { return c.Status == "completed" })
	if c.CallsCompleted != 10 || c.Counts.Completed != 6 || c.Counts.Answered != 5 || c.Counts.Abandoned != 0 || c.StartedAt == nil || c.EndedAt == nil {
		t.Errorf("it ended as %+v", c)
	}
	var rows []recipientSeen
	h.must(http.MethodGet, "/campaigns/"+string(id)+"/contacts", nil, &rows)
	calls := h.callsOf(id)
	for _, r := range rows {
		want := personas[r.Phone]
		if r.Status != want.status || r.Result != want.result || len(r.Attempts) != 1 || r.Attempts[0].Result != r.Result || !r.Attempts[0].Charged ||
			r.Attempts[0].CallID != r.CallID || calls[r.CallID] == "" {
			t.Errorf("%s is %+v, want %+v", r.Phone, r, want)
		}
	}
	if len(rows) != 10 || len(calls) != 10 {
		t.Errorf("%d contacts with %d calls", len(rows), len(calls))
	}
	h.exported(id, rows)

	again := h.campaign(agent, from, atOnce, "+15004440009", "+15004440004")
	h.until(again, 2, atOnce, func(c campaign) bool { return c.Status == "completed" })
	rows = nil
	h.must(http.MethodGet, "/campaigns/"+string(again)+"/contacts?phone=%2B15004440009", nil, &rows)
	if len(rows) != 1 || rows[0].Status != "failed" || rows[0].Reason == nil || *rows[0].Reason != domain.ReasonDoNotCall || rows[0].CallID != "" {
		t.Errorf("who opted out: %+v", rows)
	}
	if calls := h.callsOf(again); len(calls) != 1 {
		t.Errorf("the second campaign made the calls %v", calls)
	}
}

// TestCampaignOfTheLate counts calls in which the agent is silent for too long
// after the answer, or after the greeting, as abandoned.
func TestCampaignOfTheLate(t *testing.T) {
	t.Parallel()
	h, from := sandbox(t, setup{ring: 2 * time.Second})
	agent := h.agent(nil, pause("slow", 5, "bye"), bye("Goodbye."))
	id := h.campaign(agent, from, 3, "+15004450006", "+15004450007", "+15004450001")
	c := h.until(id, 3, 3, func(c campaign) bool { return c.Status == "completed" })
	if c.Counts.Answered != 2 || c.Counts.Abandoned != 2 || c.AbandonedShare != 1 {
		t.Errorf("it ended as %+v", c)
	}
}

// exported compares the export of a campaign with its contacts.
func (h *house) exported(id domain.ID, rows []recipientSeen) {
	h.Helper()
	status, answer := h.request(http.MethodGet, "/campaigns/"+string(id)+"/export", nil)
	lines, err := csv.NewReader(strings.NewReader(string(answer))).ReadAll()
	if status != http.StatusOK || err != nil || len(lines) != len(rows)+1 {
		h.Fatalf("the export is %d %s: %v", status, answer, err)
	}
	at := func(name string) int { return slices.Index(lines[0], name) }
	for i, r := range rows {
		l := lines[i+1]
		if l[at("phone_number")] != r.Phone || l[at("status")] != r.Status || l[at("result")] != r.Result || l[at("attempts")] != "1" ||
			l[at("last_call_id")] != string(r.CallID) || l[at("first_name")] != fmt.Sprintf("P%d", i) || l[at("last_call_at")] == "" {
			h.Errorf("the export has %q of %+v", l, r)
		}
	}
}

// TestCampaignPauseAndCancel: within a second after a pause or a cancel nobody is
// dialed any more, and calls that are under way come to their own end.
func TestCampaignPauseAndCancel(t *testing.T) {
	t.Parallel()
	h, from := sandbox(t, setup{ring: 2 * time.Second})
	agent := h.agent(nil, say("hello", "Hello, this is Ava.", "n"), ask("n", "How many people are you?", "number", "bye"), bye("Goodbye."))
	numbers := make([]string, 40)
	for i := range numbers {
		numbers[i] = fmt.Sprintf("+15005%02d0006", i)
	}
	const atOnce = 3
	id := h.campaign(agent, from, atOnce, numbers...)
	talking := func(campaign) bool { return slices.Contains(slices.Collect(maps.Values(h.callsOf(id))), "in-progress") }
	for _, to := range []string{"paused", "cancelled"} {
		h.until(id, len(numbers), atOnce, talking)
		var c campaign
		h.must(http.MethodPatch, "/campaigns/"+string(id), map[string]any{"status": to}, &c)
		if c.Status != to {
			t.Fatalf("it is %+v, not %s", c, to)
		}
		time.Sleep(time.Second) // what the promise gives
		before := h.callsOf(id)
		h.until(id, len(numbers), atOnce, func(c campaign) bool { return c.Counts.Active == 0 })
		after := h.callsOf(id)
		if len(after) != len(before) {
			t.Errorf("%s: %d calls became %d", to, len(before), len(after))
		}
		for call, status := range before {
			if got := h.read(call); status == "in-progress" && (got.Status != "completed" || got.EndReason != "flow-ended") {
				t.Errorf("%s: a call that was under way is %s (%s)", to, got.Status, got.EndReason)
			}
		}
		if to == "paused" {
			h.must(http.MethodPatch, "/campaigns/"+string(id), map[string]any{"status": "active"}, &c)
		}
	}
	c := h.poll(id, len(numbers), 0)
	if c.CallsCompleted != len(numbers) || c.Counts.Failed == 0 || c.Counts.Completed == 0 {
		t.Errorf("it ended as %+v", c)
	}
	if status, answer := h.request(http.MethodPatch, "/campaigns/"+string(id), map[string]any{"status": "active"}); status != http.StatusBadRequest {
		t.Errorf("it goes on: %d %s", status, answer)
	}
	var waiting []recipientSeen
	h.must(http.MethodGet, "/campaigns/"+string(id)+"/contacts?status=failed", nil, &waiting)
	for _, r := range waiting {
		if r.CallID == "" && (r.Reason == nil || *r.Reason != domain.ReasonCancelled) {
			t.Errorf("%+v was not called because of %v", r, r.Reason)
		}
	}
}

// TestCampaignHooks: what is told of a campaign's calls names the campaign.
func TestCampaignHooks(t *testing.T) {
	t.Parallel()
	h, from := sandbox(t, setup{ring: 2 * time.Second})
	told := make(chan string, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		told <- string(raw)
	}))
	t.Cleanup(receiver.Close)
	h.post("/webhooks", map[string]any{"url": receiver.URL, "events": []string{"call.failed"}}, &object{})
	id := h.campaign(h.agent(nil, bye("Goodbye.")), from, 1, "+15006660001")
	select {
	case body := <-told:
		if !strings.Contains(body, fmt.Sprintf(`"campaignId":%q`, id)) {
			t.Errorf("the campaign is %s, and told was %s", id, body)
		}
	case <-time.After(2 * callLimit):
		t.Fatal("nothing was told")
	}
}
