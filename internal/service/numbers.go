package service

import (
	"context"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/rule"
)

// NumberChange is a new phone number, or what is to change in one. Nil fields
// keep what is there.
type NumberChange struct {
	Number    rule.Change[string] // only for a new one
	TrunkID   rule.Change[domain.ID]
	AgentID   rule.Change[domain.ID]    // "" takes the agent off
	Hours     rule.Change[domain.Hours] // the zero value is always
	IfVersion int64                     // 0 for any
}

// CreateNumber adds a number of the workspace's own. It needs a trunk to go
// over, and belongs to the agent that it names.
func (s *Service) CreateNumber(ctx context.Context, in domain.Scope, req NumberChange, once *rule.Once[domain.PhoneNumber]) (*domain.PhoneNumber, error) {
	return rule.Effect(ctx, &s.Kit, in, once, func(ctx context.Context, st *domain.Stores) (*domain.PhoneNumber, error) {
		now := s.Clock()
		n := &domain.PhoneNumber{
			ID: domain.NewID(), WorkspaceID: in.Workspace, Mode: in.Mode, Version: 1, CreatedAt: now, UpdatedAt: now,
		}
		rule.Set(&n.Number, req.Number)
		if err := rule.Number("number", n.Number); err != nil {
			return nil, err
		}
		if err := req.apply(ctx, st, in, n); err != nil {
			return nil, err
		}
		have, err := st.Numbers.ByNumber(ctx, in, n.Number)
		switch {
		case err == nil:
			return nil, domain.Errorf(domain.CodeConflict, "the number is already there with id %s; update that one", have.ID)
		case domain.CodeOf(err) != domain.CodeNotFound:
			return nil, err
		}
		return n, st.Numbers.Create(ctx, n)
	})
}

// UpdateNumber changes the trunk or the agent of a number.
func (s *Service) UpdateNumber(ctx context.Context, in domain.Scope, id domain.ID, req NumberChange) (*domain.PhoneNumber, error) {
	return rule.Effect(ctx, &s.Kit, in, nil, func(ctx context.Context, st *domain.Stores) (*domain.PhoneNumber, error) {
		n, err := st.Numbers.Get(ctx, in, id)
		if err != nil {
			return nil, err
		}
		if err := rule.At(req.IfVersion, n.Version); err != nil {
			return nil, err
		}
		if req.Number != nil && *req.Number != n.Number {
			return nil, domain.Invalid("number", "number cannot be changed; delete this one and create another")
		}
		if err := req.apply(ctx, st, in, n); err != nil {
			return nil, err
		}
		n.UpdatedAt = s.Clock()
		return n, st.Numbers.Update(ctx, n)
	})
}

// apply puts the changes into n and checks that what they name is there.
func (req NumberChange) apply(ctx context.Context, st *domain.Stores, in domain.Scope, n *domain.PhoneNumber) error {
	rule.Set(&n.TrunkID, req.TrunkID)
	rule.Set(&n.AgentID, req.AgentID)
	if n.TrunkID == "" {
		return domain.Invalid("trunkId", "trunkId is required: the trunk over which calls from this number go")
	}
	if req.TrunkID != nil {
		if _, err := st.Trunks.Get(ctx, in, n.TrunkID); err != nil {
			return err
		}
	}
	if req.AgentID != nil && n.AgentID != "" {
		if _, err := st.Agents.Get(ctx, in, n.AgentID); err != nil {
			return err
		}
	}
	if req.Hours == nil {
		return nil
	}
	if n.Hours = *req.Hours; n.Hours.Always() {
		n.Hours = domain.Hours{}
		return nil
	}
	return checkHours(ctx, st, in, &n.Hours)
}

// Number returns one of the workspace's own numbers.
func (s *Service) Number(ctx context.Context, in domain.Scope, id domain.ID) (*domain.PhoneNumber, error) {
	return rule.View(ctx, &s.Kit, func(ctx context.Context, st *domain.Stores) (*domain.PhoneNumber, error) {
		return st.Numbers.Get(ctx, in, id)
	})
}

// Numbers returns a page of numbers, newest first, and the number of all.
func (s *Service) Numbers(ctx context.Context, in domain.Scope, page domain.Page) ([]domain.PhoneNumber, int, error) {
	return rule.Listed(ctx, &s.Kit, in, page, func(st *domain.Stores) domain.Collection[domain.PhoneNumber] { return st.Numbers })
}

// DeleteNumber deletes a number. Calls over it keep its id.
func (s *Service) DeleteNumber(ctx context.Context, in domain.Scope, id domain.ID, ifVersion int64) error {
	return s.Store.InTx(ctx, domain.LaneAPI, func(ctx context.Context, st *domain.Stores) error {
		n, err := st.Numbers.Get(ctx, in, id)
		if err != nil {
			return err
		}
		if err := rule.At(ifVersion, n.Version); err != nil {
			return err
		}
		return st.Numbers.Delete(ctx, in, id)
	})
}

func numberID(n *domain.PhoneNumber) domain.ID { return n.ID }
