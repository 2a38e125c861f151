package native

import (
	"cmp"
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
)

// CallItem is a call in a list. What is not known yet is null.
type CallItem struct {
	ID            domain.ID        `json:"id"`
	Status        string           `json:"status" enum:"queued,in-progress,completed,failed"`
	Direction     domain.Direction `json:"direction" enum:"outbound,inbound"`
	To            string           `json:"to"`
	From          string           `json:"from"`
	Duration      *int64           `json:"duration" doc:"Seconds from answer to end."`
	Summary       *string          `json:"summary"`
	Sentiment     *string          `json:"sentiment"`
	RecordingURL  *string          `json:"recordingUrl" doc:"A signed link that works for at least a day."`
	AgentID       *domain.ID       `json:"agentId"`
	PhoneNumberID *domain.ID       `json:"phoneNumberId"`
	CampaignID    *domain.ID       `json:"campaignId"`
	ContactID     *domain.ID       `json:"contactId" doc:"Whom it is with, when a contact has the number."`
	EndReason     *string          `json:"endReason"`
	CreatedAt     wire.Instant     `json:"createdAt"`
	AnsweredAt    wire.Instant     `json:"answeredAt"`
	EndedAt       wire.Instant     `json:"endedAt"`
}

// Call is a call by itself.
type Call struct {
	CallItem
	FlowID          *domain.ID     `json:"flowId"`
	FlowVersion     *int64         `json:"flowVersion"`
	Record          bool           `json:"record"`
	MaxCallDuration int64          `json:"maxCallDuration" doc:"Seconds."`
	Transcript      string         `json:"transcript" doc:"One line a turn, with its speaker."`
	Turns           []Turn         `json:"turns"`
	Latency         *CallLatency   `json:"latency" doc:"How long the agent took, over all turns."`
	Analysis        *Analysis      `json:"analysis"`
	Variables       map[string]any `json:"variables" doc:"What was given with the request, and over it what the call learned."`
	Notes           []string       `json:"notes" doc:"What a reader of this call should know."`
	Voice           *string        `json:"voice" doc:"The engine and voice that really spoke."`
	Model           *string        `json:"model" doc:"The model that really thought."`
	Cost            *float64       `json:"cost" doc:"What the call was charged; null before its end."`
	Attempts        []Attempt      `json:"attempts"`
}

// Turn is what one side said.
type Turn struct {
	Role        domain.Role `json:"role" enum:"agent,caller"`
	Text        string      `json:"text"`
	StartMs     int64       `json:"startMs" doc:"Since the answer."`
	EndMs       int64       `json:"endMs"`
	Interrupted bool        `json:"interrupted"`
	Latency     *Latency    `json:"latency,omitempty" doc:"How long the agent took to answer; not on turns that answer nothing."`
}

// Analysis is what was made of a call after it.
type Analysis struct {
	Summary   string `json:"summary"`
	Sentiment string `json:"sentiment" enum:"positive,neutral,negative"`
	Method    string `json:"method" doc:"lexicon, or the model's name."`
}

// Attempt is one try to reach the number.
type Attempt struct {
	TryNumber int          `json:"tryNumber"`
	Kind      string       `json:"kind" enum:"dial,incoming,transfer" doc:"transfer is a leg to whom the call was handed over."`
	Number    string       `json:"number" doc:"Of the far end."`
	State     string       `json:"state"`
	EndReason *string      `json:"endReason"`
	Basis     *string      `json:"basis" doc:"Of a call of a campaign: by which rules and wall clocks the dial was allowed or refused, for people."`
	EndedAt   wire.Instant `json:"endedAt"`
}

// Calls is a page of calls.
type Calls struct {
	Calls  []wire.Rendered[CallItem] `json:"calls"`
	Total  int                       `json:"total"`
	Limit  int                       `json:"limit"`
	Offset int                       `json:"offset"`
}

// PlaceFields is what a new call needs.
type PlaceFields struct {
	AgentID       wire.Opt[domain.ID]      `json:"agentId,omitzero" doc:"Required."`
	To            wire.Opt[string]         `json:"to,omitzero" doc:"E.164; required unless contactId is sent."`
	ContactID     wire.Opt[domain.ID]      `json:"contactId,omitzero" doc:"Whom to call; at its primary number unless to says another."`
	PhoneNumberID wire.Opt[domain.ID]      `json:"phoneNumberId,omitzero" doc:"The number to call from; the agent's own when not sent."`
	Record        wire.Opt[bool]           `json:"record,omitzero" doc:"The agent's setting when not sent."`
	Variables     wire.Opt[map[string]any] `json:"variables,omitzero" doc:"Over the agent's."`
}

