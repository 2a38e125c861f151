package native

import (
	"context"
	"net/http"
	"time"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
)

// AgentItem is an agent in a list.
type AgentItem struct {
	ID           domain.ID    `json:"id"`
	Name         string       `json:"name"`
	IsActive     bool         `json:"isActive"`
	Voice        string       `json:"voice"`
	FirstMessage string       `json:"firstMessage"`
	CreatedAt    wire.Instant `json:"createdAt"`
}

// Agent is an agent by itself.
type Agent struct {
	AgentItem
	SystemPrompt    string         `json:"systemPrompt"`
	Language        string         `json:"language"`
	MaxCallDuration int64          `json:"maxCallDuration" doc:"Seconds."`
	OptOutKey       *string        `json:"optOutKey" doc:"Who is called presses it, while the flow does not listen for keys, and is not called again; null for none."`
	FlowID          *domain.ID     `json:"flowId" doc:"The flow that the agent talks by; a published one wins over systemPrompt."`
	Model           string         `json:"model"`
	Record          bool           `json:"record"`
	Variables       map[string]any `json:"variables"`
	UpdatedAt       wire.Instant   `json:"updatedAt"`
}

// AgentFields are the fields of a new agent, or of a change to one.
type AgentFields struct {
	Name            wire.Opt[string]         `json:"name,omitzero"`
	SystemPrompt    wire.Opt[string]         `json:"systemPrompt,omitzero" doc:"A new agent needs this or flowId."`
	FirstMessage    wire.Opt[string]         `json:"firstMessage,omitzero"`
	Voice           wire.Opt[string]         `json:"voice,omitzero" doc:"Any string; one that no engine has is kept, and calls use the default."`
	Language        wire.Opt[string]         `json:"language,omitzero" doc:"BCP 47; en-US when not sent."`
	MaxCallDuration wire.Opt[int64]          `json:"maxCallDuration,omitzero" doc:"Seconds; 600 when not sent."`
	OptOutKey       wire.Opt[string]         `json:"optOutKey,omitzero" doc:"9 when not sent; null for none."`
	IsActive        wire.Opt[bool]           `json:"isActive,omitzero" doc:"true when not sent."`
	FlowID          wire.Opt[domain.ID]      `json:"flowId,omitzero" doc:"null takes the flow away."`
	Model           wire.Opt[string]         `json:"model,omitzero"`
	Record          wire.Opt[bool]           `json:"record,omitzero" doc:"true when not sent."`
	Variables       wire.Opt[map[string]any] `json:"variables,omitzero"`
}

func (f *face) agentRoutes(rt *wire.Router) {
	const path, one = Root + "/agents", Root + "/agents/{id}"
	wire.Handle(rt, wire.Route{Method: http.MethodGet, Path: path, ID: "list-agents", Scope: "agents:read", Summary: "List agents"}, f.listAgents)
	wire.Handle(rt, wire.Route{Method: http.MethodPost, Path: path, ID: "create-agent", Scope: "agents:write", Status: http.StatusCreated, Summary: "Create an agent"}, f.createAgent)
	wire.Handle(rt, wire.Route{Method: http.MethodGet, Path: one, ID: "get-agent", Scope: "agents:read", Summary: "Get an agent"}, f.getAgent)
	wire.Handle(rt, wire.Route{Method: http.MethodDelete, Path: one, ID: "delete-agent", Scope: "agents:write", Summary: "Delete an agent"}, f.deleteAgent)
	update(rt, wire.Route{Path: one, ID: "agent", Scope: "agents:write", Summary: "Update an agent"}, f.updateAgent)
}

func (f *face) listAgents(ctx context.Context, in *wire.Paging) (*list[AgentItem], error) {
	page := in.Page()
	rows, total, err := f.rules.Agents(ctx, wire.ScopeOf(ctx), page)
	if err != nil {
		return nil, err
	}
	return listOf(ctx, page, total, rows, agentItem), nil
}

