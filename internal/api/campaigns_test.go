package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/sheet"
)

// outreachOf makes a campaign with contacts that nobody calls: there is no dialer
// here.
func (a *app) outreachOf(contacts string) string {
	a.Helper()
	agent := a.create("/sandbox/api/v1/agents", a.key, `{"name":"A","systemPrompt":"p"}`)
	var numbers []struct{ ID string }
	a.ok(json.Unmarshal([]byte(a.send("GET", "/sandbox/api/v1/phone-numbers", a.key, "").body), &numbers))
	return a.create("/sandbox/api/v1/campaigns", a.key, fmt.Sprintf(`{"name":"C","agentId":%q,"phoneNumberId":%q,"contacts":%s}`, agent, numbers[0].ID, contacts))
}

// step changes the first recipient of a campaign, and the campaign.
func (a *app) step(campaign string, change func(*domain.Recipient, *domain.Campaign) domain.CampaignCounts) {
	a.Helper()
	in := domain.Scope{Workspace: a.first.Workspace.ID, Mode: domain.Test}
	a.ok(a.store.InTx(a.Context(), domain.LaneDial, func(ctx context.Context, st *domain.Stores) error {
		rows, _, err := st.Recipients.List(ctx, in, domain.ID(campaign), domain.RecipientFilter{}, domain.Page{Limit: 1})
		if err != nil {
			return err
		}
		r, err := st.Recipients.Get(ctx, in, domain.ID(campaign), rows[0].ID)
		if err != nil {
			return err
		}
		c, err := st.Dialing.Plan(ctx, domain.ID(campaign))
		if err != nil {
			return err
		}
		was := r.State
		gain := change(r, c)
		if err := st.Recipients.Update(ctx, r, was, gain); err != nil {
			return err
		}
		return st.Dialing.Note(ctx, c)
	}))
}

// called has the first recipient called and reached.
func (a *app) called(campaign string) {
	a.Helper()
	a.step(campaign, func(r *domain.Recipient, c *domain.Campaign) domain.CampaignCounts {
		r.State, r.CallID, c.StartedAt = domain.RecipientActive, "0123456789abcdef01234567", a.clock.now()
		return domain.CampaignCounts{}
	})
	a.step(campaign, func(r *domain.Recipient, _ *domain.Campaign) domain.CampaignCounts {
		r.State, r.Result, r.EndedAt = domain.RecipientCompleted, domain.ResultHuman, a.clock.now()
		r.Tries = []domain.RecipientTry{{CallID: r.CallID, At: a.clock.now(), Result: domain.ResultHuman, Charged: true, Talk: 90 * time.Second}}
		return domain.CampaignCounts{Answered: 1, LastAt: a.clock.now()}
	})
}

// watchOutreach opens the stream of a campaign.
func (a *app) watchOutreach(id, last string) *bufio.Scanner {
	a.Helper()
	ctx, cancel := context.WithTimeout(a.Context(), 20*time.Second)
	req, err := http.NewRequestWithContext(ctx, "GET", a.url+"/sandbox/api/v1/campaigns/"+id+"/events", nil)
	a.ok(err)
	req.Header.Set("Authorization", "Bearer "+a.key)
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	res, err := http.DefaultClient.Do(req)
	a.ok(err)
	a.Cleanup(func() {
		cancel()
		_ = res.Body.Close()
	})
	if res.StatusCode != http.StatusOK {
		a.Fatalf("the stream answers %d", res.StatusCode)
	}
	return bufio.NewScanner(res.Body)
}

// standing is what an event of a campaign says.
type standing struct {
	id, event                  string
	Status                     string
	CallsTotal, CallsCompleted int
	Counts                     struct{ Waiting, Active, Completed, Failed int }
}

func nextStanding(t *testing.T, lines *bufio.Scanner) (s standing) {
	t.Helper()
	for lines.Scan() && (lines.Text() != "" || s.event == "") {
		name, value, _ := strings.Cut(lines.Text(), ": ")
		switch name {
		case "id":
			s.id = value
		case "event":
			s.event = value
		case "data":
			if err := json.Unmarshal([]byte(value), &s); err != nil {
				t.Fatal(err)
			}
		}
	}
	if c := s.Counts; c.Waiting+c.Active+c.Completed+c.Failed != s.CallsTotal || c.Completed+c.Failed != s.CallsCompleted {
		t.Errorf("the counts do not add up: %+v", s)
	}
	return s
}

