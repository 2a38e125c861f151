package service

import (
	"context"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/rule"
)

// AgentUse is what an agent has to call with, and what it did so far.
type AgentUse struct {
	Number   string // the oldest that belongs to it, or ""
	Callable bool   // it has a number to call from and something to say
	Calls    int
	Talked   time.Duration
}

// AgentUses returns the use of several agents of one scope, in their order. An
// agent without id, which is not stored, has no calls and no number of its own.
func (s *Service) AgentUses(ctx context.Context, in domain.Scope, agents []domain.Agent) ([]AgentUse, error) {
	return rule.View(ctx, &s.Kit, func(ctx context.Context, st *domain.Stores) ([]AgentUse, error) {
		ids := make([]domain.ID, len(agents))
		for i := range agents {
			ids[i] = agents[i].ID
		}
		did, err := st.Agents.Use(ctx, in, ids)
		if err != nil {
			return nil, err
		}
		numbers, spare, err := numbersByAgent(ctx, st, in)
		if err != nil {
			return nil, err
		}
		uses := make([]AgentUse, len(agents))
		for i := range agents {
			a := &agents[i]
			use := AgentUse{Number: numbers[a.ID], Calls: did[a.ID].Calls, Talked: did[a.ID].Talked}
			if use.Number != "" || spare {
				_, err := s.brain(ctx, st, in, a)
				if err != nil && domain.CodeOf(err) != domain.CodeInvalid {
					return nil, err
				}
				use.Callable = err == nil
			}
			uses[i] = use
		}
		return uses, nil
	})
}

// numbersByAgent returns the oldest number of each agent that has one, and
// whether the others may call from the sample number.
func numbersByAgent(ctx context.Context, st *domain.Stores, in domain.Scope) (numbers map[domain.ID]string, spare bool, err error) {
	numbers = make(map[domain.ID]string)
	err = rule.Scan(ctx, st.Numbers, in, numberID, func(n *domain.PhoneNumber) error {
		if n.AgentID != "" {
			numbers[n.AgentID] = n.Number // newest first: the last one stays
		}
		spare = spare || in.Mode == domain.Test && n.Number == SampleNumber
		return nil
	})
	return numbers, spare, err
}