func (f *face) createAgent(ctx context.Context, in *struct{ Body AgentFields }) (*object[Agent], error) {
	a, err := f.rules.CreateAgent(ctx, wire.ScopeOf(ctx), in.Body.change(), wire.Once(ctx, http.StatusCreated, agentBody))
	if err != nil {
		return nil, err
	}
	return reply(a.Version, agent(a)), nil
}

func (f *face) getAgent(ctx context.Context, in *ByID) (*object[Agent], error) {
	a, err := f.rules.Agent(ctx, wire.ScopeOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return reply(a.Version, agent(a)), nil
}

func (f *face) updateAgent(ctx context.Context, in *struct {
	ByID
	wire.IfMatch
	Body AgentFields
}) (*object[Agent], error) {
	req := in.Body.change()
	var err error
	if req.IfVersion, err = in.Version(); err != nil {
		return nil, err
	}
	if err := in.Body.notNull(); err != nil {
		return nil, err
	}
	a, err := f.rules.UpdateAgent(ctx, wire.ScopeOf(ctx), in.ID, req)
	if err != nil {
		return nil, err
	}
	return reply(a.Version, agent(a)), nil
}

func (f *face) deleteAgent(ctx context.Context, in *Removal) (*object[Deleted], error) {
	return remove(ctx, in, f.rules.DeleteAgent)
}

// change translates the fields.
func (b *AgentFields) change() service.AgentChange {
	req := service.AgentChange{
		Name: b.Name.Given(), IsActive: b.IsActive.Given(), Record: b.Record.Given(), Language: b.Language.Given(),
		Voice: b.Voice.Change(), Model: b.Model.Change(), SystemPrompt: b.SystemPrompt.Change(),
		FirstMessage: b.FirstMessage.Change(), FlowID: b.FlowID.Change(), Variables: b.Variables.Change(),
		OptOutKey: b.OptOutKey.Change(),
	}
	if d := b.MaxCallDuration.Given(); d != nil {
		req.MaxCallDuration = lasting(*d)
	}
	return req
}

// notNull refuses a null where a field must have a value.
func (b *AgentFields) notNull() error {
	for _, f := range []struct {
		name string
		null bool
	}{
		{"name", b.Name.Null}, {"isActive", b.IsActive.Null}, {"record", b.Record.Null},
		{"language", b.Language.Null}, {"maxCallDuration", b.MaxCallDuration.Null},
	} {
		if err := notNull(f.name, f.null); err != nil {
			return err
		}
	}
	return nil
}

// lasting is seconds as a duration; more than a duration can hold is its
// longest, which no rule allows.
func lasting(seconds int64) *time.Duration {
	const most = int64(1<<63-1) / int64(time.Second)
	d := time.Duration(min(max(seconds, -most), most)) * time.Second
	return &d
}

func agentItem(a *domain.Agent) AgentItem {
	return AgentItem{
		ID: a.ID, Name: a.Name, IsActive: a.IsActive, Voice: a.Voice,
		FirstMessage: a.FirstMessage, CreatedAt: wire.Instant(a.CreatedAt),
	}
}

func agent(a *domain.Agent) Agent {
	return Agent{
		AgentItem: agentItem(a), SystemPrompt: a.SystemPrompt, Language: a.Language,
		MaxCallDuration: int64(a.MaxCallDuration / time.Second), OptOutKey: orNull(a.OptOutKey), FlowID: orNull(a.FlowID), Model: a.Model,
		Record: a.Record, Variables: orEmpty(a.Variables), UpdatedAt: wire.Instant(a.UpdatedAt),
	}
}

func agentBody(a *domain.Agent) any { return agent(a) }

// orEmpty makes nil variables an empty object.
func orEmpty(m map[string]any) map[string]any {
	if m == nil {
		return map[string]any{}
	}
	return m
}
