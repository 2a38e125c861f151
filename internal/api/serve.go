package api

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"path"
	"runtime/debug"
	"strings"
	"time"

	"github.com/callwright/callwright/internal/api/reference"
	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
)

// ServeHTTP answers one request: it survives panics, names the request, and
// sends the answer.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := s.Now()
	from := proxies(s.TrustedProxies).origin(r)
	req := &wire.Request{ID: requestID(r), From: from.addr, Target: cloneURL(r.URL), PublicURL: s.publicURL(r, from)}
	r = r.WithContext(wire.WithRequest(r.Context(), req))
	out := &answer{ResponseWriter: w}
	out.Header().Set("X-Request-Id", req.ID)
	out.Header().Set("X-Content-Type-Options", "nosniff")
	to := s.address(r)
	defer func() {
		if fault := recover(); fault != nil {
			if err, ok := fault.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(fault) //nolint:forbidigo // net/http asks for it: the connection is to be cut
			}
			s.Logger.Error("a request panicked", "request", req.ID, "fault", fault, "stack", string(debug.Stack()))
			out.reset()
			wire.WriteError(out, to.face.Router.Shape, wire.Public(errPanicked))
		}
		out.finish(r)
		if req.Use != nil {
			req.Use.Status = out.status
			s.Service.NoteUse(*req.Use)
		}
		s.Logger.Debug("request", "request", req.ID, "method", r.Method, "path", req.Target.Path,
			"status", out.status, "bytes", out.sent, "took", s.Now().Sub(began).Round(time.Microsecond))
	}()
	s.route(r.Context(), out, to)
}

// errPanicked is what a client learns of a panic: nothing.
var errPanicked = domain.Errorf(domain.CodeInternal, "something went wrong on our end")

// fail answers with err in the shape of the route, or of the dialect.
func (s *server) fail(ctx context.Context, w http.ResponseWriter, shape wire.ErrorShape, err error) {
	shown := wire.Public(err)
	if shown.Code == domain.CodeInternal {
		s.Logger.ErrorContext(ctx, "a request failed", "request", wire.RequestOf(ctx).ID, "error", err)
	}
	wire.WriteError(w, shape, shown)
}

// route answers the paths that every dialect has and hands the others to the
// dialect.
func (s *server) route(ctx context.Context, w *answer, a address) {
	read := a.Method == http.MethodGet || a.Method == http.MethodHead
	switch p := a.URL.Path; {
	case read && p == "/healthz":
		wire.WriteJSON(w, http.StatusOK, status{"ok"})
	case read && p == "/readyz":
		s.ready(ctx, w, a)
	case read && s.Status != nil && (p == "/status" || p == "/status.json"):
		s.statusPage(w, a.Request, p)
	case read && p == "/openapi.json":
		s.page(ctx, w, a, "application/json", a.face.openapi)
	case read && p == "/docs":
		w.Header().Set("Content-Security-Policy", reference.Policy)
		s.page(ctx, w, a, "text/html; charset=utf-8", a.face.docs)
	case p != path.Clean(p) || !a.api:
		if s.Fallback != nil && !a.api && !a.chosen {
			a.URL = wire.RequestOf(ctx).Target
			s.Fallback.ServeHTTP(w, a.Request)
			return
		}
		s.fail(ctx, w, a.face.Router.Shape, noSuchPath())
	default:
		s.dialect(ctx, w, a)
	}
}

func noSuchPath() error {
	return domain.Errorf(domain.CodeNotFound, "there is nothing at this path; see /docs for the API's routes")
}

type status struct {
	Status string `json:"status"`
}

func (s *server) ready(ctx context.Context, w http.ResponseWriter, a address) {
	if s.Ready != nil {
		if err := s.Ready(ctx); err != nil {
			wire.WriteError(w, a.face.Router.Shape, domain.Unavailable(time.Second, err, "not ready: %s", err))
			return
		}
	}
	wire.WriteJSON(w, http.StatusOK, status{"ok"})
}

// dialect lets a request in and serves it.
func (s *server) dialect(ctx context.Context, w *answer, a address) {
	route, allow, found := a.face.Router.Match(a.Request)
	shape := a.face.Router.ShapeOf(route)
	secret := a.face.Key(a.Request)
	if secret != "" || found && !route.Open {
		if err := s.admit(ctx, w, a, secret); err != nil && (secret != "" || found) {
			s.fail(ctx, w, shape, err)
			return
		}
	}
	_, garbled := url.QueryUnescape(a.URL.RawQuery)
	switch {
	case found && garbled != nil:
		// A parameter that cannot be read is not as good as none: it may be a filter.
		s.fail(ctx, w, shape, domain.Invalid("query", "the query string has a %% sign without two hex digits after it; write the sign as %%25"))
	case found:
		s.recall(ctx, w, a, route)
	case allow != "":
		w.Header().Set("Allow", allow)
		s.fail(ctx, w, shape, domain.Errorf(domain.CodeMethod, "%s is not possible here; possible are %s", a.Method, allow))
	default:
		s.fail(ctx, w, shape, noSuchPath())
	}
}

// publicURL is the scheme and host of links in answers: those that the client
// used, as far as they are known.
func (s *server) publicURL(r *http.Request, from origin) string {
	if s.PublicURL != "" {
		return strings.TrimRight(s.PublicURL, "/")
	}
	usual := "http"
	if r.TLS != nil {
		usual = "https"
	}
	return (&url.URL{Scheme: cmp.Or(from.scheme, usual), Host: cmp.Or(from.host, r.Host)}).String()
}

// requestID takes over a sensible id of the client's, else makes one.
func requestID(r *http.Request) string {
	id := r.Header.Get("X-Request-Id")
	if id == "" || len(id) > 128 || strings.ContainsFunc(id, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return string(domain.NewID())
	}
	return id
}

// page answers with what render makes.
func (s *server) page(ctx context.Context, w http.ResponseWriter, a address, contentType string, render func() ([]byte, error)) {
	body, err := render()
	if err != nil {
		s.fail(ctx, w, a.face.Router.Shape, err)
		return
	}
	w.Header().Set("Content-Type", contentType)
	_, _ = w.Write(body) // a client that is gone needs no answer
}

func cloneURL(u *url.URL) *url.URL {
	c := *u
	return &c
}
