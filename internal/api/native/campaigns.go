package native

import (
	"context"
	"math"
	"net/http"
	"time"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/outreach"
)

// Campaign is a list of contacts that an agent calls.
type Campaign struct {
	ID                 domain.ID            `json:"id"`
	Name               string               `json:"name"`
	Status             domain.CampaignState `json:"status" enum:"active,paused,completed,cancelled"`
	CallsTotal         int                  `json:"callsTotal" doc:"Its contacts."`
	CallsCompleted     int                  `json:"callsCompleted" doc:"Of these, those that are finished: reached, or given up."`
	CreatedAt          wire.Instant         `json:"createdAt"`
	AgentID            domain.ID            `json:"agentId"`
	PhoneNumberID      *domain.ID           `json:"phoneNumberId" doc:"The number to call from; null is the agent's own."`
	ScheduledStart     wire.Instant         `json:"scheduledStart" doc:"Nobody is called before; null is at once."`
	Timezone           *string              `json:"timezone" doc:"Of callWindow, IANA; null is the workspace's."`
	CallWindow         *CallWindow          `json:"callWindow" doc:"When it calls; null is at any time that the law allows."`
	MaxConcurrentCalls *int                 `json:"maxConcurrentCalls" doc:"Null is as many as plan and trunk allow."`
	PauseReason        *string              `json:"pauseReason" doc:"Why it was paused, when that was not asked for."`
	Purpose            domain.Purpose       `json:"purpose" enum:"unspecified,informational,marketing,survey,debt,emergency"`
	EnforceRules       bool                 `json:"enforceRules" doc:"Test mode only: keep the legal hours and caps as live mode does."`
	Retry              Retry                `json:"retry"`
	Budget             *float64             `json:"budget" doc:"What its calls may cost, in the workspace's credits; null is no limit."`
	Spent              float64              `json:"spent" doc:"What they have cost."`
	Variables          map[string]any       `json:"variables" doc:"Of every call, under the contact's own."`
	Counts             CampaignCounts       `json:"counts"`
	AbandonedShare     float64              `json:"abandonedShare" doc:"The part of the calls answered in the last 30 days that was abandoned, from 0 to 1. From 0.02 on it calls with half as many at once, at 0.028 it is paused."`
	StartedAt          wire.Instant         `json:"startedAt" doc:"When the first contact was called."`
	EndedAt            wire.Instant         `json:"endedAt"`
	ExpectedEndAt      wire.Instant         `json:"expectedEndAt" doc:"When it will be over at the pace so far, callWindow considered; null while that is not known."`
	UpdatedAt          wire.Instant         `json:"updatedAt"`
}

// CallWindow is a part of the day.
type CallWindow struct {
	Start string `json:"start" doc:"HH:MM of the wall clock, 00:00 to 23:59."`
	End   string `json:"end" doc:"HH:MM, exclusive, to 24:00; one before start is of the next day."`
}

// Retry says how often a contact is tried.
type Retry struct {
	MaxAttempts int   `json:"maxAttempts" doc:"Tries that count; those that failed on our side or in the network do not."`
	GapMinutes  []int `json:"gapMinutes" doc:"Between one try and the next, the last one repeats; none is by how the last try ended."`
}

// CampaignCounts is how many contacts are in each state: the four add up to
// callsTotal at every moment.
type CampaignCounts struct {
	Waiting   int `json:"waiting"`
	Active    int `json:"active" doc:"A call to them is planned or under way."`
	Completed int `json:"completed" doc:"Somebody was reached."`
	Failed    int `json:"failed"`
	Answered  int `json:"answered" doc:"Calls that a human answered."`
	Abandoned int `json:"abandoned" doc:"Of those, calls in which the agent did not speak within two seconds of the greeting, or that broke off by a fault of ours in their first ten seconds."`
}

