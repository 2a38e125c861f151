package app_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nyaruka/phonenumbers"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/phone"
	"github.com/callwright/callwright/internal/sip/siptest"
)

// expensive lists numbers that toll fraud lives from: an example of each class
// in each region that has one, and numbers by hand. It also returns in how many
// regions there is a premium rate.
func expensive(t *testing.T) (numbers []string, regions int) {
	t.Helper()
	seen := map[string]bool{}
	add := func(number string) {
		if !seen[number] {
			seen[number] = true
			numbers = append(numbers, number)
		}
	}
	for region := range phonenumbers.GetSupportedRegions() {
		for _, kind := range []phonenumbers.PhoneNumberType{
			phonenumbers.PREMIUM_RATE, phonenumbers.SHARED_COST, phonenumbers.PERSONAL_NUMBER, phonenumbers.PAGER,
			phonenumbers.UAN, phonenumbers.VOICEMAIL,
		} {
			example := phonenumbers.GetExampleNumberForType(region, kind)
			if example == nil || phonenumbers.GetNumberType(example) != kind {
				continue // there is none, or nothing tells it from an ordinary one
			}
			if kind == phonenumbers.PREMIUM_RATE {
				regions++
			}
			add(phonenumbers.Format(example, phonenumbers.E164))
		}
	}
	for _, code := range []string{"870", "878", "881", "882", "883", "888", "979"} {
		for _, rest := range []string{"773111632", "1234567", "10000000", "999999999"} {
			add("+" + code + rest)
		}
	}
	for _, npa := range []string{"212", "305", "415", "876", "416"} {
		add("+1900" + npa + "1234")
		add("+1" + npa + "9761234")
	}
	for _, short := range []string{"911", "112", "999", "+911", "+112", "110", "116117", "+44999", "+1911", "*67", "011870773111632", "+00870773111632"} {
		add(short)
	}
	return numbers, regions
}

// TestTollFraud asks for expensive numbers in every way in which a call can be
// asked for, in live mode and in a workspace that calls any region: the carrier
// is asked for none of them.
func TestTollFraud(t *testing.T) {
	t.Parallel()
	h := open(t, setup{plan: domain.Enterprise})
	carrier := siptest.UAS(t, siptest.Scenario{Name: siptest.Tone, Hertz: 1000})
	agent := h.agent(nil, lasting(120)...)
	from := h.number(h.trunkTo(carrier.Addr, nil), agent, 1)
	h.must(http.MethodPatch, "/workspaces/"+string(h.app.First.Workspace.ID), map[string]any{"regions": []string{"*"}}, &struct{}{})
	numbers, regions := expensive(t)
	if regions < 140 {
		t.Fatalf("only %d regions have an example of a premium rate", regions)
	}
	live := h.place(agent, from, "+12025550199") // the one that may be dialed
	h.reaches(live, "in-progress")

	refused := func(path string, body map[string]any) {
		t.Helper()
		if status, answer := h.request(http.MethodPost, path, body); status != http.StatusForbidden && status != http.StatusBadRequest {
			t.Errorf("POST %s %v answered %d %s", path, body, status, answer)
		}
	}
	var contacts []map[string]any
	for _, to := range numbers {
		refused("/calls", map[string]any{"agentId": agent, "phoneNumberId": from, "to": to})
		for _, mode := range []string{"bridge", "refer"} {
			refused("/calls/"+string(live)+"/transfer", map[string]any{"to": to, "mode": mode})
		}
		if strings.HasPrefix(to, "+") {
			refused("/calls/"+string(live)+"/transfer", map[string]any{"to": "sip:" + to + "@" + carrier.Addr.String()})
		}
		if phone.Exact(to) == nil {
			contacts = append(contacts, map[string]any{"phone": to, "timezone": "UTC"})
		}
	}
	var campaign object
	h.post("/campaigns", map[string]any{"name": "Fraud", "agentId": agent, "phoneNumberId": from, "contacts": contacts}, &campaign)
	h.noneCalled("/campaigns/"+string(campaign.ID), "/contacts", len(contacts))
	h.fraudByFile(agent, from, numbers)
	h.must(http.MethodPost, "/calls/"+string(live)+"/hangup", nil, &struct{}{})
	h.ended(live)
	if n := carrier.Received("INVITE"); n != 1 {
		t.Errorf("the carrier got %d INVITEs, want the one that is allowed", n)
	}
	if n := carrier.Received("REFER"); n != 0 {
		t.Errorf("the carrier got %d REFERs", n)
	}
	t.Logf("%d numbers, %d premium regions: 0 dialed", len(numbers), regions)
}

