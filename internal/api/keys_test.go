package api_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/api"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
	"github.com/callwright/callwright/internal/service/access"
	"github.com/callwright/callwright/internal/store"
	"github.com/callwright/callwright/internal/store/storetest"
)

// behind is the same API, reached through a proxy on this machine.
func (a *app) behind() *app {
	a.Helper()
	handler, err := api.New(api.Options{
		Service: a.service, Dialects: dialects, Now: a.clock.now, Logger: slog.New(slog.DiscardHandler),
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
	})
	a.ok(err)
	server := httptest.NewServer(handler)
	a.Cleanup(server.Close)
	b := *a
	b.url = server.URL
	return &b
}

// TestKeysBehindProxies: the address that counts for a key is the one that a
// trusted proxy names, and nobody else.
func TestKeysBehindProxies(t *testing.T) {
	a := start(t, domain.Enterprise)
	b := a.behind()
	office := a.newKey(access.NewKey{Name: "office", Allow: []string{"198.51.100.0/24", "2001:db8::/32"}})
	for forwarded, status := range map[string]int{
		"198.51.100.9": 200, "2001:db8::9": 200, "[2001:db8::9]:443": 200, "::ffff:198.51.100.9": 200, "203.0.113.1, 198.51.100.9, 127.0.0.2": 200,
		"198.51.101.9": 403, "198.51.100.9, 203.0.113.1": 403, "unknown": 403, "2001:db9::9": 403, "": 403,
	} {
		if r := b.send("GET", "/api/v1", office, "", "X-Forwarded-For: "+forwarded); r.status != status {
			t.Errorf("from %q: %d", forwarded, r.status)
		}
		a.want(a.send("GET", "/api/v1", office, "", "X-Forwarded-For: "+forwarded), http.StatusForbidden, "FORBIDDEN")
	}
	a.ok(a.service.FlushUses(t.Context()))
	id := a.keyID(office)
	var got struct {
		Addresses []struct{ Address string }
		Failures  []struct {
			Reason      string
			Count       int
			LastAddress *string
		}
	}
	a.into(a.send("GET", "/api/v1/keys/"+id, a.key, ""), &got)
	var from []string
	for _, address := range got.Addresses {
		from = append(from, address.Address)
	}
	slices.Sort(from)
	if want := "[198.51.100.9 2001:db8::9]"; fmt.Sprint(from) != want {
		t.Errorf("seen from %v, want %s", from, want)
	}
	if len(got.Failures) != 1 || got.Failures[0].Reason != "address" || got.Failures[0].Count != 15 {
		t.Errorf("failures %+v", got.Failures)
	}
}

// TestLinksBehindProxies: links in answers are what the client can reach, and
// nobody but a trusted proxy says what that is.
func TestLinksBehindProxies(t *testing.T) {
	a := start(t, domain.Enterprise)
	path := "/api/v1/calls/" + string(a.talked([]byte("sound")).ID)
	headers := []string{"X-Forwarded-For: 198.51.100.9", "X-Forwarded-Proto: https", "X-Forwarded-Host: voice.example"}
	for _, c := range []struct {
		*app
		headers []string
		want    string
	}{
		{a, nil, a.url}, {a, headers, a.url}, {a.behind(), headers, "https://voice.example"},
		{a.behind(), []string{"Forwarded: for=198.51.100.9;proto=https;host=voice.example"}, "https://voice.example"},
	} {
		link, _ := c.send("GET", path, a.key, "", c.headers...).json(t)["recordingUrl"].(string)
		if !strings.HasPrefix(link, c.want+"/") {
			t.Errorf("%v: the link is %q, want %s", c.headers, link, c.want)
		}
	}
}

