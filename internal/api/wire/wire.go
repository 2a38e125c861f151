// Package wire holds what every dialect of the API needs between HTTP and the
// rules: reading and writing JSON, optional fields, paging, times, errors,
// idempotency, and the router that carries a dialect's routes.
package wire

import (
	"context"
	"net/netip"
	"net/url"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
	"github.com/callwright/callwright/internal/service/access"
)

// Caller is who sent a request.
type Caller struct {
	domain.Scope
	Identity *access.Identity
}

// Request is what the server knows of a request beside HTTP.
type Request struct {
	ID        string           // X-Request-Id
	From      netip.Addr       // the client's address; not valid when it is not known
	Use       *access.KeyUse   // how a good key was used, once there is one
	Caller    *Caller          // once it may go on
	Target    *url.URL         // as the client wrote it, prefixes included
	PublicURL string           // scheme and host under which the client reached the server
	Tag       string           // ETag of a good answer, from a handler that has one; "" is made of the bytes
	once      *service.OnceKey // its Idempotency-Key, when the request is new
	upload    *Upload          // the form that it sent, on a route with one
}

type requestKey struct{}

// WithRequest puts r into ctx.
func WithRequest(ctx context.Context, r *Request) context.Context {
	return context.WithValue(ctx, requestKey{}, r)
}

// RequestOf returns the request that ctx belongs to. It is never nil.
func RequestOf(ctx context.Context) *Request {
	if r, ok := ctx.Value(requestKey{}).(*Request); ok {
		return r
	}
	return &Request{}
}

// ScopeOf returns what the request's caller may see; the empty scope, which
// holds nothing, when there is no caller.
func ScopeOf(ctx context.Context) domain.Scope {
	if c := RequestOf(ctx).Caller; c != nil {
		return c.Scope
	}
	return domain.Scope{}
}
