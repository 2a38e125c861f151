package klen

import (
	"context"
	"net/http"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
)

// Webhook is a receiver of webhooks.
type Webhook struct {
	ID               domain.ID    `json:"id"`
	Name             string       `json:"name"`
	URL              string       `json:"url"`
	SubscribedEvents []string     `json:"subscribed_events"`
	IsActive         bool         `json:"is_active"`
	DisabledReason   *string      `json:"disabled_reason" doc:"Why it was switched off after failing for long, else null."`
	Dialect          string       `json:"dialect" doc:"The form of the payloads: klen, unless it was made elsewhere."`
	CreatedAt        wire.Instant `json:"created_at"`
	UpdatedAt        wire.Instant `json:"updated_at"`
}

// SecretWebhook is the answer to a creation.
type SecretWebhook struct {
	Webhook
	Secret string `json:"secret" doc:"Signs what is sent; shown this once."`
}

// Webhooks is a page of receivers.
type Webhooks struct {
	Pages
	Webhooks   []Webhook  `json:"webhooks"`
	NextCursor *domain.ID `json:"next_cursor" doc:"after_id of the next request; null at the end."`
}

// WebhookFields are the fields of a new receiver, or of a change to one.
type WebhookFields struct {
	Name             wire.Opt[string]   `json:"name,omitzero"`
	URL              wire.Opt[string]   `json:"url,omitzero" doc:"Publicly reachable https."`
	SubscribedEvents wire.Opt[[]string] `json:"subscribed_events,omitzero" doc:"Names of events, or * for all."`
	IsActive         wire.Opt[bool]     `json:"is_active,omitzero" doc:"true when not sent."`
}

// WebhookLog is one event on its way to a receiver.
type WebhookLog struct {
	ID            domain.ID    `json:"id"`
	EventType     string       `json:"event_type"`
	CallID        *domain.ID   `json:"call_id"`
	Status        string       `json:"status" enum:"pending,delivered,failed"`
	Attempts      int64        `json:"attempts"`
	StatusCode    *int         `json:"status_code" doc:"Of the last try's answer."`
	Error         *string      `json:"error"`
	NextAttemptAt wire.Instant `json:"next_attempt_at"`
	CreatedAt     wire.Instant `json:"created_at"`
	FinishedAt    wire.Instant `json:"finished_at"`
}

// WebhookLogs is a page of what was sent to a receiver, the newest first.
type WebhookLogs struct {
	Pages
	Logs       []WebhookLog `json:"logs"`
	NextCursor *domain.ID   `json:"next_cursor" doc:"after_id of the next request; null at the end."`
}

// WebhookByID is the input of a route for one receiver.
type WebhookByID struct {
	ID domain.ID `path:"id" doc:"The webhook's id."`
}

type webhookReply struct {
	wire.ETag
	Body Webhook
}

var webhookShape = naming(map[string]string{"events": "subscribed_events", "description": "name"})

func (f *face) webhookRoutes(rt *wire.Router) {
	// Creation stands outside of the root, where the others have a second way.
	const outside, path, one = "/api/webhooks", Root + "/webhooks", Root + "/webhooks/{id}"
	ways := func(r wire.Route, more ...string) wire.Route {
		r.Shape, r.Tag = webhookShape, "webhooks"
		for _, way := range append([]string{r.Path}, more...) {
			if way != r.Path {
				r.Aliases = append(r.Aliases, way)
			}
			r.Aliases = append(r.Aliases, outside+way[len(path):])
		}
		return r
	}
	wire.Handle(rt, wire.Route{
		Method: http.MethodPost, Path: outside + "/create", ID: "create-webhook", Scope: "webhooks:write", Status: http.StatusCreated,
		Summary: "Create a webhook", Tag: "webhooks", Shape: webhookShape, Aliases: []string{path + "/create", path, outside},
	}, f.createWebhook)
	wire.Handle(rt, ways(wire.Route{Method: http.MethodGet, Path: path, ID: "list-webhooks", Scope: "webhooks:read", Summary: "List webhooks"}), f.listWebhooks)
	wire.Handle(rt, ways(wire.Route{Method: http.MethodGet, Path: one, ID: "get-webhook", Scope: "webhooks:read", Summary: "Get a webhook"}), f.getWebhook)
	update(rt, ways(wire.Route{Path: one, ID: "webhook", Scope: "webhooks:write", Summary: "Update a webhook"}, one+"/update"), f.updateWebhook)
	wire.Handle(rt, ways(wire.Route{Method: http.MethodDelete, Path: one, ID: "delete-webhook", Scope: "webhooks:write", Summary: "Delete a webhook"}, one+"/delete"), f.deleteWebhook)
	wire.Handle(rt, ways(wire.Route{
		Method: http.MethodPost, Path: one + "/test", ID: "test-webhook", Scope: "webhooks:write", Status: http.StatusAccepted,
		Summary: "Send a test event to a webhook",
	}), f.testWebhook)
	wire.Handle(rt, ways(wire.Route{Method: http.MethodGet, Path: one + "/logs", ID: "list-webhook-logs", Scope: "webhooks:read", Summary: "List what was sent to a webhook"}), f.listLogs)
}

