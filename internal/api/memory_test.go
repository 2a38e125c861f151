package api_test

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/api"
	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/access"
	"github.com/callwright/callwright/internal/store"
	"github.com/callwright/callwright/internal/store/storetest"
)

// questions are targets of all routes whose answers are remembered, for one call
// and one agent.
func (a *app) questions(call, agent domain.ID) (targets []string) {
	a.Helper()
	for _, build := range dialects {
		d, err := build(wire.Options{Rules: a.service})
		a.ok(err)
		for _, r := range d.Router.Routes() {
			if !r.Stored {
				continue
			}
			path := strings.ReplaceAll(r.Path, "{id}", string(call))
			if r.Method != http.MethodGet || strings.Contains(path, "{") {
				a.Fatalf("%s %s: say here what it names", r.Method, r.Path)
			}
			queries := []string{"?limit=3", "?limit=2&offset=1&page=2&status=completed", "?agent_id=" + string(agent) + "&agentId=" + string(agent)}
			if path != r.Path {
				queries = []string{""}
			}
			for _, q := range queries {
				targets = append(targets, d.Prefix+path+q, "/sandbox"+d.Prefix+path+q)
			}
		}
	}
	slices.Sort(targets)
	return targets
}

// beside opens the database once more, as another process does.
func (a *app) beside(url string) *store.DB {
	a.Helper()
	db, err := store.Open(a.Context(), store.Options{Dir: a.dir, DSN: url, Shared: true})
	a.ok(err)
	a.Cleanup(func() {
		if err := db.Close(); err != nil {
			a.Error(err)
		}
	})
	return db
}

// TestRememberedAnswersAreTrue makes all kinds of changes, here and from another
// process, and asks after each for all that is remembered. A server that
// remembers nothing must say the same.
func TestRememberedAnswersAreTrue(t *testing.T) {
	url := storetest.URL(t)
	a := startOn(t, domain.Enterprise, url)
	beside := a.beside(url)
	call := a.talked([]byte("sound"))
	objects := map[string]string{"agents": string(call.AgentID)}
	for _, kind := range []string{"contacts", "flows"} {
		var rows []struct{ ID string }
		a.ok(json.Unmarshal([]byte(a.send("GET", "/api/v1/"+kind, a.key, "").body), &rows))
		objects[kind] = rows[0].ID
	}
	forgetful, err := api.New(api.Options{Service: a.service, Dialects: dialects, Version: "test", Now: a.clock.now})
	a.ok(err)
	targets := a.questions(call.ID, call.AgentID)
	if len(targets) < 20 {
		t.Errorf("only %d targets: %v", len(targets), targets)
	}
	compare := func(after string) {
		t.Helper()
		for i, target := range targets {
			host := []string{strings.TrimPrefix(a.url, "http://"), "calls.example.com"}[i%2]
			got := a.send("GET", target, a.key, "", "Host: "+host)
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, target, http.NoBody)
			r.Host = host
			r.Header.Set("Authorization", "Bearer "+a.key)
			w := httptest.NewRecorder()
			forgetful.ServeHTTP(w, r)
			want := w.Result()
			body, err := io.ReadAll(want.Body)
			a.ok(err)
			if got.status != want.StatusCode || got.body != string(body) {
				t.Fatalf("after %s: %s answers %d\n%s\nand without a memory %d\n%s", after, target, got.status, got.body, want.StatusCode, body)
			}
			for _, name := range []string{"ETag", "Link", "X-Total-Count", "Content-Type", "Cache-Control", "Vary", "X-Content-Type-Options"} {
				// The client asks for gzip, which weakens tags; the other one does not.
				if g, w := strings.TrimPrefix(got.header.Get(name), "W/"), want.Header.Get(name); g != w {
					t.Errorf("after %s: %s has %s: %s, and without a memory %s", after, target, name, g, w)
				}
			}
			if len(got.header["Vary"]) > 1 || got.header.Get("X-Request-Id") == "" {
				t.Errorf("after %s: %s has the headers %v", after, target, got.header)
			}
		}
	}
	update := func(db domain.Store, apply func(*domain.Call)) {
		t.Helper()
		a.ok(db.InTx(t.Context(), domain.LaneCall, func(ctx context.Context, s *domain.Stores) error {
			c, err := s.Calls.ByID(ctx, call.ID)
			if err == nil {
				apply(c)
				err = s.Calls.Update(ctx, c)
			}
			return err
		}))
	}
	n := 0
	patch := func(path, body string) {
		t.Helper()
		if r := a.send("PATCH", path, a.key, body); r.status != http.StatusOK {
			t.Fatalf("PATCH %s: %d %s", path, r.status, r.body)
		}
	}
	changes := map[string]func(){
		"a call": func() {
			a.create("/api/v1/calls", a.key, fmt.Sprintf(`{"agentId":%q,"to":"+1415555%04d"}`, objects["agents"], 1000+n))
		},
		"another name of the agent":   func() { patch("/api/v1/agents/"+string(call.AgentID), fmt.Sprintf(`{"name":"Agent %d"}`, n)) },
		"another name of the contact": func() { patch("/api/v1/contacts/"+objects["contacts"], fmt.Sprintf(`{"firstName":"Ada %d"}`, n)) },
		"another name of the flow":    func() { patch("/api/v1/flows/"+objects["flows"], fmt.Sprintf(`{"name":"Flow %d"}`, n)) },
		"a summary":                   func() { update(a.store, func(c *domain.Call) { c.Analysis.Summary = fmt.Sprint(n) }) },
		"a summary from elsewhere":    func() { update(beside, func(c *domain.Call) { c.Analysis.Summary = fmt.Sprint(n) }) },
		"a contact":                   func() { update(beside, func(c *domain.Call) { c.ContactID = domain.ID(objects["contacts"]) }) },
		"a turn": func() {
			a.ok(a.store.InTx(t.Context(), domain.LaneCall, func(ctx context.Context, s *domain.Stores) error {
				return s.Turns.Append(ctx, domain.Turn{CallID: call.ID, Sequence: 10 + n, Role: domain.RoleAgent, Text: "Well?"})
			}))
		},
		"a day":   func() { a.clock.add(24 * time.Hour) },
		"nothing": func() {},
	}
	compare("the start")
	names, order := slices.Sorted(maps.Keys(changes)), rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same order each time
	for _, i := range append(order.Perm(len(names)), order.Perm(len(names))...) {
		n++
		changes[names[i]]()
		compare(names[i])
	}
	a.ok(a.store.InTx(t.Context(), domain.LaneAPI, func(ctx context.Context, s *domain.Stores) error {
		return s.Erasure.Forget(ctx, domain.Scope{Workspace: call.WorkspaceID, Mode: call.Mode}, call.ID)
	}))
	compare("the end of the call's record")
}

