package api

import (
	"context"
	"net/http"
	"net/netip"
	"strconv"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
)

// admit finds out who sent a request and whether it may go on: key, rate, peer
// address. From then on the request has a caller.
func (s *server) admit(ctx context.Context, w http.ResponseWriter, a address, secret string) error {
	if secret == "" {
		return wire.KeyMissing()
	}
	who, err := s.Service.VerifyKey(ctx, secret)
	if err != nil {
		return err
	}
	if err := s.limit(w, a, who); err != nil {
		return err
	}
	if !allowedFrom(who.Key.Allow, a.RemoteAddr) {
		return domain.Errorf(domain.CodeForbidden, "the API key may not be used from this address")
	}
	mode := who.Key.Mode
	if a.test {
		mode = domain.Test
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
	wire.RequestOf(ctx).Caller = caller
	return nil
}

// limit counts the request against its key's rate and says so in the headers,
// whose letter case is the documented one.
func (s *server) limit(w http.ResponseWriter, a address, who *service.Identity) error {
	most := who.RequestsPerMinute()
	if most == domain.Unlimited {
		return nil
	}
	now := s.Now()
	left, end, ok := s.rates.take(who.Key.ID, most, now)
	if a.face.RateHeaders {
		h := w.Header()
		h["X-RateLimit-Limit"] = []string{strconv.Itoa(most)}
		h["X-RateLimit-Remaining"] = []string{strconv.Itoa(left)}
		h["X-RateLimit-Reset"] = []string{strconv.FormatInt(end.Unix(), 10)}
	}
	if ok {
		return nil
	}
	err := domain.Errorf(domain.CodeRateLimited, "more than %d requests a minute; slow down, and go on at %d (Unix seconds)", most, end.Unix())
	err.RetryAfter, err.ResetAt = max(end.Sub(now), 1), end
	return err
}

// allowedFrom reports whether the peer's address is on a key's list; an empty
// list is everywhere. Headers that proxies set are not believed.
func allowedFrom(list []string, peer string) bool {
	if len(list) == 0 {
		return true
	}
	at, err := netip.ParseAddrPort(peer)
	if err != nil {
		return false
	}
	addr := at.Addr().Unmap()
	if addr.Zone() != "" {
		return false
	}
	for _, entry := range list {
		if p, err := netip.ParsePrefix(entry); err == nil && p.Contains(addr) {
			return true
		}
	}
	return false
}
