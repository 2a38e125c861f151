package service

import (
	"context"
	"slices"
	"strings"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/rule"
)

// giveNumbers makes the numbers with these ids the agent's own and takes others
// off it. nil changes nothing.
func (s *Service) giveNumbers(ctx context.Context, st *domain.Stores, in domain.Scope, agent domain.ID, ids rule.Change[[]domain.ID]) error {
	if ids == nil {
		return nil
	}
	for _, id := range *ids {
		if _, err := st.Numbers.Get(ctx, in, id); err != nil {
			return err
		}
	}
	return rule.Scan(ctx, st.Numbers, in, numberID, func(n *domain.PhoneNumber) error {
		switch wanted := slices.Contains(*ids, n.ID); {
		case wanted && n.AgentID != agent:
			n.AgentID = agent
		case !wanted && n.AgentID == agent:
			n.AgentID = ""
		default:
			return nil
		}
		n.UpdatedAt = s.Clock()
		return st.Numbers.Update(ctx, n)
	})
}

// NumbersByAgent returns the ids of the numbers that belong to agents, by agent,
// oldest first.
func (s *Service) NumbersByAgent(ctx context.Context, in domain.Scope) (map[domain.ID][]domain.ID, error) {
	return rule.View(ctx, &s.Kit, func(ctx context.Context, st *domain.Stores) (map[domain.ID][]domain.ID, error) {
		owned := make(map[domain.ID][]domain.ID)
		err := rule.Scan(ctx, st.Numbers, in, numberID, func(n *domain.PhoneNumber) error {
			if n.AgentID != "" {
				owned[n.AgentID] = append(owned[n.AgentID], n.ID)
			}
			return nil
		})
		for _, ids := range owned {
			slices.Reverse(ids)
		}
		return owned, err
	})
}

// giveFlow lets an agent talk by a flow; "" takes the flow off all agents. nil
// changes nothing.
func (s *Service) giveFlow(ctx context.Context, st *domain.Stores, in domain.Scope, flow domain.ID, to rule.Change[domain.ID]) error {
	if to == nil {
		return nil
	}
	if *to == "" {
		return s.takeFlow(ctx, st, in, flow)
	}
	a, err := st.Agents.Get(ctx, in, *to)
	if err != nil || a.FlowID == flow {
		return err
	}
	a.FlowID, a.UpdatedAt = flow, s.Clock()
	return st.Agents.Update(ctx, a)
}

// takeFlow takes a flow off the agents that talk by it.
func (s *Service) takeFlow(ctx context.Context, st *domain.Stores, in domain.Scope, flow domain.ID) error {
	return rule.Scan(ctx, st.Agents, in, agentID, func(a *domain.Agent) error {
		if a.FlowID != flow {
			return nil
		}
		a.FlowID, a.UpdatedAt = "", s.Clock()
		return st.Agents.Update(ctx, a)
	})
}

// AgentsByFlow returns the agents that talk by flows, by flow, oldest first.
func (s *Service) AgentsByFlow(ctx context.Context, in domain.Scope) (map[domain.ID][]domain.Agent, error) {
	return rule.View(ctx, &s.Kit, func(ctx context.Context, st *domain.Stores) (map[domain.ID][]domain.Agent, error) {
		talking := make(map[domain.ID][]domain.Agent)
		err := rule.Scan(ctx, st.Agents, in, agentID, func(a *domain.Agent) error {
			if a.FlowID != "" {
				talking[a.FlowID] = append(talking[a.FlowID], *a)
			}
			return nil
		})
		for _, agents := range talking {
			slices.Reverse(agents)
		}
		return talking, err
	})
}

// TakeFlow deletes a flow and takes it off the agents that talked by it: until
// they are given another they have only their prompts.
func (s *Service) TakeFlow(ctx context.Context, in domain.Scope, id domain.ID, ifVersion int64) error {
	return s.Store.InTx(ctx, domain.LaneAPI, func(ctx context.Context, st *domain.Stores) error {
		f, err := st.Flows.Get(ctx, in, id)
		if err != nil {
			return err
		}
		if err := rule.At(ifVersion, f.Version); err != nil {
			return err
		}
		// First, so that nobody begins to use it meanwhile.
		if err := st.Flows.Delete(ctx, in, id); err != nil {
			return err
		}
		return s.takeFlow(ctx, st, in, id)
	})
}

// AgentsNamed returns the ids of agents in whose names the words are, whatever
// the case, newest first; at most a page of them.
func (s *Service) AgentsNamed(ctx context.Context, in domain.Scope, words string) ([]domain.ID, error) {
	words = strings.ToLower(words)
	return rule.View(ctx, &s.Kit, func(ctx context.Context, st *domain.Stores) ([]domain.ID, error) {
		const most = 200
		var ids []domain.ID
		err := rule.Scan(ctx, st.Agents, in, agentID, func(a *domain.Agent) error {
			if len(ids) < most && strings.Contains(strings.ToLower(a.Name), words) {
				ids = append(ids, a.ID)
			}
			return nil
		})
		return ids, err
	})
}
