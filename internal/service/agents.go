package service

import (
	"context"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// The values that a new agent has when the request does not say.
const (
	DefaultLanguage     = "en-US"
	DefaultCallDuration = 600 * time.Second
)

// AgentChange is a new agent, or what is to change in one. Nil fields keep what
// is there (in a new agent: the defaults).
type AgentChange struct {
	Name            Change[string]
	IsActive        Change[bool]
	Voice           Change[string]
	Language        Change[string]
	Model           Change[string]
	SystemPrompt    Change[string]
	FirstMessage    Change[string]
	FlowID          Change[domain.ID] // "" takes the flow away
	Record          Change[bool]
	Variables       Change[map[string]any]
	MaxCallDuration Change[time.Duration]
	Extra           Change[map[string]any] // all of it
	IfVersion       int64                  // 0 for any
}

// CreateAgent makes an agent. It needs a name and one of a system prompt and a
// flow.
func (s *Service) CreateAgent(ctx context.Context, in domain.Scope, req AgentChange, once *Once[domain.Agent]) (*domain.Agent, error) {
	return effect(ctx, s, in, once, func(ctx context.Context, st *domain.Stores) (*domain.Agent, error) {
		w, err := st.Workspaces.Get(ctx, in.Workspace)
		if err != nil {
			return nil, err
		}
		have, err := st.Agents.Count(ctx, in)
		if err != nil {
			return nil, err
		}
		if err := room(w.Plan, w.Plan.Limits().Agents, have, "agents"); err != nil {
			return nil, err
		}
		now := s.clock()
		a := &domain.Agent{
			ID: domain.NewID(), WorkspaceID: in.Workspace, Mode: in.Mode, IsActive: true,
			Language: DefaultLanguage, Record: true, MaxCallDuration: DefaultCallDuration,
			Version: 1, CreatedAt: now, UpdatedAt: now,
		}
		if err := req.apply(ctx, st, in, a); err != nil {
			return nil, err
		}
		return a, st.Agents.Create(ctx, a)
	})
}

// UpdateAgent changes the fields of an agent that req names.
func (s *Service) UpdateAgent(ctx context.Context, in domain.Scope, id domain.ID, req AgentChange) (*domain.Agent, error) {
	return effect(ctx, s, in, nil, func(ctx context.Context, st *domain.Stores) (*domain.Agent, error) {
		a, err := st.Agents.Get(ctx, in, id)
		if err != nil {
			return nil, err
		}
		if err := at(req.IfVersion, a.Version); err != nil {
			return nil, err
		}
		if err := req.apply(ctx, st, in, a); err != nil {
			return nil, err
		}
		a.UpdatedAt = s.clock()
		return a, st.Agents.Update(ctx, a)
	})
}

// apply puts the changes into a and checks the whole.
func (req AgentChange) apply(ctx context.Context, st *domain.Stores, in domain.Scope, a *domain.Agent) error {
	set(&a.Name, req.Name)
	set(&a.IsActive, req.IsActive)
	set(&a.Voice, req.Voice)
	set(&a.Language, req.Language)
	set(&a.Model, req.Model)
	set(&a.SystemPrompt, req.SystemPrompt)
	set(&a.FirstMessage, req.FirstMessage)
	set(&a.FlowID, req.FlowID)
	set(&a.Record, req.Record)
	set(&a.Variables, req.Variables)
	set(&a.MaxCallDuration, req.MaxCallDuration)
	set(&a.Extra, req.Extra)
	err := first(
		name("name", a.Name), text("voice", a.Voice, maxName), text("model", a.Model, maxName),
		language("language", a.Language), text("systemPrompt", a.SystemPrompt, maxPrompt),
		text("firstMessage", a.FirstMessage, maxText), variables("variables", a.Variables), variables("extra", a.Extra),
		callDuration("maxCallDuration", a.MaxCallDuration),
	)
	if err != nil {
		return err
	}
	if a.SystemPrompt == "" && a.FlowID == "" {
		return domain.Invalid("systemPrompt", "an agent needs systemPrompt or flowId: without one it has nothing to say")
	}
	if req.FlowID != nil && a.FlowID != "" {
		_, err = st.Flows.Get(ctx, in, a.FlowID)
	}
	return err
}

// Agent returns one agent.
func (s *Service) Agent(ctx context.Context, in domain.Scope, id domain.ID) (*domain.Agent, error) {
	return view(ctx, s, func(ctx context.Context, st *domain.Stores) (*domain.Agent, error) {
		return st.Agents.Get(ctx, in, id)
	})
}

// Agents returns a page of agents, newest first, and the number of all.
func (s *Service) Agents(ctx context.Context, in domain.Scope, page domain.Page) ([]domain.Agent, int, error) {
	return listed(ctx, s, in, page, func(st *domain.Stores) domain.Collection[domain.Agent] { return st.Agents })
}

// DeleteAgent deletes an agent and takes it off the numbers that it answered.
// Calls that it had keep its id.
func (s *Service) DeleteAgent(ctx context.Context, in domain.Scope, id domain.ID, ifVersion int64) error {
	return s.store.InTx(ctx, domain.LaneAPI, func(ctx context.Context, st *domain.Stores) error {
		a, err := st.Agents.Get(ctx, in, id)
		if err != nil {
			return err
		}
		if err := at(ifVersion, a.Version); err != nil {
			return err
		}
		// First, so that nobody begins to use it meanwhile.
		if err := st.Agents.Delete(ctx, in, id); err != nil {
			return err
		}
		return scan(ctx, st.Numbers, in, numberID, func(n *domain.PhoneNumber) error {
			if n.AgentID != id {
				return nil
			}
			n.AgentID, n.UpdatedAt = "", s.clock()
			return st.Numbers.Update(ctx, n)
		})
	})
}

func agentID(a *domain.Agent) domain.ID { return a.ID }
