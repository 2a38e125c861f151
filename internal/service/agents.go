package service

import (
	"context"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/rule"
)

// The values that a new agent has when the request does not say.
const (
	DefaultLanguage     = "en-US"
	DefaultCallDuration = 600 * time.Second
	DefaultOptOutKey    = "9"
)

// AgentChange is a new agent, or what is to change in one. Nil fields keep what
// is there (in a new agent: the defaults).
type AgentChange struct {
	Name            rule.Change[string]
	IsActive        rule.Change[bool]
	Voice           rule.Change[string]
	Language        rule.Change[string]
	Model           rule.Change[string]
	SystemPrompt    rule.Change[string]
	FirstMessage    rule.Change[string]
	FlowID          rule.Change[domain.ID] // "" takes the flow away
	Record          rule.Change[bool]
	Variables       rule.Change[map[string]any]
	MaxCallDuration rule.Change[time.Duration]
	OptOutKey       rule.Change[string]         // "" is none
	NumberIDs       rule.Change[[]domain.ID]    // the numbers that are to be the agent's, and no others
	Extra           rule.Change[map[string]any] // all of it
	Mute            bool                        // nothing to talk by is fine: it will be given a flow later
	IfVersion       int64                       // 0 for any
}

// CreateAgent makes an agent. It needs a name and, unless it is Mute, one of a
// system prompt and a flow.
func (s *Service) CreateAgent(ctx context.Context, in domain.Scope, req AgentChange, once *rule.Once[domain.Agent]) (*domain.Agent, error) {
	return rule.Effect(ctx, &s.Kit, in, once, func(ctx context.Context, st *domain.Stores) (*domain.Agent, error) {
		w, err := st.Workspaces.Get(ctx, in.Workspace)
		if err != nil {
			return nil, err
		}
		most := w.Plan.Limits().Agents
		have, err := ownAgents(ctx, st, in, most)
		if err != nil {
			return nil, err
		}
		if err := rule.Room(w.Plan, most, have, "agents"); err != nil {
			return nil, err
		}
		now := s.Clock()
		a := &domain.Agent{
			ID: domain.NewID(), WorkspaceID: in.Workspace, Mode: in.Mode, IsActive: true,
			Language: DefaultLanguage, Record: true, MaxCallDuration: DefaultCallDuration, OptOutKey: DefaultOptOutKey,
			Version: 1, CreatedAt: now, UpdatedAt: now,
		}
		if err := req.apply(ctx, st, in, a); err != nil {
			return nil, err
		}
		if err := req.speaks(a); err != nil {
			return nil, err
		}
		if err := st.Agents.Create(ctx, a); err != nil {
			return nil, err
		}
		return a, s.giveNumbers(ctx, st, in, a.ID, req.NumberIDs)
	})
}

// UpdateAgent changes the fields of an agent that req names.
func (s *Service) UpdateAgent(ctx context.Context, in domain.Scope, id domain.ID, req AgentChange) (*domain.Agent, error) {
	return rule.Effect(ctx, &s.Kit, in, nil, func(ctx context.Context, st *domain.Stores) (*domain.Agent, error) {
		a, err := st.Agents.Get(ctx, in, id)
		if err != nil {
			return nil, err
		}
		if err := rule.At(req.IfVersion, a.Version); err != nil {
			return nil, err
		}
		if err := req.apply(ctx, st, in, a); err != nil {
			return nil, err
		}
		if req.SystemPrompt != nil || req.FlowID != nil {
			if err := req.speaks(a); err != nil {
				return nil, err
			}
		}
		a.UpdatedAt = s.Clock()
		if err := st.Agents.Update(ctx, a); err != nil {
			return nil, err
		}
		return a, s.giveNumbers(ctx, st, in, a.ID, req.NumberIDs)
	})
}

