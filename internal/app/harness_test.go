package app_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/callwright/callwright/internal/app"
	"github.com/callwright/callwright/internal/callee"
	"github.com/callwright/callwright/internal/config"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/access"
	"github.com/callwright/callwright/internal/sip/siptest"
	"github.com/callwright/callwright/internal/speech"
	"github.com/callwright/callwright/internal/speech/speechtest"
	"github.com/callwright/callwright/internal/store"
	"github.com/callwright/callwright/internal/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// callLimit is by when a call of these tests has to be over, on a busy machine too.
const callLimit = time.Minute

// house is a whole application of one test, used as its customers use it: over
// HTTP, with a webhook receiver. The voice sings one tone for each text.
type house struct {
	*testing.T
	app   *app.App
	key   string
	hooks *receiver
	http  *http.Client
	log   *lockedWriter // of warnings and errors
	mode  domain.Mode

	force   chan struct{}
	stop    context.CancelFunc // as the first signal does
	stopped chan error         // what Run returned
	stores  store.Options      // of its data
}

type setup struct {
	mode domain.Mode   // "" is live
	plan domain.Plan   // "" is what a first start makes
	ring time.Duration // 0 is the application's default
	room int           // calls that the process carries at once; 0 is the default
	slow time.Duration // before the voice says something new
	ca   string        // file with the authority of TLS peers

	strangers string        // what is done with unknown peers; "" is dropped
	drain     time.Duration // that live calls get when the application stops
	force     chan struct{} // tells it to stop at once
	gap       time.Duration // without sound that ends a call; 0 is the default

	stt      []speech.STT // hear the callers
	ops      bool         // metrics are served
	database string       // "" is what the environment names
	observer domain.Observer
	models   []speech.LLM
	voice    speech.TTS // instead of the one that sings

	callee  func(callee.Report) // what the simulated phone is told at
	offline bool                // the voices of this machine speak, and nothing sings

	tune func(*config.Config) // changes the configuration; nil changes nothing
}

// tuned is the configuration of a test.
func (s setup) tuned(c *config.Config) *config.Config {
	if s.tune != nil {
		s.tune(c)
	}
	return c
}

// open starts an application on free ports. It is stopped with the test.
func open(t *testing.T, s setup) *house {
	t.Helper()
	h := &house{T: t, log: &lockedWriter{}, mode: cmp.Or(s.mode, domain.Live), http: &http.Client{Transport: &http.Transport{}, Timeout: callLimit}}
	dir, database := storetest.Dir(t), s.database
	if database == "" {
		database = storetest.URL(t)
	}
	if s.plan != "" {
		withPlan(t, dir, database, s.plan)
	}
	voices := []speech.TTS{&speechtest.Tone{Delay: s.slow}}
	if s.voice != nil {
		voices = []speech.TTS{s.voice}
	}
	if s.offline {
		voices = nil
	}
	logger := slog.New(slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelWarn}))
	ops := ""
	if s.ops {
		ops = "127.0.0.1:0"
	}
	a, err := app.Open(t.Context(), app.Options{
		Config: s.tuned(&config.Config{
			Data: dir, Database: database, HTTP: "127.0.0.1:0", SIP: "127.0.0.1:0", RTPPorts: "0-0", WebhookAllow: []string{"127.0.0.0/8"},
			UnknownPeers: s.strangers, Drain: s.drain, Ops: ops, TLSCA: s.ca,
		}),
		Version: "test", Logger: logger, Voices: voices, Ring: s.ring, MaxCalls: s.room, Callee: s.callee,
		MediaStart: s.gap, MediaGap: s.gap, Force: s.force,
		Observer: s.observer, Models: s.models, Ears: s.stt,
	})
	if err != nil {
		t.Fatal(err)
	}
	h.force = s.force
	h.app, h.stores = a, store.Options{Dir: dir, DSN: database, Key: store.KeyFile(dir)}
	serving, stop := context.WithCancel(context.Background())
	h.stop, h.stopped = stop, make(chan error, 1)
	go func() { h.stopped <- a.Run(serving) }()
	t.Cleanup(func() {
		h.http.CloseIdleConnections()
		stop()
		select {
		case err, first := <-h.stopped:
			if first && err != nil {
				t.Errorf("Run: %v", err)
			}
		case <-time.After(callLimit):
			t.Error("the application does not stop")
		}
		if t.Failed() {
			t.Logf("the log says:\n%s", h.log.String())
		}
	})
	_, h.key, err = a.Service.CreateKey(t.Context(), access.NewKey{Workspace: a.First.Workspace.ID, Name: "all", Mode: s.mode})
	if err != nil {
		t.Fatal(err)
	}
	h.hooks = newReceiver(t)
	var hook struct{ Secret string }
	h.post("/webhooks", map[string]any{"url": h.hooks.url, "events": []string{domain.AllEvents}}, &hook)
	h.hooks.expect(hook.Secret)
	return h
}

