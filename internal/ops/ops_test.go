package ops

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/rtp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve starts a server for operators and returns what fetches from it.
func serve(t *testing.T, o Options) (*Server, func(path string) (int, string)) {
	t.Helper()
	o.Listen = ":0"
	s, err := Listen(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	client := &http.Client{Transport: &http.Transport{}, Timeout: 10 * time.Second}
	t.Cleanup(func() {
		client.CloseIdleConnections()
		stop()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return s, func(path string) (int, string) {
		t.Helper()
		res, err := client.Get(s.URL() + path)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(body)
	}
}

// a call that was dialed, answered after 2 s and lasted 30 s.
func exampleCall() domain.Call {
	at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	return domain.Call{ID: domain.NewID(), Direction: domain.Outbound, Mode: domain.Live, AgentID: domain.NewID(),
		DialedAt: at, AnsweredAt: at.Add(2 * time.Second), EndedAt: at.Add(32 * time.Second), EndReason: domain.EndFlow}
}

func exampleTurns(call domain.ID) []domain.Turn {
	return []domain.Turn{
		{CallID: call, Sequence: 1, Role: domain.RoleAgent, Text: "Hello", StartMs: 30, EndMs: 900, Latency: &domain.TurnLatency{FirstRTP: 30, Own: 30}},
		{CallID: call, Sequence: 2, Role: domain.RoleCaller, Text: "secret words", StartMs: 1500, EndMs: 2500},
		{CallID: call, Sequence: 3, Role: domain.RoleAgent, Text: "Bye", StartMs: 3890, EndMs: 5000, Interrupted: true, Latency: &domain.TurnLatency{
			EotAt: 3000, Endpoint: 500, STT: 200, LLMFirstToken: 300, LLMText: 400, TTSFirstAudio: 280, FirstRTP: 890, Own: 10}},
	}
}

func live(c domain.Call, o domain.Observer, states ...domain.CallState) {
	for _, s := range states {
		c.State = s
		o.CallChanged(&c)
	}
}

func TestMetrics(t *testing.T) {
	draining := false
	s, get := serve(t, Options{Version: "1.2.3", Draining: func() bool { return draining }, Lateness: func() rtp.Lateness {
		return rtp.Lateness{Bounds: []time.Duration{time.Millisecond, 5 * time.Millisecond}, Counts: []uint64{7, 2, 1}, Sum: 20 * time.Millisecond}
	}})
	var o domain.Observer = domain.Observers{s, domain.Observers{}}
	ended, other := exampleCall(), exampleCall()
	live(ended, o, domain.CallDialing, domain.CallRinging, domain.CallInProgress, domain.CallCompleted)
	live(other, o, domain.CallDialing, domain.CallRinging)
	for _, turn := range exampleTurns(ended.ID) {
		o.TurnEnded(&turn)
	}
	o.MediaEnded(&domain.MediaReport{Sent: 100, Received: 95, Lost: 5, Late: 2, Concealed: 6, Jitter: 12 * time.Millisecond, Buffered: 60 * time.Millisecond, FirstAfter: 9 * time.Millisecond})
	o.SIPAnswered("INVITE", 486)
	o.WorkClaimed("attempts", 40*time.Millisecond)
	o.WorkClaimed("attempts", -time.Second)
	o.Delivered(&domain.Delivery{State: domain.DeliveryPending, LatencyMs: 30})
	o.Delivered(&domain.Delivery{State: domain.DeliveryFailed, LatencyMs: 30})
	o.Committed(domain.LaneCall, 4*time.Millisecond, nil)
	o.Committed(domain.LaneAPI, 4*time.Millisecond, domain.Invalid("x", "y"))
	o.Committed(domain.LaneAPI, 4*time.Millisecond, domain.Unavailable(0, nil, "y"))
	draining = true
	status, text := get("/metrics")
	if status != http.StatusOK {
		t.Fatalf("/metrics answered %d: %s", status, text)
	}
	for _, want := range []string{
		`callwright_calls{direction="outbound",mode="live",state="ringing"} 1`,
		`callwright_calls{direction="outbound",mode="live",state="in-progress"} 0`,
		`callwright_calls_ended_total{direction="outbound",mode="live",reason="flow-ended"} 1`,
		`callwright_call_duration_seconds_sum{direction="outbound"} 30`,
		`callwright_call_answer_seconds_sum{direction="outbound"} 2`,
		`callwright_turns_total{interrupted="true",role="agent"} 1`,
		`callwright_greeting_seconds_sum 0.03`,
		`callwright_answer_seconds_sum{stage="endpoint"} 0.5`,
		`callwright_answer_seconds_sum{stage="stt"} 0.2`,
		`callwright_answer_seconds_sum{stage="llm_first_token"} 0.3`,
		`callwright_answer_seconds_sum{stage="llm_text"} 0.4`,
		`callwright_answer_seconds_sum{stage="tts_first_audio"} 0.28`,
		`callwright_answer_seconds_sum{stage="first_rtp"} 0.89`,
		`callwright_answer_seconds_sum{stage="own"} 0.01`,
		`callwright_answer_seconds_sum{stage="response"} 1.39`,
		`callwright_rtp_packets_total{fate="lost"} 5`,
		`callwright_rtp_concealed_frames_total 6`,
		`callwright_rtp_loss_ratio_sum 0.05`,
		`callwright_rtp_jitter_seconds_sum 0.012`,
		`callwright_rtp_buffer_seconds_sum 0.06`,
		`callwright_rtp_first_packet_seconds_sum 0.009`,
		`callwright_sip_responses_total{method="INVITE",status="486"} 1`,
		`callwright_queue_lag_seconds_sum{queue="attempts"} 0.04`,
		`callwright_webhook_deliveries_total{outcome="retry"} 1`,
		`callwright_webhook_deliveries_total{outcome="failed"} 1`,
		`callwright_store_transaction_seconds_count{lane="call",outcome="committed"} 1`,
		`callwright_store_transaction_seconds_count{lane="api",outcome="rolled-back"} 1`,
		`callwright_store_transaction_seconds_count{lane="api",outcome="unavailable"} 1`,
		`callwright_pacing_late_seconds_bucket{le="0.001"} 7`,
		`callwright_pacing_late_seconds_bucket{le="0.005"} 9`,
		`callwright_pacing_late_seconds_bucket{le="+Inf"} 10`,
		`callwright_draining 1`,
		`version="1.2.3"} 1`,
		`go_goroutines `,
		`process_open_fds `,
	} {
		if !strings.HasSuffix(want, " ") {
			want += "\n"
		}
		if !strings.Contains(text, want) {
			t.Errorf("%s is missing", want)
		}
	}
	if strings.Contains(text, `stage="route"`) || strings.Contains(text, string(ended.ID)) {
		t.Error("a stage that took no part is counted, or a call's id is a label")
	}
	if t.Failed() {
		t.Log(text)
	}
}

func TestServerServesProfilesAndNothingElse(t *testing.T) {
	s, get := serve(t, Options{})
	if !strings.HasPrefix(s.URL(), "http://127.0.0.1:") {
		t.Errorf("without a host it listens at %s", s.URL())
	}
	for path, want := range map[string]int{"/debug/pprof/": 200, "/debug/pprof/goroutine?debug=1": 200, "/debug/pprof/cmdline": 200, "/": 404, "/metrics/x": 404} {
		if status, body := get(path); status != want {
			t.Errorf("%s answered %d, want %d: %.200s", path, status, want, body)
		}
	}
	res, err := http.Post(s.URL()+"/metrics", "text/plain", nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST /metrics answered %d", res.StatusCode)
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestListenSaysWhatIsWrong(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	for _, listen := range []string{"9090", "", taken.Addr().String()} {
		_, err := Listen(Options{Listen: listen})
		if domain.CodeOf(err) != domain.CodeInvalid || !strings.Contains(err.Error(), "--ops") {
			t.Errorf("%q gave %v", listen, err)
		}
	}
}

// slowStore takes its time and fails.
type slowStore struct{ domain.Store }

var errSlow = errors.New("slow")

func (slowStore) InTx(context.Context, domain.Lane, func(context.Context, *domain.Stores) error) error {
	time.Sleep(20 * time.Millisecond)
	return errSlow
}

// told remembers the last transaction that it was told of.
type told struct {
	domain.Observers
	lane domain.Lane
	took time.Duration
	err  error
}

func (o *told) Committed(lane domain.Lane, took time.Duration, err error) {
	o.lane, o.took, o.err = lane, took, err
}

func TestWatch(t *testing.T) {
	o := &told{}
	if err := Watch(slowStore{}, o).InTx(t.Context(), domain.LaneDial, nil); !errors.Is(err, errSlow) {
		t.Errorf("InTx: %v", err)
	}
	if o.lane != domain.LaneDial || o.took < 20*time.Millisecond || !errors.Is(o.err, errSlow) {
		t.Errorf("told of lane %d, %v, %v", o.lane, o.took, o.err)
	}
}