// TestWhoWritesReadsIt has many place calls and list them, over the API and beside
// it: none is shown a list without the call that he was told is there.
func TestWhoWritesReadsIt(t *testing.T) {
	url := storetest.URL(t)
	a := startOn(t, domain.Enterprise, url)
	beside := a.beside(url)
	objects := a.objects(a.key)
	var running sync.WaitGroup
	for writer := range 4 {
		running.Go(func() {
			for i := range 20 {
				var id string
				if to := fmt.Sprintf("+1415555%02d%02d", 20+writer, i); writer%2 == 0 {
					id = a.create("/api/v1/calls", a.key, fmt.Sprintf(`{"agentId":%q,"to":%q}`, objects["agents"], to))
				} else {
					c := domain.Call{
						ID: domain.NewID(), WorkspaceID: a.first.Workspace.ID, Mode: domain.Live, Direction: domain.Inbound, State: domain.CallQueued,
						From: to, Version: 1, CreatedAt: a.clock.now(),
					}
					id = string(c.ID)
					if err := beside.InTx(t.Context(), domain.LaneAPI, func(ctx context.Context, s *domain.Stores) error { return s.Calls.Create(ctx, &c) }); err != nil {
						t.Error(err)
					}
				}
				for _, list := range []string{"/api/v1/calls?limit=200", "/klen/api/v1/calls?limit=100", "/klen/api/v1/calls/" + id} {
					if r := a.send("GET", list, a.key, ""); r.status != http.StatusOK || !strings.Contains(r.body, id) {
						t.Errorf("%s has no call %s: %d %.300s", list, id, r.status, r.body)
					}
				}
			}
		})
	}
	running.Wait()
}

