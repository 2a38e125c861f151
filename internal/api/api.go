// Package api serves the HTTP API: it finds the dialect and the mode of each
// request, lets in who may come in, and keeps every answer in the dialect's
// shape.
package api

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/callwright/callwright/internal/api/native"
	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/service"
)

// Options are what the server needs.
type Options struct {
	Service *service.Service // required
	// Ready tells whether the process can take work; nil means always.
	Ready func(context.Context) error
	// Fallback serves the paths that are not the API's; nil answers 404.
	Fallback http.Handler
	// Hosts chooses a dialect by the request's host name.
	Hosts map[string]string
	// PublicURL is where the server is reached from outside; "" takes what each
	// request says.
	PublicURL string
	Version   string
	Now       func() time.Time // time.Now when nil
	Logger    *slog.Logger     // slog.Default() when nil
}

// face is one dialect as it is mounted.
type face struct {
	name    string
	prefix  string // "/voxforge": chooses the dialect, and is taken off
	root    string // where its routes begin
	router  *wire.Router
	headers bool // X-RateLimit-* on every answer
	openapi []byte
	docs    []byte
}

// server is the API's HTTP handler.
type server struct {
	Options
	faces []*face // the first one is the default
	rates *rateLimiter
}

// New returns the handler of the whole API.
func New(o Options) (http.Handler, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	router, err := native.New(native.Options{Rules: o.Service, Version: o.Version, Logger: o.Logger})
	if err != nil {
		return nil, err
	}
	s := &server{Options: o, rates: newRateLimiter()}
	s.faces = []*face{{name: "native", prefix: "/voxforge", root: native.Root, router: router, headers: true}}
	for _, f := range s.faces {
		if f.openapi, err = f.router.OpenAPI(); err != nil {
			return nil, err
		}
		if f.docs, err = s.docs(f); err != nil {
			return nil, err
		}
	}
	return s, nil
}
