package native

import (
	"context"
	"net/http"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
)

// Webhook is a receiver of webhooks. Its secret is shown by SecretWebhook only.
type Webhook struct {
	ID          domain.ID    `json:"id"`
	URL         string       `json:"url"`
	Events      []string     `json:"events"`
	Dialect     string       `json:"dialect"`
	Description string       `json:"description"`
	IsActive    bool         `json:"isActive"`
	Schedule    string       `json:"schedule" enum:"standard,extended" doc:"How failed deliveries are repeated: over about three hours, or over three days."`
	RateLimit   int          `json:"rateLimit" doc:"Deliveries a second; 0 is as many as come."`
	DisabledAt  wire.Instant `json:"disabledAt" doc:"When the system switched it off."`
	DisabledFor *string      `json:"disabledReason"`
	CreatedAt   wire.Instant `json:"createdAt"`
	UpdatedAt   wire.Instant `json:"updatedAt"`
}

// SecretWebhook is a receiver with the secret that signs what it gets: the
// answer to its creation and to a new secret.
type SecretWebhook struct {
	Webhook
	Secret string `json:"secret" doc:"Shown this once."`
}

// WebhookFields are the fields of a new receiver, or of a change to one.
type WebhookFields struct {
	URL         wire.Opt[string]   `json:"url,omitzero" doc:"Publicly reachable https."`
	Events      wire.Opt[[]string] `json:"events,omitzero" doc:"Event types, or * for all."`
	Dialect     wire.Opt[string]   `json:"dialect,omitzero" doc:"The form of the payloads; native when not sent."`
	Description wire.Opt[string]   `json:"description,omitzero"`
	IsActive    wire.Opt[bool]     `json:"isActive,omitzero" doc:"true when not sent."`
	Schedule    wire.Opt[string]   `json:"schedule,omitzero" doc:"standard or extended; standard when not sent."`
	RateLimit   wire.Opt[int]      `json:"rateLimit,omitzero" doc:"Deliveries a second; 0, when not sent, is as many as come."`
}

func (f *face) webhookRoutes(rt *wire.Router) {
	const path, one = Root + "/webhooks", Root + "/webhooks/{id}"
	wire.Handle(rt, wire.Route{Method: http.MethodGet, Path: path, ID: "list-webhooks", Scope: "webhooks:read", Summary: "List webhook endpoints"}, f.listWebhooks)
	wire.Handle(rt, wire.Route{Method: http.MethodPost, Path: path, ID: "create-webhook", Scope: "webhooks:write", Status: http.StatusCreated, Summary: "Create a webhook endpoint"}, f.createWebhook)
	wire.Handle(rt, wire.Route{Method: http.MethodGet, Path: one, ID: "get-webhook", Scope: "webhooks:read", Summary: "Get a webhook endpoint"}, f.getWebhook)
	wire.Handle(rt, wire.Route{Method: http.MethodDelete, Path: one, ID: "delete-webhook", Scope: "webhooks:write", Summary: "Delete a webhook endpoint"}, f.deleteWebhook)
	wire.Handle(rt, wire.Route{Method: http.MethodPost, Path: one + "/rotate-secret", ID: "rotate-webhook-secret", Scope: "webhooks:write", Summary: "Give a webhook endpoint a new secret"}, f.rotateWebhook)
	wire.Handle(rt, wire.Route{Method: http.MethodPost, Path: one + "/test", ID: "test-webhook", Scope: "webhooks:write", Status: http.StatusAccepted, Summary: "Send a test event to a webhook endpoint"}, f.testWebhook)
	wire.Handle(rt, wire.Route{Method: http.MethodPost, Path: one + "/enable", ID: "enable-webhook", Scope: "webhooks:write", Summary: "Switch a webhook endpoint on again"}, f.enableWebhook)
	f.deliveryRoutes(rt, one)
	update(rt, wire.Route{Path: one, ID: "webhook", Scope: "webhooks:write", Summary: "Update a webhook endpoint"}, f.updateWebhook)
}

