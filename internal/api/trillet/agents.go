package trillet

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
	"github.com/callwright/callwright/internal/service/rule"
)

// callDuration is the longest that a call takes when nothing says otherwise.
const callDuration = time.Hour

// Agent is an agent as this dialect's clients know it. One thing may have
// several names: clients of different ages read different ones.
type Agent struct {
	Key             domain.ID      `json:"_id"`
	ID              domain.ID      `json:"id"`
	AgentID         domain.ID      `json:"agentId"`
	WorkspaceID     domain.ID      `json:"workspaceId"`
	UserID          domain.ID      `json:"userId" doc:"The workspace: it owns the agent."`
	Name            string         `json:"name"`
	TTSModel        Open[TTSModel] `json:"ttsModel"`
	Voice           Voice          `json:"voice" doc:"Of ttsModel."`
	TTSProvider     string         `json:"ttsProvider" doc:"Of ttsModel."`
	TTSVoice        string         `json:"ttsVoice" doc:"Of ttsModel."`
	TTSLanguage     string         `json:"ttsLanguage" doc:"Of ttsModel."`
	LLMModel        string         `json:"llmModel" doc:"default when none was chosen."`
	Model           string         `json:"model" doc:"The same as llmModel."`
	SystemPrompt    string         `json:"systemPrompt"`
	FirstMessage    string         `json:"firstMessage"`
	Pathway         *domain.ID     `json:"pathway" doc:"The flow that the agent talks by."`
	FlowID          *domain.ID     `json:"flowId" doc:"The same as pathway."`
	PhoneNumberIDs  []domain.ID    `json:"phoneNumberIds" doc:"The agent's own numbers."`
	Variables       map[string]any `json:"variables"`
	Language        string         `json:"language"`
	IsActive        bool           `json:"isActive"`
	Record          bool           `json:"record"`
	MaxCallDuration int64          `json:"maxCallDuration" doc:"Seconds."`
	Status          string         `json:"status" enum:"ready,inactive"`
	ActiveSessions  []any          `json:"activeSessions"`
	CreatedAt       Stamp          `json:"createdAt"`
	UpdatedAt       Stamp          `json:"updatedAt"`
	Revision        int64          `json:"__v"`
}

// AgentFields are the fields of a new agent, or of a change to one. Other members
// are kept and shown again.
type AgentFields struct {
	Name            wire.Opt[string]         `json:"name,omitzero" doc:"Required in a new agent."`
	TTSModel        wire.Opt[map[string]any] `json:"ttsModel,omitzero" doc:"{provider, voiceId, language}; other members are kept."`
	Voice           wire.Opt[map[string]any] `json:"voice,omitzero" doc:"{provider, voiceId}: the same as ttsModel."`
	TTSProvider     wire.Opt[string]         `json:"ttsProvider,omitzero" doc:"The same as ttsModel.provider."`
	TTSVoice        wire.Opt[string]         `json:"ttsVoice,omitzero" doc:"The same as ttsModel.voiceId."`
	TTSLanguage     wire.Opt[string]         `json:"ttsLanguage,omitzero" doc:"The same as ttsModel.language."`
	LLMModel        wire.Opt[string]         `json:"llmModel,omitzero"`
	Model           wire.Opt[string]         `json:"model,omitzero" doc:"The same as llmModel."`
	SystemPrompt    wire.Opt[string]         `json:"systemPrompt,omitzero" doc:"What the agent talks by when it has no active flow."`
	FirstMessage    wire.Opt[string]         `json:"firstMessage,omitzero"`
	Pathway         wire.Opt[domain.ID]      `json:"pathway,omitzero" doc:"The flow to talk by; null takes it away."`
	FlowID          wire.Opt[domain.ID]      `json:"flowId,omitzero" doc:"The same as pathway."`
	PhoneNumberIDs  wire.Opt[[]domain.ID]    `json:"phoneNumberIds,omitzero" doc:"The numbers that are to be the agent's own, and no others."`
	Variables       wire.Opt[map[string]any] `json:"variables,omitzero"`
	Language        wire.Opt[string]         `json:"language,omitzero" doc:"BCP 47: the same as ttsModel.language."`
	IsActive        wire.Opt[bool]           `json:"isActive,omitzero"`
	Record          wire.Opt[bool]           `json:"record,omitzero" doc:"true when not sent."`
	MaxCallDuration wire.Opt[int64]          `json:"maxCallDuration,omitzero" doc:"Seconds; 3600 when not sent."`
}

// agentsOwn are members of an answer that a request does not set.
var agentsOwn = []string{"_id", "id", "agentId", "workspaceId", "userId", "status", "activeSessions", "createdAt", "updatedAt", "__v"}

// usualAgent is what an agent shows where its client has said nothing.
var usualAgent = map[string]any{
	"type": "voice", "settings": map[string]any{}, "smartCallback": false,
	"maxAttemptsForSmartCallback": 5, "gapBetweenEachAttemptForSmartCallback": []any{},
}

