package app_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/sip/siptest"
)

// TestOps places a call and finds it in the metrics; the trace of it reaches a
// receiver.
func TestOps(t *testing.T) {
	var traced atomic.Int64 // bytes
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err == nil && req.URL.Path == "/v1/traces" {
			traced.Add(int64(len(body)))
		}
	}))
	t.Cleanup(func() { // after the application has stopped, which sends what waits
		receiver.Close()
		if traced.Load() == 0 {
			t.Error("no trace was sent")
		}
	})
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.URL)
	h := open(t, setup{ops: true})
	p := siptest.UAS(t, siptest.Scenario{Name: siptest.Answer})
	got := h.ended(h.dial(p, nil, h.agent(nil, say("hello", sung, "bye"), bye("one two three"))))
	h.wants(got, "completed", "flow-ended")
	want := map[string]float64{ // at least
		`callwright_calls_ended_total{direction="outbound",mode="live",reason="flow-ended"}`: 1,
		`callwright_calls{direction="outbound",mode="live",state="in-progress"}`:             0,
		`callwright_call_answer_seconds_count{direction="outbound"}`:                         1,
		`callwright_greeting_seconds_count`:                                                  1,
		`callwright_turns_total{interrupted="false",role="agent"}`:                           1,
		`callwright_rtp_packets_total{fate="sent"}`:                                          40,
		`callwright_rtp_first_packet_seconds_count`:                                          1,
		`callwright_pacing_late_seconds_count`:                                               40,
		`callwright_sip_responses_total{method="INVITE",status="200"}`:                       1,
		`callwright_queue_lag_seconds_count{queue="attempts"}`:                               1,
		`callwright_queue_lag_seconds_count{queue="deliveries"}`:                             4,
		`callwright_webhook_deliveries_total{outcome="delivered"}`:                           4,
		`callwright_store_transaction_seconds_count{lane="call",outcome="committed"}`:        1,
		`callwright_store_transaction_seconds_count{lane="api",outcome="committed"}`:         1,
		`callwright_draining`: 0,
		`go_goroutines`:       10,
	}
	var text string
	for deadline := time.Now().Add(callLimit); time.Now().Before(deadline) && len(want) > 0; time.Sleep(50 * time.Millisecond) {
		text = h.scrape()
		for name, least := range want {
			if value, found := sample(text, name); found && value >= least {
				delete(want, name)
			}
		}
	}
	for name, least := range want {
		t.Errorf("%s is not at least %v", name, least)
	}
	if n, _ := sample(text, `callwright_calls{direction="outbound",mode="live",state="in-progress"}`); n != 0 {
		t.Errorf("%v calls are in progress", n)
	}
	if t.Failed() {
		t.Log(text)
	}
}

// scrape reads the metrics.
func (h *house) scrape() string {
	h.Helper()
	res, err := h.http.Get(h.app.OpsURL() + "/metrics")
	if err != nil {
		h.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var b strings.Builder
	if _, err := io.Copy(&b, res.Body); err != nil || res.StatusCode != http.StatusOK {
		h.Fatalf("/metrics answered %s, %v", res.Status, err)
	}
	return b.String()
}

// sample is the value of one metric.
func sample(text, name string) (float64, bool) {
	m := regexp.MustCompile(fmt.Sprintf(`(?m)^%s (\S+)$`, regexp.QuoteMeta(name))).FindStringSubmatch(text)
	if m == nil {
		return 0, false
	}
	v, err := strconv.ParseFloat(m[1], 64)
	return v, err == nil
}