// callStates is what the dialect's status words mean.
var callStates = map[string][]domain.CallState{
	"queued":      {domain.CallQueued, domain.CallDialing, domain.CallRinging},
	"in-progress": {domain.CallInProgress},
	"completed":   {domain.CallCompleted},
	"failed":      {domain.CallFailed},
}

func (f *face) callRoutes(rt *wire.Router) {
	const path, one = Root + "/calls", Root + "/calls/{id}"
	wire.Handle(rt, wire.Route{Method: http.MethodGet, Path: path, ID: "list-calls", Scope: "calls:read", Stored: true, Summary: "List calls"}, f.listCalls)
	wire.Handle(rt, wire.Route{Method: http.MethodPost, Path: path, ID: "create-call", Scope: "calls:write", Status: http.StatusCreated, Summary: "Place a call"}, f.createCall)
	wire.Handle(rt, wire.Route{Method: http.MethodGet, Path: one, ID: "get-call", Scope: "calls:read", Stored: true, Summary: "Get a call"}, f.getCall)
	wire.Handle(rt, wire.Route{Method: http.MethodPost, Path: one + "/cancel", ID: "cancel-call", Scope: "calls:write", Summary: "Cancel a call, or hang it up"}, f.cancelCall)
}

type callQuery struct {
	wire.Paging
	Status     string    `query:"status" doc:"queued, in-progress, completed or failed."`
	AgentID    domain.ID `query:"agentId"`
	CampaignID domain.ID `query:"campaignId"`
	Direction  string    `query:"direction" doc:"outbound or inbound."`
	To         string    `query:"to" doc:"End date or time, ISO 8601, included; a date is its whole day."`
	From       string    `query:"from" doc:"Start date or time, ISO 8601, included."`
}

func (q *callQuery) filter() (domain.CallFilter, error) {
	f := domain.CallFilter{AgentID: q.AgentID, CampaignID: q.CampaignID, Direction: domain.Direction(q.Direction), Brief: true}
	var known bool
	if f.States, known = callStates[q.Status]; q.Status != "" && !known {
		return f, domain.Invalid("status", "status must be one of: queued, in-progress, completed, failed")
	}
	if q.Direction != "" && f.Direction != domain.Outbound && f.Direction != domain.Inbound {
		return f, domain.Invalid("direction", "direction must be outbound or inbound")
	}
	var err error
	if q.From != "" {
		if f.CreatedMin, _, err = wire.ParseInstant("from", q.From); err != nil {
			return f, err
		}
	}
	if q.To != "" {
		_, f.CreatedMax, err = wire.ParseInstant("to", q.To)
	}
	return f, err
}

func (f *face) listCalls(ctx context.Context, in *callQuery) (*struct {
	wire.PageHead
	Body Calls
}, error) {
	filter, err := in.filter()
	if err != nil {
		return nil, err
	}
	page := in.Page()
	look := &look{shown: &f.shown, key: shownKey{base: wire.RequestOf(ctx).PublicURL, end: f.rules.LinksEnd()}}
	filter.Held = look.has
	rows, total, err := f.rules.Calls(ctx, wire.ScopeOf(ctx), filter, page)
	if err != nil {
		return nil, err
	}
	body := Calls{Total: total, Limit: page.Limit, Offset: page.Offset}
	body.Calls, err = look.items(min(page.Limit, max(total-page.Offset, 0)), rows, func(c *domain.Call) CallItem { return f.callItem(ctx, c) })
	if err != nil {
		return nil, err
	}
	wire.RequestOf(ctx).Tag = look.etag(total, page)
	return &struct {
		wire.PageHead
		Body Calls
	}{wire.HeadOf(ctx, page, total), body}, nil
}

func (f *face) createCall(ctx context.Context, in *struct{ Body PlaceFields }) (*object[Call], error) {
	b := &in.Body
	render := func(c *domain.Call) any { return f.call(ctx, &service.CallDetail{Call: *c}) }
	c, err := f.rules.PlaceCall(ctx, wire.ScopeOf(ctx), service.PlaceRequest{
		AgentID: b.AgentID.Value, PhoneNumberID: b.PhoneNumberID.Value, To: b.To.Value, ContactID: b.ContactID.Value,
		Record: b.Record.Given(), Variables: b.Variables.Value,
	}, wire.Once(ctx, http.StatusCreated, render))
	if err != nil {
		return nil, err
	}
	return &object[Call]{Body: f.call(ctx, &service.CallDetail{Call: *c})}, nil
}