// TestKeyShowsItsUse: what was done with a key is shown with it, and its ETag says
// when that has changed.
func TestKeyShowsItsUse(t *testing.T) {
	a := start(t, domain.Professional)
	reader := a.newKey(access.NewKey{Name: "reader", Scopes: []string{"can_read_agents"}})
	id := a.keyID(reader)
	fresh := a.send("GET", "/api/v1/keys/"+id, a.key, "")
	if v := fresh.json(t); v["lastUsedAt"] != nil || len(v["addresses"].([]any)) != 0 {
		t.Errorf("%s", fresh.body)
	}
	tag := fresh.header.Get("ETag")
	a.want(a.send("GET", "/api/v1/keys/"+id, a.key, "", "If-None-Match: "+tag), http.StatusNotModified, "")
	a.want(a.send("GET", "/api/v1/agents", reader, ""), http.StatusOK, "")
	for range 3 {
		a.want(a.send("GET", "/api/v1/calls", reader, ""), http.StatusForbidden, "FORBIDDEN")
	}
	a.ok(a.service.FlushUses(t.Context()))
	used := a.send("GET", "/api/v1/keys/"+id, a.key, "", "If-None-Match: "+tag)
	a.want(used, http.StatusOK, "")
	var got struct {
		LastUsedAt *time.Time
		Addresses  []struct {
			Address                 string
			FirstSeenAt, LastSeenAt time.Time
		}
		Failures []struct {
			Reason, LastAddress string
			Count               int
			LastAt              time.Time
		}
	}
	a.into(used, &got)
	if got.LastUsedAt == nil || len(got.Addresses) != 1 || got.Addresses[0].Address != "127.0.0.1" || got.Addresses[0].FirstSeenAt.IsZero() ||
		len(got.Failures) != 1 || got.Failures[0].Reason != "scope" || got.Failures[0].Count != 3 || got.Failures[0].LastAddress != "127.0.0.1" {
		t.Errorf("%s", used.body)
	}
	// The version, which changes are made against, is the same; and a change with
	// the ETag as it was read is taken.
	a.want(a.send("PATCH", "/api/v1/keys/"+id, a.key, `{"name":"renamed"}`, "If-Match: "+tag), http.StatusOK, "")
	a.want(a.send("PATCH", "/api/v1/keys/"+id, a.key, `{"name":"renamed"}`, "If-Match: "+tag), http.StatusPreconditionFailed, "PRECONDITION_FAILED")
	// What the reader may do it may not give.
	keeper := a.newKey(access.NewKey{Name: "keeper", Scopes: []string{"keys:write"}})
	a.want(a.send("POST", "/api/v1/keys", keeper, `{"name":"mine","scopes":["agents:read"]}`), http.StatusForbidden, "FORBIDDEN")
	a.want(a.send("PATCH", "/api/v1/keys/"+id, keeper, `{"scopes":["keys:write"]}`), http.StatusOK, "")
	a.want(a.send("PATCH", "/api/v1/keys/"+id, keeper, `{"scopes":["*"]}`), http.StatusForbidden, "FORBIDDEN")
	a.want(a.send("POST", "/api/v1/keys/"+a.keyID(a.key)+"/rotate", keeper, ""), http.StatusForbidden, "FORBIDDEN")
	// A secret is in no answer but the one that made it.
	made := a.send("POST", "/api/v1/keys", a.key, `{"name":"once"}`, "Idempotency-Key: once").json(t)
	secret := made["key"].(string)
	for _, path := range []string{"/api/v1/keys", "/api/v1/keys/" + made["id"].(string)} {
		if r := a.send("GET", path, secret, ""); r.status != 200 || strings.Contains(r.body, secret) {
			t.Errorf("%d %s", r.status, r.body)
		}
	}
	if r := a.send("POST", "/api/v1/keys", a.key, `{"name":"once"}`, "Idempotency-Key: once"); strings.Contains(r.body, secret[24:]) {
		t.Errorf("the secret was kept: %s", r.body)
	}
}

