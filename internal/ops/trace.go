package ops

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/callwright/callwright/internal/domain"
)

// Traces makes one trace of each call and sends it by OTLP over HTTP. It is a
// domain.Observer. Spans tell times, states and sizes, never what was said nor
// who was called. What the receiver is too slow for is dropped.
type Traces struct {
	exporter sdk.SpanExporter
	provider *sdk.TracerProvider
	tracer   trace.Tracer

	mu    sync.Mutex
	calls map[domain.ID]*tracedCall
}

// tracedCall is the spans of one call that are not over.
type tracedCall struct {
	ctx  context.Context // carries the call's own span
	span trace.Span
	dial trace.Span // nil once answered
	at   time.Time  // of the answer
}

// WantsTraces reports whether the environment names a receiver
// (OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT).
func WantsTraces() bool {
	return os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != "" || os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") != ""
}

// OpenTraces starts to send traces to where the environment says, with the
// headers and limits that it says (OpenTelemetry's OTEL_* variables). Nothing is
// connected yet: a receiver that is away does not keep a process from starting.
func OpenTraces(ctx context.Context, version string, log *slog.Logger) (*Traces, error) {
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, domain.Errorf(domain.CodeInvalid, "traces cannot be sent: %v; check the OTEL_* variables of the environment", err)
	}
	about, err := resource.New(ctx, resource.WithAttributes(
		attribute.String("service.name", "callwright"), attribute.String("service.version", version)),
		resource.WithHost(), resource.WithFromEnv())
	if err != nil {
		return nil, domain.Errorf(domain.CodeInvalid, "traces cannot be sent: %v; check OTEL_RESOURCE_ATTRIBUTES", err)
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Warn("traces are being lost", "err", err) }))
	t := &Traces{exporter: exporter, provider: sdk.NewTracerProvider(sdk.WithBatcher(exporter), sdk.WithResource(about)), calls: map[domain.ID]*tracedCall{}}
	t.tracer = t.provider.Tracer("github.com/callwright/callwright")
	return t, nil
}

// Close sends what waits, until ctx is done.
func (t *Traces) Close(ctx context.Context) error {
	err := t.provider.Shutdown(ctx)
	// What is being sent to a receiver that does not answer is given up.
	return errors.Join(err, t.exporter.Shutdown(context.WithoutCancel(ctx)))
}

func at(when time.Time) trace.SpanStartOption  { return trace.WithTimestamp(when) }
func until(when time.Time) trace.SpanEndOption { return trace.WithTimestamp(when) }

// CallChanged begins and ends the spans of a call: "call" and in it "dial".
func (t *Traces) CallChanged(c *domain.Call) {
	t.mu.Lock()
	defer t.mu.Unlock()
	call, known := t.calls[c.ID]
	if !known && !c.State.Ended() {
		call = t.begin(c)
		t.calls[c.ID] = call
	}
	if call == nil {
		return // it ended before anything was sent
	}
	call.span.AddEvent(string(c.State))
	if c.State == domain.CallInProgress && call.dial != nil {
		call.at = c.AnsweredAt
		call.dial.End(until(c.AnsweredAt))
		call.dial = nil
	}
	if !c.State.Ended() {
		return
	}
	delete(t.calls, c.ID)
	if call.dial != nil {
		call.dial.SetStatus(codes.Error, string(c.EndReason))
		call.dial.End(until(c.EndedAt))
	}
	call.span.SetAttributes(attribute.String("callwright.end_reason", string(c.EndReason)), attribute.String("callwright.state", string(c.State)))
	if c.State == domain.CallFailed {
		call.span.SetStatus(codes.Error, string(c.EndReason))
	}
	call.span.End(until(c.EndedAt))
}

func (t *Traces) begin(c *domain.Call) *tracedCall {
	began := c.DialedAt
	if began.IsZero() {
		began = time.Now()
	}
	call := &tracedCall{}
	call.ctx, call.span = t.tracer.Start(context.Background(), "call", at(began), trace.WithNewRoot(), trace.WithAttributes(
		attribute.String("callwright.call", string(c.ID)), attribute.String("callwright.agent", string(c.AgentID)),
		attribute.String("callwright.direction", string(c.Direction)), attribute.String("callwright.mode", string(c.Mode)),
		attribute.String("callwright.voice", c.Voice), attribute.String("callwright.model", c.Model)))
	if c.Direction == domain.Outbound {
		_, call.dial = t.tracer.Start(call.ctx, "dial", at(began))
	}
	return call
}

// TurnEnded adds a span "turn", and in one that answers the caller the parts of
// its time: endpoint, stt, route, tool, llm, tts. It begins when the speaker
// does, or where the caller's voice ended.
func (t *Traces) TurnEnded(turn *domain.Turn) {
	t.mu.Lock()
	call := t.calls[turn.CallID]
	t.mu.Unlock()
	if call == nil || call.at.IsZero() {
		return
	}
	ms := func(n int64) time.Time { return call.at.Add(time.Duration(n) * time.Millisecond) }
	begin := turn.StartMs
	if l := turn.Latency; l != nil {
		begin = min(begin, l.EotAt-l.Endpoint)
	}
	ctx, span := t.tracer.Start(call.ctx, "turn", at(ms(begin)), trace.WithAttributes(
		attribute.String("callwright.role", string(turn.Role)), attribute.String("callwright.node", turn.NodeID),
		attribute.Int("callwright.sequence", turn.Sequence), attribute.Int("callwright.characters", len([]rune(turn.Text))),
		attribute.Bool("callwright.interrupted", turn.Interrupted)))
	defer span.End(until(ms(max(turn.EndMs, begin))))
	l := turn.Latency
	if l == nil {
		return
	}
	span.SetAttributes(attribute.Int64("callwright.own_ms", l.Own), attribute.Int64("callwright.first_rtp_ms", l.FirstRTP),
		attribute.Int64("callwright.llm_first_token_ms", l.LLMFirstToken), attribute.Int("callwright.fillers", l.Fillers))
	from := l.EotAt - l.Endpoint
	for _, part := range []struct {
		name string
		took int64
	}{
		{"endpoint", l.Endpoint}, {"stt", l.STT}, {"route", l.Route}, {"tool", l.Tool}, {"llm", l.LLMText}, {"held", l.Held}, {"tts", l.TTSFirstAudio},
	} {
		if part.took > 0 {
			_, one := t.tracer.Start(ctx, part.name, at(ms(from)))
			from += part.took
			one.End(until(ms(from)))
		}
	}
}

// MediaEnded notes with the call how its sound was.
func (t *Traces) MediaEnded(m *domain.MediaReport) {
	t.mu.Lock()
	call := t.calls[m.CallID]
	t.mu.Unlock()
	if call == nil {
		return
	}
	call.span.SetAttributes(attribute.String("callwright.codec", m.Codec),
		attribute.Int64("callwright.rtp.sent", int64(m.Sent)), attribute.Int64("callwright.rtp.received", int64(m.Received)),
		attribute.Int64("callwright.rtp.lost", int64(m.Lost)), attribute.Float64("callwright.rtp.jitter_ms", m.Jitter.Seconds()*1000))
}

// SIPAnswered is not traced: the call's end reason says it.
func (*Traces) SIPAnswered(string, int) {}

// WorkClaimed is not traced.
func (*Traces) WorkClaimed(string, time.Duration) {}

// Delivered is not traced.
func (*Traces) Delivered(*domain.Delivery) {}

// Committed is not traced.
func (*Traces) Committed(domain.Lane, time.Duration, error) {}

var _ domain.Observer = (*Traces)(nil)
