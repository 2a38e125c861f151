package service_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
)

// line makes a trunk and two numbers in a scope.
func (k *kit) line(in domain.Scope) (first, second *domain.PhoneNumber) {
	k.Helper()
	trunk, err := k.CreateTrunk(k.Context(), in, service.TrunkChange{Name: new("T"), Host: new("127.0.0.1")}, nil)
	k.ok(err)
	first, err = k.CreateNumber(k.Context(), in, service.NumberChange{Number: new("+14155550100"), TrunkID: &trunk.ID}, nil)
	k.ok(err)
	second, err = k.CreateNumber(k.Context(), in, service.NumberChange{Number: new("+14155550101"), TrunkID: &trunk.ID}, nil)
	k.ok(err)
	return first, second
}

// published makes a flow that calls may use.
func (k *kit) published(in domain.Scope, definition string, agent *domain.ID) *domain.Flow {
	k.Helper()
	f, err := k.CreateFlow(k.Context(), in, service.FlowChange{
		Name: new("F"), Status: new(domain.FlowPublished), Definition: []byte(definition), AgentID: agent,
	}, nil)
	k.ok(err)
	return f
}

func TestAgentIsGivenNumbers(t *testing.T) {
	k := newKit(t)
	first, second := k.line(k.prod)
	owned := func(agent domain.ID, want ...domain.ID) {
		t.Helper()
		all, err := k.NumbersByAgent(t.Context(), k.prod)
		if k.ok(err); !slices.Equal(all[agent], want) {
			t.Errorf("the agent has %v, want %v", all[agent], want)
		}
	}
	a, err := k.CreateAgent(t.Context(), k.prod, service.AgentChange{Name: new("A"), Mute: true, NumberIDs: &[]domain.ID{second.ID, first.ID}}, nil)
	k.ok(err)
	owned(a.ID, first.ID, second.ID)
	b, err := k.CreateAgent(t.Context(), k.prod, service.AgentChange{Name: new("B"), Mute: true, NumberIDs: &[]domain.ID{first.ID}}, nil)
	k.ok(err)
	owned(a.ID, second.ID)
	owned(b.ID, first.ID)
	// A number that is not there undoes all of the change.
	_, err = k.UpdateAgent(t.Context(), k.prod, b.ID, service.AgentChange{Name: new("C"), NumberIDs: &[]domain.ID{second.ID, domain.NewID()}})
	k.code(err, domain.CodeNotFound)
	_, err = k.UpdateAgent(t.Context(), k.test, b.ID, service.AgentChange{NumberIDs: &[]domain.ID{}})
	k.code(err, domain.CodeNotFound)
	owned(b.ID, first.ID)
	_, err = k.UpdateAgent(t.Context(), k.prod, b.ID, service.AgentChange{NumberIDs: &[]domain.ID{}})
	k.ok(err)
	owned(b.ID)
	owned(a.ID, second.ID)
}

// TestMuteAgent: an agent that was allowed to have nothing to talk by can be
// changed like others, but not be made mute by those who do not allow it.
func TestMuteAgent(t *testing.T) {
	k := newKit(t)
	a, err := k.CreateAgent(t.Context(), k.test, service.AgentChange{Name: new("A"), Mute: true}, nil)
	k.ok(err)
	_, err = k.UpdateAgent(t.Context(), k.test, a.ID, service.AgentChange{Name: new("B")})
	k.ok(err)
	_, err = k.UpdateAgent(t.Context(), k.test, a.ID, service.AgentChange{SystemPrompt: new("")})
	k.code(err, domain.CodeInvalid)
	_, err = k.CreateAgent(t.Context(), k.test, service.AgentChange{Name: new("A")}, nil)
	k.code(err, domain.CodeInvalid)
	_, err = k.PlaceCall(t.Context(), k.test, service.PlaceRequest{AgentID: a.ID, To: "+15005550106"}, nil)
	k.code(err, domain.CodeInvalid)
}

