package api_test

import (
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
)

// objects makes one object of each kind and returns their ids, by the path
// segment that stands before such an id in any dialect.
func (a *app) objects(key string) map[string]string {
	a.Helper()
	flow := a.create("/api/v1/flows", key, `{"name":"Quokka flow","status":"published","nodes":[{"id":"a","type":"end","text":"Bye"}]}`)
	agent := a.create("/api/v1/agents", key, `{"name":"Quokka agent","flowId":"`+flow+`","firstMessage":"Quokka greets you"}`)
	trunk := a.create("/api/v1/trunks", key, `{"name":"Quokka trunk","host":"127.0.0.1"}`)
	number := a.create("/api/v1/phone-numbers", key, `{"number":"+14155550100","trunkId":"`+trunk+`","agentId":"`+agent+`"}`)
	call := a.create("/api/v1/calls", key, `{"agentId":"`+agent+`","to":"+14155552671"}`)
	hook := a.create("/api/v1/webhooks", key, `{"url":"https://quokka.example.com/","events":["*"]}`)
	return map[string]string{
		"flows": flow, "call-flows": flow, "agents": agent, "trunks": trunk, "phone-numbers": number, "calls": call, "call-history": call,
		"recordings": call, "webhooks": hook,
	}
}

// bodies are requests that pass the checks of what they hold, by route; routes
// that are not here take "{}" until they look for the object.
var bodies = map[string]string{}

// aParameter finds what stands before a parameter of a path, and its name.
var aParameter = regexp.MustCompile(`([^/]+)/\{([^}]+)\}`)

// address fills the parameters of a route's path with the ids of objects.
func (a *app) address(r wire.Route, objects map[string]string) string {
	a.Helper()
	return aParameter.ReplaceAllStringFunc(r.Path, func(part string) string {
		segment := aParameter.FindStringSubmatch(part)[1]
		id, known := objects[segment]
		if !known {
			a.Errorf("%s %s: nothing is known to stand behind %s/; have objects() in objects_test.go make one, and give its id to %q there",
				r.Method, r.Path, segment, segment)
		}
		return segment + "/" + id
	})
}

// bodyOf is a body for r that is good enough to reach the object.
func bodyOf(r wire.Route) string {
	if !slices.Contains([]string{http.MethodPost, http.MethodPut, http.MethodPatch}, r.Method) {
		return ""
	}
	id, _, _ := strings.Cut(r.ID, "-alias-")
	if body, ok := bodies[id]; ok {
		return body
	}
	return "{}"
}

// secrets are what only the owner of objects may read: ids, and texts with the
// word that every name has.
func secrets(objects map[string]string) []string {
	all := []string{"Quokka", "quokka", "+14155550100", "+14155552671"}
	for _, id := range objects {
		if !slices.Contains(all, id) {
			all = append(all, id)
		}
	}
	return all
}

// leaks fails when an answer holds a secret that its request did not name.
func (a *app) leaks(r reply, objects map[string]string, path string) {
	a.Helper()
	for _, secret := range secrets(objects) {
		if strings.Contains(r.body, secret) && !strings.Contains(path, secret) {
			a.Errorf("%s shows %s in %s", path, secret, r.body)
		}
	}
}

// otherWorkspace adds a workspace that owns nothing.
func (a *app) otherWorkspace() domain.ID {
	a.Helper()
	w := &domain.Workspace{ID: domain.NewID(), Name: "Other", Plan: domain.Enterprise, CreatedAt: a.clock.now()}
	a.ok(a.store.InTx(a.Context(), domain.LaneAPI, func(ctx context.Context, s *domain.Stores) error {
		return s.Workspaces.Create(ctx, w)
	}))
	return w.ID
}

// wantFault fails unless r is an error as shape renders err: status, members and
// machine words; messages may say more.
func (a *app) wantFault(r reply, shape wire.ErrorShape, err *domain.Error) {
	a.Helper()
	status, body := shape(err)
	raw, encodeErr := wire.Canonical(body)
	a.ok(encodeErr)
	var want, got any
	a.ok(json.Unmarshal(raw, &want))
	if err := json.Unmarshal([]byte(r.body), &got); err != nil || r.status != status || !alike(want, got) {
		a.Errorf("got %d %.500s, want %d and a body like %s", r.status, r.body, status, raw)
	}
}

// alike compares the bodies of two errors.
func alike(want, got any) bool {
	w, isObject := want.(map[string]any)
	g, _ := got.(map[string]any)
	if !isObject || len(w) != len(g) {
		return false
	}
	for name, value := range w {
		other, there := g[name]
		text, isText := other.(string)
		switch {
		case !there:
			return false
		case isText && text == "":
			return false
		case isText && (name == "code" || name == "error" && w["message"] != nil):
			if other != value {
				return false
			}
		case !isText && !alike(value, other):
			return false
		}
	}
	return true
}