// TestCampaignEvents: the stream begins with how the campaign stands, tells each
// change, and ends when the last call is over, not before.
func TestCampaignEvents(t *testing.T) {
	a := start(t, domain.Professional)
	id := a.outreachOf(`[{"phone":"+15001110006"},{"phone":"+15001110007"}]`)
	path := "/sandbox/api/v1/campaigns/" + id
	lines := a.watchOutreach(id, "")
	first := nextStanding(t, lines)
	if first.event != "progress" || first.Status != "active" || first.CallsTotal != 2 || first.CallsCompleted != 0 {
		t.Fatalf("first: %+v", first)
	}
	a.called(id)
	now := nextStanding(t, lines)
	if now.CallsCompleted == 0 { // the call was seen under way
		now = nextStanding(t, lines)
	}
	if now.CallsCompleted != 1 || now.Counts.Waiting != 1 || now.id == first.id {
		t.Fatalf("then: %+v", now)
	}
	if again := nextStanding(t, a.watchOutreach(id, first.id)); again.id != now.id {
		t.Errorf("after the first event comes %+v", again)
	}
	later := a.watchOutreach(id, now.id)
	a.want(a.send("PATCH", path, a.key, `{"status":"paused"}`), http.StatusOK, "")
	for _, l := range []*bufio.Scanner{lines, later} {
		if paused := nextStanding(t, l); paused.Status != "paused" || paused.event != "progress" {
			t.Errorf("when it was paused: %+v", paused)
		}
	}
	a.want(a.send("PATCH", path, a.key, `{"status":"cancelled"}`), http.StatusOK, "")
	if end := nextStanding(t, lines); end.event != "end" || end.id != "end" || end.Status != "cancelled" || end.CallsCompleted != 2 {
		t.Errorf("at the end: %+v", end)
	}
	if lines.Scan() {
		t.Errorf("after the end: %s", lines.Text())
	}
	if end := nextStanding(t, a.watchOutreach(id, "")); end.event != "end" {
		t.Errorf("of one that is over: %+v", end)
	}
	a.want(a.send("GET", path+"/events", a.key, "", "Last-Event-ID: end"), http.StatusNoContent, "")
	a.want(a.send("HEAD", path+"/events", a.key, ""), http.StatusNoContent, "")
	for _, bad := range []string{"x", "1.0", "0123456789abcdeg", "ends"} {
		a.want(a.send("GET", path+"/events", a.key, "", "Last-Event-ID: "+bad), http.StatusBadRequest, "BAD_REQUEST")
	}
	a.want(a.send("GET", "/api/v1/campaigns/"+id+"/events", a.key, "", "Last-Event-ID: end"), http.StatusNotFound, "NOT_FOUND") // live mode
}

// TestCampaignEventsWaitForCalls: a campaign that was ended is watched until its
// last call is over; who watches does not hold up the process.
func TestCampaignEventsWaitForCalls(t *testing.T) {
	a := start(t, domain.Professional)
	id := a.outreachOf(`[{"phone":"+15001110006"}]`)
	a.step(id, func(r *domain.Recipient, c *domain.Campaign) domain.CampaignCounts {
		r.State, r.CallID = domain.RecipientActive, "0123456789abcdef01234567"
		return domain.CampaignCounts{}
	})
	a.want(a.send("PATCH", "/sandbox/api/v1/campaigns/"+id, a.key, `{"status":"cancelled"}`), http.StatusOK, "")
	lines := a.watchOutreach(id, "")
	if s := nextStanding(t, lines); s.event != "progress" || s.Counts.Active != 1 {
		t.Fatalf("while the call goes on: %+v", s)
	}
	a.want(a.send("DELETE", "/sandbox/api/v1/campaigns/"+id, a.key, ""), http.StatusConflict, "CONFLICT")
	a.step(id, func(r *domain.Recipient, _ *domain.Campaign) domain.CampaignCounts {
		r.State = domain.RecipientCompleted
		return domain.CampaignCounts{}
	})
	if s := nextStanding(t, lines); s.event != "end" || s.CallsCompleted != 1 {
		t.Errorf("after the call: %+v", s)
	}
	other := a.outreachOf(`[{"phone":"+15001110006"}]`)
	lines = a.watchOutreach(other, "")
	nextStanding(t, lines)
	a.service.StopWatches()
	if lines.Scan() && lines.Text() != "" && !strings.HasPrefix(lines.Text(), ":") || lines.Err() != nil {
		t.Errorf("when the process stops: %q, %v", lines.Text(), lines.Err())
	}
}

