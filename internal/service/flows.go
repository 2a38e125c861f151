package service

import (
	"bytes"
	"context"
	"reflect"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/rule"
)

// FlowChange is a new flow, or what is to change in one. Nil fields keep what
// is there.
type FlowChange struct {
	Name       rule.Change[string]
	Status     rule.Change[domain.FlowStatus]
	Definition []byte                      // the graph as JSON; nil keeps it
	Extra      rule.Change[map[string]any] // all of it
	AgentID    rule.Change[domain.ID]      // the agent that is to talk by it, beside those that do; "" is none at all
	IfVersion  int64                       // 0 for any
}

// CreateFlow stores a flow after its graph was checked. It is a draft unless
// the request says published.
func (s *Service) CreateFlow(ctx context.Context, in domain.Scope, req FlowChange, once *rule.Once[domain.Flow]) (*domain.Flow, error) {
	if err := s.checkGraph(&req); err != nil {
		return nil, err
	}
	return rule.Effect(ctx, &s.Kit, in, once, func(ctx context.Context, st *domain.Stores) (*domain.Flow, error) {
		now := s.Clock()
		f := &domain.Flow{
			ID: domain.NewID(), WorkspaceID: in.Workspace, Mode: in.Mode,
			Status: domain.FlowDraft, Version: 1, CreatedAt: now, UpdatedAt: now,
		}
		if _, err := req.apply(f); err != nil {
			return nil, err
		}
		if err := st.Flows.Create(ctx, f); err != nil {
			return nil, err
		}
		return f, s.giveFlow(ctx, st, in, f.ID, req.AgentID)
	})
}

// UpdateFlow changes a flow. Each change makes a new version; calls keep the
// version that they began with. A change that changes nothing makes none.
func (s *Service) UpdateFlow(ctx context.Context, in domain.Scope, id domain.ID, req FlowChange) (*domain.Flow, error) {
	if err := s.checkGraph(&req); err != nil {
		return nil, err
	}
	return rule.Effect(ctx, &s.Kit, in, nil, func(ctx context.Context, st *domain.Stores) (*domain.Flow, error) {
		f, err := st.Flows.Get(ctx, in, id)
		if err != nil {
			return nil, err
		}
		if err := rule.At(req.IfVersion, f.Version); err != nil {
			return nil, err
		}
		changed, err := req.apply(f)
		if err != nil {
			return nil, err
		}
		if changed {
			f.UpdatedAt = s.Clock()
			if err := st.Flows.Update(ctx, f); err != nil {
				return nil, err
			}
		}
		return f, s.giveFlow(ctx, st, in, f.ID, req.AgentID)
	})
}

// checkGraph replaces the request's graph by its canonical form.
func (s *Service) checkGraph(req *FlowChange) error {
	if req.Definition == nil {
		return nil
	}
	canonical, err := s.checkFlow(req.Definition)
	if err != nil {
		return err
	}
	req.Definition = canonical
	return nil
}

// apply puts the changes into f, checks the whole, and reports whether anything
// changed.
func (req FlowChange) apply(f *domain.Flow) (changed bool, err error) {
	was := *f
	rule.Set(&f.Name, req.Name)
	rule.Set(&f.Status, req.Status)
	rule.Set(&f.Extra, req.Extra)
	if req.Definition != nil {
		f.Definition = req.Definition
	}
	err = rule.First(
		rule.Name("name", f.Name),
		rule.OneOf("status", string(f.Status), string(domain.FlowDraft), string(domain.FlowPublished)),
		rule.Blob("extra", f.Extra, rule.MaxGraph),
	)
	if err == nil && f.Definition == nil {
		err = domain.Invalid("nodes", "nodes is required: a flow needs at least one node")
	}
	changed = was.Name != f.Name || was.Status != f.Status || !bytes.Equal(was.Definition, f.Definition) || !reflect.DeepEqual(was.Extra, f.Extra)
	return changed, err
}

// Flow returns one flow.
func (s *Service) Flow(ctx context.Context, in domain.Scope, id domain.ID) (*domain.Flow, error) {
	return rule.View(ctx, &s.Kit, func(ctx context.Context, st *domain.Stores) (*domain.Flow, error) {
		return st.Flows.Get(ctx, in, id)
	})
}

// Flows returns a page of flows, newest first, and the number of all.
func (s *Service) Flows(ctx context.Context, in domain.Scope, page domain.Page) ([]domain.Flow, int, error) {
	return rule.Listed(ctx, &s.Kit, in, page, func(st *domain.Stores) domain.Collection[domain.Flow] { return st.Flows })
}

// DeleteFlow deletes a flow that no agent talks by. Calls that began with it
// keep their version.
func (s *Service) DeleteFlow(ctx context.Context, in domain.Scope, id domain.ID, ifVersion int64) error {
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
		return rule.Scan(ctx, st.Agents, in, agentID, func(a *domain.Agent) error {
			if a.FlowID != id {
				return nil
			}
			return domain.Errorf(domain.CodeConflict, "%s talks by this flow; give it another flow first, or delete it",
				rule.Label("agent", a.Name, a.ID))
		})
	})
}
