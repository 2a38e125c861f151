package native

import (
	"context"
	"net/http"
	"time"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
)

// DigitFields are keys to be sent in a call.
type DigitFields struct {
	Digits wire.Opt[string] `json:"digits,omitzero" doc:"Required: 0-9 * # A-D, and w or , for a pause of half a second."`
}

// SayFields is a text to be said in a call.
type SayFields struct {
	Text wire.Opt[string] `json:"text,omitzero" doc:"Required: said by the agent, after what it is saying."`
}

// TransferFields are whom to hand a call over to.
type TransferFields struct {
	To          wire.Opt[string] `json:"to,omitzero" doc:"Required: E.164, or a SIP address at one of the workspace's trunks."`
	Mode        wire.Opt[string] `json:"mode,omitzero" doc:"bridge (when not sent) calls them on a second leg and relays the sound; refer asks the far end to call them (RFC 3515)."`
	RingSeconds wire.Opt[int]    `json:"ringSeconds,omitzero" doc:"How long they may ring; 30 when not sent."`
}

func (f *face) liveRoutes(rt *wire.Router) {
	const one = Root + "/calls/{id}"
	route := func(verb, summary string) wire.Route {
		return wire.Route{Method: http.MethodPost, Path: one + "/" + verb, ID: verb + "-call", Tag: "calls", Scope: "calls:write", Summary: summary}
	}
	wire.Handle(rt, route("hangup", "Hang up a call"), f.cancelCall)
	wire.Handle(rt, route("hold", "Put a live call on hold"), f.holdCall)
	wire.Handle(rt, route("resume", "Take a live call back from hold"), f.resumeCall)
	wire.Handle(rt, route("dtmf", "Send telephone keys in a live call"), f.pressKeys)
	wire.Handle(rt, route("say", "Have the agent say a text in a live call"), f.sayInCall)
	wire.Handle(rt, route("transfer", "Hand a live call over"), f.transferCall)
}

// told answers what a live call was told.
func (f *face) told(ctx context.Context, do func(*service.Once[domain.Call]) (*domain.Call, error)) (*object[CallItem], error) {
	render := func(c *domain.Call) any { return f.callItem(ctx, c) }
	c, err := do(wire.Once(ctx, http.StatusOK, render))
	if err != nil {
		return nil, err
	}
	return &object[CallItem]{Body: f.callItem(ctx, c)}, nil
}

func (f *face) holdCall(ctx context.Context, in *ByID) (*object[CallItem], error) {
	return f.told(ctx, func(once *service.Once[domain.Call]) (*domain.Call, error) {
		return f.rules.HoldCall(ctx, wire.ScopeOf(ctx), in.ID, true, once)
	})
}

func (f *face) resumeCall(ctx context.Context, in *ByID) (*object[CallItem], error) {
	return f.told(ctx, func(once *service.Once[domain.Call]) (*domain.Call, error) {
		return f.rules.HoldCall(ctx, wire.ScopeOf(ctx), in.ID, false, once)
	})
}

func (f *face) pressKeys(ctx context.Context, in *struct {
	ByID
	Body DigitFields
}) (*object[CallItem], error) {
	return f.told(ctx, func(once *service.Once[domain.Call]) (*domain.Call, error) {
		return f.rules.PressKeys(ctx, wire.ScopeOf(ctx), in.ID, in.Body.Digits.Value, once)
	})
}

func (f *face) sayInCall(ctx context.Context, in *struct {
	ByID
	Body SayFields
}) (*object[CallItem], error) {
	return f.told(ctx, func(once *service.Once[domain.Call]) (*domain.Call, error) {
		return f.rules.SayInCall(ctx, wire.ScopeOf(ctx), in.ID, in.Body.Text.Value, once)
	})
}

func (f *face) transferCall(ctx context.Context, in *struct {
	ByID
	Body TransferFields
}) (*object[CallItem], error) {
	t := domain.Transfer{
		To: in.Body.To.Value, Mode: domain.TransferMode(in.Body.Mode.Value), Ring: time.Duration(in.Body.RingSeconds.Value) * time.Second,
	}
	return f.told(ctx, func(once *service.Once[domain.Call]) (*domain.Call, error) {
		return f.rules.TransferCall(ctx, wire.ScopeOf(ctx), in.ID, t, once)
	})
}