func TestFlowIsGivenToAgents(t *testing.T) {
	k := newKit(t)
	a, b := k.agent(k.prod), k.agent(k.prod)
	f := k.published(k.prod, `{"nodes":[1]}`, &a.ID)
	talking := func(want ...domain.ID) {
		t.Helper()
		all, err := k.AgentsByFlow(t.Context(), k.prod)
		k.ok(err)
		var got []domain.ID
		for _, agent := range all[f.ID] {
			got = append(got, agent.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("by the flow talk %v, want %v", got, want)
		}
	}
	talking(a.ID)
	_, err := k.UpdateFlow(t.Context(), k.prod, f.ID, service.FlowChange{AgentID: &b.ID})
	k.ok(err)
	talking(a.ID, b.ID)
	stranger := k.agent(k.test)
	_, err = k.UpdateFlow(t.Context(), k.prod, f.ID, service.FlowChange{Name: new("X"), AgentID: &stranger.ID})
	k.code(err, domain.CodeNotFound)
	if have, err := k.Flow(t.Context(), k.prod, f.ID); err != nil || have.Name != "F" {
		t.Errorf("%+v, %v", have, err)
	}
	k.code(k.DeleteFlow(t.Context(), k.prod, f.ID, 0), domain.CodeConflict)
	k.code(k.TakeFlow(t.Context(), k.prod, f.ID, 9), domain.CodePrecondition)
	k.code(k.TakeFlow(t.Context(), k.test, f.ID, 0), domain.CodeNotFound)
	talking(a.ID, b.ID)
	k.ok(k.TakeFlow(t.Context(), k.prod, f.ID, 0))
	talking()
	g := k.published(k.prod, `{"nodes":[1]}`, &a.ID)
	_, err = k.UpdateFlow(t.Context(), k.prod, g.ID, service.FlowChange{AgentID: new(domain.ID(""))})
	k.ok(err)
	if have, err := k.Agent(t.Context(), k.prod, a.ID); err != nil || have.FlowID != "" {
		t.Errorf("%+v, %v", have, err)
	}
	names, err := k.AgentsNamed(t.Context(), k.prod, "a")
	if k.ok(err); !slices.Equal(names, []domain.ID{b.ID, a.ID}) {
		t.Errorf("named a: %v", names)
	}
}

// TestFlowBoundsItsCalls: a flow says how long its calls take, else the agent.
func TestFlowBoundsItsCalls(t *testing.T) {
	k := newKit(t)
	a := k.agent(k.test)
	for settings, want := range map[string]time.Duration{
		`{"maxCallSeconds":90}`: 90 * time.Second, `{"maxCallSeconds":7200}`: 2 * time.Hour, `{}`: service.DefaultCallDuration,
	} {
		k.published(k.test, `{"settings":`+settings+`,"nodes":[1]}`, &a.ID)
		call, err := k.PlaceCall(t.Context(), k.test, service.PlaceRequest{AgentID: a.ID, To: "+15005550106"}, nil)
		if k.ok(err); call.MaxDuration != want {
			t.Errorf("%s: a call may take %s, want %s", settings, call.MaxDuration, want)
		}
	}
}

// TestCallback tells a call's own receiver what endpoints are told.
func TestCallback(t *testing.T) {
	k := newKit(t)
	a := k.agent(k.test)
	place := func(url string) (*domain.Call, error) {
		return k.PlaceCall(t.Context(), k.test, service.PlaceRequest{
			AgentID: a.ID, To: "+15005550106", Callback: &service.Callback{Field: "callback_url", URL: url, Dialect: "native"},
		}, nil)
	}
	for _, bad := range []string{"nonsense", "http://example.com/", "https://127.0.0.1/", "ftp://example.com/", "https://u:p@example.com/"} {
		_, err := place(bad)
		k.code(err, domain.CodeInvalid)
	}
	call, err := place("https://example.com/hook")
	k.ok(err)
	other, err := place("https://example.com/hook")
	k.ok(err)
	if call.Callback.Secret == other.Callback.Secret || len(call.Callback.Secret) < 40 {
		t.Errorf("the secrets are %q and %q", call.Callback.Secret, other.Callback.Secret)
	}
	_, err = k.CancelCall(t.Context(), k.test, call.ID, nil)
	k.ok(err)
	k.ok(k.store.View(t.Context(), func(ctx context.Context, s *domain.Stores) error {
		sent, err := s.Deliveries.ByCall(ctx, k.test, call.ID)
		if err == nil && (len(sent) != 1 || sent[0].EventType != domain.EventCallFailed || sent[0].EndpointID != call.CallbackEndpoint().ID) {
			t.Errorf("sent: %+v", sent)
		}
		return err
	}))
}

func TestCallRecords(t *testing.T) {
	k := newKit(t)
	a := k.agent(k.test)
	f := k.published(k.test, `{"nodes":[1]}`, &a.ID)
	call, err := k.PlaceCall(t.Context(), k.test, service.PlaceRequest{AgentID: a.ID, To: "+15005550106"}, nil)
	k.ok(err)
	k.ok(k.store.InTx(t.Context(), domain.LaneCall, func(ctx context.Context, s *domain.Stores) error {
		return s.Turns.Append(ctx, domain.Turn{CallID: call.ID, Sequence: 1, Role: domain.RoleAgent, Text: "Hello."})
	}))
	_, err = k.UpdateFlow(t.Context(), k.test, f.ID, service.FlowChange{Name: new("Renamed")})
	k.ok(err)
	k.ok(k.TakeFlow(t.Context(), k.test, f.ID, 0))
	r, err := k.CallRecord(t.Context(), k.test, call.ID)
	k.ok(err)
	if r.AgentName != "A" || r.FlowName != "F" || len(r.Turns) != 1 || r.Turns[0].Text != "Hello." {
		t.Errorf("%+v", r)
	}
	_, err = k.CallRecord(t.Context(), k.prod, call.ID)
	k.code(err, domain.CodeNotFound)
	k.ok(k.DeleteAgent(t.Context(), k.test, a.ID, 0))
	list, total, err := k.CallRecords(t.Context(), k.test, domain.CallFilter{FlowID: f.ID}, domain.Page{Limit: 5})
	k.ok(err)
	if total != 1 || len(list) != 1 || list[0].AgentName != "" || list[0].FlowName != "F" || len(list[0].Turns) != 1 {
		t.Errorf("%d: %+v", total, list)
	}
}