// TestWhatIsRememberedIsForThoseWhoMayKnow asks again with other keys for what one
// key was told. The generation stands still, so whatever is remembered is told.
func TestWhatIsRememberedIsForThoseWhoMayKnow(t *testing.T) {
	a := start(t, domain.Professional)
	call := a.talked([]byte("sound"))
	handler, err := api.New(api.Options{
		Service: a.service, Dialects: dialects, Version: "test", Now: a.clock.now, Logger: slog.New(slog.DiscardHandler),
		Generation: func(context.Context) (uint64, bool) { return 7, true },
	})
	a.ok(err)
	ask := func(method, target, key string, headers ...string) reply {
		r := httptest.NewRequestWithContext(t.Context(), method, target, http.NoBody)
		r.Header.Set("Authorization", "Bearer "+key)
		for _, h := range headers {
			name, value, _ := strings.Cut(h, ": ")
			r.Header.Set(name, value)
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return reply{w.Code, w.Header(), w.Body.String()}
	}
	for i := range 5 {
		a.create("/api/v1/calls", a.key, fmt.Sprintf(`{"agentId":%q,"to":"+1415555013%d"}`, call.AgentID, i))
	}
	const list = "/api/v1/calls?limit=9"
	first := ask("GET", list, a.key)
	a.want(first, http.StatusOK, "")
	a.ok(a.store.InTx(t.Context(), domain.LaneAPI, func(ctx context.Context, s *domain.Stores) error {
		return s.Erasure.Forget(ctx, domain.Scope{Workspace: call.WorkspaceID, Mode: call.Mode}, call.ID)
	}))
	if again := ask("GET", list, a.key); again.body != first.body || again.header.Get("ETag") != first.header.Get("ETag") {
		t.Fatalf("what was told is not remembered: %d %s", again.status, again.body)
	} else {
		for _, own := range []string{"X-Request-Id", "X-RateLimit-Remaining"} { // of the request, not of the answer
			if got, old := again.header[own], first.header[own]; len(got) != 1 || got[0] == old[0] {
				t.Errorf("%s is %v again", own, got)
			}
		}
	}
	if same := ask("GET", list, a.key, "If-None-Match: "+first.header.Get("ETag")); same.status != http.StatusNotModified || same.body != "" {
		t.Errorf("with its tag: %d %s", same.status, same.body)
	}
	for range 2 {
		zipped := ask("GET", list, a.key, "Accept-Encoding: gzip")
		raw, err := gzip.NewReader(strings.NewReader(zipped.body))
		a.ok(err)
		got, err := io.ReadAll(raw)
		a.ok(err)
		if string(got) != first.body || zipped.header.Get("ETag") != "W/"+first.header.Get("ETag") {
			t.Errorf("compressed it is %v %s", zipped.header, got)
		}
	}
	if head := ask("HEAD", list, a.key); head.status != http.StatusOK || head.header.Get("Content-Length") != first.header.Get("Content-Length") {
		t.Errorf("its head is %d %v", head.status, head.header)
	}
	other := a.newKey(access.NewKey{Name: "other", Workspace: a.otherWorkspace()})
	for what, key := range map[string]string{"another workspace": other, "test mode": a.newKey(access.NewKey{Name: "test", Mode: domain.Test})} {
		if r := ask("GET", list, key); r.status != http.StatusOK || r.json(t)["total"] != 0.0 {
			t.Errorf("%s is told %d %s", what, r.status, r.body)
		}
	}
	if r := ask("GET", "/sandbox"+list, a.key); r.status != http.StatusOK || r.json(t)["total"] != 0.0 {
		t.Errorf("the sandbox is told %d %s", r.status, r.body)
	}
	a.want(ask("GET", list, a.newKey(access.NewKey{Name: "agents", Scopes: []string{"agents:read"}})), http.StatusForbidden, "FORBIDDEN")
	a.want(ask("GET", list, a.newKey(access.NewKey{Name: "elsewhere", Allow: []string{"10.9.9.9"}})), http.StatusForbidden, "FORBIDDEN")
	a.want(ask("GET", list, "cw_live_nonsense"), http.StatusUnauthorized, "UNAUTHORIZED")
	slow := a.newKey(access.NewKey{Name: "slow", RateLimit: 1})
	a.want(ask("GET", list, slow), http.StatusOK, "")
	a.want(ask("GET", list, slow), http.StatusTooManyRequests, "RATE_LIMITED")
	if r := ask("GET", "/api/v1/calls?limit=9&offset=1", a.key); r.body == first.body {
		t.Errorf("another page is the same: %s", r.body)
	}
}
