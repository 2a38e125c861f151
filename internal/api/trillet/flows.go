package trillet

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"slices"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
)

// Flow is a flow as this dialect's clients know it.
type Flow struct {
	Key                  domain.ID      `json:"_id"`
	ID                   domain.ID      `json:"id"`
	FlowID               domain.ID      `json:"flowId"`
	WorkspaceID          domain.ID      `json:"workspaceId"`
	Name                 string         `json:"name"`
	PromptType           string         `json:"promptType" doc:"simple: the flow talks by its prompt; flow: it has a graph."`
	Agent                any            `json:"agent" doc:"The id of the agent that talks by it; with populate=agent {_id, name}; null for none."`
	IsActive             bool           `json:"isActive" doc:"Calls use active flows only."`
	WelcomeMessage       string         `json:"welcomeMessage" enum:"user_initiated,ai_dynamic,ai_custom"`
	CustomWelcomeMessage string         `json:"customWelcomeMessage" doc:"The first words with ai_custom."`
	Prompt               string         `json:"prompt"`
	FlowData             map[string]any `json:"flowData" doc:"{nodes, edges}: the client's own drawing, or the graph of a flow with nodes of ours."`
	Settings             map[string]any `json:"settings"`
	CreatedAt            Stamp          `json:"createdAt"`
	UpdatedAt            Stamp          `json:"updatedAt"`
	Revision             int64          `json:"__v"`
}

// FlowFields are the fields of a new flow, or of a change to one. Other members
// are kept and shown again.
type FlowFields struct {
	Name                 wire.Opt[string]         `json:"name,omitzero" doc:"Required in a new flow."`
	Agent                wire.Opt[any]            `json:"agent,omitzero" doc:"The id of the agent that is to talk by it; null takes the flow off all agents."`
	Description          wire.Opt[string]         `json:"description,omitzero"`
	IsActive             wire.Opt[bool]           `json:"isActive,omitzero" doc:"true when not sent."`
	WelcomeMessage       wire.Opt[string]         `json:"welcomeMessage,omitzero" doc:"user_initiated when not sent, ai_custom when customWelcomeMessage is; or ai_dynamic."`
	CustomWelcomeMessage wire.Opt[string]         `json:"customWelcomeMessage,omitzero"`
	Prompt               wire.Opt[string]         `json:"prompt,omitzero" doc:"With placeholders {name} or {{name}}."`
	FlowData             wire.Opt[map[string]any] `json:"flowData,omitzero" doc:"{nodes, edges}: kept; nodes of our own types become the flow's graph."`
	Settings             wire.Opt[map[string]any] `json:"settings,omitzero" doc:"callSetting.maxCallDuration bounds calls, in seconds; the rest is kept."`
	Collections          wire.Opt[[]collection]   `json:"dynamicVariableCollections,omitzero" doc:"The variables of the default ones are the placeholders' first values."`
}

// collection is a set of variables; the members that nobody reads are kept.
type collection map[string]any

// flowsOwn are members of an answer that a request does not set.
var flowsOwn = []string{"_id", "id", "flowId", "workspaceId", "createdAt", "updatedAt", "__v"}

// usualFlow is what a flow shows where its client has said nothing.
var usualFlow = map[string]any{"description": "", "direction": "bidirectional", "isGlobal": false, "isPreConfigured": false}

type openFlow = Open[Flow]

func (f *face) flowRoutes(rt *wire.Router) {
	const path, one = Root + "/flows", Root + "/flows/{id}"
	all := append(ways("/flows"), append(ways("/call-flows"), Root+"/call-flows")...)
	each := append(ways("/flows/{id}"), append(ways("/call-flows/{id}"), Root+"/call-flows/{id}")...)
	wire.Handle(rt, wire.Route{Method: http.MethodGet, Path: path, ID: "list-flows", Scope: "flows:read", Summary: "List flows", Aliases: all}, f.listFlows)
	wire.Handle(rt, wire.Route{Method: http.MethodPost, Path: path, ID: "create-flow", Scope: "flows:write", Status: http.StatusCreated, Summary: "Create a flow", Aliases: all}, f.createFlow)
	wire.Handle(rt, wire.Route{Method: http.MethodGet, Path: one, ID: "get-flow", Scope: "flows:read", Summary: "Get a flow", Aliases: each}, f.getFlow)
	wire.Handle(rt, wire.Route{Method: http.MethodDelete, Path: one, ID: "delete-flow", Scope: "flows:write", Summary: "Delete a flow", Aliases: each}, f.deleteFlow)
	update(rt, wire.Route{Path: one, ID: "flow", Scope: "flows:write", Summary: "Update a flow", Aliases: each}, f.updateFlow)
}

