package api_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// TestListsShowTheLatest: lists remember what they showed, but never show what is
// over, in whatever way it changed.
func TestListsShowTheLatest(t *testing.T) {
	a := start(t, domain.Professional)
	call := a.talked([]byte("sound"))
	for i := range 9 {
		a.ok(a.store.InTx(t.Context(), domain.LaneAPI, func(ctx context.Context, s *domain.Stores) error {
			other := *call
			other.ID, other.State, other.CreatedAt, other.Version = domain.NewID(), domain.CallQueued, a.clock.now().Add(time.Duration(i)*time.Second), 1
			return s.Calls.Create(ctx, &other)
		}))
	}
	seen := make(map[string]string) // bodies by their tags
	list := func(what string, changed bool, headers ...string) string {
		t.Helper()
		got := a.send("GET", "/api/v1/calls?limit=20", a.key, "", headers...)
		a.want(got, http.StatusOK, "")
		tag := got.header.Get("ETag")
		known, old := seen[tag]
		if old == changed || old && known != got.body {
			t.Errorf("%s: the tag is %s, which is known: %t, and the list\n%s", what, tag, old, got.body)
		}
		seen[tag] = got.body
		if again := a.send("GET", "/api/v1/calls?limit=20", a.key, "", append(headers, "If-None-Match: "+tag)...); again.status != http.StatusNotModified {
			t.Errorf("%s: with its own tag %d %s", what, again.status, again.body)
		}
		// One call by itself is read and rendered each time.
		for _, item := range got.json(t)["calls"].([]any) {
			shown := item.(map[string]any)
			detail := a.send("GET", "/api/v1/calls/"+shown["id"].(string), a.key, "", headers...).json(t)
			for name, value := range shown {
				if detail[name] != value {
					t.Errorf("%s: %s of %s is %v in a list and %v by itself", what, name, shown["id"], value, detail[name])
				}
			}
		}
		return got.body
	}
	list("first", true)
	list("again", false)
	change := func(what string, changed bool, apply func(c *domain.Call)) {
		t.Helper()
		a.ok(a.store.InTx(t.Context(), domain.LaneCall, func(ctx context.Context, s *domain.Stores) error {
			c, err := s.Calls.ByID(ctx, call.ID)
			if err != nil {
				return err
			}
			apply(c)
			return s.Calls.Update(ctx, c)
		}))
		list(what, changed)
		list(what+", again", false)
	}
	change("another summary", true, func(c *domain.Call) { c.Analysis = &domain.Analysis{Summary: "Wants two.", Sentiment: "neutral"} })
	change("another contact", true, func(c *domain.Call) { c.ContactID = domain.NewID() })
	change("no recording", true, func(c *domain.Call) { c.Recording = "" })
	// Another version, but the same bytes as two versions before.
	change("another recording", false, func(c *domain.Call) { c.Recording = "other" })
	if body := list("another host", true, "Host: calls.example.com"); !strings.Contains(body, `"http://calls.example.com/api/v1/recordings/`) {
		t.Errorf("links for another host: %s", body)
	}
	list("the first host", false)
	a.clock.add(24 * time.Hour) // links are signed anew each day
	list("a day later", true)
	a.ok(a.store.InTx(t.Context(), domain.LaneAPI, func(ctx context.Context, s *domain.Stores) error {
		return s.Erasure.Forget(ctx, domain.Scope{Workspace: call.WorkspaceID, Mode: call.Mode}, call.ID)
	}))
	if body := list("erased", true); strings.Contains(body, string(call.ID)) {
		t.Errorf("an erased call is shown: %s", body)
	}
	if other := a.send("GET", "/sandbox/api/v1/calls", a.key, "").json(t)["total"]; other != 0.0 {
		t.Errorf("the sandbox shows %v calls", other)
	}
}
