package service_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
)

// change edits a stored call and its attempt.
func (k *kit) change(id domain.ID, edit func(*domain.Call, *domain.Attempt)) {
	k.Helper()
	k.ok(k.store.InTx(k.Context(), domain.LaneCall, func(ctx context.Context, s *domain.Stores) error {
		call, err := s.Calls.ByID(ctx, id)
		if err != nil {
			return err
		}
		attempts, err := s.Attempts.ByCall(ctx, id)
		if err != nil {
			return err
		}
		edit(call, &attempts[0])
		if err := s.Attempts.Update(ctx, &attempts[0]); err != nil {
			return err
		}
		return s.Calls.Update(ctx, call)
	}))
}

func TestPlaceCall(t *testing.T) {
	k := newKit(t)
	a, err := k.CreateAgent(t.Context(), k.test, service.AgentChange{
		Name: new("A"), SystemPrompt: new("p"), Variables: &map[string]any{"plan": "gold", "city": "Bern"},
	}, nil)
	k.ok(err)
	call, err := k.PlaceCall(t.Context(), k.test, service.PlaceRequest{AgentID: a.ID, To: "+15005550106", Variables: map[string]any{"plan": "silver"}}, nil)
	k.ok(err)
	if call.State != domain.CallQueued || call.From != service.SampleNumber || !call.Record || call.MaxDuration != service.DefaultCallDuration ||
		call.Variables["plan"] != "silver" || call.Variables["city"] != "Bern" || call.FlowID != "" {
		t.Errorf("%+v", call)
	}
	detail, err := k.Call(t.Context(), k.test, call.ID)
	k.ok(err)
	if n := len(detail.Attempts); n != 1 {
		t.Fatalf("%d attempts", n)
	}
	if at := detail.Attempts[0]; at.State != domain.AttemptPlanned || at.Number != call.To || at.TrunkID != k.first.Trunk.ID || at.TryNumber != 1 || at.NextAt.After(k.now()) {
		t.Errorf("%+v", at)
	}
	_, err = k.Call(t.Context(), k.prod, call.ID)
	k.code(err, domain.CodeNotFound)
}

// A call is pinned to the flow's version of the moment in which it was placed.
func TestPlaceCallPinsTheFlow(t *testing.T) {
	k := newKit(t)
	f, err := k.CreateFlow(t.Context(), k.prod, service.FlowChange{Name: new("F"), Status: new(domain.FlowPublished), Definition: []byte(`{"nodes":[1]}`)}, nil)
	k.ok(err)
	a, err := k.CreateAgent(t.Context(), k.prod, service.AgentChange{Name: new("A"), FlowID: &f.ID}, nil)
	k.ok(err)
	trunk, err := k.CreateTrunk(t.Context(), k.prod, service.TrunkChange{Name: new("T"), Host: new("127.0.0.1")}, nil)
	k.ok(err)
	first, err := k.CreateNumber(t.Context(), k.prod, service.NumberChange{Number: new("+14155550100"), TrunkID: &trunk.ID, AgentID: &a.ID}, nil)
	k.ok(err)
	_, err = k.CreateNumber(t.Context(), k.prod, service.NumberChange{Number: new("+14155550101"), TrunkID: &trunk.ID, AgentID: &a.ID}, nil)
	k.ok(err)
	call, err := k.PlaceCall(t.Context(), k.prod, service.PlaceRequest{AgentID: a.ID, To: "+14155552671"}, nil)
	k.ok(err)
	if call.FlowID != f.ID || call.FlowVersion != 1 || call.PhoneNumberID != first.ID {
		t.Errorf("%+v", call)
	}
	_, err = k.UpdateFlow(t.Context(), k.prod, f.ID, service.FlowChange{Definition: []byte(`{"nodes":[2]}`)})
	k.ok(err)
	k.ok(k.store.View(t.Context(), func(ctx context.Context, s *domain.Stores) error {
		pinned, err := s.Flows.Version(ctx, k.prod, call.FlowID, call.FlowVersion)
		if err == nil && string(pinned.Definition) != `{"nodes":[1]}` {
			t.Errorf("the call is pinned to %s", pinned.Definition)
		}
		return err
	}))
	// Numbers that cost too much are refused, wherever the call comes from.
	for _, to := range []string{"+19002345678", "+870773111632", "+447012345678"} {
		_, err = k.PlaceCall(t.Context(), k.prod, service.PlaceRequest{AgentID: a.ID, To: to}, nil)
		k.code(err, domain.CodeForbidden)
	}
}

func TestPlaceCallKeepsNothingWhenRefused(t *testing.T) {
	k := newKit(t)
	a := k.agent(k.test)
	once := &service.Once[domain.Call]{OnceKey: service.OnceKey{KeyID: domain.NewID(), Key: "k", RequestHash: []byte("h")},
		Render: func(*domain.Call) (int, []byte, error) { return 0, nil, domain.Errorf(domain.CodeInternal, "no") }}
	_, err := k.PlaceCall(t.Context(), k.test, service.PlaceRequest{AgentID: a.ID, To: "+15005550106"}, once)
	k.code(err, domain.CodeInternal)
	if _, total, err := k.Calls(t.Context(), k.test, domain.CallFilter{}, domain.Page{Limit: 1}); err != nil || total != 0 {
		t.Errorf("%d calls, %v", total, err)
	}
}