// CampaignFields are the fields of a new campaign, or of a change to one.
type CampaignFields struct {
	Name               wire.Opt[string]         `json:"name,omitzero" doc:"Required of a new one."`
	Status             wire.Opt[string]         `json:"status,omitzero" doc:"active or paused of a new one; later also completed, which gives up who still waits, or cancelled."`
	AgentID            wire.Opt[domain.ID]      `json:"agentId,omitzero" doc:"Who talks. Required of a new one."`
	PhoneNumberID      wire.Opt[domain.ID]      `json:"phoneNumberId,omitzero" doc:"The number to call from; the agent's own when not sent."`
	ScheduledStart     wire.Opt[string]         `json:"scheduledStart,omitzero" doc:"ISO 8601; one that is past, or none, is at once."`
	Timezone           wire.Opt[string]         `json:"timezone,omitzero" doc:"IANA name; of callWindow. The workspace's when not sent."`
	CallWindow         wire.Opt[WindowFields]   `json:"callWindow,omitzero" doc:"When it calls; at any time that the law allows when not sent."`
	MaxConcurrentCalls wire.Opt[int]            `json:"maxConcurrentCalls,omitzero" doc:"1 to 10,000; as many as plan and trunk allow when not sent."`
	Purpose            wire.Opt[domain.Purpose] `json:"purpose,omitzero" doc:"informational, marketing, survey, debt or emergency; unspecified when not sent, which has the narrowest hours. marketing calls only contacts with a consent."`
	EnforceRules       wire.Opt[bool]           `json:"enforceRules,omitzero" doc:"Test mode only: keep the legal hours and caps as live mode does."`
	Retry              wire.Opt[RetryFields]    `json:"retry,omitzero" doc:"Three tries, with gaps by how each ended, when not sent."`
	Budget             wire.Opt[float64]        `json:"budget,omitzero" doc:"What its calls may cost, in the workspace's credits; no limit when not sent."`
	Variables          wire.Opt[map[string]any] `json:"variables,omitzero" doc:"Of every call, under the contact's own."`
}

// WindowFields are a part of the day in a request.
type WindowFields struct {
	Start wire.Opt[string] `json:"start,omitzero" doc:"HH:MM of the wall clock, 00:00 to 23:59; required."`
	End   wire.Opt[string] `json:"end,omitzero" doc:"HH:MM, exclusive, to 24:00; one before start is of the next day. Required."`
}

// RetryFields say in a request how often a contact is tried.
type RetryFields struct {
	MaxAttempts wire.Opt[int]   `json:"maxAttempts,omitzero" doc:"1 to 10; 3 when not sent."`
	GapMinutes  wire.Opt[[]int] `json:"gapMinutes,omitzero" doc:"Between one try and the next, the last one repeats; by how the last try ended when not sent."`
}

// NewCampaign is what a new campaign needs.
type NewCampaign struct {
	CampaignFields
	ContactsFields
}

func (f *face) campaignRoutes(rt *wire.Router) {
	const path, one = Root + "/campaigns", Root + "/campaigns/{id}"
	wire.Handle(rt, wire.Route{Method: http.MethodGet, Path: path, ID: "list-campaigns", Scope: "campaigns:read", Summary: "List campaigns"}, f.listCampaigns)
	wire.Handle(rt, wire.Route{Method: http.MethodPost, Path: path, ID: "create-campaign", Scope: "campaigns:write", Status: http.StatusCreated, Summary: "Create a campaign"}, f.createCampaign)
	wire.Handle(rt, wire.Route{Method: http.MethodGet, Path: one, ID: "get-campaign", Scope: "campaigns:read", Summary: "Get a campaign"}, f.getCampaign)
	wire.Handle(rt, wire.Route{Method: http.MethodDelete, Path: one, ID: "delete-campaign", Scope: "campaigns:write", Summary: "Delete a campaign"}, f.deleteCampaign)
	update(rt, wire.Route{Path: one, ID: "campaign", Scope: "campaigns:write", Summary: "Update, pause, resume or cancel a campaign"}, f.updateCampaign)
	f.recipientRoutes(rt)
	f.campaignEventRoutes(rt)
	f.campaignExportRoutes(rt)
}

type campaignQuery struct {
	wire.Paging
	Status string `query:"status" doc:"active, paused, completed or cancelled."`
}

func (f *face) listCampaigns(ctx context.Context, in *campaignQuery) (*list[Campaign], error) {
	filter := domain.CampaignFilter{Kind: domain.KindCampaign}
	if in.Status != "" {
		state, err := campaignState(in.Status)
		if err != nil {
			return nil, err
		}
		filter.State = state
	}
	page := in.Page()
	rows, total, err := f.rules.Campaigns(ctx, wire.ScopeOf(ctx), filter, page)
	if err != nil {
		return nil, err
	}
	return listOf(ctx, page, total, rows, campaign), nil
}

