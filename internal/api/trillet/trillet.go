// Package trillet is the dialect of Trillet's clients: its routes, its JSON and
// its webhook payloads.
package trillet

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"strings"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
)

// Name is the dialect's, also that of its webhooks.
const Name = "trillet"

// Root is where the dialect's routes begin; others are aliases of it.
const Root = "/api/v1"

// face serves the dialect's routes from the rules.
type face struct {
	rules *service.Service
	log   *slog.Logger
}

// New returns the dialect.
func New(o wire.Options) (*wire.Dialect, error) {
	rt := wire.NewRouter(wire.RouterOptions{
		Title: "Callwright for Trillet's clients", Version: o.Version, Rules: o.Rules, Uploads: o.Uploads, Logger: o.Logger,
		Description: "Agents, flows, calls and batch calls as Trillet's clients know them.",
		Shape:       Shape, ErrorBody: Fault{},
	})
	f := &face{rules: o.Rules, log: cmp.Or(o.Logger, slog.Default())}
	f.root(rt)
	f.agentRoutes(rt)
	f.flowRoutes(rt)
	f.callRoutes(rt)
	f.historyRoutes(rt)
	f.batchRoutes(rt)
	return &wire.Dialect{
		Name: Name, Prefix: "/trillet", Roots: []string{"/api", "/v1", "/v2"}, Router: rt,
		Own:   []string{"/v1", "/v2", Root + "/calls/call", Root + "/calls/send"},
		Hosts: []string{"api.trillet.ai"}, Key: keyOf, Check: checkWorkspace, LiveRate: 60,
	}, rt.Err()
}

// ways are the aliases of Root + path.
func ways(path string) []string { return []string{"/v1/api" + path, "/v2/api" + path} }

// update registers a change of an object for both verbs: a PUT changes the
// fields that it names, like a PATCH.
func update[I, O any](rt *wire.Router, r wire.Route, handler func(context.Context, *I) (*O, error)) {
	patch, put := r, r
	patch.Method, patch.ID = http.MethodPatch, "update-"+r.ID
	put.Method, put.ID = http.MethodPut, "put-"+r.ID
	wire.Handle(rt, patch, handler)
	wire.Handle(rt, put, handler)
}

// keyOf also finds a key in the header X-API_KEY, which some clients send.
func keyOf(r *http.Request) string {
	if key := wire.KeyOf(r); key != "" {
		return key
	}
	return strings.TrimSpace(r.Header.Get("X-API_KEY"))
}

// checkWorkspace refuses requests that name another workspace than their key's.
func checkWorkspace(r *http.Request, c *wire.Caller) error {
	if id := strings.TrimSpace(r.Header.Get("X-Workspace-Id")); id != "" && id != string(c.Workspace) {
		return domain.Errorf(domain.CodeForbidden, "x-workspace-id is not the workspace of this API key; leave it out or correct it")
	}
	return nil
}

// root answers whether a key is good.
func (f *face) root(rt *wire.Router) {
	type status struct {
		Body struct {
			Status string `json:"status"`
		}
	}
	wire.Handle(rt, wire.Route{
		Method: http.MethodGet, Path: Root, ID: "check-key", Tag: "keys", Scope: wire.AnyScope, Summary: "Check an API key",
		Aliases: ways(""),
	}, func(ctx context.Context, _ *struct{}) (*status, error) {
		out := &status{}
		out.Body.Status = "ok"
		return out, nil
	})
}
