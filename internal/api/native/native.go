// Package native is the API's own dialect: its routes, its JSON and its webhook
// payloads.
package native

import (
	"context"
	"net/http"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
)

// Root is where the dialect's routes begin.
const Root = "/api/v1"

// face serves the dialect's routes from the rules.
type face struct {
	rules *service.Service
	shown shownCalls
}

// New returns the dialect.
func New(o wire.Options) (*wire.Dialect, error) {
	rt := wire.NewRouter(wire.RouterOptions{
		Title: "Callwright", Version: o.Version, Rules: o.Rules, Logger: o.Logger,
		Description: "Voice-AI phone calls over REST: agents, flows, numbers, trunks, calls, recordings and webhooks.",
		Shape:       Shape, ErrorBody: Fault{},
	})
	f := &face{rules: o.Rules}
	f.root(rt)
	f.agentRoutes(rt)
	f.flowRoutes(rt)
	f.numberRoutes(rt)
	f.trunkRoutes(rt)
	f.appointmentRoutes(rt)
	f.messageRoutes(rt)
	f.callRoutes(rt)
	f.callEventRoutes(rt)
	f.dialingRoutes(rt)
	f.liveRoutes(rt)
	f.recordingRoutes(rt)
	f.webhookRoutes(rt)
	f.keyRoutes(rt)
	f.usageRoutes(rt)
	f.workspaceRoutes(rt)
	f.noticeRoutes(rt)
	f.contactRoutes(rt)
	f.doNotCallRoutes(rt)
	f.campaignRoutes(rt)
	return &wire.Dialect{Name: "native", Prefix: "/voxforge", Roots: []string{"/api"}, Router: rt, RateHeaders: true}, rt.Err()
}

// Fault is the body of every error.
type Fault struct {
	Error FaultDetail `json:"error"`
}

// FaultDetail says what went wrong.
type FaultDetail struct {
	Code    string `json:"code" doc:"The machine word for the error: BAD_REQUEST, NOT_FOUND …"`
	Message string `json:"message" doc:"What was wrong, where, and what to do."`
}

// words are the dialect's words for codes.
var words = map[domain.Code]string{
	domain.CodeInvalid:          "BAD_REQUEST",
	domain.CodeUnauthorized:     "UNAUTHORIZED",
	domain.CodeForbidden:        "FORBIDDEN",
	domain.CodeNotFound:         "NOT_FOUND",
	domain.CodeConflict:         "CONFLICT",
	domain.CodeMismatch:         "IDEMPOTENCY_MISMATCH",
	domain.CodeLimitReached:     "LIMIT_REACHED",
	domain.CodePayment:          "LIMIT_REACHED",
	domain.CodeRateLimited:      "RATE_LIMITED",
	domain.CodeTooLarge:         "PAYLOAD_TOO_LARGE",
	domain.CodeUnsupportedMedia: "UNSUPPORTED_MEDIA_TYPE",
	domain.CodeMethod:           "METHOD_NOT_ALLOWED",
	domain.CodePrecondition:     "PRECONDITION_FAILED",
	domain.CodeUnavailable:      "UNAVAILABLE",
	domain.CodeInternal:         "INTERNAL_ERROR",
}

// Shape renders an error as {"error":{"code","message"}}. Credits that are used
// up are a limit like the plan's: the documented table has no 402.
func Shape(err *domain.Error) (int, any) {
	word, ok := words[err.Code]
	if !ok {
		word = words[domain.CodeInternal]
	}
	status := wire.StatusOf(err.Code)
	if err.Code == domain.CodePayment {
		status = http.StatusUnprocessableEntity
	}
	return status, Fault{FaultDetail{Code: word, Message: err.Message}}
}

// ByID is the input of a route for one object. (huma passes over embedded types
// that are not exported.)
type ByID struct {
	ID domain.ID `path:"id" doc:"The object's id."`
}

// Removal is the input of a delete.
type Removal struct {
	ByID
	wire.IfMatch
}

// The outputs that several routes share.
type (
	object[T any] struct {
		wire.ETag
		Body T
	}
	list[T any] struct {
		wire.PageHead
		Body []T
	}
	nothing struct{}
)

// Deleted is the answer to a delete.
type Deleted struct {
	ID      domain.ID `json:"id"`
	Deleted bool      `json:"deleted"`
}

// reply is an object with its version.
func reply[T any](version int64, body T) *object[T] {
	return &object[T]{ETag: wire.ETagOf(version), Body: body}
}

// listOf renders a page of rows.
func listOf[Row, T any](ctx context.Context, page domain.Page, total int, rows []Row, render func(*Row) T) *list[T] {
	out := &list[T]{PageHead: wire.HeadOf(ctx, page, total), Body: make([]T, len(rows))}
	for i := range rows {
		out.Body[i] = render(&rows[i])
	}
	return out
}

// remove runs one of the rules' deletes.
func remove(ctx context.Context, in *Removal, do func(context.Context, domain.Scope, domain.ID, int64) error) (*object[Deleted], error) {
	version, err := in.Version()
	if err != nil {
		return nil, err
	}
	if err := do(ctx, wire.ScopeOf(ctx), in.ID, version); err != nil {
		return nil, err
	}
	return &object[Deleted]{Body: Deleted{ID: in.ID, Deleted: true}}, nil
}

// update registers a change of an object for both verbs: a PUT changes the
// fields that it names, like a PATCH.
func update[I, O any](rt *wire.Router, r wire.Route, handler func(context.Context, *I) (*O, error)) {
	patch, put := r, r
	patch.Method, patch.ID = http.MethodPatch, "update-"+r.ID
	put.Method, put.ID = http.MethodPut, "put-"+r.ID
	wire.Handle(rt, patch, handler)
	wire.Handle(rt, put, handler)
}

// root answers whether a key is good.
func (f *face) root(rt *wire.Router) {
	type status struct {
		Status string `json:"status"`
	}
	wire.Handle(rt, wire.Route{
		Method: http.MethodGet, Path: Root, ID: "check-key", Tag: "keys", Scope: wire.AnyScope, Summary: "Check an API key",
	}, func(context.Context, *nothing) (*object[status], error) {
		return &object[status]{Body: status{Status: "ok"}}, nil
	})
}

// notNull refuses a null in a change where a field must have a value.
func notNull(field string, null bool) error {
	if null {
		return domain.Invalid(field, "%s must not be null; leave it out to keep what is there", field)
	}
	return nil
}
