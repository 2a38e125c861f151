package native

import (
	"context"
	"net/http"
	"strconv"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
)

// Workspace is one business: what its plan lets it do, and what it may spend.
type Workspace struct {
	ID             domain.ID       `json:"id"`
	Name           string          `json:"name"`
	Timezone       string          `json:"timezone" doc:"A name of the tz database."`
	Plan           domain.Plan     `json:"plan" enum:"starter,professional,business,enterprise"`
	Limits         WorkspaceLimits `json:"limits" doc:"What the plan allows; null is no limit."`
	Credits        *float64        `json:"credits" doc:"What may still be spent on calls; null is no limit. Calls under way when it is used up bring it below zero."`
	DailyBudget    *float64        `json:"dailyBudget" doc:"What the calls that end on one day, by the clock of timezone, may cost in each mode; null is no limit."`
	PricePerMinute float64         `json:"pricePerMinute" doc:"Of an answered call, charged by the second."`
	Regions        []string        `json:"regions" nullable:"true" doc:"The regions that calls in live mode may reach, ISO 3166-1 codes; * is any; null is those of the workspace's own numbers."`
	CreatedAt      wire.Instant    `json:"createdAt"`
	UpdatedAt      wire.Instant    `json:"updatedAt"`
}

// WorkspaceLimits are a plan's.
type WorkspaceLimits struct {
	RequestsPerMinute *int `json:"requestsPerMinute"`
	Agents            *int `json:"agents"`
	Webhooks          *int `json:"webhooks"`
	ConcurrentCalls   *int `json:"concurrentCalls"`
}

// WorkspaceFields are the fields of a change to a workspace.
type WorkspaceFields struct {
	Name           wire.Opt[string]   `json:"name,omitzero"`
	Timezone       wire.Opt[string]   `json:"timezone,omitzero"`
	Plan           wire.Opt[string]   `json:"plan,omitzero" doc:"starter, professional, business or enterprise."`
	Credits        wire.Opt[float64]  `json:"credits,omitzero" doc:"Up to six decimals; null is no limit."`
	DailyBudget    wire.Opt[float64]  `json:"dailyBudget,omitzero" doc:"Up to six decimals; null is no limit."`
	PricePerMinute wire.Opt[float64]  `json:"pricePerMinute,omitzero" doc:"Up to six decimals."`
	Regions        wire.Opt[[]string] `json:"regions,omitzero" doc:"ISO 3166-1 codes, such as US and CA, or *, which is any; null is those of the workspace's own numbers."`
}

func (f *face) workspaceRoutes(rt *wire.Router) {
	const path, one = Root + "/workspaces", Root + "/workspaces/{id}"
	wire.Handle(rt, wire.Route{Method: http.MethodGet, Path: path, ID: "list-workspaces", Scope: "workspaces:read", Summary: "List the workspaces of the key: its own"}, f.listWorkspaces)
	wire.Handle(rt, wire.Route{Method: http.MethodGet, Path: one, ID: "get-workspace", Scope: "workspaces:read", Summary: "Get a workspace"}, f.getWorkspace)
	update(rt, wire.Route{Path: one, ID: "workspace", Scope: "workspaces:write", Summary: "Update a workspace; in live mode only"}, f.updateWorkspace)
}

func (f *face) listWorkspaces(ctx context.Context, in *wire.Paging) (*list[Workspace], error) {
	page := in.Page()
	w, err := f.rules.Workspace(ctx, wire.ScopeOf(ctx), wire.ScopeOf(ctx).Workspace)
	if err != nil {
		return nil, err
	}
	rows := []domain.Workspace{*w}
	if page.Offset > 0 {
		rows = nil
	}
	return listOf(ctx, page, 1, rows, workspace), nil
}

func (f *face) getWorkspace(ctx context.Context, in *ByID) (*object[Workspace], error) {
	w, err := f.rules.Workspace(ctx, wire.ScopeOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return workspaceReply(w), nil
}

func (f *face) updateWorkspace(ctx context.Context, in *struct {
	ByID
	wire.IfMatch
	Body WorkspaceFields
}) (*object[Workspace], error) {
	req, err := in.Body.change()
	if err != nil {
		return nil, err
	}
	if req.IfVersion, err = in.Version(); err != nil {
		return nil, err
	}
	w, err := f.rules.UpdateWorkspace(ctx, wire.ScopeOf(ctx), in.ID, req)
	if err != nil {
		return nil, err
	}
	return workspaceReply(w), nil
}

func (b *WorkspaceFields) change() (service.WorkspaceChange, error) {
	req := service.WorkspaceChange{Name: b.Name.Given(), Timezone: b.Timezone.Given()}
	if plan := b.Plan.Given(); plan != nil {
		req.Plan = new(domain.Plan(*plan))
	}
	if b.PricePerMinute.Given() != nil {
		price, err := wire.Amount("pricePerMinute", b.PricePerMinute.Value)
		if err != nil {
			return req, err
		}
		req.PricePerMinute = &price
	}
	if b.Regions.Sent {
		regions := b.Regions.Value
		if regions == nil && !b.Regions.Null {
			regions = []string{}
		}
		req.Regions = &regions
	}
	var err error
	if req.Credits, err = wire.Limit("credits", b.Credits); err != nil {
		return req, err
	}
	req.DailyBudget, err = wire.Limit("dailyBudget", b.DailyBudget)
	return req, err
}

func workspaceReply(w *domain.Workspace) *object[Workspace] {
	credits := ""
	if w.Credits != nil {
		credits = strconv.FormatInt(int64(*w.Credits), 10)
	}
	return &object[Workspace]{ETag: wire.ETagOf(w.Version, credits), Body: workspace(w)}
}

func workspace(w *domain.Workspace) Workspace {
	limits := w.Plan.Limits()
	out := Workspace{
		ID: w.ID, Name: w.Name, Timezone: w.Timezone, Plan: w.Plan, PricePerMinute: w.PricePerMinute.Units(), Regions: w.Regions,
		Credits: wire.Units(w.Credits), DailyBudget: wire.Units(w.DailyBudget),
		Limits: WorkspaceLimits{
			RequestsPerMinute: limitOf(limits.RequestsPerMinute), Agents: limitOf(limits.Agents),
			Webhooks: limitOf(limits.Endpoints), ConcurrentCalls: limitOf(limits.ConcurrentCalls),
		},
		CreatedAt: wire.Instant(w.CreatedAt), UpdatedAt: wire.Instant(w.UpdatedAt),
	}
	if w.UpdatedAt.IsZero() {
		out.UpdatedAt = out.CreatedAt
	}
	return out
}

func limitOf(limit int) *int {
	if limit == domain.Unlimited {
		return nil
	}
	return &limit
}

// costOf is what a call was charged, null before its end.
func costOf(c *domain.Call) *float64 {
	if !c.State.Ended() {
		return nil
	}
	return new(c.Cost.Units())
}
