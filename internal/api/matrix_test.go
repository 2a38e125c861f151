package api_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/callwright/callwright/internal/api/native"
	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
)

// TestAccess sends every route of the dialect with every kind of key that must
// not get through, and for every object of another workspace or mode.
func TestAccess(t *testing.T) {
	a := start(t, domain.Enterprise)
	face, err := native.New(wire.Options{Rules: a.service})
	a.ok(err)
	objects := a.objects(a.key)

	other := &domain.Workspace{ID: domain.NewID(), Name: "Other", Plan: domain.Enterprise, CreatedAt: a.clock.now()}
	a.ok(a.store.InTx(t.Context(), domain.LaneAPI, func(ctx context.Context, s *domain.Stores) error {
		return s.Workspaces.Create(ctx, other)
	}))
	stranger := a.newKey(service.NewKey{Workspace: other.ID, Name: "stranger"})
	tester := a.newKey(service.NewKey{Name: "tester", Mode: domain.Test})
	revoked, secret, err := a.service.CreateKey(t.Context(), service.NewKey{Workspace: a.first.Workspace.ID, Name: "revoked"})
	a.ok(err)
	a.want(a.send("GET", native.Root, secret, ""), http.StatusOK, "")
	_, err = a.service.RevokeKey(t.Context(), a.first.Workspace.ID, revoked.ID)
	a.ok(err)

	routes := face.Router.Routes()
	if len(routes) < 30 {
		t.Fatalf("only %d routes", len(routes))
	}
	for _, r := range routes {
		resource := strings.Split(strings.TrimPrefix(r.Path, native.Root+"/"), "/")[0]
		path := strings.NewReplacer("{id}", objects[resource], "{callId}", objects["calls"]).Replace(r.Path)
		if path == native.Root+"/dialing/check" {
			path += "?to=%2B13055551234"
		}
		body := ""
		if slices.Contains([]string{"POST", "PUT", "PATCH"}, r.Method) {
			body = "{}"
		}
		t.Run(r.ID, func(t *testing.T) {
			a := *a
			a.T = t
			a.want(a.send(r.Method, path, "", body), http.StatusUnauthorized, "UNAUTHORIZED")
			a.want(a.send(r.Method, path, secret, body), http.StatusUnauthorized, "UNAUTHORIZED")
			a.want(a.send(r.Method, path, a.key[:len(a.key)-1]+"!", body), http.StatusUnauthorized, "UNAUTHORIZED")
			if r.Scope == wire.AnyScope {
				return
			}
			wrong := a.newKey(service.NewKey{Name: "wrong", Scopes: allBut(routes, r.Scope)})
			denied := a.send(r.Method, path, wrong, body)
			a.want(denied, http.StatusForbidden, "FORBIDDEN")
			if !strings.Contains(denied.body, r.Scope) {
				t.Errorf("the error does not name the scope: %s", denied.body)
			}
			if !strings.Contains(r.Path, "{") {
				for _, key := range []string{stranger, tester} {
					if r.Method == "GET" {
						a.seesNothing(a.send(r.Method, path, key, ""), objects)
					}
				}
				return
			}
			for _, key := range []string{stranger, tester} {
				hidden := a.send(r.Method, path, key, body)
				a.want(hidden, http.StatusNotFound, "NOT_FOUND")
			}
			a.want(a.send(r.Method, "/sandbox"+path, a.key, body), http.StatusNotFound, "NOT_FOUND")
		})
	}
	// What a request names must be in the same scope as well.
	for _, c := range []struct{ path, body string }{
		{"/api/v1/agents", `{"name":"A","flowId":"` + objects["flows"] + `"}`},
		{"/api/v1/phone-numbers", `{"number":"+14155550199","trunkId":"` + objects["trunks"] + `"}`},
		{"/api/v1/calls", `{"agentId":"` + objects["agents"] + `","to":"+14155552671"}`},
	} {
		a.want(a.send("POST", c.path, stranger, c.body), http.StatusNotFound, "NOT_FOUND")
		a.want(a.send("POST", c.path, tester, c.body), http.StatusNotFound, "NOT_FOUND")
	}
}

// objects makes one object of each kind and returns their ids by resource.
func (a *app) objects(key string) map[string]string {
	a.Helper()
	flow := a.create("/api/v1/flows", key, `{"name":"F","status":"published","nodes":[{"id":"a","type":"end","text":"Bye"}]}`)
	agent := a.create("/api/v1/agents", key, `{"name":"A","flowId":"`+flow+`"}`)
	trunk := a.create("/api/v1/trunks", key, `{"name":"T","host":"127.0.0.1"}`)
	number := a.create("/api/v1/phone-numbers", key, `{"number":"+14155550100","trunkId":"`+trunk+`","agentId":"`+agent+`"}`)
	call := a.create("/api/v1/calls", key, `{"agentId":"`+agent+`","to":"+14155552671"}`)
	notice := a.notice()
	hook := a.create("/api/v1/webhooks", key, `{"url":"https://example.com/","events":["*"]}`)
	return map[string]string{
		"flows": flow, "agents": agent, "trunks": trunk, "phone-numbers": number, "calls": call, "recordings": call, "webhooks": hook, "notices": notice,
	}
}

// notice leaves a notice in the first workspace.
func (a *app) notice() string {
	a.Helper()
	n := domain.Notice{
		ID: domain.NewID(), WorkspaceID: a.first.Workspace.ID, Mode: domain.Live, Kind: domain.NoticeEndpointDisabled, Version: 1, CreatedAt: a.clock.now(),
	}
	a.ok(a.store.InTx(a.Context(), domain.LaneAPI, func(ctx context.Context, s *domain.Stores) error {
		row := n
		return s.Notices.Create(ctx, &row)
	}))
	return string(n.ID)
}

func (a *app) seesNothing(r reply, objects map[string]string) {
	a.Helper()
	a.want(r, http.StatusOK, "")
	for _, id := range objects {
		if strings.Contains(r.body, id) {
			a.Errorf("a stranger sees %s in %s", id, r.body)
		}
	}
}

// allBut is every scope of the routes except one.
func allBut(routes []wire.Route, scope string) []string {
	var all []string
	for _, r := range routes {
		if r.Scope != scope && r.Scope != wire.AnyScope && !slices.Contains(all, r.Scope) {
			all = append(all, r.Scope)
		}
	}
	return all
}
