package app_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/speech"
)

// upload sends a form with a file as a client of Trillet's does.
func (h *house) upload(path, file, key string, fields map[string]string) (int, map[string]any) {
	h.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("file", "personas.csv")
	if err == nil {
		_, err = io.WriteString(part, file)
	}
	for name, value := range fields {
		if err == nil {
			err = form.WriteField(name, value)
		}
	}
	if err == nil {
		err = form.Close()
	}
	if err != nil {
		h.Fatal(err)
	}
	req, err := http.NewRequestWithContext(h.Context(), http.MethodPost, h.app.URL()+path, &body)
	if err != nil {
		h.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+h.key)
	req.Header.Set("Content-Type", form.FormDataContentType())
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	res, err := h.http.Do(req)
	if err != nil {
		h.Fatal(err)
	}
	defer res.Body.Close() // it was only read
	raw, err := io.ReadAll(res.Body)
	got := map[string]any{}
	if err != nil || json.Unmarshal(raw, &got) != nil {
		h.Fatalf("POST %s answered %d: %s %v", path, res.StatusCode, raw, err)
	}
	return res.StatusCode, got
}

// personaLimit is by when a call to each persona is over, on a busy machine.
const personaLimit = 2 * time.Minute

// TestBatchOfPersonas calls every simulated phone by a CSV file, over Trillet's
// routes alone: counters add up at every look, every call comes to its result, and
// webhooks tell whose batch it was.
func TestBatchOfPersonas(t *testing.T) {
	t.Parallel()
	h := open(t, setup{mode: domain.Test, ring: 2 * time.Second, models: []speech.LLM{&politeModel{}}})
	agent := h.trillet("POST", "/v1/api/agents", map[string]any{"name": "Ava"})["_id"].(string)
	h.trillet("POST", "/v1/api/call-flows", map[string]any{
		"name": "Offer", "agent": agent, "prompt": "Offer {plan}.", "welcomeMessage": "ai_custom", "customWelcomeMessage": "Hi {first_name}.",
	})
	var file strings.Builder
	file.WriteString("\ufeffphone_number;first_name;plan\r\n")
	for d := range 10 {
		fmt.Fprintf(&file, "+1500555000%d;P%d;gold\r\n", d, d)
	}
	file.WriteString("+15005550000;again;\r\nnobody;;\r\n")
	status, started := h.upload("/v1/api/batch-calls", file.String(), "", map[string]string{"agentId": agent})
	if status != http.StatusOK || started["totalCalls"] != 10.0 || started["status"] != "queued" || started["invalidRows"] != 1.0 || started["duplicateRows"] != 1.0 {
		t.Fatalf("%d %v", status, started)
	}
	id := started["batchId"].(string)
	finished := h.followBatch(id, 10)
	if finished["status"] != "completed" || finished["waiting"] != 0.0 || finished["active"] != 0.0 || finished["completedTime"] == nil {
		t.Errorf("%v", finished)
	}
	want := map[string][2]string{
		"0": {"failed", "Invalid number"}, "1": {"failed", "Busy"}, "2": {"failed", "No answer"}, "4": {"failed", "Declined"},
		"5": {"completed", ""}, "6": {"completed", ""}, "7": {"completed", ""}, "8": {"completed", ""},
	}
	list := h.trillet("GET", "/v1/api/batch-calls/batch_"+id+"/calls?limit=100", nil)
	jobs := list["calls"].([]any)
	if len(jobs) != 10 {
		t.Fatalf("%v", list)
	}
	for i, one := range jobs {
		job := one.(map[string]any)
		number := job["phone_number"].(string)
		if number != fmt.Sprintf("+1500555000%d", i) || job["metadata"].(map[string]any)["first_name"] != fmt.Sprintf("P%d", i) || job["callId"] == nil {
			t.Errorf("job %d is %v", i, job)
		}
		if w, asked := want[number[len(number)-1:]]; asked && (job["status"] != w[0] || w[1] != "" && job["error"] != w[1]) {
			t.Errorf("%s: %v, want %v", number, job, w)
		}
		detail := h.trillet("GET", "/v1/api/batch-calls/"+id+"/calls/call_"+job["jobId"].(string), nil)
		result, _ := detail["result"].(map[string]any)
		if result == nil || result["callId"] != job["callId"] || result["outcome"] == "" {
			t.Errorf("%s: %v", number, detail)
		}
		if job["status"] == "completed" && number == "+15005550006" && !strings.Contains(result["transcript"].(string), "Agent: Hi P6.") {
			t.Errorf("%v", result)
		}
	}
	call := h.trillet("GET", "/v1/api/call-history/"+jobs[6].(map[string]any)["callId"].(string), nil)
	if call["batchId"] != id {
		t.Errorf("the call's history has %v", call)
	}
}

