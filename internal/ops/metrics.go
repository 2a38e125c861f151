package ops

import (
	"runtime"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/callwright/callwright/internal/domain"
)

// Metrics counts what it is told, for Prometheus. It is a domain.Observer.
type Metrics struct {
	registry *prometheus.Registry

	live    *prometheus.GaugeVec     // direction, mode, state
	ended   *prometheus.CounterVec   // direction, mode, reason
	lasted  *prometheus.HistogramVec // direction
	answer  *prometheus.HistogramVec // direction
	turns   *prometheus.CounterVec   // role, interrupted
	stages  *prometheus.HistogramVec // stage
	greet   prometheus.Histogram
	packets *prometheus.CounterVec // fate
	frames  prometheus.Counter
	loss    prometheus.Histogram
	jitter  prometheus.Histogram
	buffer  prometheus.Histogram
	first   prometheus.Histogram
	sip     *prometheus.CounterVec   // method, status
	lag     *prometheus.HistogramVec // queue
	hooks   *prometheus.CounterVec   // outcome
	hookFor prometheus.Histogram
	commits *prometheus.HistogramVec // lane, outcome

	mu    sync.Mutex
	calls map[domain.ID][]string // labels in live of the calls under way
}

// Bounds of histograms, in seconds.
var (
	shortTimes = []float64{.001, .0025, .005, .01, .02, .03, .05, .075, .1, .15, .2, .3, .5, .75, 1, 1.5, 2, 3, 5, 8}
	callTimes  = []float64{1, 2, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600, 1200, 3600}
	soundTimes = []float64{.001, .002, .005, .01, .02, .03, .04, .06, .08, .1, .15, .2, .3}
	shares     = []float64{0, .001, .002, .005, .01, .02, .03, .05, .1, .2, .5}
)

// NewMetrics makes all metrics, of which none has been told anything.
func NewMetrics(o Options) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), calls: map[domain.ID][]string{}}
	add := m.registry.MustRegister
	counters := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "callwright", Name: name, Help: help}, labels)
		add(c)
		return c
	}
	histograms := func(name, help string, bounds []float64, labels ...string) *prometheus.HistogramVec {
		h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: "callwright", Name: name, Help: help, Buckets: bounds}, labels)
		add(h)
		return h
	}
	histogram := func(name, help string, bounds []float64) prometheus.Histogram {
		h := prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: "callwright", Name: name, Help: help, Buckets: bounds})
		add(h)
		return h
	}
	m.live = prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "callwright", Name: "calls", Help: "Calls that this process carries now."},
		[]string{"direction", "mode", "state"})
	add(m.live)
	m.ended = counters("calls_ended_total", "Calls that this process has carried to their end.", "direction", "mode", "reason")
	m.lasted = histograms("call_duration_seconds", "From a call's answer to its end.", callTimes, "direction")
	m.answer = histograms("call_answer_seconds", "From the INVITE to the answer.", callTimes, "direction")
	m.turns = counters("turns_total", "Turns of live calls.", "role", "interrupted")
	m.stages = histograms("answer_seconds", "How the time goes between a turn of the caller and the agent's answer.", shortTimes, "stage")
	m.greet = histogram("greeting_seconds", "From a call's answer to the first packet of the greeting.", shortTimes)
	m.packets = counters("rtp_packets_total", "Packets of sound of calls that have ended.", "fate")
	m.frames = prometheus.NewCounter(prometheus.CounterOpts{Namespace: "callwright", Name: "rtp_concealed_frames_total", Help: "Frames of which a part had to be made up."})
	add(m.frames)
	m.loss = histogram("rtp_loss_ratio", "Share of a call's packets that never came.", shares)
	m.jitter = histogram("rtp_jitter_seconds", "Interarrival jitter (RFC 3550 A.8) at the end of a call.", soundTimes)
	m.buffer = histogram("rtp_buffer_seconds", "What sound waited in the jitter buffer at the end of a call.", soundTimes)
	m.first = histogram("rtp_first_packet_seconds", "From a call's answer to the first packet of any sound.", shortTimes)
	m.sip = counters("sip_responses_total", "Final responses to our requests; status 0 is none.", "method", "status")
	m.lag = histograms("queue_lag_seconds", "How long after it was due work was claimed.", shortTimes, "queue")
	m.hooks = counters("webhook_deliveries_total", "Tries of webhook deliveries.", "outcome")
	m.hookFor = histogram("webhook_delivery_seconds", "How long a receiver took to answer.", shortTimes)
	m.commits = histograms("store_transaction_seconds", "From the wish to write to the disk.", shortTimes, "lane", "outcome")
	m.addProcess(o)
	return m
}

