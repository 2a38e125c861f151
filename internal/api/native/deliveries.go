package native

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
)

// Delivery is one event on its way to a receiver.
type Delivery struct {
	ID         domain.ID    `json:"id"`
	Event      string       `json:"event"`
	EventID    domain.ID    `json:"eventId" doc:"The same in each try, as webhook-id."`
	CallID     *domain.ID   `json:"callId"`
	Status     string       `json:"status" enum:"pending,delivered,failed"`
	Attempts   int64        `json:"attempts"`
	StatusCode *int         `json:"statusCode" doc:"Of the last try's answer."`
	Error      *string      `json:"error"`
	NextAt     wire.Instant `json:"nextAttemptAt"`
	CreatedAt  wire.Instant `json:"createdAt"`
	FinishedAt wire.Instant `json:"finishedAt"`
}

// DeliveryDetail is a delivery with what was sent and each try.
type DeliveryDetail struct {
	Delivery
	Payload json.RawMessage `json:"payload" doc:"What is signed and sent."`
	Log     []DeliveryTry   `json:"log" doc:"Each try, the first one first."`
}

// DeliveryTry is one try to deliver.
type DeliveryTry struct {
	Number     int64        `json:"number"`
	At         wire.Instant `json:"at"`
	StatusCode *int         `json:"statusCode"`
	LatencyMs  int64        `json:"latencyMs"`
	Error      *string      `json:"error"`
	Request    string       `json:"request" doc:"The head of the request, without secrets; at most 4 kB."`
	Response   string       `json:"response" doc:"The head of the answer's body, at most 4 kB."`
}

// ResendFields say what is sent again.
type ResendFields struct {
	Since wire.Opt[string] `json:"since,omitzero" doc:"ISO 8601: failed deliveries made then or later; all when not sent."`
}

// Resent says how much is sent again.
type Resent struct {
	Resent int `json:"resent"`
}

// DeliveryByID is the input of a route for one delivery.
type DeliveryByID struct {
	ByID
	DeliveryID domain.ID `path:"deliveryId"`
}

type deliveryQuery struct {
	ByID
	wire.Paging
	Status string    `query:"status" enum:"pending,delivered,failed"`
	Event  string    `query:"event"`
	CallID domain.ID `query:"callId"`
	Since  string    `query:"since" doc:"ISO 8601: made then or later."`
}

func (f *face) deliveryRoutes(rt *wire.Router, one string) {
	all, each := one+"/deliveries", one+"/deliveries/{deliveryId}"
	wire.Handle(rt, wire.Route{Method: http.MethodGet, Path: all, ID: "list-webhook-deliveries", Scope: "webhooks:read", Summary: "List what was sent to a webhook endpoint"}, f.listDeliveries)
	wire.Handle(rt, wire.Route{Method: http.MethodGet, Path: each, ID: "get-webhook-delivery", Scope: "webhooks:read", Summary: "Get a delivery with all its tries"}, f.getDelivery)
	wire.Handle(rt, wire.Route{Method: http.MethodPost, Path: each + "/resend", ID: "resend-webhook-delivery", Scope: "webhooks:write", Status: http.StatusAccepted, Summary: "Send a delivery again"}, f.resendDelivery)
	wire.Handle(rt, wire.Route{Method: http.MethodPost, Path: one + "/resend", ID: "resend-webhook", Scope: "webhooks:write", Status: http.StatusAccepted, Summary: "Send all failed deliveries again"}, f.resendFailed)
}

func (f *face) listDeliveries(ctx context.Context, in *deliveryQuery) (*list[Delivery], error) {
	filter := domain.DeliveryFilter{State: domain.DeliveryState(in.Status), EventType: domain.EventType(in.Event), CallID: in.CallID}
	if in.Since != "" {
		var err error
		if filter.CreatedMin, _, err = wire.ParseInstant("since", in.Since); err != nil {
			return nil, err
		}
	}
	page := in.Page()
	rows, total, err := f.rules.Deliveries(ctx, wire.ScopeOf(ctx), in.ID, filter, page)
	if err != nil {
		return nil, err
	}
	return listOf(ctx, page, total, rows, delivery), nil
}

func (f *face) getDelivery(ctx context.Context, in *DeliveryByID) (*object[DeliveryDetail], error) {
	d, err := f.rules.Delivery(ctx, wire.ScopeOf(ctx), in.ID, in.DeliveryID)
	if err != nil {
		return nil, err
	}
	out := DeliveryDetail{Delivery: delivery(&d.Delivery), Payload: d.Body, Log: make([]DeliveryTry, len(d.Tries))}
	for i, t := range d.Tries {
		out.Log[i] = DeliveryTry{
			Number: t.Number, At: wire.Instant(t.At), LatencyMs: t.LatencyMs, Error: orNull(t.Error), Request: t.Request, Response: t.Response,
		}
		if t.StatusCode != 0 {
			out.Log[i].StatusCode = &t.StatusCode
		}
	}
	return &object[DeliveryDetail]{Body: out}, nil
}

func (f *face) resendDelivery(ctx context.Context, in *DeliveryByID) (*object[Delivery], error) {
	d, err := f.rules.ResendDelivery(ctx, wire.ScopeOf(ctx), in.ID, in.DeliveryID, wire.Once(ctx, http.StatusAccepted, deliveryBody))
	if err != nil {
		return nil, err
	}
	return &object[Delivery]{Body: delivery(d)}, nil
}

func (f *face) resendFailed(ctx context.Context, in *struct {
	ByID
	Body *ResendFields
}) (*object[Resent], error) {
	var since time.Time
	if in.Body != nil && in.Body.Since.Value != "" {
		var err error
		if since, _, err = wire.ParseInstant("since", in.Body.Since.Value); err != nil {
			return nil, err
		}
	}
	n, err := f.rules.ResendFailed(ctx, wire.ScopeOf(ctx), in.ID, since)
	if err != nil {
		return nil, err
	}
	return &object[Resent]{Body: resent(n)}, nil
}

func resent(r *service.Resent) Resent { return Resent{Resent: r.Count} }

func delivery(d *domain.Delivery) Delivery {
	out := Delivery{
		ID: d.ID, Event: string(d.EventType), EventID: d.EventID, CallID: orNull(d.CallID), Status: string(d.State), Attempts: d.Attempt,
		Error: orNull(d.Error), CreatedAt: wire.Instant(d.CreatedAt), FinishedAt: wire.Instant(d.FinishedAt),
	}
	if d.State == domain.DeliveryPending {
		out.NextAt = wire.Instant(d.NextAt)
	}
	if d.StatusCode != 0 {
		out.StatusCode = &d.StatusCode
	}
	return out
}

func deliveryBody(d *domain.Delivery) any { return delivery(d) }
