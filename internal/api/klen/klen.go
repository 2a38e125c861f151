// Package klen is the dialect of Klen's clients: its routes, its JSON and its
// webhook payloads.
package klen

import (
	"context"
	"net/http"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
)

// Name is the dialect's word in configuration and in endpoints.
const Name = "klen"

// Root is where the dialect's routes begin, but for the creation of webhooks.
const Root = "/api/v1"

// face serves the dialect's routes from the rules.
type face struct {
	rules *service.Service
}

// New returns the dialect.
func New(o wire.Options) (*wire.Dialect, error) {
	rt := wire.NewRouter(wire.RouterOptions{
		Title: "Callwright for Klen's clients", Version: o.Version, Rules: o.Rules, Logger: o.Logger,
		Description: "Agents, calls and webhooks as Klen's clients know them.",
		Shape:       Shape, ErrorBody: Fault{}, KeyQuery: "api_key",
	})
	f := &face{rules: o.Rules}
	f.root(rt)
	f.contactRoutes(rt)
	f.agentRoutes(rt)
	f.callRoutes(rt)
	f.webhookRoutes(rt)
	f.calendarRoutes(rt)
	return &wire.Dialect{
		Name: Name, Prefix: "/klen", Roots: []string{"/api", "/calendar/event"}, Router: rt,
		Own: []string{"/api/webhooks"}, Hosts: []string{"api.klen.ai"}, Key: keyOf,
	}, rt.Err()
}

// keyOf also finds a key in the query parameter api_key.
func keyOf(r *http.Request) string {
	if key := wire.KeyOf(r); key != "" {
		return key
	}
	return r.URL.Query().Get("api_key")
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
	}, func(context.Context, *struct{}) (*status, error) {
		out := &status{}
		out.Body.Status = "ok"
		return out, nil
	})
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

// Removed is the answer to a delete.
type Removed struct {
	ID      domain.ID `json:"id"`
	Message string    `json:"message"`
}

type removed struct{ Body Removed }

func gone(id domain.ID, message string) *removed {
	return &removed{Removed{ID: id, Message: message}}
}

// orNull makes "" a JSON null.
func orNull[T ~string](s T) *T {
	if s == "" {
		return nil
	}
	return &s
}