// apply puts the changes into a and checks the whole.
func (req AgentChange) apply(ctx context.Context, st *domain.Stores, in domain.Scope, a *domain.Agent) error {
	rule.Set(&a.Name, req.Name)
	rule.Set(&a.IsActive, req.IsActive)
	rule.Set(&a.Voice, req.Voice)
	rule.Set(&a.Language, req.Language)
	rule.Set(&a.Model, req.Model)
	rule.Set(&a.SystemPrompt, req.SystemPrompt)
	rule.Set(&a.FirstMessage, req.FirstMessage)
	rule.Set(&a.FlowID, req.FlowID)
	rule.Set(&a.Record, req.Record)
	rule.Set(&a.Variables, req.Variables)
	rule.Set(&a.MaxCallDuration, req.MaxCallDuration)
	rule.Set(&a.OptOutKey, req.OptOutKey)
	rule.Set(&a.Extra, req.Extra)
	err := rule.First(
		rule.Name("name", a.Name), rule.Text("voice", a.Voice, rule.MaxName), rule.Text("model", a.Model, rule.MaxName),
		rule.Language("language", a.Language), rule.Text("systemPrompt", a.SystemPrompt, rule.MaxPrompt),
		rule.Text("firstMessage", a.FirstMessage, rule.MaxText), rule.Variables("variables", a.Variables), rule.Variables("extra", a.Extra),
		rule.CallDuration("maxCallDuration", a.MaxCallDuration), rule.Key("optOutKey", a.OptOutKey),
	)
	if err != nil {
		return err
	}
	if req.FlowID != nil && a.FlowID != "" {
		_, err = st.Flows.Get(ctx, in, a.FlowID)
	}
	return err
}

// speaks refuses an agent that has nothing to talk by.
func (req AgentChange) speaks(a *domain.Agent) error {
	if a.SystemPrompt != "" || a.FlowID != "" || req.Mute {
		return nil
	}
	return domain.Invalid("systemPrompt", "an agent needs systemPrompt or flowId: without one it has nothing to say")
}

// Agent returns one agent.
func (s *Service) Agent(ctx context.Context, in domain.Scope, id domain.ID) (*domain.Agent, error) {
	return rule.View(ctx, &s.Kit, func(ctx context.Context, st *domain.Stores) (*domain.Agent, error) {
		return st.Agents.Get(ctx, in, id)
	})
}

// Agents returns a page of agents, newest first, and the number of all.
func (s *Service) Agents(ctx context.Context, in domain.Scope, page domain.Page) ([]domain.Agent, int, error) {
	return rule.Listed(ctx, &s.Kit, in, page, func(st *domain.Stores) domain.Collection[domain.Agent] { return st.Agents })
}

// DeleteAgent deletes an agent and takes it off the numbers that it answered.
// Calls that it had keep its id.
func (s *Service) DeleteAgent(ctx context.Context, in domain.Scope, id domain.ID, ifVersion int64) error {
	return s.Store.InTx(ctx, domain.LaneAPI, func(ctx context.Context, st *domain.Stores) error {
		a, err := st.Agents.Get(ctx, in, id)
		if err != nil {
			return err
		}
		if err := rule.At(ifVersion, a.Version); err != nil {
			return err
		}
		// First, so that nobody begins to use it meanwhile.
		if err := st.Agents.Delete(ctx, in, id); err != nil {
			return err
		}
		return rule.Scan(ctx, st.Numbers, in, numberID, func(n *domain.PhoneNumber) error {
			if n.AgentID != id {
				return nil
			}
			n.AgentID, n.UpdatedAt = "", s.Clock()
			return st.Numbers.Update(ctx, n)
		})
	})
}

// ownAgents counts the agents of a scope, without samples once most are reached.
func ownAgents(ctx context.Context, st *domain.Stores, in domain.Scope, most int) (int, error) {
	have, err := st.Agents.Count(ctx, in)
	if err != nil || most == domain.Unlimited || have < most {
		return have, err
	}
	err = rule.Scan(ctx, st.Agents, in, agentID, func(a *domain.Agent) error {
		if a.Sample {
			have--
		}
		return nil
	})
	return have, err
}

func agentID(a *domain.Agent) domain.ID { return a.ID }
