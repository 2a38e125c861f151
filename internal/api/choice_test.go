package api_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/callwright/callwright/internal/api"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/access"
)

// spoken is the dialect that an error is written in.
func spoken(r reply) string {
	var body map[string]any
	if json.Unmarshal([]byte(r.body), &body) != nil {
		return "none"
	}
	_, nested := body["error"].(map[string]any)
	_, message := body["message"].(string)
	_, details := body["details"].(string)
	switch {
	case nested && message, details:
		return "trillet"
	case nested:
		return "native"
	case message:
		return "klen"
	}
	return "none"
}

// TestChoiceOfDialect: the path decides, then a path that only one dialect has,
// then the host, then native. (The paths lead to an agent, live.)
func TestChoiceOfDialect(t *testing.T) {
	a := start(t, domain.Enterprise)
	agent := a.objects(a.key)["agents"]
	one := "/api/v1/agents/" + agent
	h := a.handler(map[string]string{"voice.example.com": "klen", "try.example.com": "sandbox/trillet", "voxforge.example.com": "native"})
	for _, c := range []struct {
		host, path, dialect string
		test                bool
	}{
		{"", one, "native", false},
		{"", "/voxforge" + one, "native", false},
		{"", "/trillet" + one, "trillet", false},
		{"", "/klen" + one, "klen", false},
		{"", "/klen" + one + "/", "klen", false},
		{"", "/sandbox" + one, "native", true},
		{"", "/sandbox/voxforge" + one, "native", true},
		{"", "/sandbox/trillet" + one, "trillet", true},
		{"", "/sandbox/klen" + one, "klen", true},
		// Hosts.
		{"api.trillet.ai", one, "trillet", false},
		{"API.Trillet.ai:443", one, "trillet", false},
		{"api.trillet.ai.", one, "trillet", false},
		{"api.klen.ai", one, "klen", false},
		{"api-sandbox.klen.ai", one, "klen", true},
		{"api-sandbox.trillet.ai", one, "trillet", true},
		{"api.klen.ai", "/sandbox" + one, "klen", true},
		{"voice.example.com", one, "klen", false},
		{"try.example.com:8080", one, "trillet", true},
		{"voxforge.example.com", one, "native", false},
		{"nobody.example.com", one, "native", false},
		{"evil-api.klen.ai", one, "native", false},
		{"[::1]:8080", one, "native", false},
		// The path beats the host.
		{"api.klen.ai", "/trillet" + one, "trillet", false},
		{"api.klen.ai", "/voxforge" + one, "native", false},
		{"api.trillet.ai", "/klen" + one, "klen", false},
		{"api-sandbox.klen.ai", "/trillet" + one, "trillet", false},
		{"voice.example.com", "/sandbox/voxforge" + one, "native", true},
		// Paths that only one dialect has.
		{"", "/v1/api/agents/" + agent, "trillet", false},
		{"", "/sandbox/v1/api/agents/" + agent, "trillet", true},
		{"api.klen.ai", "/v1/api/agents/" + agent, "trillet", false},
		{"api-sandbox.trillet.ai", "/v1/api/agents/" + agent, "trillet", true},
		{"", "/v2/api/call-history", "trillet", false},
	} {
		a.checkChoice(h, c.host, c.path, c.dialect, c.test)
	}
}

// checkChoice asks without a key, whose error tells the dialect, and with one,
// whose object is there in one mode only.
func (a *app) checkChoice(h http.Handler, host, path, dialect string, test bool) {
	a.Helper()
	ask := func(key string) reply {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		if host != "" {
			r.Host = host
		}
		if key != "" {
			r.Header.Set("Authorization", "Bearer "+key)
		}
		w := ask(h, r)
		return reply{status: w.Code, header: w.Header(), body: w.Body.String()}
	}
	if r := ask(""); r.status != http.StatusUnauthorized || spoken(r) != dialect {
		a.Errorf("%s%s without a key: %d, in %s: %s; want %s", host, path, r.status, spoken(r), r.body, dialect)
	}
	if !strings.Contains(path, "/agents/") {
		return
	}
	want := http.StatusOK
	if test {
		want = http.StatusNotFound
	}
	r := ask(a.key)
	if r.status != want || test && spoken(r) != dialect {
		a.Errorf("%s%s: %d %s; want %d of %s", host, path, r.status, r.body, want, dialect)
	}
}

// handler is another server over the same rules, with hosts of its own.
func (a *app) handler(hosts map[string]string) http.Handler {
	a.Helper()
	h, err := api.New(api.Options{
		Service: a.service, Dialects: dialects, Hosts: hosts, Now: a.clock.now, Logger: slog.New(slog.NewTextHandler(a.log, nil)),
	})
	a.ok(err)
	return h
}

