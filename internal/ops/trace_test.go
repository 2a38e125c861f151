package ops

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/callwright/callwright/internal/domain"
)

// receiver takes traces as any OTLP collector does (OTLP 1.x over HTTP, protobuf).
type receiver struct {
	*httptest.Server
	mu    sync.Mutex
	spans []*otlp.Span
	about string
}

func newReceiver(t *testing.T, wait <-chan struct{}) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		raw, err := io.ReadAll(req.Body) // first: a server notices only then that the client is gone
		select {
		case <-wait:
		case <-req.Context().Done():
			return
		}
		var sent collector.ExportTraceServiceRequest
		if err == nil {
			err = proto.Unmarshal(raw, &sent)
		}
		if err != nil || req.URL.Path != "/v1/traces" || req.Header.Get("X-Token") != "t" {
			http.Error(w, fmt.Sprint(req.URL.Path, err), http.StatusBadRequest)
			return
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, res := range sent.ResourceSpans {
			r.about = res.Resource.String()
			for _, scope := range res.ScopeSpans {
				r.spans = append(r.spans, scope.Spans...)
			}
		}
	}))
	t.Cleanup(r.Close)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", r.URL)
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-token=t")
	return r
}

// tree draws the spans below parent, in order of their begin, with their length
// in milliseconds.
func (r *receiver) tree(parent, indent string) string {
	var children []*otlp.Span
	for _, s := range r.spans {
		if hex.EncodeToString(s.ParentSpanId) == parent {
			children = append(children, s)
		}
	}
	slices.SortStableFunc(children, func(a, b *otlp.Span) int { return int(a.StartTimeUnixNano) - int(b.StartTimeUnixNano) })
	var out strings.Builder
	for _, s := range children {
		fmt.Fprintf(&out, "%s%s %d\n%s", indent, s.Name, (s.EndTimeUnixNano-s.StartTimeUnixNano)/1e6, r.tree(hex.EncodeToString(s.SpanId), indent+" "))
	}
	return out.String()
}

func TestTraces(t *testing.T) {
	now := make(chan struct{})
	close(now)
	r := newReceiver(t, now)
	if !WantsTraces() {
		t.Error("the environment names a receiver, and nobody wants traces")
	}
	traces, err := OpenTraces(t.Context(), "1.2.3", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	answered, failed := exampleCall(), exampleCall()
	failed.AnsweredAt, failed.EndReason, failed.EndedAt = time.Time{}, domain.EndBusy, failed.DialedAt.Add(3*time.Second)
	live(answered, traces, domain.CallDialing, domain.CallRinging, domain.CallInProgress)
	live(failed, traces, domain.CallDialing, domain.CallFailed)
	for _, turn := range exampleTurns(answered.ID) {
		traces.TurnEnded(&turn)
	}
	traces.MediaEnded(&domain.MediaReport{CallID: answered.ID, Codec: "PCMU", Lost: 3})
	live(answered, traces, domain.CallCompleted)
	live(exampleCall(), traces, domain.CallFailed)                // nothing was sent of it
	traces.TurnEnded(&domain.Turn{CallID: answered.ID, EndMs: 5}) // too late
	traces.MediaEnded(&domain.MediaReport{CallID: answered.ID})
	if len(traces.calls) != 0 {
		t.Errorf("%d calls are kept that are over", len(traces.calls))
	}
	if err := traces.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	want := "call 32000\n dial 2000\n turn 900\n turn 1000\n turn 2500\n  endpoint 500\n  stt 200\n  llm 400\n  tts 280\ncall 3000\n dial 3000\n"
	if got := r.tree("", ""); got != want && got != "call 3000\n dial 3000\n"+strings.TrimSuffix(want, "call 3000\n dial 3000\n") {
		t.Errorf("the spans are\n%swant\n%s", got, want)
	}
	if !strings.Contains(r.about, "callwright") || !strings.Contains(r.about, "1.2.3") {
		t.Errorf("the resource is %s", r.about)
	}
	for _, s := range r.spans {
		if text := s.String(); strings.Contains(text, "secret") {
			t.Errorf("a span tells what was said: %s", text)
		}
		if bad := s.Status.GetCode() == otlp.Status_STATUS_CODE_ERROR; bad != (string(s.TraceId) != string(r.traceOf(answered.ID))) {
			t.Errorf("the status of %s is %v", s.Name, s.Status)
		}
	}
}

// traceOf is the trace of a call.
func (r *receiver) traceOf(call domain.ID) []byte {
	for _, s := range r.spans {
		for _, a := range s.Attributes {
			if a.Key == "callwright.call" && a.Value.GetStringValue() == string(call) {
				return s.TraceId
			}
		}
	}
	return nil
}

// A receiver that does not answer holds nobody up, and what waits is bounded.
func TestTracesDoNotWait(t *testing.T) {
	newReceiver(t, nil)
	traces, err := OpenTraces(t.Context(), "1", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	for range 2000 {
		c := exampleCall()
		live(c, traces, domain.CallDialing, domain.CallInProgress)
		for _, turn := range exampleTurns(c.ID) {
			traces.TurnEnded(&turn)
		}
		live(c, traces, domain.CallCompleted)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("2,000 calls took %v to be told", took)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	began = time.Now()
	if err := traces.Close(ctx); err == nil {
		t.Error("Close does not say that traces were lost")
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("Close took %v, want about 100ms", took)
	}
}
