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

// kind is one kind of object, and how to make one.
type kind struct {
	segments string // what stands before its id in the paths of any dialect
	path     string // of the POST that makes one
	body     string // {agents} is the id of the agent that was made before
}

// kinds are all kinds of objects that a path names. Every name, and everything
// else that only the owner may read, has the word Quokka or is in secrets.
var kinds = []kind{
	{"flows call-flows", "/api/v1/flows", `{"name":"Quokka flow","status":"published","nodes":[{"id":"a","type":"end","text":"Bye"}]}`},
	{"agents", "/api/v1/agents", `{"name":"Quokka agent","flowId":"{flows}","firstMessage":"Quokka greets you"}`},
	{"trunks", "/api/v1/trunks", `{"name":"Quokka trunk","host":"127.0.0.1"}`},
	{"phone-numbers", "/api/v1/phone-numbers", `{"number":"+14155550100","trunkId":"{trunks}","agentId":"{agents}"}`},
	{"calls call-history recordings", "/api/v1/calls", `{"agentId":"{agents}","to":"+14155552671"}`},
	{"webhooks", "/api/v1/webhooks", `{"url":"https://quokka.example.com/","events":["*"]}`},
}

// objects makes one object of each kind and returns their ids, by the path
// segment that stands before such an id in any dialect.
func (a *app) objects(key string) map[string]string {
	a.Helper()
	made := make(map[string]string)
	for _, k := range kinds {
		id := a.create(k.path, key, fill(k.body, made))
		for _, segment := range strings.Fields(k.segments) {
			made[segment] = id
		}
	}
	return made
}

// fill puts ids of objects in the place of {segment}.
func fill(text string, objects map[string]string) string {
	for segment, id := range objects {
		text = strings.ReplaceAll(text, "{"+segment+"}", id)
	}
	return text
}

// bodies are requests that pass the checks of what they hold, by route; routes
// that are not here take "{}" until they look for the object.
var bodies = map[string]string{}

// queries are what reads must ask for, by route.
var queries = map[string]string{"check-dialing": "?to=%2B13055551234"}

// aParameter finds what stands before a parameter of a path, and its name.
var aParameter = regexp.MustCompile(`([^/]+)/\{([^}]+)\}`)

// address fills the parameters of a route's path with the ids of objects, and
// asks for what the route must be asked for.
func (a *app) address(r wire.Route, objects map[string]string) string {
	a.Helper()
	return a.pathOf(r, objects) + queries[routeID(r)]
}

// routeID is a route's name in the contract, which its aliases share.
func routeID(r wire.Route) string {
	id, _, _ := strings.Cut(r.ID, "-alias-")
	return id
}

func (a *app) pathOf(r wire.Route, objects map[string]string) string {
	a.Helper()
	return aParameter.ReplaceAllStringFunc(r.Path, func(part string) string {
		segment := aParameter.FindStringSubmatch(part)[1]
		id, known := objects[segment]
		if !known {
			a.Errorf("%s %s: nothing is known to stand behind %s/; add it to kinds in objects_test.go, with %q among the segments",
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
	if body, ok := bodies[routeID(r)]; ok {
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

// notFound is the error of an object that is not there, of the noun that the
// answer names.
func notFound(r reply) *domain.Error {
	noun := "Agent"
	if m := aNoun.FindStringSubmatch(r.body); m != nil {
		noun = m[1]
	}
	return domain.NotFound(noun, "x")
}

var aNoun = regexp.MustCompile(`"([A-Z][A-Za-z -]*) (?:with id|not found)`)

// alike compares the bodies of two errors; the second one may have members that
// the first has not.
func alike(want, got any) bool {
	w, isObject := want.(map[string]any)
	g, _ := got.(map[string]any)
	if !isObject {
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