func (f *face) agentRoutes(rt *wire.Router) {
	const path, one = Root + "/agents", Root + "/agents/{id}"
	all, each := ways("/agents"), ways("/agents/{id}")
	wire.Handle(rt, wire.Route{Method: http.MethodGet, Path: path, ID: "list-agents", Scope: "agents:read", Summary: "List agents", Aliases: all}, f.listAgents)
	wire.Handle(rt, wire.Route{Method: http.MethodPost, Path: path, ID: "create-agent", Scope: "agents:write", Status: http.StatusCreated, Summary: "Create an agent", Aliases: all}, f.createAgent)
	wire.Handle(rt, wire.Route{Method: http.MethodGet, Path: one, ID: "get-agent", Scope: "agents:read", Summary: "Get an agent", Aliases: each}, f.getAgent)
	wire.Handle(rt, wire.Route{Method: http.MethodDelete, Path: one, ID: "delete-agent", Scope: "agents:write", Summary: "Delete an agent", Aliases: each}, f.deleteAgent)
	update(rt, wire.Route{Path: one, ID: "agent", Scope: "agents:write", Summary: "Update an agent", Aliases: each}, f.updateAgent)
}

type openAgent = Open[Agent]

func (f *face) listAgents(ctx context.Context, in *Paging) (*list[openAgent], error) {
	page, scope := in.rows(wire.DefaultLimit), wire.ScopeOf(ctx)
	rows, total, err := f.rules.Agents(ctx, scope, page)
	if err != nil {
		return nil, err
	}
	numbers, err := f.rules.NumbersByAgent(ctx, scope)
	if err != nil {
		return nil, err
	}
	return listOf(ctx, page, total, rows, func(a *domain.Agent) openAgent { return agent(a, numbers[a.ID]) }), nil
}

func (f *face) createAgent(ctx context.Context, in *struct{ Body wire.Loose[AgentFields] }) (*object[openAgent], error) {
	req, err := agentChange(&in.Body, nil)
	if err != nil {
		return nil, err
	}
	var numbers []domain.ID
	if req.NumberIDs != nil {
		numbers = *req.NumberIDs
	}
	render := func(a *domain.Agent) any { return agent(a, numbers) }
	a, err := f.rules.CreateAgent(ctx, wire.ScopeOf(ctx), req, wire.Once(ctx, http.StatusCreated, render))
	if err != nil {
		return nil, err
	}
	return reply(a.Version, agent(a, numbers)), nil
}

