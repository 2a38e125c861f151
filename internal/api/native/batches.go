package native

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/outreach"
)

// Batch calls the numbers of one list, each once unless told otherwise.
type Batch struct {
	ID             domain.ID            `json:"id"`
	Name           string               `json:"name"`
	Status         domain.CampaignState `json:"status" enum:"importing,active,paused,completed,cancelled" doc:"importing: its file is being stored, and nobody is called."`
	CallsTotal     int                  `json:"callsTotal" doc:"Its contacts."`
	CallsCompleted int                  `json:"callsCompleted" doc:"Of these, those that are finished: reached, or given up."`
	CreatedAt      wire.Instant         `json:"createdAt"`
	AgentID        domain.ID            `json:"agentId"`
	PhoneNumberID  *domain.ID           `json:"phoneNumberId" doc:"The number to call from; null is the agent's own."`
	ScheduledAt    wire.Instant         `json:"scheduledAt" doc:"Nobody is called before; null is at once."`
	PauseReason    *string              `json:"pauseReason" doc:"Why it was paused, when that was not asked for."`
	Retry          Retry                `json:"retry"`
	Variables      map[string]any       `json:"variables" doc:"Of every call, under the contact's own."`
	Counts         CampaignCounts       `json:"counts"`
	StartedAt      wire.Instant         `json:"startedAt" doc:"When the first contact was called."`
	EndedAt        wire.Instant         `json:"endedAt"`
	UpdatedAt      wire.Instant         `json:"updatedAt"`
}

// NewBatch is the answer to a batch that was made.
type NewBatch struct {
	Batch
	Sheet *SheetReport `json:"sheet" doc:"What came of its file; null when the contacts came as JSON."`
}

// BatchFields are the fields of a new batch as JSON.
type BatchFields struct {
	AgentID       wire.Opt[domain.ID]      `json:"agentId,omitzero" doc:"Who talks. Required."`
	PhoneNumberID wire.Opt[domain.ID]      `json:"phoneNumberId,omitzero" doc:"The number to call from; the agent's own when not sent."`
	Name          wire.Opt[string]         `json:"name,omitzero" doc:"The name of its file when not sent."`
	ScheduledAt   wire.Opt[string]         `json:"scheduledAt,omitzero" doc:"ISO 8601: nobody is called before. One that is past, or none, is at once."`
	Retry         wire.Opt[RetryFields]    `json:"retry,omitzero" doc:"One try when not sent."`
	Variables     wire.Opt[map[string]any] `json:"variables,omitzero" doc:"Of every call, under the contact's own."`
	ContactsFields
}

// BatchChange are the fields of a change to a batch.
type BatchChange struct {
	Name   wire.Opt[string] `json:"name,omitzero"`
	Status wire.Opt[string] `json:"status,omitzero" doc:"active, paused or cancelled."`
}

// batchForm is a new batch as a form.
var batchForm = &wire.Form{JSON: true, Fields: []wire.FormField{
	{Name: "agentId", Doc: "Who talks.", Required: true},
	{Name: "phoneNumberId", Doc: "The number to call from; the agent's own when not sent."},
	{Name: "name", Doc: "The name of the file when not sent."},
	{Name: "scheduledAt", Doc: "ISO 8601: nobody is called before. At once when not sent, or past."},
	{Name: "retry", Doc: `JSON: {"maxAttempts":3,"gapMinutes":[60]}. One try when not sent.`},
	{Name: "variables", Doc: "A JSON object: of every call, under the columns of its row."},
}}

func (f *face) batchRoutes(rt *wire.Router) {
	const path, one = Root + "/batches", Root + "/batches/{id}"
	wire.Handle(rt, wire.Route{Method: http.MethodGet, Path: path, ID: "list-batches", Scope: "batches:read", Summary: "List batches"}, f.listBatches)
	wire.Handle(rt, wire.Route{
		Method: http.MethodPost, Path: path, ID: "create-batch", Scope: "batches:write", Status: http.StatusCreated, Form: batchForm,
		Summary: "Call the numbers of a CSV file, or a list",
	}, f.createBatch)
	wire.Handle(rt, wire.Route{Method: http.MethodGet, Path: one, ID: "get-batch", Scope: "batches:read", Summary: "Get a batch"}, f.getBatch)
	update(rt, wire.Route{Path: one, ID: "batch", Scope: "batches:write", Summary: "Rename, pause, resume or cancel a batch"}, f.updateBatch)
	wire.Handle(rt, wire.Route{Method: http.MethodGet, Path: one + "/calls", ID: "list-batch-calls", Scope: "batches:read", Summary: "List the contacts of a batch with their results"}, f.listBatchCalls)
}

