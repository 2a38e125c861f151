package service_test

import (
	"context"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
	"github.com/callwright/callwright/internal/service/people"
)

// TestAgentUses: what an agent can do and has done, and what it lacks.
func TestAgentUses(t *testing.T) {
	k := newKit(t)
	use := func(in domain.Scope, agents ...domain.Agent) []service.AgentUse {
		t.Helper()
		uses, err := k.AgentUses(t.Context(), in, agents)
		k.ok(err)
		return uses
	}
	a, other := k.agent(k.test), k.agent(k.test)
	if got := use(k.test, *a)[0]; got != (service.AgentUse{Callable: true}) {
		t.Errorf("in test mode the sample number is there, and a model: %+v", got)
	}
	mute := domain.Agent{IsActive: true, FlowID: domain.NewID()}
	asleep := *a
	asleep.IsActive = false
	for _, c := range []domain.Agent{mute, asleep} {
		if got := use(k.test, c)[0]; got != (service.AgentUse{}) {
			t.Errorf("%+v: %+v", c, got)
		}
	}
	if got := use(k.prod, *k.agent(k.prod))[0]; got.Callable {
		t.Errorf("in live mode, without number and model: %+v", got)
	}
	number, err := k.UpdateNumber(t.Context(), k.test, k.first.Number.ID, service.NumberChange{AgentID: &a.ID})
	k.ok(err)
	at := k.now()
	k.ok(k.store.InTx(t.Context(), domain.LaneAPI, func(ctx context.Context, st *domain.Stores) error {
		for range 3 {
			call := &domain.Call{
				ID: domain.NewID(), WorkspaceID: k.test.Workspace, Mode: k.test.Mode, AgentID: a.ID, State: domain.CallCompleted,
				Version: 1, CreatedAt: at, AnsweredAt: at, EndedAt: at.Add(30 * time.Second),
			}
			if err := st.Calls.Create(ctx, call); err != nil {
				return err
			}
		}
		return nil
	}))
	got := use(k.test, *a, *other)
	if got[0] != (service.AgentUse{Number: number.Number, Callable: true, Calls: 3, Talked: 90 * time.Second}) || got[1] != (service.AgentUse{Callable: true}) {
		t.Errorf("%+v", got)
	}
	gone := domain.NewID()
	zoe, err := k.CreateContact(t.Context(), k.test, people.ContactChange{FirstName: new("Zoë")}, nil)
	k.ok(err)
	met, err := k.Parties(t.Context(), k.test, domain.Call{AgentID: a.ID, ContactID: zoe.ID}, domain.Call{AgentID: gone, ContactID: gone}, domain.Call{}, domain.Call{AgentID: a.ID})
	k.ok(err)
	if len(met.Agents) != 2 || met.Agents[a.ID].Name != a.Name || met.Agents[gone] != nil || len(met.Contacts) != 2 || met.Contacts[zoe.ID].FirstName != "Zoë" {
		t.Errorf("%+v", met)
	}
}
