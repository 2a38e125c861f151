package api_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/api/klen"
	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/access"
)

// klenCalls stores n finished calls, the last one the newest.
func (a *app) klenCalls(n int) {
	a.Helper()
	a.ok(a.store.InTx(a.Context(), domain.LaneAPI, func(ctx context.Context, s *domain.Stores) error {
		for i := range n {
			at := a.clock.now().Add(time.Duration(i/2) * time.Second) // some at the same time
			err := s.Calls.Create(ctx, &domain.Call{
				ID: domain.NewID(), WorkspaceID: a.first.Workspace.ID, Mode: domain.Live, Direction: domain.Outbound,
				State: domain.CallCompleted, To: fmt.Sprintf("+1415555%04d", i), Version: 1, CreatedAt: at, DialedAt: at, AnsweredAt: at, EndedAt: at.Add(time.Minute),
			})
			if err != nil {
				return err
			}
		}
		return nil
	}))
}

type klenPage struct {
	Count, Page, Limit, Pages int
	Calls                     []struct {
		ID          string
		PhoneNumber string `json:"phone_number"`
	}
	NextCursor *string `json:"next_cursor"`
}

func (a *app) klenPage(path string, headers ...string) klenPage {
	a.Helper()
	r := a.send("GET", path, a.key, "", headers...)
	a.want(r, http.StatusOK, "")
	var p klenPage
	a.ok(json.Unmarshal([]byte(r.body), &p))
	return p
}

// TestKlenPages asks for the documented page of 157 calls, for all pages, and for
// all of them by cursor: each call comes once, in the same order.
func TestKlenPages(t *testing.T) {
	a := start(t, domain.Enterprise)
	a.klenCalls(157)
	for _, way := range []struct{ path, host string }{{"/klen/api/v1/calls?page=2&limit=25", "localhost"}, {"/api/v1/calls/?page=2&limit=25", "api.klen.ai"}} {
		r := a.send("GET", way.path, a.key, "", "Host: "+way.host)
		if !strings.HasPrefix(r.body, `{"count":157,"page":2,"limit":25,"pages":7,"calls":[{"id":"`) || r.header.Get("X-Total-Count") != "157" {
			t.Errorf("%s: %.200s", way.path, r.body)
		}
		if link := r.header.Get("Link"); !strings.Contains(link, `page=3>; rel="next"`) || !strings.Contains(link, `page=7>; rel="last"`) {
			t.Errorf("Link: %s", link)
		}
	}
	var byPage, byCursor []string
	for page := 1; ; page++ {
		p := a.klenPage(fmt.Sprintf("/klen/api/v1/calls?page=%d&limit=25", page))
		for _, c := range p.Calls {
			byPage = append(byPage, c.ID)
		}
		if (p.NextCursor == nil) != (page >= 7) || page == 8 && len(p.Calls) > 0 {
			t.Errorf("page %d: %d calls, next %v", page, len(p.Calls), p.NextCursor)
		}
		if len(p.Calls) == 0 {
			break
		}
	}
	for path := "/klen/api/v1/calls?limit=20"; ; {
		p := a.klenPage(path)
		for _, c := range p.Calls {
			byCursor = append(byCursor, c.ID)
		}
		if p.NextCursor == nil {
			break
		}
		name := []string{"after_id", "cursor"}[len(byCursor)/20%2]
		path = "/klen/api/v1/calls?limit=20&" + name + "=" + *p.NextCursor
	}
	if len(byPage) != 157 || !slices.Equal(byPage, byCursor) {
		t.Errorf("%d calls by page, %d by cursor", len(byPage), len(byCursor))
	}
	if p := a.klenPage("/klen/api/v1/calls?limit=1000"); p.Limit != 100 || len(p.Calls) != 100 || p.Pages != 2 {
		t.Errorf("%d of %d", len(p.Calls), p.Limit)
	}
	if p := a.klenPage("/klen/api/v1/calls"); p.Limit != 10 || len(p.Calls) != 10 || p.Pages != 16 {
		t.Errorf("%d of %d", len(p.Calls), p.Limit)
	}
}

// TestKlenLimits: the documented error of a key that asks too often.
func TestKlenLimits(t *testing.T) {
	a := start(t, domain.Starter)
	for range 60 {
		a.want(a.send("GET", "/klen/api/v1/agents", a.key, ""), http.StatusOK, "")
	}
	a.clock.add(30 * time.Second)
	r := a.send("GET", "/klen/api/v1/agents", a.key, "")
	const want = `{"error":"rate_limit_exceeded","message":"Rate limit exceeded. Please try again after 30 seconds."}`
	if r.status != http.StatusTooManyRequests || r.body != want || r.header.Get("Retry-After") != "30" || r.header.Get("Content-Type") != "application/json" {
		t.Errorf("%d %s %v", r.status, r.body, r.header)
	}
}