func (f *face) listBatches(ctx context.Context, in *struct {
	wire.Paging
	Status string `query:"status" doc:"importing, active, paused, completed or cancelled."`
}) (*list[Batch], error) {
	state := domain.CampaignState(in.Status)
	if _, known := domain.CampaignTransitions[state]; state != "" && !known {
		return nil, domain.Invalid("status", "status must be one of: importing, active, paused, completed, cancelled")
	}
	page := in.Page()
	rows, total, err := f.rules.Campaigns(ctx, wire.ScopeOf(ctx), domain.CampaignFilter{Kind: domain.KindBatch, State: state}, page)
	if err != nil {
		return nil, err
	}
	return listOf(ctx, page, total, rows, batch), nil
}

func (f *face) createBatch(ctx context.Context, in *struct{ Body BatchFields }) (*object[NewBatch], error) {
	u := wire.UploadOf(ctx)
	if u != nil {
		return f.createFromSheet(ctx, u)
	}
	req, err := in.Body.change("Batch")
	if err != nil {
		return nil, err
	}
	if len(in.Body.Contacts.Value)+len(in.Body.ContactIDs.Value) == 0 {
		return nil, domain.Invalid("contacts", "contacts or contactIds is required: who is to be called").For(domain.ReasonMissing, "")
	}
	if req.Contacts, err = newRecipients(in.Body.Contacts.Value); err != nil {
		return nil, err
	}
	req.ContactIDs = in.Body.ContactIDs.Value
	once := wire.Once(ctx, http.StatusCreated, func(c *outreach.CampaignDetail) any { return NewBatch{Batch: batch(c)} })
	c, err := f.rules.CreateCampaign(ctx, wire.ScopeOf(ctx), req, once)
	if err != nil {
		return nil, err
	}
	return &object[NewBatch]{ETag: wire.ETagOf(c.Version), Body: NewBatch{Batch: batch(c)}}, nil
}

func (f *face) createFromSheet(ctx context.Context, u *wire.Upload) (*object[NewBatch], error) {
	file, err := u.File()
	if err != nil {
		return nil, err
	}
	fields, err := batchFields(u)
	if err != nil {
		return nil, err
	}
	req, err := fields.change(u.Base("Batch"))
	if err != nil {
		return nil, err
	}
	once := wire.Once(ctx, http.StatusCreated, func(b *outreach.BatchStarted) any { return newBatch(b) })
	b, err := f.rules.StartBatch(ctx, wire.ScopeOf(ctx), req, file, once)
	if err != nil {
		return nil, err
	}
	return &object[NewBatch]{ETag: wire.ETagOf(b.Version), Body: newBatch(b)}, nil
}

func newBatch(b *outreach.BatchStarted) NewBatch {
	return NewBatch{Batch: batch(&b.CampaignDetail), Sheet: sheetReport(&b.Import)}
}

// batchFields reads a form as the JSON that says the same.
func batchFields(u *wire.Upload) (*BatchFields, error) {
	if err := u.Known("agentId", "phoneNumberId", "name", "scheduledAt", "retry", "variables"); err != nil {
		return nil, err
	}
	b := new(BatchFields)
	text := func(field string, at *wire.Opt[string]) {
		if v := u.Field(field); v != "" {
			*at = wire.Opt[string]{Sent: true, Value: v}
		}
	}
	text("name", &b.Name)
	text("scheduledAt", &b.ScheduledAt)
	b.AgentID.Value, b.PhoneNumberID.Value = domain.ID(u.Field("agentId")), domain.ID(u.Field("phoneNumberId"))
	b.AgentID.Sent, b.PhoneNumberID.Sent = b.AgentID.Value != "", b.PhoneNumberID.Value != ""
	if err := formJSON(u, "retry", &b.Retry, `{"maxAttempts":3,"gapMinutes":[60]}`); err != nil {
		return nil, err
	}
	return b, formJSON(u, "variables", &b.Variables, `{"offer":"spring"}`)
}