func (f *face) createCampaign(ctx context.Context, in *struct{ Body NewCampaign }) (*object[Campaign], error) {
	req, err := in.Body.CampaignFields.change()
	if err != nil {
		return nil, err
	}
	req.Kind = domain.KindCampaign
	if req.Contacts, err = newRecipients(in.Body.Contacts.Value); err != nil {
		return nil, err
	}
	req.ContactIDs = in.Body.ContactIDs.Value
	c, err := f.rules.CreateCampaign(ctx, wire.ScopeOf(ctx), req, wire.Once(ctx, http.StatusCreated, campaignBody))
	if err != nil {
		return nil, err
	}
	return campaignReply(c)
}

func (f *face) getCampaign(ctx context.Context, in *ByID) (*object[Campaign], error) {
	c, err := f.rules.Campaign(ctx, wire.ScopeOf(ctx), domain.KindCampaign, in.ID)
	if err != nil {
		return nil, err
	}
	return campaignReply(c)
}

func (f *face) updateCampaign(ctx context.Context, in *struct {
	ByID
	wire.IfMatch
	Body CampaignFields
}) (*object[Campaign], error) {
	req, err := in.Body.change()
	if err != nil {
		return nil, err
	}
	if req.IfVersion, err = in.Version(); err != nil {
		return nil, err
	}
	if err := in.Body.notNull(); err != nil {
		return nil, err
	}
	c, err := f.rules.UpdateCampaign(ctx, wire.ScopeOf(ctx), domain.KindCampaign, in.ID, req)
	if err != nil {
		return nil, err
	}
	return campaignReply(c)
}

func (f *face) deleteCampaign(ctx context.Context, in *Removal) (*object[Deleted], error) {
	return remove(ctx, in, f.rules.DeleteCampaign)
}

// change translates the fields; null takes away what a campaign may do without.
func (b *CampaignFields) change() (outreach.CampaignChange, error) {
	req := outreach.CampaignChange{
		Name: b.Name.Given(), AgentID: b.AgentID.Given(), PhoneNumberID: b.PhoneNumberID.Change(), Timezone: b.Timezone.Change(),
		MaxConcurrent: b.MaxConcurrentCalls.Change(), Purpose: b.Purpose.Given(), EnforceRules: b.EnforceRules.Given(), Variables: b.Variables.Change(),
	}
	if status := b.Status.Given(); status != nil {
		state, err := campaignState(*status)
		if err != nil {
			return req, err
		}
		req.State = &state
	}
	if n := b.MaxConcurrentCalls.Given(); n != nil && *n == 0 {
		return req, domain.Invalid("maxConcurrentCalls", "maxConcurrentCalls must be at least 1; leave it out for as many as plan and trunk allow")
	}
	if b.ScheduledStart.Sent {
		req.StartAt = new(time.Time)
		if !b.ScheduledStart.Null {
			start, _, err := wire.ParseInstant("scheduledStart", b.ScheduledStart.Value)
			if err != nil {
				return req, err
			}
			req.StartAt = &start
		}
	}
	var err error
	if req.Budget, err = wire.Limit("budget", b.Budget); err != nil {
		return req, err
	}
	if b.CallWindow.Sent {
		var window *domain.DayWindow
		if !b.CallWindow.Null {
			if window, err = b.CallWindow.Value.window(); err != nil {
				return req, err
			}
		}
		req.Window = &window
	}
	if b.Retry.Sent {
		req.Retry, err = b.Retry.Value.retry()
	}
	return req, err
}

// notNull refuses a null where a field must have a value.
func (b *CampaignFields) notNull() error {
	for _, f := range []struct {
		name string
		null bool
	}{
		{"name", b.Name.Null}, {"status", b.Status.Null}, {"agentId", b.AgentID.Null},
		{"purpose", b.Purpose.Null}, {"enforceRules", b.EnforceRules.Null},
	} {
		if err := notNull(f.name, f.null); err != nil {
			return err
		}
	}
	return nil
}