// TestKlenKeys: a key is taken wherever Klen's clients put it, and one in the
// query comes back nowhere.
func TestKlenKeys(t *testing.T) {
	a := start(t, domain.Enterprise)
	a.klenCalls(30)
	r := a.send("GET", "/klen/api/v1/calls?limit=5&api_key="+a.key, "", "")
	if a.want(r, http.StatusOK, ""); strings.Contains(fmt.Sprint(r.header)+r.body+a.log.String(), a.key) || !strings.Contains(r.header.Get("Link"), "page=2") {
		t.Errorf("%v %s", r.header, r.body)
	}
	a.want(a.send("GET", "/klen/api/v1/calls", "", "", "X-API-Key: "+a.key), http.StatusOK, "")
	bad := a.send("GET", "/klen/api/v1/calls?api_key=klen_secret", "", "")
	if bad.status != http.StatusUnauthorized || strings.Contains(bad.body, "klen_secret") {
		t.Errorf("%d %s", bad.status, bad.body)
	}
	narrow := a.newKey(access.NewKey{Name: "narrow", Scopes: []string{"agents:read"}})
	for _, c := range []struct{ method, path, word string }{
		{"GET", "/calls", "can_read_calls"}, {"POST", "/calls", "can_initiate_calls"}, {"POST", "/agents", "can_write_agents"},
		{"GET", "/webhooks", "can_read_webhooks"}, {"POST", "/webhooks/create", "can_write_webhooks"},
	} {
		r := a.send(c.method, "/klen/api/v1"+c.path, narrow, "{}")
		if want := `{"error":"permission_denied","message":"This API key does not have ` + c.word + ` permission"}`; r.status != http.StatusForbidden || r.body != want {
			t.Errorf("%s %s: %d %s", c.method, c.path, r.status, r.body)
		}
	}
}

// TestKlenBytes: bodies are taken and sent compressed, and what the client has
// is not sent again.
func TestKlenBytes(t *testing.T) {
	a := start(t, domain.Enterprise)
	a.klenCalls(20)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, err := z.Write([]byte(`{"name":"Packed","model_instructions":"` + strings.Repeat("Be kind. ", 200) + `"}`))
	a.ok(err)
	a.ok(z.Close())
	made := a.send("POST", "/klen/api/v1/agents", a.key, packed.String(), "Content-Encoding: gzip")
	a.want(made, http.StatusCreated, "")
	path := "/klen/api/v1/agents/" + made.json(t)["id"].(string)
	for _, path := range []string{path, "/klen/api/v1/calls?limit=20"} {
		plain := a.send("GET", path, a.key, "", "Accept-Encoding: identity")
		small := a.send("GET", path, a.key, "", "Accept-Encoding: gzip")
		z, err := gzip.NewReader(strings.NewReader(small.body))
		a.ok(err)
		raw, err := io.ReadAll(z)
		a.ok(err)
		if string(raw) != plain.body || len(small.body) > len(plain.body)/2 || small.header.Get("Content-Encoding") != "gzip" {
			t.Errorf("%s: %d bytes for %d", path, len(small.body), len(plain.body))
		}
		for _, tag := range []string{plain.header.Get("ETag"), small.header.Get("ETag")} {
			if r := a.send("GET", path, a.key, "", "If-None-Match: "+tag); r.status != http.StatusNotModified || r.body != "" || tag == "" {
				t.Errorf("%s with %q: %d %s", path, tag, r.status, r.body)
			}
		}
	}
}

// TestKlenWays: every alias of a route answers as the route does, with and
// without a slash at its end.
func TestKlenWays(t *testing.T) {
	a := start(t, domain.Enterprise)
	face, err := klen.New(wire.Options{Rules: a.service})
	a.ok(err)
	hidden := 0
	for _, r := range face.Router.Routes() {
		path := strings.ReplaceAll(r.Path, "{id}", "0123456789abcdef01234567")
		if r.Hidden {
			hidden++
		}
		var first string
		for _, way := range []string{path, path + "/"} {
			got := a.send(r.Method, "/klen"+way, a.key, "{}")
			if first == "" {
				first = got.body
			}
			if got.status >= 500 || got.status == http.StatusMethodNotAllowed || strings.Contains(got.body, "nothing at this path") || got.body != first {
				t.Errorf("%s %s: %d %s, not %s", r.Method, way, got.status, got.body, first)
			}
		}
		anonymous := a.send(r.Method, "/klen"+path, "", "{}")
		if anonymous.status != http.StatusUnauthorized || anonymous.body != `{"error":"authentication_required","message":"API key is required"}` {
			t.Errorf("%s %s without a key: %d %s", r.Method, path, anonymous.status, anonymous.body)
		}
	}
	if hidden < 15 {
		t.Errorf("only %d aliases", hidden)
	}
}