func (f *face) createWebhook(ctx context.Context, in *struct{ Body wire.Loose[WebhookFields] }) (*struct {
	wire.ETag
	Body SecretWebhook
}, error) {
	req, err := in.Body.Value.change()
	if err != nil {
		return nil, err
	}
	if req.Events == nil {
		_, err := eventsOf(nil)
		return nil, err
	}
	dialect := Name
	req.Dialect = &dialect
	render := func(e *domain.Endpoint) SecretWebhook { return SecretWebhook{webhook(e), e.Secret} }
	e, err := f.rules.CreateEndpoint(ctx, wire.ScopeOf(ctx), req, wire.Once(ctx, http.StatusCreated, func(e *domain.Endpoint) any { return render(e) }))
	if err != nil {
		return nil, err
	}
	return &struct {
		wire.ETag
		Body SecretWebhook
	}{wire.ETagOf(e.Version), render(e)}, nil
}

func (f *face) listWebhooks(ctx context.Context, in *struct{ Paging }) (*struct {
	PageHead
	Body Webhooks
}, error) {
	window, err := in.window(defaultLimit)
	if err != nil {
		return nil, err
	}
	rows, total, err := f.rules.Endpoints(ctx, wire.ScopeOf(ctx), window)
	if err != nil {
		return nil, err
	}
	rows, next := cut(rows, window, func(e *domain.Endpoint) domain.ID { return e.ID })
	body := Webhooks{Pages: in.head(window.Limit-1, total), Webhooks: make([]Webhook, len(rows)), NextCursor: next}
	for i := range rows {
		body.Webhooks[i] = webhook(&rows[i])
	}
	return &struct {
		PageHead
		Body Webhooks
	}{in.headers(ctx, body.Pages, next), body}, nil
}

func (f *face) getWebhook(ctx context.Context, in *WebhookByID) (*webhookReply, error) {
	e, err := f.rules.Endpoint(ctx, wire.ScopeOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return &webhookReply{wire.ETagOf(e.Version), webhook(e)}, nil
}

func (f *face) updateWebhook(ctx context.Context, in *struct {
	WebhookByID
	wire.IfMatch
	Body wire.Loose[WebhookFields]
}) (*webhookReply, error) {
	req, err := in.Body.Value.change()
	if err != nil {
		return nil, err
	}
	if req.IfVersion, err = in.Version(); err != nil {
		return nil, err
	}
	e, err := f.rules.UpdateEndpoint(ctx, wire.ScopeOf(ctx), in.ID, req)
	if err != nil {
		return nil, err
	}
	return &webhookReply{wire.ETagOf(e.Version), webhook(e)}, nil
}

func (f *face) deleteWebhook(ctx context.Context, in *struct {
	WebhookByID
	wire.IfMatch
}) (*removed, error) {
	version, err := in.Version()
	if err != nil {
		return nil, err
	}
	if err := f.rules.DeleteEndpoint(ctx, wire.ScopeOf(ctx), in.ID, version); err != nil {
		return nil, err
	}
	return gone(in.ID, "Webhook deleted successfully"), nil
}

func (f *face) testWebhook(ctx context.Context, in *WebhookByID) (*struct{ Body WebhookLog }, error) {
	d, err := f.rules.TestEndpoint(ctx, wire.ScopeOf(ctx), in.ID,
		wire.Once(ctx, http.StatusAccepted, func(d *domain.Delivery) any { return webhookLog(d) }))
	if err != nil {
		return nil, err
	}
	return &struct{ Body WebhookLog }{webhookLog(d)}, nil
}

func (f *face) listLogs(ctx context.Context, in *struct {
	WebhookByID
	Paging
}) (*struct {
	PageHead
	Body WebhookLogs
}, error) {
	window, err := in.window(defaultLimit)
	if err != nil {
		return nil, err
	}
	rows, total, err := f.rules.Deliveries(ctx, wire.ScopeOf(ctx), in.ID, domain.DeliveryFilter{}, window)
	if err != nil {
		return nil, err
	}
	rows, next := cut(rows, window, func(d *domain.Delivery) domain.ID { return d.ID })
	body := WebhookLogs{Pages: in.head(window.Limit-1, total), Logs: make([]WebhookLog, len(rows)), NextCursor: next}
	for i := range rows {
		body.Logs[i] = webhookLog(&rows[i])
	}
	return &struct {
		PageHead
		Body WebhookLogs
	}{in.headers(ctx, body.Pages, next), body}, nil
}

// change translates the fields.
func (b *WebhookFields) change() (service.EndpointChange, error) {
	req := service.EndpointChange{URL: b.URL.Given(), Description: b.Name.Change(), IsActive: b.IsActive.Given()}
	if words := b.SubscribedEvents.Given(); words != nil {
		events, err := eventsOf(*words)
		if err != nil {
			return req, err
		}
		req.Events = &events
	}
	return req, nil
}

func webhook(e *domain.Endpoint) Webhook {
	return Webhook{
		ID: e.ID, Name: e.Description, URL: e.URL, SubscribedEvents: wordsOf(e.Events), IsActive: e.IsActive, DisabledReason: orNull(e.DisabledFor), Dialect: e.Dialect,
		CreatedAt: wire.Instant(e.CreatedAt), UpdatedAt: wire.Instant(e.UpdatedAt),
	}
}

func webhookLog(d *domain.Delivery) WebhookLog {
	out := WebhookLog{
		ID: d.ID, EventType: wordOf(d.EventType), CallID: orNull(d.CallID), Status: string(d.State), Attempts: d.Attempt,
		Error: orNull(d.Error), CreatedAt: wire.Instant(d.CreatedAt), FinishedAt: wire.Instant(d.FinishedAt),
	}
	if d.State == domain.DeliveryPending {
		out.NextAttemptAt = wire.Instant(d.NextAt)
	}
	if d.StatusCode != 0 {
		out.StatusCode = &d.StatusCode
	}
	return out
}