// TestChoiceByMethod: POSTs that only one dialect has need no prefix; what
// several have, or none, is the usual one's.
func TestChoiceByMethod(t *testing.T) {
	a := start(t, domain.Enterprise)
	for _, c := range []struct{ method, host, path, dialect string }{
		{"POST", "", "/api/v1/calls/call", "trillet"},
		{"POST", "", "/api/v1/calls/call/", "trillet"},
		{"POST", "", "/api/v1/calls/send", "trillet"},
		{"POST", "api.klen.ai", "/api/v1/calls/send", "trillet"},
		{"POST", "", "/v1/api/call", "trillet"},
		{"POST", "", "/api/webhooks/create/", "klen"},
		{"POST", "", "/api/webhooks/create", "klen"},
		{"POST", "api.trillet.ai", "/api/webhooks/create/", "klen"},
		{"POST", "", "/sandbox/api/webhooks/create/", "klen"},
		{"POST", "", "/api/v1/calls", "native"},
		{"POST", "api.klen.ai", "/api/v1/calls", "klen"},
		{"POST", "", "/api/v1/nothing", "native"},
		{"POST", "api.trillet.ai", "/api/v1/nothing", "trillet"},
		{"POST", "", "/klen/api/v1/nothing", "klen"},
		{"POST", "", "/klen/sandbox/api/v1/calls", "klen"},
		{"POST", "", "/sandbox/sandbox/api/v1/calls", "native"},
		{"POST", "", "/klen/trillet/api/v1/calls", "klen"},
		{"POST", "", "/klen/v1/api/call", "klen"},
		{"POST", "", "/klenx/api/v1/calls", "native"},
		{"POST", "", "/v1/nothing", "trillet"},
	} {
		r := a.send(c.method, c.path, "", "{}", "Host: "+c.host)
		if r.status != http.StatusUnauthorized && r.status != http.StatusNotFound || spoken(r) != c.dialect {
			t.Errorf("%s %s%s: %d, in %s: %s; want %s", c.method, c.host, c.path, r.status, spoken(r), r.body, c.dialect)
		}
	}
}

// TestCredentialRoots: the root of every dialect tells whether a key is good,
// with and without a slash at its end, below prefixes and under hosts.
func TestCredentialRoots(t *testing.T) {
	a := start(t, domain.Enterprise)
	test := a.newKey(access.NewKey{Name: "test", Mode: domain.Test, Scopes: []string{"notices:read"}})
	for _, c := range []struct{ host, root, dialect string }{
		{"", "/api/v1", "native"}, {"", "/voxforge/api/v1", "native"}, {"", "/sandbox/api/v1", "native"}, {"", "/sandbox/voxforge/api/v1", "native"},
		{"", "/v1/api", "trillet"}, {"", "/v2/api", "trillet"}, {"", "/trillet/api/v1", "trillet"}, {"", "/trillet/v1/api", "trillet"},
		{"", "/sandbox/v1/api", "trillet"}, {"api.trillet.ai", "/api/v1", "trillet"}, {"api-sandbox.trillet.ai", "/v1/api", "trillet"},
		{"", "/klen/api/v1", "klen"}, {"", "/sandbox/klen/api/v1", "klen"}, {"api.klen.ai", "/api/v1", "klen"}, {"api-sandbox.klen.ai", "/api/v1", "klen"},
	} {
		for _, path := range []string{c.root, c.root + "/"} {
			for _, key := range []string{a.key, test} {
				if r := a.send("GET", path, key, "", "Host: "+c.host); r.status != http.StatusOK || r.body != `{"status":"ok"}` {
					t.Errorf("%s%s: %d %s", c.host, path, r.status, r.body)
				}
			}
			for _, key := range []string{"", "nonsense", knownGood} {
				if r := a.send("GET", path, key, "", "Host: "+c.host); r.status != http.StatusUnauthorized || spoken(r) != c.dialect {
					t.Errorf("%s%s with the key %q: %d %s", c.host, path, key, r.status, r.body)
				}
			}
		}
	}
}

// TestKeysAsClientsSendThem: each dialect takes a key where its clients put it,
// and never shows it.
func TestKeysAsClientsSendThem(t *testing.T) {
	a := start(t, domain.Enterprise)
	for _, c := range []struct {
		path, header string
		status       int
	}{
		{"/api/v1", "Authorization: Bearer " + a.key, 200}, {"/api/v1", "Authorization: bearer  " + a.key, 200}, {"/api/v1", "Authorization: " + a.key, 200},
		{"/api/v1", "X-API-Key: " + a.key, 200}, {"/api/v1?api_key=" + a.key, "", 401}, {"/api/v1", "X-API_KEY: " + a.key, 401},
		{"/api/v1", "Authorization: Basic " + a.key, 401}, {"/api/v1", "Authorization: Bearer", 401},
		{"/trillet/v1/api", "Authorization: Bearer " + a.key, 200}, {"/trillet/v1/api", "x-api-key: " + a.key, 200}, {"/trillet/v1/api", "X-API_KEY: " + a.key, 200},
		{"/trillet/v1/api?api_key=" + a.key, "", 401},
		{"/klen/api/v1", "Authorization: Bearer " + a.key, 200}, {"/klen/api/v1", "X-API-Key: " + a.key, 200}, {"/klen/api/v1?api_key=" + a.key, "", 200},
		{"/klen/api/v1/?api_key=", "", 401},
	} {
		var headers []string
		if c.header != "" {
			headers = []string{c.header}
		}
		r := a.send("GET", c.path, "", "", headers...)
		if r.status != c.status || strings.Contains(r.body, a.key) || strings.Contains(r.header.Get("Link"), a.key) {
			t.Errorf("%s with %q: %d %v %s", c.path, c.header, r.status, r.header, r.body)
		}
	}
}

// TestUnknownHosts: a configured host that names no dialect is refused at the
// start.
func TestUnknownHosts(t *testing.T) {
	a := start(t, domain.Starter)
	for _, word := range []string{"", "kleen", "sandbox", "klen/sandbox", "sandbox/sandbox/klen"} {
		_, err := api.New(api.Options{Service: a.service, Dialects: dialects, Hosts: map[string]string{"x.example.com": word}})
		if err == nil || !strings.Contains(err.Error(), "x.example.com") || !strings.Contains(err.Error(), "klen") {
			t.Errorf("hosts: x.example.com: %q gives %v", word, err)
		}
	}
}
