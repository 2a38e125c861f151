package klen

import (
	"context"
	"math"
	"net/http"
	"time"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
)

// Agent is an agent.
type Agent struct {
	ID                domain.ID    `json:"id"`
	AssistantID       domain.ID    `json:"assistant_id" doc:"The same as id."`
	Name              string       `json:"name"`
	Role              string       `json:"role" enum:"inbound agent,outbound agent" doc:"inbound agent when calls to a phone number are its own."`
	PhoneNumber       *string      `json:"phone_number"`
	MinutesUsed       float64      `json:"minutes_used"`
	TotalCalls        int          `json:"total_calls"`
	Model             string       `json:"model"`
	VoiceID           string       `json:"voice_id"`
	CanMakeCalls      bool         `json:"can_make_calls"`
	ModelInstructions string       `json:"model_instructions"`
	CreatedAt         wire.Instant `json:"created_at"`
	UpdatedAt         wire.Instant `json:"updated_at"`
}

// Agents is a page of agents.
type Agents struct {
	Pages
	Agents     []Agent    `json:"agents"`
	NextCursor *domain.ID `json:"next_cursor" doc:"after_id of the next request; null at the end."`
}

// AgentFields are the fields of a new agent, or of a change to one.
type AgentFields struct {
	Name              wire.Opt[string] `json:"name,omitzero" doc:"Required in a new agent."`
	ModelInstructions wire.Opt[string] `json:"model_instructions,omitzero" doc:"Required in a new agent. {{variable_name}} stands for a context variable of the call."`
	VoiceID           wire.Opt[string] `json:"voice_id,omitzero" doc:"Any string; one that no engine has is kept, and calls use the default."`
	Model             wire.Opt[string] `json:"model,omitzero"`
}

// maxCall is how long a call of an agent may take that was made here.
const maxCall = time.Hour

// AgentByID is the input of a route for one agent.
type AgentByID struct {
	ID domain.ID `path:"id" doc:"The agent's id."`
}

type agentReply struct {
	wire.ETag
	Body Agent
}

var agentShape = naming(map[string]string{"systemPrompt": "model_instructions", "voice": "voice_id"})

func (f *face) agentRoutes(rt *wire.Router) {
	const path, one = Root + "/agents", Root + "/agents/{id}"
	wire.Handle(rt, wire.Route{Method: http.MethodGet, Path: path, ID: "list-agents", Scope: "agents:read", Summary: "List agents", Shape: agentShape}, f.listAgents)
	wire.Handle(rt, wire.Route{
		Method: http.MethodPost, Path: path, ID: "create-agent", Scope: "agents:write", Status: http.StatusCreated, Summary: "Create an agent",
		Aliases: []string{path + "/create"}, Shape: agentShape,
	}, f.createAgent)
	wire.Handle(rt, wire.Route{Method: http.MethodGet, Path: one, ID: "get-agent", Scope: "agents:read", Summary: "Get an agent", Shape: agentShape}, f.getAgent)
	update(rt, wire.Route{Path: one, ID: "agent", Scope: "agents:write", Summary: "Update an agent", Aliases: []string{one + "/update"}, Shape: agentShape}, f.updateAgent)
	wire.Handle(rt, wire.Route{
		Method: http.MethodDelete, Path: one, ID: "delete-agent", Scope: "agents:write", Summary: "Delete an agent",
		Aliases: []string{one + "/delete"}, Shape: agentShape,
	}, f.deleteAgent)
}

func (f *face) listAgents(ctx context.Context, in *struct{ Paging }) (*struct {
	PageHead
	Body Agents
}, error) {
	scope := wire.ScopeOf(ctx)
	window, err := in.window(defaultLimit)
	if err != nil {
		return nil, err
	}
	if in.whole() {
		window = domain.Page{} // all of them
	}
	rows, total, err := f.rules.Agents(ctx, scope, window)
	if err != nil {
		return nil, err
	}
	limit, next := len(rows), (*domain.ID)(nil)
	if window.Limit > 0 {
		limit = window.Limit - 1
		rows, next = cut(rows, window, func(a *domain.Agent) domain.ID { return a.ID })
	}
	uses, err := f.rules.AgentUses(ctx, scope, rows)
	if err != nil {
		return nil, err
	}
	body := Agents{Pages: in.head(limit, total), Agents: make([]Agent, len(rows)), NextCursor: next}
	for i := range rows {
		body.Agents[i] = agent(&rows[i], uses[i])
	}
	head := PageHead{Total: total}
	if !in.whole() {
		head = in.headers(ctx, body.Pages, next)
	}
	return &struct {
		PageHead
		Body Agents
	}{head, body}, nil
}