func (f *face) getAgent(ctx context.Context, in *ByID) (*object[openAgent], error) {
	a, err := f.rules.Agent(ctx, wire.ScopeOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return f.agentReply(ctx, a)
}

// agentReply is an agent with its numbers.
func (f *face) agentReply(ctx context.Context, a *domain.Agent) (*object[openAgent], error) {
	numbers, err := f.rules.NumbersByAgent(ctx, wire.ScopeOf(ctx))
	if err != nil {
		return nil, err
	}
	return reply(a.Version, agent(a, numbers[a.ID])), nil
}

func (f *face) updateAgent(ctx context.Context, in *struct {
	ByID
	wire.IfMatch
	Body wire.Loose[AgentFields]
}) (*object[openAgent], error) {
	version, err := in.Version()
	if err != nil {
		return nil, err
	}
	a, err := stored(version, func() (*domain.Agent, error) {
		have, err := f.rules.Agent(ctx, wire.ScopeOf(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		req, err := agentChange(&in.Body, have)
		if err != nil {
			return nil, err
		}
		req.IfVersion = cmp.Or(version, have.Version)
		return f.rules.UpdateAgent(ctx, wire.ScopeOf(ctx), in.ID, req)
	})
	if err != nil {
		return nil, err
	}
	return f.agentReply(ctx, a)
}

func (f *face) deleteAgent(ctx context.Context, in *Removal) (*object[Deleted], error) {
	version, err := in.Version()
	if err != nil {
		return nil, err
	}
	if err := f.rules.DeleteAgent(ctx, wire.ScopeOf(ctx), in.ID, version); err != nil {
		return nil, err
	}
	return &object[Deleted]{Body: Deleted{Message: "Agent deleted successfully", ID: in.ID, Deleted: true}}, nil
}

// agentChange translates what was sent into a new agent, have being nil, or a
// change to one.
func agentChange(body *wire.Loose[AgentFields], have *domain.Agent) (service.AgentChange, error) {
	b, fresh := &body.Value, have == nil
	req := service.AgentChange{
		Mute: true, Name: b.Name.Given(), IsActive: b.IsActive.Given(), Record: b.Record.Given(),
		Variables: b.Variables.Change(), NumberIDs: b.PhoneNumberIDs.Change(),
	}
	if fresh {
		have = &domain.Agent{Language: service.DefaultLanguage}
		longest := callDuration
		req.MaxCallDuration = &longest
	}
	if d := b.MaxCallDuration.Given(); d != nil {
		longest := time.Duration(min(max(*d, -1), 1<<30)) * time.Second
		req.MaxCallDuration = &longest
	}
	if req.NumberIDs != nil {
		ids := slices.Compact(slices.Sorted(slices.Values(*req.NumberIDs)))
		req.NumberIDs = &ids
	}
	req.FlowID = first(have.FlowID, b.Pathway.Change(), b.FlowID.Change())
	if model := first(cmp.Or(have.Model, usual), b.LLMModel.Change(), b.Model.Change()); model != nil {
		stored := *model
		if stored == usual {
			stored = ""
		}
		req.Model = &stored
	}
	kept := merged(have.Extra, without(body.Extra, agentsOwn...))
	if fresh {
		kept = without(body.Extra, agentsOwn...)
	}
	req.SystemPrompt = written(kept, "systemPrompt", b.SystemPrompt)
	req.FirstMessage = written(kept, "firstMessage", b.FirstMessage)
	if err := b.speak(&req, kept, have); err != nil {
		return req, err
	}
	req.Extra = &kept
	return req, nil
}

// written takes a text whose placeholders are the dialect's, and keeps it as it
// was written where that is not how it is stored.
func written(kept map[string]any, name string, sent wire.Opt[string]) *string {
	text := sent.Change()
	if text == nil {
		return nil
	}
	delete(kept, name)
	stored := doubled(*text)
	if stored != *text {
		kept[name] = *text
	}
	return &stored
}

// speak takes voice and language out of the places where clients put them.
func (b *AgentFields) speak(req *service.AgentChange, kept map[string]any, have *domain.Agent) error {
	old := map[string]any{}
	if b.TTSProvider.Sent {
		old["provider"] = b.TTSProvider.Value
	}
	if b.TTSVoice.Sent {
		old["voiceId"] = b.TTSVoice.Value
	}
	now := voiceOf(have.Voice)
	for _, sent := range []struct {
		field  string
		object map[string]any
	}{{"ttsModel", b.TTSModel.Value}, {"voice", b.Voice.Value}, {"agent", old}} {
		voice, err := now.over(sent.field, sent.object)
		if err != nil {
			return err
		}
		if voice != now && req.Voice == nil {
			stored := voice.stored()
			req.Voice = &stored
		}
	}
	spoken, err := textMember("ttsModel", "language", b.TTSModel.Value)
	if err != nil {
		return err
	}
	rest := []string{"provider", "voiceId", "language"}
	if spoken != nil && !rule.LanguageTag(*spoken) {
		spoken, rest = nil, rest[:2] // a word of the engine's own: kept, and nothing else
	}
	req.Language = first(have.Language, spoken, b.Language.Given(), b.TTSLanguage.Given())
	if b.TTSModel.Sent {
		before, _ := have.Extra["ttsModel"].(map[string]any)
		kept["ttsModel"] = merged(without(before, rest...), without(b.TTSModel.Value, rest...))
	}
	return nil
}

// agent renders an agent with the ids of its numbers.
func agent(a *domain.Agent, numbers []domain.ID) openAgent {
	kept := maps.Clone(usualAgent)
	maps.Copy(kept, a.Extra)
	tts, _ := kept["ttsModel"].(map[string]any)
	model := TTSModel{Voice: voiceOf(a.Voice), Language: a.Language}
	if word, ok := tts["language"].(string); ok {
		model.Language = word
	}
	own := Agent{
		Key: a.ID, ID: a.ID, AgentID: a.ID, WorkspaceID: a.WorkspaceID, UserID: a.WorkspaceID, Name: a.Name,
		TTSModel: Open[TTSModel]{Own: model, Kept: tts}, Voice: model.Voice,
		TTSProvider: model.Provider, TTSVoice: model.VoiceID, TTSLanguage: a.Language,
		LLMModel: cmp.Or(a.Model, usual), Model: cmp.Or(a.Model, usual),
		SystemPrompt: asWritten(a.Extra, "systemPrompt", a.SystemPrompt), FirstMessage: asWritten(a.Extra, "firstMessage", a.FirstMessage),
		Pathway: orNull(a.FlowID), FlowID: orNull(a.FlowID), PhoneNumberIDs: numbers, Variables: a.Variables,
		Language: a.Language, IsActive: a.IsActive, Record: a.Record, MaxCallDuration: int64(a.MaxCallDuration / time.Second),
		Status: "ready", ActiveSessions: []any{}, CreatedAt: Stamp(a.CreatedAt), UpdatedAt: Stamp(a.UpdatedAt), Revision: a.Version - 1,
	}
	if !a.IsActive {
		own.Status = "inactive"
	}
	if own.PhoneNumberIDs == nil {
		own.PhoneNumberIDs = []domain.ID{}
	}
	if own.Variables == nil {
		own.Variables = map[string]any{}
	}
	return openAgent{Own: own, Kept: kept}
}