// campaignState reads the word for a state that a client may ask for.
func campaignState(word string) (domain.CampaignState, error) {
	switch s := domain.CampaignState(word); s {
	case domain.CampaignActive, domain.CampaignPaused, domain.CampaignCompleted, domain.CampaignCancelled:
		return s, nil
	}
	return "", domain.Invalid("status", "status must be one of: active, paused, completed, cancelled")
}

// window reads both times of a window.
func (w *WindowFields) window() (*domain.DayWindow, error) {
	if w.Start.Value == "" || w.End.Value == "" {
		return nil, domain.Invalid("callWindow", "callWindow needs start and end, such as {\"start\":\"09:00\",\"end\":\"17:00\"}")
	}
	from, err := minutes("callWindow.start", w.Start.Value)
	if err != nil {
		return nil, err
	}
	to, err := minutes("callWindow.end", w.End.Value)
	if err != nil {
		return nil, err
	}
	if from == 24*60 {
		return nil, domain.Invalid("callWindow.start", "callWindow.start must be before 24:00; the day begins at 00:00")
	}
	return &domain.DayWindow{From: from, To: to}, nil
}

// retry reads how often a contact is tried; what is not sent is the default.
func (r *RetryFields) retry() (*domain.Retry, error) {
	out := outreach.DefaultRetry
	if n := r.MaxAttempts.Given(); n != nil {
		if *n < 1 {
			return nil, domain.Invalid("retry.maxAttempts", "retry.maxAttempts must be at least 1: the first try")
		}
		out.MaxAttempts = *n
	}
	for _, m := range r.GapMinutes.Value {
		if m < 1 || m > outreach.MaxGapMinutes {
			return nil, domain.Invalid("retry.gapMinutes", "retry.gapMinutes: each gap must be from 1 to %d minutes", outreach.MaxGapMinutes)
		}
		out.Gaps = append(out.Gaps, time.Duration(m)*time.Minute)
	}
	return &out, nil
}

// campaignReply is a campaign with its version: its calls change what is shown
// of it.
func campaignReply(c *outreach.CampaignDetail) (*object[Campaign], error) {
	body := campaign(c)
	raw, err := wire.Canonical(body)
	if err != nil {
		return nil, err
	}
	return &object[Campaign]{ETag: wire.ETagOf(c.Version, string(raw)), Body: body}, nil
}

func campaign(c *outreach.CampaignDetail) Campaign {
	out := Campaign{
		ID: c.ID, Name: c.Name, Status: c.State, CallsTotal: c.Counts.Total(), CallsCompleted: c.Counts.Completed + c.Counts.Failed,
		CreatedAt: wire.Instant(c.CreatedAt), AgentID: c.AgentID, PhoneNumberID: orNull(c.PhoneNumberID), ScheduledStart: wire.Instant(c.StartAt),
		Timezone: orNull(c.Timezone), PauseReason: orNull(c.PauseReason), Purpose: c.Purpose, EnforceRules: c.EnforceRules,
		Retry: retry(c.Retry), Budget: wire.Units(c.Budget), Spent: c.Counts.Spent.Units(), Variables: orEmpty(c.Variables),
		Counts: CampaignCounts{
			Waiting: c.Counts.Waiting, Active: c.Counts.Active, Completed: c.Counts.Completed, Failed: c.Counts.Failed, Answered: c.Counts.Answered, Abandoned: c.Counts.Abandoned,
		},
		AbandonedShare: math.Round(1e4*c.Lately.Share()) / 1e4,
		StartedAt:      wire.Instant(c.StartedAt), EndedAt: wire.Instant(c.EndedAt), ExpectedEndAt: wire.Instant(c.ExpectedEndAt),
		UpdatedAt: wire.Instant(c.UpdatedAt),
	}
	if c.Window != nil {
		out.CallWindow = &CallWindow{Start: clockTime(c.Window.From), End: clockTime(c.Window.To)}
	}
	if c.MaxConcurrent > 0 {
		out.MaxConcurrentCalls = &c.MaxConcurrent
	}
	return out
}

func retry(r domain.Retry) Retry {
	out := Retry{MaxAttempts: max(r.MaxAttempts, 1), GapMinutes: make([]int, 0, len(r.Gaps))}
	for _, gap := range r.Gaps {
		out.GapMinutes = append(out.GapMinutes, int(gap/time.Minute))
	}
	return out
}

func campaignBody(c *outreach.CampaignDetail) any { return campaign(c) }