// TestUsage: what keys do is reported by key and day.
func TestUsage(t *testing.T) {
	a := start(t, domain.Professional)
	objects := a.objects(a.key)
	tester := a.newKey(access.NewKey{Name: "tester", Mode: domain.Test})
	caller := a.newKey(access.NewKey{Name: "caller", Scopes: []string{"calls:write", "agents:read"}})
	a.want(a.send("GET", "/api/v1/agents/"+objects["agents"], caller, "", `If-None-Match: "1"`), http.StatusNotModified, "")
	for range 2 {
		a.create("/api/v1/calls", caller, `{"agentId":"`+objects["agents"]+`","to":"+14155552672"}`)
	}
	a.want(a.send("POST", "/api/v1/calls", caller, `{"agentId":`), http.StatusBadRequest, "BAD_REQUEST")
	a.want(a.send("GET", "/api/v1/nothing", caller, ""), http.StatusNotFound, "NOT_FOUND")
	a.want(a.send("GET", "/api/v1", tester, ""), http.StatusOK, "")
	a.ok(a.service.FlushUses(t.Context()))
	type counts struct {
		Date     string
		KeyID    *string `json:"keyId"`
		Requests int
		Statuses map[string]int
		Calls    int
		Minutes  float64
		Cost     float64
	}
	var got struct {
		From, To             string
		Usage, Totals        []counts
		Total, Limit, Offset int
	}
	a.into(a.send("GET", "/api/v1/usage?keyId="+a.keyID(caller), a.key, ""), &got)
	if len(got.Usage) != 1 || got.Total != 1 || len(got.Totals) != 1 || got.Limit != 50 {
		t.Fatalf("%+v", got)
	}
	for _, c := range []counts{got.Usage[0], got.Totals[0]} {
		if c.Requests != 5 || fmt.Sprint(c.Statuses) != "map[2xx:2 3xx:1 4xx:2 5xx:0]" || c.Calls != 2 || c.Minutes != 0 || c.Cost != 0 || c.Date != got.To {
			t.Errorf("%+v", c)
		}
	}
	a.into(a.send("GET", "/api/v1/usage", a.key, ""), &got)
	if got.Total != 2 || got.Totals[0].Calls != 3 { // one of objects
		t.Errorf("%+v", got)
	}
	a.into(a.send("GET", "/api/v1/usage", tester, ""), &got)
	if got.Total != 1 || got.Totals[0].Requests != 1 || got.Totals[0].Calls != 0 {
		t.Errorf("test mode: %+v", got)
	}
}

// keyID is the id within a secret.
func (a *app) keyID(secret string) string { return secret[len("cw_live_") : len("cw_live_")+24] }

// TestRateHeaders looks at the bytes of answers: the documented letter case, on
// errors too, and none where there is no limit.
func TestRateHeaders(t *testing.T) {
	a := start(t, domain.Starter)
	raw := func(method, path, key string) string {
		t.Helper()
		conn, err := net.Dial("tcp", strings.TrimPrefix(a.url, "http://"))
		a.ok(err)
		defer conn.Close() // it was only read
		fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", method, path, key)
		var head strings.Builder
		lines := bufio.NewScanner(conn)
		for lines.Scan() && lines.Text() != "" {
			head.WriteString(lines.Text() + "\n")
		}
		return head.String()
	}
	one := a.newKey(access.NewKey{Name: "one", RateLimit: 6})
	for i, ask := range []string{"GET /api/v1/agents", "GET /api/v1/nothing", "PUT /api/v1/agents", "GET /api/v1/agents/x", "POST /api/v1/agents", "GET /api/v1", "GET /api/v1"} {
		method, path, _ := strings.Cut(ask, " ")
		head := raw(method, path, one)
		for _, want := range []string{"\nX-RateLimit-Limit: 6\n", fmt.Sprintf("\nX-RateLimit-Remaining: %d\n", max(5-i, 0)), "\nX-RateLimit-Reset: "} {
			if !strings.Contains(head, want) {
				t.Errorf("%s: no %q in\n%s", ask, want, head)
			}
		}
		if limited := i == 6; limited != strings.Contains(head, "\nRetry-After: ") || limited != strings.HasPrefix(head, "HTTP/1.1 429 ") {
			t.Errorf("%s: %s", ask, head)
		}
	}
	if head := raw("GET", "/api/v1", "nonsense"); strings.Contains(head, "RateLimit") {
		t.Errorf("an unknown key has a rate:\n%s", head)
	}
	// The plan counts from the moment it is changed.
	workspace := "/api/v1/workspaces/" + string(a.first.Workspace.ID)
	a.want(a.send("PATCH", workspace, a.key, `{"plan":"business"}`), http.StatusOK, "")
	if head := raw("GET", "/api/v1", a.key); !strings.Contains(head, "\nX-RateLimit-Limit: 600\nX-RateLimit-Remaining: 598\n") {
		t.Errorf("%s", head)
	}
	a.want(a.send("PATCH", workspace, a.key, `{"plan":"enterprise"}`), http.StatusOK, "")
	if head := raw("GET", "/api/v1", a.key); strings.Contains(head, "RateLimit") {
		t.Errorf("an unlimited plan has a rate:\n%s", head)
	}
}