func (f *face) listWebhooks(ctx context.Context, in *wire.Paging) (*list[Webhook], error) {
	page := in.Page()
	rows, total, err := f.rules.Endpoints(ctx, wire.ScopeOf(ctx), page)
	if err != nil {
		return nil, err
	}
	return listOf(ctx, page, total, rows, webhook), nil
}

func (f *face) createWebhook(ctx context.Context, in *struct{ Body WebhookFields }) (*object[SecretWebhook], error) {
	e, err := f.rules.CreateEndpoint(ctx, wire.ScopeOf(ctx), in.Body.change(), wire.Once(ctx, http.StatusCreated, secretWebhookBody))
	if err != nil {
		return nil, err
	}
	return reply(e.Version, secretWebhook(e)), nil
}

func (f *face) getWebhook(ctx context.Context, in *ByID) (*object[Webhook], error) {
	e, err := f.rules.Endpoint(ctx, wire.ScopeOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return reply(e.Version, webhook(e)), nil
}

func (f *face) updateWebhook(ctx context.Context, in *struct {
	ByID
	wire.IfMatch
	Body WebhookFields
}) (*object[Webhook], error) {
	req := in.Body.change()
	var err error
	if req.IfVersion, err = in.Version(); err != nil {
		return nil, err
	}
	e, err := f.rules.UpdateEndpoint(ctx, wire.ScopeOf(ctx), in.ID, req)
	if err != nil {
		return nil, err
	}
	return reply(e.Version, webhook(e)), nil
}

func (f *face) rotateWebhook(ctx context.Context, in *ByID) (*object[SecretWebhook], error) {
	e, err := f.rules.RotateEndpointSecret(ctx, wire.ScopeOf(ctx), in.ID, wire.Once(ctx, http.StatusOK, secretWebhookBody))
	if err != nil {
		return nil, err
	}
	return reply(e.Version, secretWebhook(e)), nil
}

func (f *face) testWebhook(ctx context.Context, in *ByID) (*object[Delivery], error) {
	d, err := f.rules.TestEndpoint(ctx, wire.ScopeOf(ctx), in.ID, wire.Once(ctx, http.StatusAccepted, deliveryBody))
	if err != nil {
		return nil, err
	}
	return &object[Delivery]{Body: delivery(d)}, nil
}

func (f *face) enableWebhook(ctx context.Context, in *ByID) (*object[Webhook], error) {
	e, err := f.rules.EnableEndpoint(ctx, wire.ScopeOf(ctx), in.ID, wire.Once(ctx, http.StatusOK, webhookBody))
	if err != nil {
		return nil, err
	}
	return reply(e.Version, webhook(e)), nil
}

func (f *face) deleteWebhook(ctx context.Context, in *Removal) (*object[Deleted], error) {
	return remove(ctx, in, f.rules.DeleteEndpoint)
}

func (b *WebhookFields) change() service.EndpointChange {
	req := service.EndpointChange{
		RateLimit: b.RateLimit.Given(),
		URL:       b.URL.Given(), Events: b.Events.Given(), Dialect: b.Dialect.Given(),
		Description: b.Description.Change(), IsActive: b.IsActive.Given(),
	}
	if word := b.Schedule.Given(); word != nil {
		schedule := domain.RetrySchedule(*word)
		req.Schedule = &schedule
	}
	return req
}

func webhook(e *domain.Endpoint) Webhook {
	return Webhook{
		ID: e.ID, URL: e.URL, Events: e.Events, Dialect: e.Dialect, Description: e.Description, IsActive: e.IsActive,
		Schedule: string(e.Schedule), RateLimit: e.RateLimit, DisabledAt: wire.Instant(e.DisabledAt), DisabledFor: orNull(e.DisabledFor),
		CreatedAt: wire.Instant(e.CreatedAt), UpdatedAt: wire.Instant(e.UpdatedAt),
	}
}

func webhookBody(e *domain.Endpoint) any { return webhook(e) }

func secretWebhook(e *domain.Endpoint) SecretWebhook {
	return SecretWebhook{Webhook: webhook(e), Secret: e.Secret}
}

func secretWebhookBody(e *domain.Endpoint) any { return secretWebhook(e) }