// TestCampaignETag: what the dialer changes is another version to who reads, and
// the same to who changes.
func TestCampaignETag(t *testing.T) {
	a := start(t, domain.Professional)
	id := a.outreachOf(`[{"phone":"+15001110006"},{"phone":"+15001110007"}]`)
	path := "/sandbox/api/v1/campaigns/" + id
	first := a.send("GET", path, a.key, "").header.Get("ETag")
	a.want(a.send("GET", path, a.key, "", "If-None-Match: "+first), http.StatusNotModified, "")
	a.called(id)
	if now := a.send("GET", path, a.key, "", "If-None-Match: "+first); now.status != http.StatusOK {
		t.Errorf("after a call it is still the same: %d", now.status)
	}
	a.want(a.send("PATCH", path, a.key, `{"name":"D"}`, "If-Match: "+first), http.StatusOK, "")
	a.want(a.send("PATCH", path, a.key, `{"name":"E"}`, "If-Match: "+first), http.StatusPreconditionFailed, "PRECONDITION_FAILED")
}

// TestCampaignExport: what is exported can be imported again, and no cell of it is
// a formula.
func TestCampaignExport(t *testing.T) {
	a := start(t, domain.Professional)
	var contacts []string
	for n := range 1_203 {
		contacts = append(contacts, fmt.Sprintf(`{"phone":"+1500111%04d","variables":{"n":%d}}`, n, n))
	}
	contacts[0] = `{"phone":"+15001110000","firstName":"=1+1","lastName":"O'Hara, \"Ann\"","email":"@a","company":"-2","timezone":"Europe/Berlin","region":"BE",
		"variables":{"a b":"+x","status":"gold","list":[1,"ü"],"yes":true,"note":"two\nlines"}}`
	id := a.outreachOf("[" + strings.Join(contacts, ",") + "]")
	a.called(id)
	r := a.send("GET", "/sandbox/api/v1/campaigns/"+id+"/export", a.key, "")
	a.want(r, http.StatusOK, "")
	head, rest, _ := strings.Cut(r.body, "\n")
	if want := "phone_number,first_name,last_name,email,company,timezone,state,status,result,reason,attempts,last_call_id,last_call_at,duration," +
		"a b,list,n,note,variable_status,yes"; head != want {
		t.Errorf("the columns are %s", head)
	}
	if want := "+15001110000,'=1+1,\"O'Hara, \"\"Ann\"\"\",'@a,'-2,Europe/Berlin,BE,completed,human,,1,0123456789abcdef01234567,"; !strings.HasPrefix(rest, want) {
		t.Errorf("the first row is %.200s", rest)
	}
	if got := r.header.Get("Content-Type") + r.header.Get("Content-Disposition"); !strings.HasPrefix(got, "text/csv") || !strings.Contains(got, id+".csv") {
		t.Error(got)
	}
	in, err := sheet.Open(strings.NewReader(r.body), sheet.Options{Sandbox: true})
	a.ok(err)
	n := 0
	for ; ; n++ {
		row, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		a.ok(err)
		if want := fmt.Sprintf("+1500111%04d", n); row.Phone != want || len(row.Faults) > 0 {
			t.Fatalf("row %d is %+v, want %s", n, row, want)
		}
		v := row.Variables
		switch {
		case n == 0 && (row.FirstName != "=1+1" || row.LastName != `O'Hara, "Ann"` || row.Email != "@a" || row.Company != "-2" || row.State != "BE" ||
			row.Timezone != "Europe/Berlin" || v["a b"] != "+x" || v["variable_status"] != "gold" || v["list"] != `[1,"ü"]` || v["yes"] != "true" ||
			v["note"] != "two\nlines" || v["duration"] != "90" || v["status"] != "completed"):
			t.Errorf("the first row is %+v", row)
		case n > 0 && (v["n"] != fmt.Sprint(n) || v["status"] != "waiting" || v["last_call_at"] != ""):
			t.Fatalf("row %d is %+v", n, row)
		}
	}
	if n != len(contacts) {
		t.Errorf("%d rows, want %d", n, len(contacts))
	}
	if r := a.send("HEAD", "/sandbox/api/v1/campaigns/"+id+"/export", a.key, ""); r.status != http.StatusOK || r.body != "" {
		t.Errorf("HEAD answers %d %s", r.status, r.body)
	}
	a.want(a.send("GET", "/api/v1/campaigns/"+id+"/export", a.key, ""), http.StatusNotFound, "NOT_FOUND")
}