// Populate is the query of answers that hold flows.
type Populate struct {
	Populate string `query:"populate" doc:"agent: show the agent as {_id, name}."`
}

func (f *face) listFlows(ctx context.Context, in *struct {
	Paging
	Populate
}) (*list[openFlow], error) {
	page, scope := in.rows(wire.DefaultLimit), wire.ScopeOf(ctx)
	rows, total, err := f.rules.Flows(ctx, scope, page)
	if err != nil {
		return nil, err
	}
	agents, err := f.rules.AgentsByFlow(ctx, scope)
	if err != nil {
		return nil, err
	}
	out := &list[openFlow]{PageHead: headOf(ctx, page, total), Body: make([]openFlow, len(rows))}
	for i := range rows {
		if out.Body[i], err = flow(&rows[i], agents[rows[i].ID], in.Populate.Populate); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (f *face) createFlow(ctx context.Context, in *struct{ Body wire.Loose[FlowFields] }) (*object[openFlow], error) {
	req, err := flowChange(&in.Body, nil)
	if err != nil {
		return nil, err
	}
	var agents []domain.Agent
	if req.AgentID != nil && *req.AgentID != "" {
		agents = []domain.Agent{{ID: *req.AgentID}}
	}
	render := func(fl *domain.Flow) any { return rendered{fl, agents} }
	fl, err := f.rules.CreateFlow(ctx, wire.ScopeOf(ctx), req, wire.Once(ctx, http.StatusCreated, render))
	if err != nil {
		return nil, err
	}
	body, err := flow(fl, agents, "")
	return reply(fl.Version, body), err
}

// rendered is a flow on its way to where an answer is stored.
type rendered struct {
	row    *domain.Flow
	agents []domain.Agent
}

// MarshalJSON prints what the client gets.
func (r rendered) MarshalJSON() ([]byte, error) {
	body, err := flow(r.row, r.agents, "")
	if err != nil {
		return nil, err
	}
	return body.MarshalJSON()
}

func (f *face) getFlow(ctx context.Context, in *struct {
	ByID
	Populate
}) (*object[openFlow], error) {
	fl, err := f.rules.Flow(ctx, wire.ScopeOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return f.flowReply(ctx, fl, in.Populate.Populate)
}

// flowReply is a flow with its agent.
func (f *face) flowReply(ctx context.Context, fl *domain.Flow, populate string) (*object[openFlow], error) {
	agents, err := f.rules.AgentsByFlow(ctx, wire.ScopeOf(ctx))
	if err != nil {
		return nil, err
	}
	body, err := flow(fl, agents[fl.ID], populate)
	return reply(fl.Version, body), err
}

func (f *face) updateFlow(ctx context.Context, in *struct {
	ByID
	wire.IfMatch
	Populate
	Body wire.Loose[FlowFields]
}) (*object[openFlow], error) {
	version, err := in.Version()
	if err != nil {
		return nil, err
	}
	fl, err := stored(version, func() (*domain.Flow, error) {
		have, err := f.rules.Flow(ctx, wire.ScopeOf(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		req, err := flowChange(&in.Body, have)
		if err != nil {
			return nil, err
		}
		req.IfVersion = cmp.Or(version, have.Version)
		return f.rules.UpdateFlow(ctx, wire.ScopeOf(ctx), in.ID, req)
	})
	if err != nil {
		return nil, err
	}
	return f.flowReply(ctx, fl, in.Populate.Populate)
}

func (f *face) deleteFlow(ctx context.Context, in *Removal) (*object[Deleted], error) {
	version, err := in.Version()
	if err != nil {
		return nil, err
	}
	if err := f.rules.TakeFlow(ctx, wire.ScopeOf(ctx), in.ID, version); err != nil {
		return nil, err
	}
	return &object[Deleted]{Body: Deleted{Message: "Flow deleted successfully", ID: in.ID, Deleted: true}}, nil
}

// flowChange translates what was sent into a new flow, have being nil, or a
// change to one.
func flowChange(body *wire.Loose[FlowFields], have *domain.Flow) (service.FlowChange, error) {
	b := &body.Value
	req := service.FlowChange{Name: b.Name.Given()}
	if active := b.IsActive.Given(); active != nil || have == nil {
		status := domain.FlowPublished
		if active != nil && !*active {
			status = domain.FlowDraft
		}
		req.Status = &status
	}
	d := draft{graph: newGraph(), kept: without(body.Extra, flowsOwn...), name: b.Name.Value, fresh: have == nil, unwritten: have == nil}
	if have != nil {
		var err error
		if d.graph, err = readGraph(have.Definition); err != nil {
			return req, err
		}
		d.kept, d.name = merged(have.Extra, d.kept), cmp.Or(d.name, have.Name)
		d.unwritten = d.graph.prompt() == unprompted(have.Name, have.Extra)
	}
	if err := d.take(b); err != nil {
		return req, err
	}
	var err error
	if req.Definition, err = d.graph.encode(); err != nil {
		return req, err
	}
	req.AgentID, err = linked(b.Agent, d.kept)
	if have == nil || len(have.Extra)+len(d.kept) > 0 {
		req.Extra = &d.kept
	}
	return req, err
}

// linked reads which agent is to talk by a flow: its id, or an object with it.
func linked(sent wire.Opt[any], kept map[string]any) (*domain.ID, error) {
	if !sent.Sent {
		return nil, nil
	}
	value := sent.Value
	if o, ok := value.(map[string]any); ok {
		value = o["_id"]
	}
	id, ok := value.(string)
	if !ok && value != nil {
		return nil, domain.Invalid("agent", "agent must be the id of an agent, or null")
	}
	delete(kept, "agent")
	if id != "" {
		kept["agent"] = id
	}
	agent := domain.ID(id)
	return &agent, nil
}

// flow renders a flow; agents are those that talk by it.
func flow(fl *domain.Flow, agents []domain.Agent, populate string) (openFlow, error) {
	g, err := readGraph(fl.Definition)
	if err != nil {
		return openFlow{}, err
	}
	kept := maps.Clone(usualFlow)
	maps.Copy(kept, fl.Extra)
	own := Flow{
		Key: fl.ID, ID: fl.ID, FlowID: fl.ID, WorkspaceID: fl.WorkspaceID, Name: fl.Name, PromptType: "simple",
		Agent: shownAgent(kept["agent"], agents, populate), IsActive: fl.Status == domain.FlowPublished,
		Prompt: asWritten(fl.Extra, "prompt", g.prompt()), FlowData: map[string]any{"nodes": []any{}, "edges": []any{}},
		Settings: shownSettings(g, fl.Extra), CreatedAt: Stamp(fl.CreatedAt), UpdatedAt: Stamp(fl.UpdatedAt), Revision: fl.Version - 1,
	}
	if g.prompt() == unprompted(fl.Name, fl.Extra) {
		own.Prompt = "" // nobody wrote one
	}
	own.WelcomeMessage, own.CustomWelcomeMessage = shownWelcome(g, fl.Extra)
	switch data, drawn := fl.Extra["flowData"].(map[string]any); {
	case g.talk() == nil:
		own.PromptType, own.FlowData = "flow", g.drawn()
	case drawn:
		own.FlowData = data
	}
	if word := text(fl.Extra["promptType"]); word != "" && g.talk() != nil {
		own.PromptType = word
	}
	return openFlow{Own: own, Kept: kept}, nil
}

// shownAgent is the agent that the client chose, as long as it talks by the
// flow, else the oldest that does.
func shownAgent(chosen any, agents []domain.Agent, populate string) any {
	if len(agents) == 0 {
		return nil
	}
	i := max(0, slices.IndexFunc(agents, func(a domain.Agent) bool { return string(a.ID) == chosen }))
	if populate == "agent" {
		return map[string]any{"_id": agents[i].ID, "name": agents[i].Name}
	}
	return agents[i].ID
}

// shownWelcome tells who begins, in the client's own words as long as these say
// what the graph does.
func shownWelcome(g graph, kept map[string]any) (word, words string) {
	word, words = g.welcome()
	wrote := text(kept["customWelcomeMessage"])
	if doubled(wrote) == words || words == "" {
		words = wrote
	}
	if chosen := text(kept["welcomeMessage"]); chosen == aiCustom && word == aiDynamic && words == "" {
		word = aiCustom // nothing to say was given
	}
	return word, words
}

// shownSettings are the client's settings with the graph's longest call.
func shownSettings(g graph, kept map[string]any) map[string]any {
	settings, _ := kept["settings"].(map[string]any)
	if longest := g.longest(); longest > 0 {
		return merged(settings, map[string]any{"callSetting": map[string]any{"maxCallDuration": longest}})
	}
	if settings == nil {
		return map[string]any{}
	}
	return settings
}
