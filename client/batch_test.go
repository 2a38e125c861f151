package client_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/client"
)

// TestStartBatchAgain sends a file to a server that is away at first: each try is
// the same request, the whole file and the same key.
func TestStartBatchAgain(t *testing.T) {
	type request struct{ key, file, name, form, agent, variables string }
	var came []request
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseMultipartForm(1 << 20); err != nil {
			t.Error(err)
		}
		file, header, err := r.FormFile("file")
		if err != nil {
			t.Error(err)
			return
		}
		text, err := io.ReadAll(file)
		if err != nil {
			t.Error(err)
		}
		came = append(came, request{r.Header.Get("Idempotency-Key"), string(text), header.Filename, r.Header.Get("Content-Type"),
			r.FormValue("agentId"), r.FormValue("variables")})
		if _, sent := r.MultipartForm.Value["name"]; sent || len(r.MultipartForm.Value) != 2 {
			t.Errorf("sent %v", r.MultipartForm.Value)
		}
		if len(came) < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"id":"b","callsTotal":2,"sheet":{"rows":3,"invalid":1,"errors":[{"row":4,"column":"phone_number","reason":"no number","value":"x"}]}}`)
	}))
	defer server.Close()
	c, err := client.New(client.Options{URL: server.URL, Key: "k", Patience: 10 * time.Millisecond, HTTP: server.Client()})
	if err != nil {
		t.Fatal(err)
	}
	fields := client.BatchFields{AgentID: client.Set("a"), Variables: client.Set(map[string]any{"x": "y"}), Name: client.Null[string](),
		Contacts: client.Set([]client.RecipientFields{})}
	text := "phone_number\n" + strings.Repeat("+15005550006\n", 10_000)
	made, err := c.StartBatch(t.Context(), fields, "spring.csv", strings.NewReader(text))
	if err != nil || made.ID != "b" || len(came) != 3 {
		t.Fatalf("%+v, %v after %d requests", made, err, len(came))
	}
	for _, r := range came {
		if r != came[0] || r.key == "" || r.file != text || r.name != "spring.csv" || r.agent != "a" || r.variables != `{"x":"y"}` {
			t.Errorf("%.300v", r)
		}
	}
	report, err := made.Report()
	if err != nil || report.Rows != 3 || report.Errors[0].Row != 4 {
		t.Errorf("%+v, %v", report, err)
	}
	if report, err := new(client.NewBatch).Report(); report != nil || err != nil {
		t.Errorf("without a file: %+v, %v", report, err)
	}
}

// TestWatchBatch yields what has changed, and ends with the last call.
func TestWatchBatch(t *testing.T) {
	answers := []string{
		`{"status":"active","counts":{"waiting":1}}`, `{"status":"active","counts":{"waiting":1}}`,
		`{"status":"cancelled","counts":{"active":1}}`, `{"status":"cancelled","counts":{"failed":1}}`,
	}
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		text := answers[min(asked, len(answers)-1)]
		asked++
		w.Header().Set("ETag", `"`+text+`"`)
		_, _ = io.WriteString(w, text)
	}))
	defer server.Close()
	c, err := client.New(client.Options{URL: server.URL, Key: "k", HTTP: server.Client()})
	if err != nil {
		t.Fatal(err)
	}
	var seen []string
	for b, err := range c.WatchBatch(t.Context(), "b") {
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, b.Status)
	}
	if strings.Join(seen, " ") != "active cancelled cancelled" || asked != len(answers) {
		t.Errorf("saw %v in %d answers", seen, asked)
	}
}
