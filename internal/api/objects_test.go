package api_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
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
	id       string // where it is not one that the answer gives
}

// kinds are all kinds of objects that a path names. Every name has the word
// Quokka in it, and every number is of +1 415 555 01xx.
var kinds = []kind{
	{"flows call-flows", "/api/v1/flows", `{"name":"Quokka flow","status":"published","nodes":[{"id":"a","type":"end","text":"Bye"}]}`, ""},
	{"agents", "/api/v1/agents", `{"name":"Quokka agent","flowId":"{flows}","firstMessage":"Quokka greets you"}`, ""},
	{"trunks", "/api/v1/trunks", `{"name":"Quokka trunk","host":"127.0.0.1"}`, ""},
	{"phone-numbers", "/api/v1/phone-numbers", `{"number":"+14155550100","trunkId":"{trunks}","agentId":"{agents}"}`, ""},
	{"contacts", "/api/v1/contacts", `{"phone":"+14155550177","firstName":"Quokka"}`, ""},
	{"calls call-history recordings", "/api/v1/calls", `{"agentId":"{agents}","to":"+14155550171"}`, ""},
	{"webhooks", "/api/v1/webhooks", `{"url":"https://quokka.example.com/","events":["*"]}`, ""},
	{"deliveries logs", "/api/v1/webhooks/{webhooks}/test", "", ""},
	{"appointments events event", "/api/v1/appointments", `{"title":"Quokka demo","startTime":"2025-02-15T10:00:00Z","endTime":"2025-02-15T10:30:00Z"}`, ""},
	{"context-variables", "/klen/api/v1/context-variables/create",
		`{"name":"quokka_size","display_name":"Quokka size","variable_type":"text","context_type":"contact"}`, ""},
	{"do-not-call", "/api/v1/do-not-call", `{"number":"+14155550166"}`, "+14155550166"},
	{"campaigns", "/api/v1/campaigns", `{"name":"Quokka campaign","agentId":"{agents}","status":"paused","contacts":[{"phone":"+14155550188","firstName":"Quokka"}]}`, ""},
	{"keys", "/api/v1/keys", `{"name":"Quokka key"}`, ""},
}

// shared are segments before ids of what both modes of a workspace have.
var shared = []string{"workspaces"}

// aNumber is a number of the objects'.
var aNumber = regexp.MustCompile(`\+141555501\d\d`)

// objects makes one object of each kind and returns their ids, by the path
// segment that stands before such an id in any dialect. Kinds that cannot be
// made over the API are left out.
func (a *app) objects(key string) map[string]string {
	a.Helper()
	made := map[string]string{"workspaces": string(a.first.Workspace.ID), "notices": a.notice(), "messages": a.message()}
	for _, k := range kinds {
		if !a.takesPost(k.path) {
			continue
		}
		r := a.send("POST", fill(k.path, made), key, fill(k.body, made))
		id := k.id
		if r.status < 300 && id == "" {
			id, _ = r.json(a)["id"].(string)
		}
		if id == "" || r.status >= 300 {
			a.Fatalf("POST %s %s: %d %s", k.path, k.body, r.status, r.body)
		}
		for _, segment := range strings.Fields(k.segments) {
			made[segment] = id
		}
	}
	if r := a.send("POST", "/klen/api/v1/context-variables/create", key, `{"name":"quokka","display_name":"Quokka","variable_type":"text","context_type":"contact"}`); r.status == http.StatusCreated {
		made["context-variables"] = r.json(a)["id"].(string)
	}
	return made
}

// notice leaves a notice in the first workspace.
func (a *app) notice() string {
	a.Helper()
	n := domain.Notice{
		ID: domain.NewID(), WorkspaceID: a.first.Workspace.ID, Mode: domain.Live, Kind: domain.NoticeEndpointDisabled,
		Text: "Quokka is gone", Version: 1, CreatedAt: a.clock.now(),
	}
	a.ok(a.store.InTx(a.Context(), domain.LaneAPI, func(ctx context.Context, s *domain.Stores) error {
		row := n
		return s.Notices.Create(ctx, &row)
	}))
	return string(n.ID)
}

// message leaves a text message in the first workspace.
func (a *app) message() string {
	a.Helper()
	m := domain.Message{
		ID: domain.NewID(), WorkspaceID: a.first.Workspace.ID, Mode: domain.Live, Direction: domain.Outbound,
		From: "+14155550100", To: "+14155550171", Text: "Quokka", Status: domain.MessageSent, Encoding: domain.EncodingGSM7, Segments: 1,
		Version: 1, CreatedAt: a.clock.now(), UpdatedAt: a.clock.now(),
	}
	a.ok(a.store.InTx(a.Context(), domain.LaneAPI, func(ctx context.Context, s *domain.Stores) error {
		row := m
		return s.Messages.Create(ctx, &row)
	}))
	return string(m.ID)
}

// takesPost reports whether a dialect has a POST at path.
func (a *app) takesPost(path string) bool {
	path = fill(path, map[string]string{"webhooks": "x"})
	at := faces(a)[0]
	for _, d := range faces(a) {
		if rest, found := strings.CutPrefix(path, d.Prefix+"/"); found {
			at, path = d, "/"+rest
		}
	}
	_, _, found := at.Router.Match(httptest.NewRequest(http.MethodPost, path, nil))
	return found
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
var bodies = map[string]string{
	"replace-contact": `{"first_name":"A"}`, "set-contact-context": `{"variables":{"a":"b"}}`,
	"add-campaign-contacts": `{"contacts":[{"phone":"+14155550199"}]}`,
}

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
			a.Fatalf("%s %s: nothing is known to stand behind %s/; add it to kinds in objects_test.go, with %q among the segments",
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

// leaks fails when an answer holds what only the owner of the objects may read,
// and the request did not name.
func (a *app) leaks(r reply, objects map[string]string, path string) {
	a.Helper()
	secrets := append(aNumber.FindAllString(r.body, -1), "Quokka", "quokka")
	for segment, id := range objects {
		if !slices.Contains(shared, segment) {
			secrets = append(secrets, id)
		}
	}
	for _, secret := range secrets {
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
