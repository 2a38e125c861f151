package service

import (
	"context"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/rule"
)

// Parties are who speaks in calls, by their ids. Who is gone is nil.
type Parties struct {
	Agents   map[domain.ID]*domain.Agent
	Contacts map[domain.ID]*domain.Contact
}

// Parties returns the agents and contacts of calls.
func (s *Service) Parties(ctx context.Context, in domain.Scope, calls ...domain.Call) (Parties, error) {
	return rule.View(ctx, &s.Kit, func(ctx context.Context, st *domain.Stores) (Parties, error) {
		p := Parties{Agents: make(map[domain.ID]*domain.Agent), Contacts: make(map[domain.ID]*domain.Contact)}
		for i := range calls {
			if err := meet(ctx, in, calls[i].AgentID, p.Agents, st.Agents.Get); err != nil {
				return p, err
			}
			if err := meet(ctx, in, calls[i].ContactID, p.Contacts, st.Contacts.Get); err != nil {
				return p, err
			}
		}
		return p, nil
	})
}

// meet adds the object with an id to known, once; one that is gone as nil.
func meet[T any](ctx context.Context, in domain.Scope, id domain.ID, known map[domain.ID]*T,
	get func(context.Context, domain.Scope, domain.ID) (*T, error)) error {
	if _, met := known[id]; met || id == "" {
		return nil
	}
	v, err := get(ctx, in, id)
	if err != nil && domain.CodeOf(err) != domain.CodeNotFound {
		return err
	}
	known[id] = v
	return nil
}