// followBatch looks at a batch until it is over; at each look its counters must add
// up, and never go back.
func (h *house) followBatch(id string, total float64) map[string]any {
	h.Helper()
	over := 0.0
	for deadline := time.Now().Add(personaLimit); ; time.Sleep(700 * time.Millisecond) {
		flat := h.trillet("GET", "/v1/api/batch-calls/"+id+"/status", nil)
		whole := h.trillet("GET", "/v1/api/batch-calls/"+id, nil)
		for _, at := range []map[string]any{flat, whole["progress"].(map[string]any)} {
			n := func(name string) float64 { return at[name].(float64) }
			if n("waiting")+n("active")+n("completed")+n("failed") != total || n("total") != total {
				h.Fatalf("the counters do not add up: %v", at)
			}
			if now := n("completed") + n("failed"); now < over {
				h.Fatalf("%v calls were over, now %v", over, at)
			} else {
				over = now
			}
		}
		if recent := flat["recent_calls"].([]any); len(recent) > 10 || float64(len(recent)) < flat["completed"].(float64)+flat["failed"].(float64) && len(recent) < 10 {
			h.Fatalf("recent calls are %v", flat)
		}
		if flat["isComplete"] == true {
			return flat
		}
		if time.Now().After(deadline) {
			h.Fatalf("the batch is not over: %v", whole)
		}
	}
}

// TestBatchOnce: ten requests at once with one Idempotency-Key make one batch, and
// so does one whose form was put together anew.
func TestBatchOnce(t *testing.T) {
	t.Parallel()
	h := open(t, setup{mode: domain.Test, models: []speech.LLM{&politeModel{}}})
	agent := h.trillet("POST", "/v1/api/agents", map[string]any{"name": "Ava", "systemPrompt": "Talk."})["_id"].(string)
	var file strings.Builder
	file.WriteString("phone_number\n")
	for i := range 1_500 {
		fmt.Fprintf(&file, "+1500555%04d\n", i)
	}
	fields := map[string]string{"agentId": agent, "scheduledAt": "2199-01-01"}
	var mu sync.Mutex
	ids, others := map[any]bool{}, map[int]int{}
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			status, got := h.upload("/v1/api/batch-calls", file.String(), "one", fields)
			mu.Lock()
			defer mu.Unlock()
			if status == http.StatusOK {
				ids[got["batchId"]] = true
				return
			}
			others[status]++
		})
	}
	all.Wait()
	status, again := h.upload("/v1/api/batch-calls", file.String(), "one", fields)
	ids[again["batchId"]] = true
	if status != http.StatusOK || again["totalCalls"] != 1_500.0 || len(ids) != 1 || len(others) > 1 || len(others) == 1 && others[http.StatusConflict] == 0 {
		t.Errorf("%d batches, %v, %v", len(ids), others, again)
	}
	if status, got := h.upload("/v1/api/batch-calls", "phone_number\n+15005550001\n", "one", fields); status != http.StatusUnprocessableEntity {
		t.Errorf("another file: %d %v", status, got)
	}
	batches, _, err := h.app.Service.Campaigns(t.Context(), domain.Scope{Workspace: h.app.First.Workspace.ID, Mode: domain.Test},
		domain.CampaignFilter{Kind: domain.KindBatch}, domain.Page{})
	if err != nil || len(batches) != 1 || batches[0].Counts.Waiting != 1_500 {
		t.Errorf("%+v, %v", batches, err)
	}
}
