package app_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/engine"
	"github.com/callwright/callwright/internal/sip/siptest"
	"github.com/callwright/callwright/internal/store"
)

// gone waits until the application has stopped, and returns when that was after
// since, and why.
func (h *house) gone(since time.Time) (time.Duration, error) {
	h.Helper()
	select {
	case err := <-h.stopped:
		took := time.Since(since)
		close(h.stopped)
		return took, err
	case <-time.After(callLimit):
		h.Fatal("the application does not stop")
		return 0, nil
	}
}

// kept reads calls as they are kept after the application has stopped.
func (h *house) kept(ids ...domain.ID) []domain.Call {
	h.Helper()
	db, err := store.Open(context.Background(), h.stores)
	if err != nil {
		h.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var calls []domain.Call
	err = db.View(context.Background(), func(ctx context.Context, s *domain.Stores) error {
		for _, id := range ids {
			c, err := s.Calls.ByID(ctx, id)
			if err != nil {
				return err
			}
			calls = append(calls, *c)
		}
		return nil
	})
	if err != nil {
		h.Fatal(err)
	}
	return calls
}

// ready reads the answer of the readiness check.
func (h *house) ready() int {
	h.Helper()
	res, err := h.http.Get(h.app.URL() + "/readyz")
	if err != nil {
		h.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
	return res.StatusCode
}

// TestDrain stops the application with fifty live calls, half of which end by
// themselves in time, and one that waits.
func TestDrain(t *testing.T) {
	t.Parallel()
	const calls, grace = 50, 4 * time.Second
	h := open(t, setup{plan: domain.Enterprise, drain: grace})
	p := siptest.UAS(t, siptest.Scenario{Name: siptest.Answer})
	fast := map[string]any{"callsPerSecond": 100, "maxCalls": calls}
	long := h.agent(nil, lasting(120)...)
	from := h.number(h.trunkTo(p.Addr, fast), long, 1)
	brief := h.agent(nil, map[string]any{"id": "menu", "type": "dtmf", "max": 1, "timeoutSeconds": 60,
		"edges": []any{map[string]any{"to": "bye"}}}, bye(""))
	var ids []domain.ID
	for i := range calls {
		agent := long
		if i%2 == 0 {
			agent = brief
		}
		ids = append(ids, h.place(agent, from, fmt.Sprintf("+120255501%02d", i)))
	}
	p.Expect("ACK", calls, 2*callLimit)
	for _, id := range ids {
		h.reaches(id, "in-progress")
	}
	waits := h.place(long, from, "+12025550199") // the trunk is full
	if status := h.ready(); status != 200 {
		t.Fatalf("readyz answered %d before", status)
	}
	h.stop()
	since := time.Now()
	for h.ready() != 503 {
		if time.Since(since) > 250*time.Millisecond {
			t.Fatal("readyz does not say within 250 ms that the server stops")
		}
	}
	status, header, _ := h.exchange(http.MethodPost, "/calls", map[string]any{"agentId": long, "phoneNumberId": from, "to": "+12025550123"})
	if status != 503 || header.Get("Retry-After") == "" {
		t.Errorf("POST /calls answered %d, Retry-After %q; want 503 and a time", status, header.Get("Retry-After"))
	}
	siptest.UAC(t, h.app.SIPAddr(), siptest.Scenario{Name: siptest.CallRefused, To: "+12025550001", Status: 503}).Wait(callLimit)
	for i, id := range ids { // what is live goes on
		if i%2 == 0 {
			if status, answer := h.request(http.MethodPost, "/calls/"+string(id)+"/hangup", nil); status != 200 {
				t.Errorf("hangup answered %d: %s", status, answer)
			}
		}
	}
	if n := p.Received("BYE"); time.Since(since) < grace-time.Second && n > calls/2 {
		t.Errorf("%d calls were hung up before the time was over", n)
	}
	took, err := h.gone(since)
	if err != nil || took < grace || took > grace+3*time.Second {
		t.Errorf("stopped after %v with %v; want between %v and 3 s more", took, err, grace)
	}
	p.Expect("BYE", calls, time.Second)
	if n := p.Received("INVITE"); n != calls {
		t.Errorf("the peer got %d INVITEs, want %d", n, calls)
	}
	for i, c := range h.kept(ids...) {
		forced := slices.ContainsFunc(c.Notes, func(n string) bool { return len(n) > 12 && n[:12] == "drain_forced" })
		if i%2 == 0 && (c.State != domain.CallCompleted || forced) || i%2 == 1 && (c.EndReason != domain.EndInterrupted || !forced) {
			t.Errorf("call %d is %s/%s with the notes %q", i, c.State, c.EndReason, c.Notes)
		}
	}
	if c := h.kept(waits)[0]; c.State != domain.CallQueued {
		t.Errorf("the call that waited is %s, want queued for the next start", c.State)
	}
}

// TestDrainForced is told twice to stop.
func TestDrainForced(t *testing.T) {
	t.Parallel()
	const calls = 10
	h := open(t, setup{drain: time.Minute, force: make(chan struct{})})
	p := siptest.UAS(t, siptest.Scenario{Name: siptest.Answer})
	agent := h.agent(nil, lasting(120)...)
	ids := h.placeMany(agent, h.number(h.trunkTo(p.Addr, map[string]any{"callsPerSecond": 100}), agent, 1), calls)
	p.Expect("ACK", calls, callLimit)
	h.stop()
	time.Sleep(300 * time.Millisecond)
	if n := p.Received("BYE"); n != 0 {
		t.Errorf("%d calls were hung up at the first signal", n)
	}
	close(h.force)
	took, err := h.gone(time.Now())
	if !errors.Is(err, engine.ErrForced) || took > 3*time.Second {
		t.Errorf("stopped after %v with %v; want within 3 s and %v", took, err, engine.ErrForced)
	}
	p.Expect("BYE", calls, time.Second)
	for _, c := range h.kept(ids...) {
		if c.State != domain.CallFailed || c.EndReason != domain.EndInterrupted {
			t.Errorf("a call is %s/%s", c.State, c.EndReason)
		}
	}
}
