package service

import (
	"context"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/phone"
	"github.com/callwright/callwright/internal/service/outreach"
	"github.com/callwright/callwright/internal/service/rule"
)

// Workspace returns a workspace to somebody of it; another one is not found.
func (s *Service) Workspace(ctx context.Context, in domain.Scope, id domain.ID) (*domain.Workspace, error) {
	if id != in.Workspace {
		return nil, domain.NotFound("Workspace", id)
	}
	return rule.View(ctx, &s.Kit, func(ctx context.Context, st *domain.Stores) (*domain.Workspace, error) {
		return st.Workspaces.Get(ctx, id)
	})
}

// WorkspaceChange is what is to change in a workspace. Nil fields keep what is
// there.
type WorkspaceChange struct {
	Name           rule.Change[string]
	Timezone       rule.Change[string]
	Plan           rule.Change[domain.Plan]
	PricePerMinute rule.Change[domain.Money]
	Credits        rule.Change[*domain.Money] // a nil amount is no limit
	DailyBudget    rule.Change[*domain.Money] // a nil amount is no limit
	Regions        rule.Change[[]string]      // nil is those of the workspace's own numbers
	IfVersion      int64                      // 0 for any
}

// UpdateWorkspace changes the settings of a workspace that req names. Both modes
// share them, so that test mode may not.
func (s *Service) UpdateWorkspace(ctx context.Context, in domain.Scope, id domain.ID, req WorkspaceChange) (*domain.Workspace, error) {
	if id != in.Workspace {
		return nil, domain.NotFound("Workspace", id)
	}
	if in.Mode != domain.Live {
		return nil, domain.Errorf(domain.CodeForbidden, "a workspace cannot be changed in test mode, because live mode shares its settings; use a live key, without the sandbox")
	}
	defer s.ForgetKeys()
	return rule.Effect(ctx, &s.Kit, in, nil, func(ctx context.Context, st *domain.Stores) (*domain.Workspace, error) {
		w, err := st.Workspaces.Get(ctx, id)
		if err != nil {
			return nil, err
		}
		if err := rule.At(req.IfVersion, w.Version); err != nil {
			return nil, err
		}
		if err := req.apply(w); err != nil {
			return nil, err
		}
		w.UpdatedAt = s.Clock()
		if err := st.Workspaces.Update(ctx, w); err != nil {
			return nil, err
		}
		if req.Credits != nil {
			if err := st.Workspaces.SetCredits(ctx, id, *req.Credits); err != nil {
				return nil, err
			}
		}
		return st.Workspaces.Get(ctx, id)
	})
}

// apply puts the changes into w, but for the credits, and checks the whole.
func (req WorkspaceChange) apply(w *domain.Workspace) error {
	rule.Set(&w.Name, req.Name)
	rule.Set(&w.Timezone, req.Timezone)
	rule.Set(&w.Plan, req.Plan)
	rule.Set(&w.PricePerMinute, req.PricePerMinute)
	rule.Set(&w.DailyBudget, req.DailyBudget)
	if req.Timezone != nil {
		if _, err := phone.Zone(w.Timezone); err != nil || w.Timezone == "" {
			return domain.Invalid("timezone", "timezone must be a name of the tz database, such as Europe/Berlin")
		}
	}
	if req.Regions != nil {
		regions, err := outreach.CheckRegions(*req.Regions)
		if err != nil {
			return err
		}
		w.Regions = regions
	}
	if req.Credits != nil && *req.Credits != nil {
		if err := money("credits", **req.Credits, -domain.MaxMoney, domain.MaxMoney); err != nil {
			return err
		}
	}
	if w.DailyBudget != nil {
		if err := money("dailyBudget", *w.DailyBudget, 0, domain.MaxMoney); err != nil {
			return err
		}
	}
	return rule.First(rule.Name("name", w.Name), money("pricePerMinute", w.PricePerMinute, 0, domain.MaxPrice),
		rule.OneOf("plan", string(w.Plan), string(domain.Starter), string(domain.Professional), string(domain.Business), string(domain.Enterprise)))
}

// money checks an amount.
func money(field string, amount, least, most domain.Money) error {
	if amount < least || amount > most {
		return domain.Invalid(field, "%s must be from %d to %d", field, least/domain.Unit, most/domain.Unit)
	}
	return nil
}