// formJSON reads a field of a form that is JSON, when it was sent.
func formJSON[T any](u *wire.Upload, field string, into *wire.Opt[T], example string) error {
	text := u.Field(field)
	if text == "" {
		return nil
	}
	if wire.CheckJSON([]byte(text)) != nil || json.Unmarshal([]byte(text), into) != nil {
		return domain.Invalid(field, "%s must be JSON such as %s", field, example)
	}
	return nil
}

// change translates the fields; name is what a batch without one is called.
func (b *BatchFields) change(name string) (outreach.CampaignChange, error) {
	req := outreach.CampaignChange{
		Kind: domain.KindBatch, Name: b.Name.Given(), AgentID: b.AgentID.Given(), PhoneNumberID: b.PhoneNumberID.Given(), Variables: b.Variables.Given(),
	}
	if req.Name == nil {
		req.Name = &name
	}
	if req.AgentID == nil {
		return req, domain.Invalid("agentId", "agentId is required: who talks").For(domain.ReasonMissing, "")
	}
	if at := b.ScheduledAt.Given(); at != nil {
		start, _, err := wire.ParseInstant("scheduledAt", *at)
		if err != nil {
			return req, err
		}
		req.StartAt = &start
	}
	var err error
	if b.Retry.Given() != nil {
		req.Retry, err = b.Retry.Value.retry()
	}
	return req, err
}

func (f *face) getBatch(ctx context.Context, in *ByID) (*object[Batch], error) {
	c, err := f.rules.Campaign(ctx, wire.ScopeOf(ctx), domain.KindBatch, in.ID)
	if err != nil {
		return nil, err
	}
	return batchReply(c)
}

func (f *face) updateBatch(ctx context.Context, in *struct {
	ByID
	wire.IfMatch
	Body BatchChange
}) (*object[Batch], error) {
	version, err := in.Version()
	if err != nil {
		return nil, err
	}
	req := outreach.CampaignChange{Name: in.Body.Name.Given(), IfVersion: version}
	if err := notNull("name", in.Body.Name.Null); err != nil {
		return nil, err
	}
	if word := in.Body.Status.Given(); word != nil {
		state := domain.CampaignState(*word)
		if !slices.Contains([]domain.CampaignState{domain.CampaignActive, domain.CampaignPaused, domain.CampaignCancelled}, state) {
			return nil, domain.Invalid("status", "status must be one of: active, paused, cancelled")
		}
		if state == domain.CampaignCancelled && req.Name == nil {
			c, err := f.rules.CancelBatch(ctx, wire.ScopeOf(ctx), in.ID, version)
			if err != nil {
				return nil, err
			}
			return f.getBatch(ctx, &ByID{ID: c.ID})
		}
		req.State = &state
	}
	c, err := f.rules.UpdateCampaign(ctx, wire.ScopeOf(ctx), domain.KindBatch, in.ID, req)
	if err != nil {
		return nil, err
	}
	return batchReply(c)
}

func (f *face) listBatchCalls(ctx context.Context, in *recipientQuery) (*list[Recipient], error) {
	return f.recipients(ctx, domain.KindBatch, in)
}

// batchReply is a batch with its version: its calls change what is shown of it.
func batchReply(c *outreach.CampaignDetail) (*object[Batch], error) {
	body := batch(c)
	raw, err := wire.Canonical(body)
	if err != nil {
		return nil, err
	}
	return &object[Batch]{ETag: wire.ETagOf(c.Version, string(raw)), Body: body}, nil
}

func batch(c *outreach.CampaignDetail) Batch {
	same := campaign(c)
	return Batch{
		ID: same.ID, Name: same.Name, Status: same.Status, CallsTotal: same.CallsTotal, CallsCompleted: same.CallsCompleted,
		CreatedAt: same.CreatedAt, AgentID: same.AgentID, PhoneNumberID: same.PhoneNumberID, ScheduledAt: same.ScheduledStart,
		PauseReason: same.PauseReason, Retry: same.Retry, Variables: same.Variables, Counts: same.Counts,
		StartedAt: same.StartedAt, EndedAt: same.EndedAt, UpdatedAt: same.UpdatedAt,
	}
}