func (f *face) getCall(ctx context.Context, in *ByID) (*object[Call], error) {
	c, err := f.rules.Call(ctx, wire.ScopeOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return &object[Call]{Body: f.call(ctx, c)}, nil
}

func (f *face) cancelCall(ctx context.Context, in *ByID) (*object[CallItem], error) {
	render := func(c *domain.Call) any { return f.callItem(ctx, c) }
	c, err := f.rules.CancelCall(ctx, wire.ScopeOf(ctx), in.ID, wire.Once(ctx, http.StatusOK, render))
	if err != nil {
		return nil, err
	}
	return &object[CallItem]{Body: f.callItem(ctx, c)}, nil
}

func (f *face) callItem(ctx context.Context, c *domain.Call) CallItem {
	item := CallItem{
		ID: c.ID, Status: hookStatus(c.State), Direction: c.Direction, To: c.To, From: c.From,
		RecordingURL: f.recordingURL(ctx, c), AgentID: unlessEmpty(&c.AgentID), PhoneNumberID: unlessEmpty(&c.PhoneNumberID),
		CampaignID: unlessEmpty(&c.CampaignID), ContactID: unlessEmpty(&c.ContactID), EndReason: (*string)(unlessEmpty(&c.EndReason)),
		CreatedAt: wire.Instant(c.CreatedAt), AnsweredAt: wire.Instant(c.AnsweredAt), EndedAt: wire.Instant(c.EndedAt),
	}
	if c.State.Ended() {
		seconds := int64(c.Duration() / time.Second)
		item.Duration = &seconds
	}
	if c.Analysis != nil {
		item.Summary, item.Sentiment = unlessEmpty(&c.Analysis.Summary), unlessEmpty(&c.Analysis.Sentiment)
	}
	return item
}

func turn(t *domain.Turn) Turn {
	return Turn{Role: t.Role, Text: t.Text, StartMs: t.StartMs, EndMs: t.EndMs, Interrupted: t.Interrupted, Latency: latency(t.Latency)}
}

// unlessEmpty is the text at a place that stays as it is, nil for none: a long
// list shows many.
func unlessEmpty[T ~string](text *T) *T {
	if *text == "" {
		return nil
	}
	return text
}

func (f *face) call(ctx context.Context, c *service.CallDetail) Call {
	out := Call{
		CallItem: f.callItem(ctx, &c.Call), FlowID: orNull(c.FlowID), Record: c.Record,
		MaxCallDuration: int64(c.MaxDuration / time.Second),
		Turns:           make([]Turn, len(c.Turns)), Attempts: make([]Attempt, len(c.Attempts)),
		Variables: variables(&c.Call), Notes: c.Notes, Voice: orNull(c.Voice), Model: orNull(c.Model), Cost: costOf(&c.Call),
	}
	if c.FlowID != "" {
		out.FlowVersion = &c.FlowVersion
	}
	if out.Notes == nil {
		out.Notes = []string{}
	}
	lines := make([]string, len(c.Turns))
	for i, t := range c.Turns {
		out.Turns[i] = turn(&t)
		lines[i] = hookLine(t)
	}
	out.Latency = callLatency(c.Turns)
	out.Transcript = strings.Join(lines, "\n")
	for i, a := range c.Attempts {
		out.Attempts[i] = Attempt{
			TryNumber: a.TryNumber, Kind: cmp.Or(string(a.Kind), "dial"), Number: a.Number, State: string(a.State), EndReason: orNull(string(a.EndReason)),
			Basis: orNull(a.Basis), EndedAt: wire.Instant(a.EndedAt),
		}
	}
	if a := c.Analysis; a != nil {
		out.Analysis = &Analysis{Summary: a.Summary, Sentiment: a.Sentiment, Method: a.Method}
	}
	return out
}

// variables is what a call was given and what it learned, in one object.
func variables(c *domain.Call) map[string]any {
	all := make(map[string]any, len(c.Variables)+len(c.Captured))
	for name, value := range c.Variables {
		all[name] = value
	}
	for name, value := range c.Captured {
		all[name] = value
	}
	return all
}