func (f *face) createAgent(ctx context.Context, in *struct{ Body wire.Loose[AgentFields] }) (*agentReply, error) {
	fields, scope := &in.Body.Value, wire.ScopeOf(ctx)
	if fields.ModelInstructions.Value == "" {
		return nil, domain.Invalid("model_instructions", "model_instructions is required: it says what the agent is to do")
	}
	req := fields.change()
	longest := maxCall
	req.MaxCallDuration = &longest
	// A new agent has no number and no calls; whether it can call is known before.
	uses, err := f.rules.AgentUses(ctx, scope, []domain.Agent{{IsActive: true, SystemPrompt: fields.ModelInstructions.Value}})
	if err != nil {
		return nil, err
	}
	a, err := f.rules.CreateAgent(ctx, scope, req, wire.Once(ctx, http.StatusCreated, func(a *domain.Agent) any { return agent(a, uses[0]) }))
	if err != nil {
		return nil, err
	}
	return &agentReply{wire.ETagOf(a.Version), agent(a, uses[0])}, nil
}

func (f *face) getAgent(ctx context.Context, in *AgentByID) (*agentReply, error) {
	return f.agentReply(ctx)(f.rules.Agent(ctx, wire.ScopeOf(ctx), in.ID))
}

func (f *face) updateAgent(ctx context.Context, in *struct {
	AgentByID
	wire.IfMatch
	Body wire.Loose[AgentFields]
}) (*agentReply, error) {
	req := in.Body.Value.change()
	var err error
	if req.IfVersion, err = in.Version(); err != nil {
		return nil, err
	}
	return f.agentReply(ctx)(f.rules.UpdateAgent(ctx, wire.ScopeOf(ctx), in.ID, req))
}

// agentReply renders an agent with its use.
func (f *face) agentReply(ctx context.Context) func(*domain.Agent, error) (*agentReply, error) {
	return func(a *domain.Agent, err error) (*agentReply, error) {
		if err != nil {
			return nil, err
		}
		uses, err := f.rules.AgentUses(ctx, wire.ScopeOf(ctx), []domain.Agent{*a})
		if err != nil {
			return nil, err
		}
		return &agentReply{wire.ETagOf(a.Version), agent(a, uses[0])}, nil
	}
}

func (f *face) deleteAgent(ctx context.Context, in *struct {
	AgentByID
	wire.IfMatch
}) (*removed, error) {
	version, err := in.Version()
	if err != nil {
		return nil, err
	}
	if err := f.rules.DeleteAgent(ctx, wire.ScopeOf(ctx), in.ID, version); err != nil {
		return nil, err
	}
	return gone(in.ID, "Agent deleted successfully"), nil
}

// change translates the fields.
func (b *AgentFields) change() service.AgentChange {
	return service.AgentChange{
		Name: b.Name.Change(), SystemPrompt: b.ModelInstructions.Change(), Voice: b.VoiceID.Change(), Model: b.Model.Change(),
	}
}

func agent(a *domain.Agent, use service.AgentUse) Agent {
	role := "outbound agent"
	if use.Number != "" {
		role = "inbound agent"
	}
	return Agent{
		ID: a.ID, AssistantID: a.ID, Name: a.Name, Role: role, PhoneNumber: orNull(use.Number),
		MinutesUsed: math.Round(use.Talked.Minutes()*100) / 100, TotalCalls: use.Calls, Model: a.Model, VoiceID: a.Voice,
		CanMakeCalls: use.Callable, ModelInstructions: a.SystemPrompt,
		CreatedAt: wire.Instant(a.CreatedAt), UpdatedAt: wire.Instant(a.UpdatedAt),
	}
}