// noneCalled waits until a campaign or batch is over, whose n contacts nobody may
// call, and looks why each of them has failed.
func (h *house) noneCalled(path, list string, n int) {
	h.Helper()
	var whole struct {
		Status     string
		CallsTotal int
	}
	for deadline := time.Now().Add(3 * callLimit); whole.Status != "completed"; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			h.Fatalf("%s is %+v", path, whole)
		}
		h.must(http.MethodGet, path, nil, &whole)
	}
	type row struct{ Phone, Status, Reason string }
	var rows []row
	for page := []row{{}}; len(page) > 0; rows = append(rows, page...) {
		page = nil
		h.must(http.MethodGet, path+list+"?limit=200&offset="+strconv.Itoa(len(rows)), nil, &page)
	}
	for _, r := range rows {
		if r.Status != "failed" || r.Reason != domain.ReasonDestinationNotAllowed && r.Reason != domain.ReasonInvalidNumber {
			h.Errorf("%s: the contact %+v", path, r)
		}
	}
	if len(rows) != n || len(rows) < 140 || whole.CallsTotal != n {
		h.Errorf("%s has %d contacts of %d, want %d", path, len(rows), whole.CallsTotal, n)
	}
}

// fraudByFile asks for numbers by CSV files: of a campaign, of a batch, and of a
// batch of Trillet's. A row whose number no plan has is reported as a bad one.
func (h *house) fraudByFile(agent, from domain.ID, numbers []string) {
	h.Helper()
	var file strings.Builder
	file.WriteString("phone_number;timezone\r\n")
	for _, to := range numbers {
		file.WriteString("'" + to + ";UTC\r\n") // as a spreadsheet has it that disarms formulas
	}
	var paused object
	h.post("/campaigns", map[string]any{"name": "By file", "agentId": agent, "phoneNumberId": from, "status": "paused"}, &paused)
	status, added := h.upload("/api/v1/campaigns/"+string(paused.ID)+"/contacts", file.String(), "", nil)
	if status != http.StatusOK {
		h.Fatalf("the file of the campaign: %d %v", status, added)
	}
	n := added["added"].(float64)
	if bad := added["sheet"].(map[string]any)["invalid"].(float64); n < 140 || n+bad != float64(len(numbers)) {
		h.Errorf("%v of %d rows were taken, %v refused", n, len(numbers), bad)
	}
	h.must(http.MethodPatch, "/campaigns/"+string(paused.ID), map[string]any{"status": "active"}, &paused)
	fields := map[string]string{"agentId": string(agent), "phoneNumberId": string(from)}
	status, batch := h.upload("/api/v1/batches", file.String(), "", fields)
	if status != http.StatusCreated || batch["callsTotal"] != n {
		h.Fatalf("the file of the batch: %d %v, want %v", status, batch, n)
	}
	status, foreign := h.upload("/v1/api/batch-calls", file.String(), "", fields)
	if status != http.StatusOK || foreign["totalCalls"] != n {
		h.Fatalf("the file of Trillet's batch: %d %v, want %v", status, foreign, n)
	}
	h.noneCalled("/campaigns/"+string(paused.ID), "/contacts", int(n))
	h.noneCalled("/batches/"+batch["id"].(string), "/calls", int(n))
	h.noneCalled("/batches/"+foreign["batchId"].(string), "/calls", int(n))
}