// Of many requests with one Idempotency-Key one has its effect, also when each
// is served by a process of its own and none sees the others in flight.
func TestOnceAcrossProcesses(t *testing.T) {
	k := newKit(t)
	a := k.agent(k.test)
	key := service.OnceKey{KeyID: domain.NewID(), Key: "k", RequestHash: []byte("h")}
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			_, err := k.PlaceCall(t.Context(), k.test, service.PlaceRequest{AgentID: a.ID, To: "+15005550106"}, &service.Once[domain.Call]{
				OnceKey: key, Render: func(c *domain.Call) (int, []byte, error) { return 201, []byte(c.ID), nil },
			})
			if code := domain.CodeOf(err); err != nil && code != domain.CodeConflict {
				t.Error(err)
			}
		})
	}
	all.Wait()
	calls, total, err := k.Calls(t.Context(), k.test, domain.CallFilter{}, domain.Page{Limit: 5})
	k.ok(err)
	stored, err := k.Replay(t.Context(), k.test, key)
	k.ok(err)
	if total != 1 || string(stored.Body) != string(calls[0].ID) || stored.Status != 201 {
		t.Errorf("%d calls, stored %+v", total, stored)
	}
	if stored, err := k.Replay(t.Context(), k.prod, key); stored != nil || err != nil {
		t.Errorf("the other mode has %+v, %v", stored, err)
	}
	for _, step := range []struct {
		after time.Duration
		kept  bool
	}{{23 * time.Hour, true}, {2 * time.Hour, false}} {
		k.pass(step.after)
		k.ok(k.PruneOnce(t.Context()))
		if stored, err := k.Replay(t.Context(), k.test, key); err != nil || (stored != nil) != step.kept {
			t.Errorf("%+v, %v after %s", stored, err, step.after)
		}
	}
}

func TestCancelCall(t *testing.T) {
	k := newKit(t)
	a := k.agent(k.test)
	place := func() domain.ID {
		call, err := k.PlaceCall(t.Context(), k.test, service.PlaceRequest{AgentID: a.ID, To: "+15005550106"}, nil)
		k.ok(err)
		return call.ID
	}
	queued := place()
	call, err := k.CancelCall(t.Context(), k.test, queued, nil)
	k.ok(err)
	if call.State != domain.CallFailed || call.EndReason != domain.EndCanceled || call.EndedAt.IsZero() {
		t.Errorf("%+v", call)
	}
	_, err = k.CancelCall(t.Context(), k.test, queued, nil)
	k.code(err, domain.CodeConflict)

	// What may have been sent is hung up, not forgotten.
	intent := place()
	k.change(intent, func(_ *domain.Call, at *domain.Attempt) { at.State = domain.AttemptIntent })
	_, err = k.CancelCall(t.Context(), k.test, intent, nil)
	k.ok(err)
	talking := place()
	k.change(talking, func(c *domain.Call, at *domain.Attempt) {
		at.State, at.Number, c.State = domain.AttemptEnded, "+15005550107", domain.CallInProgress
	})
	_, err = k.CancelCall(t.Context(), k.test, talking, nil)
	k.ok(err)
	if k.live.ends[intent] != domain.EndCanceled || k.live.ends[talking] != domain.EndAgentHangup || len(k.live.ends) != 2 {
		t.Errorf("%v", k.live.ends)
	}
	k.live.gone = true
	_, err = k.CancelCall(t.Context(), k.test, talking, nil)
	k.code(err, domain.CodeConflict)
}

func TestReceivers(t *testing.T) {
	k := newKit(t)
	for url, wrong := range map[string]string{
		"https://example.com/hook":  "",
		"https://example.com:8443":  "",
		"https://93.184.215.14/x?y": "",
		"http://10.1.2.3/hook":      "",
		"https://10.1.2.3/hook":     "",
		"http://[::1]:9000/":        "",
		"":                          "required",
		"example.com":               "full URL",
		"/hook":                     "full URL",
		"https://":                  "full URL",
		"https://:443/":             "full URL",
		"mailto:a@example.com":      "full URL",
		"ftp://example.com/":        "https://",
		"http://example.com/":       "https://",
		"http://10.2.0.1/":          "https://",
		"http://localhost/":         "https://",
		"https://localhost/":        "publicly",
		"https://LOCALHOST./":       "publicly",
		"https://127.0.0.1/":        "publicly",
		"https://10.2.0.1/":         "publicly",
		"https://169.254.169.254/":  "publicly",
		"https://[fe80::1]/":        "publicly",
		"https://[::ffff:10.2.0.1]": "publicly",
		"https://u:p@example.com/":  "password",
		"https://exa mple.com/":     "full URL",
		"https://example.com/" + strings.Repeat("x", 2048): "2048",
	} {
		_, err := k.CreateEndpoint(t.Context(), k.prod, service.EndpointChange{URL: &url, Events: &[]string{"*"}}, nil)
		switch {
		case wrong == "" && err != nil:
			t.Errorf("%s: %v", url, err)
		case wrong != "" && (err == nil || !strings.Contains(err.Error(), wrong)):
			t.Errorf("%.60s: %v, want %q", url, err, wrong)
		}
		k.drop(k.prod)
	}
}

// drop deletes all endpoints.
func (k *kit) drop(in domain.Scope) {
	k.Helper()
	all, _, err := k.Endpoints(k.Context(), in, domain.Page{Limit: 10})
	k.ok(err)
	for _, e := range all {
		k.ok(k.DeleteEndpoint(k.Context(), in, e.ID, 0))
	}
}