// withPlan makes the data of a workspace with the given plan.
func withPlan(t *testing.T, dir, database string, plan domain.Plan) {
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{Dir: dir, DSN: database})
	if err != nil {
		t.Fatal(err)
	}
	err = db.InTx(t.Context(), domain.LaneAPI, func(ctx context.Context, s *domain.Stores) error {
		return s.Workspaces.Create(ctx, &domain.Workspace{ID: domain.NewID(), Name: "Planned", Plan: plan, Timezone: "UTC", CreatedAt: time.Now()})
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// request sends body as JSON and returns the status and the answer.
func (h *house) request(method, path string, body any) (int, []byte) {
	h.Helper()
	status, _, answer := h.exchange(method, path, body)
	return status, answer
}

// exchange sends body as JSON and returns the answer with its header.
func (h *house) exchange(method, path string, body any) (int, http.Header, []byte) {
	h.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		h.Fatal(err)
	}
	req, err := http.NewRequestWithContext(h.Context(), method, h.app.URL()+"/api/v1"+path, bytes.NewReader(raw))
	if err != nil {
		h.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+h.key)
	req.Header.Set("Content-Type", "application/json")
	res, err := h.http.Do(req)
	if err != nil {
		h.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		h.Fatal(err)
	}
	return res.StatusCode, res.Header, answer
}

func (h *house) post(path string, body, into any) {
	h.Helper()
	h.must(http.MethodPost, path, body, into)
}

func (h *house) must(method, path string, body, into any) {
	h.Helper()
	status, answer := h.request(method, path, body)
	if status/100 != 2 {
		h.Fatalf("%s %s answered %d: %s", method, path, status, answer)
	}
	if err := json.Unmarshal(answer, into); err != nil {
		h.Fatalf("%s %s answered %s: %v", method, path, answer, err)
	}
}

type object struct{ ID domain.ID }

// trunkTo makes a trunk to a peer; more are further fields.
func (h *house) trunkTo(peer netip.AddrPort, more map[string]any) domain.ID {
	h.Helper()
	body := map[string]any{"name": "peer " + peer.String(), "host": peer.Addr().String(), "port": peer.Port(), "codecs": []string{"PCMU", "PCMA"}}
	for k, v := range more {
		body[k] = v
	}
	var made object
	h.post("/trunks", body, &made)
	return made.ID
}

// agent makes an agent that talks by nodes, which start with the first.
func (h *house) agent(more map[string]any, nodes ...map[string]any) domain.ID {
	h.Helper()
	var flow, agent object
	h.post("/flows", map[string]any{"name": "Test", "status": "published", "startNodeId": nodes[0]["id"], "nodes": nodes}, &flow)
	body := map[string]any{"name": "Ava", "flowId": flow.ID}
	for k, v := range more {
		body[k] = v
	}
	h.post("/agents", body, &agent)
	return agent.ID
}

// number makes a number of our own on a trunk.
func (h *house) number(trunk, agent domain.ID, last int) domain.ID {
	h.Helper()
	var made object
	h.post("/phone-numbers", map[string]any{"number": fmt.Sprintf("+1202555%04d", last), "trunkId": trunk, "agentId": agent}, &made)
	return made.ID
}

// call is what these tests read of a call.
type call struct {
	ID           domain.ID
	Status       string
	EndReason    string
	Duration     float64
	RecordingURL string
	AnsweredAt   time.Time // whole seconds
	Variables    map[string]any
	Notes        []string
	Turns        []struct {
		Role, Text     string
		StartMs, EndMs int64
		Latency        *struct{ EotAtMs, EndpointMs, STTMs, TTSFirstAudioMs, FirstRTPMs, OwnMs, ResponseMs int64 }
	}
	Latency *struct {
		GreetingMs *int64
		Answers    int
	}
}

func (h *house) place(agent, from domain.ID, to string) domain.ID {
	h.Helper()
	var made call
	h.post("/calls", map[string]any{"agentId": agent, "phoneNumberId": from, "to": to}, &made)
	if made.Status != "queued" {
		h.Errorf("a new call is %s, want queued", made.Status)
	}
	return made.ID
}

func (h *house) read(id domain.ID) call {
	h.Helper()
	var c call
	h.must(http.MethodGet, "/calls/"+string(id), nil, &c)
	return c
}

// ended waits until the webhook says that a call is over, and reads it.
func (h *house) ended(id domain.ID) call {
	h.Helper()
	h.hooks.wait(h.T, id, "call.ended", "call.failed")
	return h.read(id)
}

// reaches waits until a call has the status.
func (h *house) reaches(id domain.ID, status string) call {
	h.Helper()
	for deadline := time.Now().Add(callLimit); time.Now().Before(deadline); time.Sleep(250 * time.Millisecond) { // 300 requests a minute are allowed
		if c := h.read(id); c.Status == status {
			return c
		}
	}
	h.Fatalf("call %s is %s, want %s", id, h.read(id).Status, status)
	return call{}
}

// exact reads a call as it is kept, for times finer than the API's seconds.
func (h *house) exact(id domain.ID) domain.Call {
	h.Helper()
	detail, err := h.app.Service.Call(h.Context(), domain.Scope{Workspace: h.app.First.Workspace.ID, Mode: h.mode}, id)
	if err != nil {
		h.Fatal(err)
	}
	return detail.Call
}

// wants asserts how a call ended, and that its events say so.
func (h *house) wants(c call, status, reason string) {
	h.Helper()
	if c.Status != status || c.EndReason != reason {
		h.Errorf("call %s is %s/%s, want %s/%s; notes %q", c.ID, c.Status, c.EndReason, status, reason, c.Notes)
	}
	events := []string{"call.started", "call.failed"}
	if status == "completed" {
		events = []string{"call.started", "call.ended", "transcript.ready", "analysis.complete"}
		if c.RecordingURL != "" {
			events = append(events, "recording.ready")
		}
	}
	h.hooks.exactly(h.T, c.ID, events...)
}

// dial makes what a call to one peer needs, places it and returns its id.
func (h *house) dial(peer *siptest.Peer, trunk map[string]any, agent domain.ID) domain.ID {
	h.Helper()
	from := h.number(h.trunkTo(peer.Addr, trunk), agent, int(peer.Addr.Port()%10000))
	return h.place(agent, from, "+12025550123")
}

// Nodes of flows.
func say(id, text, to string) map[string]any {
	return map[string]any{"id": id, "type": "say", "text": text, "edges": []any{map[string]any{"to": to}}}
}

func pause(id string, seconds float64, to string) map[string]any {
	return map[string]any{"id": id, "type": "wait", "seconds": seconds, "edges": []any{map[string]any{"to": to}}}
}

func bye(text string) map[string]any { return map[string]any{"id": "bye", "type": "end", "text": text} }
