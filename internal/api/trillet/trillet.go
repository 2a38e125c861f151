// Package trillet is the dialect of Trillet's clients: its routes, its JSON and
// its webhook payloads.
package trillet

import (
	"context"
	"net/http"
	"strings"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
)

// Root is where the dialect's routes begin; others are aliases of it.
const Root = "/api/v1"

// face serves the dialect's routes from the rules.
type face struct {
	rules *service.Service
}

// New returns the dialect.
func New(o wire.Options) (*wire.Dialect, error) {
	rt := wire.NewRouter(wire.RouterOptions{
		Title: "Callwright for Trillet's clients", Version: o.Version, Rules: o.Rules, Logger: o.Logger,
		Description: "Agents, flows and calls as Trillet's clients know them.",
		Shape:       Shape, ErrorBody: Fault{},
	})
	f := &face{rules: o.Rules}
	f.root(rt)
	return &wire.Dialect{
		Name: "trillet", Prefix: "/trillet", Roots: []string{"/api", "/v1", "/v2"}, Router: rt,
		Own:   []string{"/v1", "/v2", Root + "/calls/call", Root + "/calls/send"},
		Hosts: []string{"api.trillet.ai"}, Key: keyOf, Check: checkWorkspace,
	}, rt.Err()
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
		Aliases: []string{"/v1/api", "/v2/api"},
	}, func(ctx context.Context, _ *struct{}) (*status, error) {
		out := &status{}
		out.Body.Status = "ok"
		return out, nil
	})
}