// TestRateOnTrillet: there live keys have 60 requests a minute whatever the plan,
// and are told when to go on in the body.
func TestRateOnTrillet(t *testing.T) {
	a := start(t, domain.Enterprise)
	tester := a.newKey(access.NewKey{Name: "tester", Mode: domain.Test})
	for i := range 61 {
		r := a.send("GET", "/trillet/api/v1", a.key, "")
		if (r.status == http.StatusTooManyRequests) != (i == 60) || r.header.Get("X-RateLimit-Limit") != "" {
			t.Fatalf("request %d: %d %v", i+1, r.status, r.header)
		}
		a.want(a.send("GET", "/trillet/api/v1", tester, ""), http.StatusOK, "")
		a.want(a.send("GET", "/sandbox/trillet/api/v1", a.key, ""), http.StatusOK, "")
	}
	limited := a.send("GET", "/trillet/api/v1", a.key, "")
	var body struct {
		Error struct {
			Code    string
			ResetAt time.Time `json:"reset_at"`
		}
		ResetAt time.Time `json:"reset_at"`
	}
	a.into(limited, &body)
	reset := body.Error.ResetAt
	if reset.IsZero() {
		reset = body.ResetAt
	}
	if wait := reset.Sub(a.clock.now()); body.Error.Code != "rate_limit_exceeded" || wait <= 0 || wait > time.Minute || limited.header.Get("Retry-After") == "" {
		t.Errorf("%v %s", limited.header, limited.body)
	}
	a.want(a.send("GET", "/api/v1", a.key, ""), http.StatusOK, "") // the plan has no limit elsewhere
}

// TestRateAcrossServers: 50 clients ask two servers over one PostgreSQL with one
// key: as many pass as the plan says.
func TestRateAcrossServers(t *testing.T) {
	storetest.OnPostgres(t, func(t *testing.T, url string) {
		var servers []*app
		for range 2 {
			db, err := store.Open(t.Context(), store.Options{DSN: url, Logger: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			s := service.New(service.Options{Store: db, CheckFlow: checkFlow, Rates: db.Rates(), Logger: slog.New(slog.DiscardHandler)})
			a := &app{T: t, store: db, service: s}
			a.first, err = s.FirstStart(t.Context())
			a.ok(err)
			handler, err := api.New(api.Options{Service: s, Dialects: dialects, Logger: slog.New(slog.DiscardHandler)})
			a.ok(err)
			server := httptest.NewServer(handler)
			a.url = server.URL
			t.Cleanup(func() {
				server.Close()
				s.Close()
				if err := db.Close(); err != nil {
					t.Error(err)
				}
				http.DefaultClient.CloseIdleConnections()
			})
			servers = append(servers, a)
		}
		const limit, clients, each = 150, 50, 5
		key := servers[0].newKey(access.NewKey{Name: "k", RateLimit: limit})
		var wg sync.WaitGroup
		var passed, limited atomic.Int64
		for i := range clients {
			wg.Go(func() {
				for j := range each {
					switch r := servers[(i+j)%2].send("GET", "/api/v1", key, ""); {
					case r.status == http.StatusOK:
						passed.Add(1)
					case r.status == http.StatusTooManyRequests && r.header.Get("Retry-After") != "":
						limited.Add(1)
					default:
						t.Errorf("%d %s", r.status, r.body)
					}
				}
			})
		}
		wg.Wait()
		if passed.Load() != limit || limited.Load() != clients*each-limit {
			t.Errorf("%d passed and %d were limited, want %d passed", passed.Load(), limited.Load(), limit)
		}
	})
}

// into reads an answer's body.
func (a *app) into(r reply, v any) {
	a.Helper()
	if err := json.Unmarshal([]byte(r.body), v); err != nil {
		a.Fatalf("%v in %s", err, r.body)
	}
}
