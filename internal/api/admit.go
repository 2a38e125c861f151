package api

import (
	"context"
	"net/http"
	"strconv"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
	"github.com/callwright/callwright/internal/service/access"
)

// admit finds out who sent a request and whether it may go on: key, rate, peer
// address. From then on the request has a caller.
func (s *server) admit(ctx context.Context, w http.ResponseWriter, a address, secret string) error {
	if secret == "" {
		return wire.KeyMissing()
	}
	req := wire.RequestOf(ctx)
	who, err := s.Service.VerifyKey(ctx, secret, req.From)
	if err != nil {
		return err
	}
	mode := who.Key.Mode
	if a.test {
		mode = domain.Test
	}
	req.Use = &access.KeyUse{Key: &who.Key, Mode: mode, From: req.From}
	if err := s.limit(ctx, w, a, who, mode); err != nil {
		return err
	}
	if !who.Key.From(req.From) {
		req.Use.Fault = domain.FaultAddress
		return domain.Errorf(domain.CodeForbidden, "the API key may not be used from this address")
	}
	caller := &wire.Caller{
		Scope:    domain.Scope{Workspace: who.Workspace.ID, Mode: mode},
		Identity: who,
	}
	if a.face.Check != nil {
		if err := a.face.Check(a.Request, caller); err != nil {
			return err
		}
	}
	req.Caller = caller
	return nil
}

// asked is the request as its route gets it: what writes knows the key.
func (a address) asked(ctx context.Context) *http.Request {
	caller := wire.RequestOf(ctx).Caller
	if caller == nil || a.Method == http.MethodGet || a.Method == http.MethodHead {
		return a.Request
	}
	return a.Request.WithContext(service.AskedBy(ctx, caller.Identity.Key.ID))
}

// limit counts the request against its key's rate and says so in the headers,
// whose letter case is the documented one.
func (s *server) limit(ctx context.Context, w http.ResponseWriter, a address, who *access.Identity, mode domain.Mode) error {
	most := domain.Unlimited
	if mode == domain.Live {
		most = a.face.LiveRate
	}
	rate, err := s.Service.CountRequest(ctx, who, most)
	if err != nil || rate == nil {
		return err
	}
	if a.face.RateHeaders {
		h := w.Header()
		h["X-RateLimit-Limit"] = []string{strconv.Itoa(rate.Limit)}
		h["X-RateLimit-Remaining"] = []string{strconv.Itoa(rate.Left)}
		h["X-RateLimit-Reset"] = []string{strconv.FormatInt(rate.ResetAt.Unix(), 10)}
	}
	if rate.Passed {
		return nil
	}
	refused := domain.Errorf(domain.CodeRateLimited, "more than %d requests a minute; slow down, and go on at %d (Unix seconds)", rate.Limit, rate.ResetAt.Unix())
	refused.RetryAfter, refused.ResetAt = max(rate.Wait, 1), rate.ResetAt
	return refused
}
