package trillet

import (
	"cmp"
	"context"
	"net/http"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
)

// Placed is the answer to a call that was accepted.
type Placed struct {
	Status     string    `json:"status" enum:"success"`
	CallID     domain.ID `json:"callId"`
	RoomName   string    `json:"roomName" doc:"The agent's id and the call's."`
	FromNumber string    `json:"fromNumber"`
	ToNumber   string    `json:"toNumber"`
	Agent      Caller    `json:"agent"`
	// CallbackSecret is there when a callback_url was sent.
	CallbackSecret string `json:"callback_secret,omitempty" doc:"Signs what callback_url is sent. Shown this once."`
	// The names of clients of another age: of their path only.
	OtherCallID *domain.ID `json:"call_id,omitempty" doc:"The same as callId; on /v1/api/call only."`
	Message     string     `json:"message,omitempty" doc:"On /v1/api/call only."`
}

// Caller is the agent that calls.
type Caller struct {
	ID    domain.ID `json:"id"`
	Name  string    `json:"name"`
	Model string    `json:"model"`
	Voice Voice     `json:"voice"`
}

// CallFields is what a new call needs. Other members are kept and shown again in
// the call's history.
type CallFields struct {
	AgentID          wire.Opt[domain.ID]      `json:"agentId,omitzero" doc:"Required."`
	CallAgentID      wire.Opt[domain.ID]      `json:"call_agent_id,omitzero" doc:"The same as agentId."`
	ToNumber         wire.Opt[string]         `json:"toNumber,omitzero" doc:"Required, E.164."`
	To               wire.Opt[string]         `json:"to,omitzero" doc:"The same as toNumber."`
	DynamicVariables wire.Opt[map[string]any] `json:"dynamic_variables,omitzero" doc:"Over the agent's variables."`
	Variables        wire.Opt[map[string]any] `json:"dynamicVariables,omitzero" doc:"The same as dynamic_variables."`
	Metadata         wire.Opt[map[string]any] `json:"metadata,omitzero" doc:"Goes along in webhooks."`
	CallbackURL      wire.Opt[string]         `json:"callback_url,omitzero" doc:"Is told of this call's events, beside the webhook endpoints."`
}

func (f *face) callRoutes(rt *wire.Router) {
	place := wire.Route{Method: http.MethodPost, Scope: "calls:write", Summary: "Place a call"}
	call, send, old := place, place, place
	call.Path, call.ID, call.Aliases, call.Shape = Root+"/calls/call", "call", ways("/calls/call"), CallShape
	send.Path, send.ID, send.Aliases = Root+"/calls/send", "send-call", ways("/calls/send")
	old.Path, old.ID, old.Aliases, old.Shape = "/v1/api/call", "initiate-call", []string{Root + "/call", "/v2/api/call"}, CallShape
	type input = struct{ Body wire.Loose[CallFields] }
	wire.Handle(rt, call, func(ctx context.Context, in *input) (*object[Placed], error) { return f.place(ctx, &in.Body, placed) })
	wire.Handle(rt, send, func(ctx context.Context, in *input) (*object[Placed], error) { return f.place(ctx, &in.Body, placed) })
	wire.Handle(rt, old, func(ctx context.Context, in *input) (*object[Placed], error) {
		return f.place(ctx, &in.Body, placedOld)
	})
}

// place places a call; render makes the answer.
func (f *face) place(ctx context.Context, body *wire.Loose[CallFields], render func(*domain.Call, *domain.Agent) Placed) (*object[Placed], error) {
	b, scope := &body.Value, wire.ScopeOf(ctx)
	id := cmp.Or(b.AgentID.Value, b.CallAgentID.Value)
	if id == "" {
		return nil, domain.Invalid("agentId", "agentId is required")
	}
	to := cmp.Or(b.ToNumber.Value, b.To.Value)
	if to == "" {
		return nil, domain.Invalid("toNumber", "toNumber is required: the phone number to call, such as +1234567890")
	}
	a, err := f.rules.Agent(ctx, scope, id)
	if err != nil {
		return nil, err
	}
	kept := without(body.Extra, historysOwn...)
	if b.Metadata.Value != nil {
		kept["metadata"] = b.Metadata.Value
	}
	once := wire.Once(ctx, http.StatusOK, func(c *domain.Call) any { return render(c, a) })
	c, err := f.rules.PlaceCall(ctx, scope, service.PlaceRequest{
		AgentID: id, To: to, Variables: either(b.DynamicVariables.Value, b.Variables.Value), Extra: kept, Callback: b.callback(),
	}, once)
	if err != nil {
		return nil, err
	}
	return &object[Placed]{Body: render(c, a)}, nil
}

// callback is the receiver that the request names, or nil.
func (b *CallFields) callback() *service.Callback {
	if b.CallbackURL.Value == "" {
		return nil
	}
	return &service.Callback{Field: "callback_url", URL: b.CallbackURL.Value, Dialect: Name}
}

// placed is the documented answer.
func placed(c *domain.Call, a *domain.Agent) Placed {
	p := Placed{
		Status: "success", CallID: c.ID, RoomName: roomName(c), FromNumber: c.From, ToNumber: c.To,
		Agent: Caller{ID: a.ID, Name: a.Name, Model: cmp.Or(a.Model, usual), Voice: voiceOf(a.Voice)},
	}
	if c.Callback != nil {
		p.CallbackSecret = c.Callback.Secret
	}
	return p
}

// placedOld is placed with what clients of another age read.
func placedOld(c *domain.Call, a *domain.Agent) Placed {
	p := placed(c, a)
	p.OtherCallID, p.Message = &c.ID, "Call initiated successfully"
	return p
}

// either returns the first of two objects that is there.
func either(a, b map[string]any) map[string]any {
	if a != nil {
		return a
	}
	return b
}