// addProcess adds what is read when it is asked for.
func (m *Metrics) addProcess(o Options) {
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: "callwright", Name: "build_info", Help: "1, with the version that runs.",
		ConstLabels: prometheus.Labels{"version": o.Version, "go": runtime.Version()},
	}, func() float64 { return 1 }))
	if o.Draining != nil {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Namespace: "callwright", Name: "draining", Help: "1 while the process stops and dials nothing any more.",
		}, func() float64 {
			if o.Draining() {
				return 1
			}
			return 0
		}))
	}
	if o.Lateness != nil {
		m.registry.MustRegister(&pacing{lateness: o.Lateness, desc: prometheus.NewDesc("callwright_pacing_late_seconds",
			"How late packets of sound left: the jitter that this machine adds.", nil, nil)})
	}
}

// CallChanged moves a call to its new state.
func (m *Metrics) CallChanged(c *domain.Call) {
	direction, mode := string(c.Direction), string(c.Mode)
	m.mu.Lock()
	if before, known := m.calls[c.ID]; known {
		m.live.WithLabelValues(before...).Dec()
	}
	if c.State.Ended() {
		delete(m.calls, c.ID)
	} else {
		labels := []string{direction, mode, string(c.State)}
		m.calls[c.ID] = labels
		m.live.WithLabelValues(labels...).Inc()
	}
	m.mu.Unlock()
	if !c.State.Ended() {
		return
	}
	m.ended.WithLabelValues(direction, mode, string(c.EndReason)).Inc()
	if c.AnsweredAt.IsZero() {
		return
	}
	m.lasted.WithLabelValues(direction).Observe(c.Duration().Seconds())
	if !c.DialedAt.IsZero() {
		m.answer.WithLabelValues(direction).Observe(max(c.AnsweredAt.Sub(c.DialedAt), 0).Seconds())
	}
}

// TurnEnded counts a turn and how long its answer took.
func (m *Metrics) TurnEnded(t *domain.Turn) {
	m.turns.WithLabelValues(string(t.Role), strconv.FormatBool(t.Interrupted)).Inc()
	l := t.Latency
	switch {
	case l == nil:
		return
	case l.EotAt == 0:
		m.greet.Observe(float64(l.FirstRTP) / 1000)
		return
	}
	for stage, ms := range map[string]int64{
		"endpoint": l.Endpoint, "stt": l.STT, "tts_first_audio": l.TTSFirstAudio, "first_rtp": l.FirstRTP, "own": l.Own, "response": l.Response(),
	} {
		m.stages.WithLabelValues(stage).Observe(float64(ms) / 1000)
	}
	for stage, ms := range map[string]int64{ // only when they took part
		"route": l.Route, "tool": l.Tool, "llm_first_token": l.LLMFirstToken, "llm_text": l.LLMText, "held": l.Held,
	} {
		if ms > 0 {
			m.stages.WithLabelValues(stage).Observe(float64(ms) / 1000)
		}
	}
}

// MediaEnded counts the packets of a call.
func (m *Metrics) MediaEnded(r *domain.MediaReport) {
	for fate, n := range map[string]uint64{"sent": r.Sent, "received": r.Received, "lost": r.Lost, "late": r.Late} {
		m.packets.WithLabelValues(fate).Add(float64(n))
	}
	m.frames.Add(float64(r.Concealed))
	if r.FirstAfter > 0 {
		m.first.Observe(r.FirstAfter.Seconds())
	}
	if expected := r.Received + r.Lost; expected > 0 {
		m.loss.Observe(float64(r.Lost) / float64(expected))
		m.jitter.Observe(r.Jitter.Seconds())
		m.buffer.Observe(r.Buffered.Seconds())
	}
}

// SIPAnswered counts a response.
func (m *Metrics) SIPAnswered(method string, status int) {
	m.sip.WithLabelValues(method, strconv.Itoa(status)).Inc()
}

// WorkClaimed notes how late a queue is.
func (m *Metrics) WorkClaimed(queue string, late time.Duration) {
	m.lag.WithLabelValues(queue).Observe(max(late, 0).Seconds())
}

// Delivered counts a try of a delivery.
func (m *Metrics) Delivered(d *domain.Delivery) {
	outcome := string(d.State)
	if d.State == domain.DeliveryPending {
		outcome = "retry"
	}
	m.hooks.WithLabelValues(outcome).Inc()
	m.hookFor.Observe(float64(d.LatencyMs) / 1000)
}

// lanes are the words for the lanes.
var lanes = map[domain.Lane]string{domain.LaneCall: "call", domain.LaneDial: "dial", domain.LaneAPI: "api", domain.LaneBackground: "background"}

// Committed notes how long a transaction took.
func (m *Metrics) Committed(lane domain.Lane, took time.Duration, err error) {
	outcome := "committed"
	switch {
	case domain.CodeOf(err) == domain.CodeUnavailable:
		outcome = "unavailable"
	case err != nil:
		outcome = "rolled-back"
	}
	m.commits.WithLabelValues(lanes[lane], outcome).Observe(took.Seconds())
}

var _ domain.Observer = (*Metrics)(nil)
