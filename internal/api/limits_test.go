package api_test

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/access"
)

func TestRateLimit(t *testing.T) {
	a := start(t, domain.Starter)
	first := a.send("GET", "/api/v1/agents", a.key, "")
	if h := first.header; h.Get("X-RateLimit-Limit") != "60" || h.Get("X-RateLimit-Remaining") != "59" {
		t.Errorf("headers %v", h)
	}
	reset, err := strconv.ParseInt(first.header.Get("X-RateLimit-Reset"), 10, 64)
	a.ok(err)
	if wait := time.Unix(reset, 0).Sub(a.clock.now()); wait <= time.Minute-time.Second || wait > time.Minute {
		t.Errorf("the window is over in %s", wait)
	}
	// Exact under concurrency: 59 are left, 79 come.
	var passed, limited atomic.Int32
	var all sync.WaitGroup
	for i := range 79 {
		all.Go(func() {
			path := "/api/v1/agents"
			if i%3 == 0 {
				path = "/api/v1/nothing"
			}
			if r := a.send("GET", path, a.key, ""); r.status == http.StatusTooManyRequests {
				limited.Add(1)
			} else {
				passed.Add(1)
			}
		})
	}
	all.Wait()
	if passed.Load() != 59 || limited.Load() != 20 {
		t.Errorf("%d passed and %d were limited, want 59 and 20", passed.Load(), limited.Load())
	}
	over := a.send("GET", "/api/v1/agents", a.key, "")
	a.want(over, http.StatusTooManyRequests, "RATE_LIMITED")
	if h := over.header; h.Get("Retry-After") == "" || h.Get("X-RateLimit-Remaining") != "0" || h.Get("X-RateLimit-Reset") != strconv.FormatInt(reset, 10) {
		t.Errorf("headers %v", h)
	}
	// Another key has a window of its own, with its own lower limit.
	slow := a.newKey(access.NewKey{Name: "slow", RateLimit: 1})
	a.want(a.send("GET", "/api/v1", slow, ""), http.StatusOK, "")
	a.want(a.send("GET", "/api/v1", slow, ""), http.StatusTooManyRequests, "RATE_LIMITED")
	// Halfway nothing comes back; at the time that was named everything does.
	a.clock.add(30 * time.Second)
	a.want(a.send("GET", "/api/v1", a.key, ""), http.StatusTooManyRequests, "RATE_LIMITED")
	a.clock.add(time.Unix(reset, 0).Sub(a.clock.now()))
	again := a.send("GET", "/api/v1", a.key, "")
	a.want(again, http.StatusOK, "")
	if again.header.Get("X-RateLimit-Remaining") != "59" {
		t.Errorf("headers %v", again.header)
	}
}

func TestEnterpriseHasNoRateLimit(t *testing.T) {
	a := start(t, domain.Enterprise)
	for name := range a.send("GET", "/api/v1/agents", a.key, "").header {
		if strings.HasPrefix(strings.ToLower(name), "x-ratelimit") {
			t.Errorf("there is a header %s", name)
		}
	}
}

// TestRateHeaderCase reads the answer's raw bytes: the documented letter case is
// not the one that Go's http package makes.
func TestRateHeaderCase(t *testing.T) {
	a := start(t, domain.Professional)
	head := a.rawHead("GET /api/v1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: " + a.key + "\r\n\r\n")
	for _, want := range []string{"HTTP/1.1 200 OK", "\r\nX-RateLimit-Limit: 300\r\n", "\r\nX-RateLimit-Remaining: 299\r\n", "\r\nX-RateLimit-Reset: "} {
		if !strings.Contains(head, want) {
			t.Errorf("no %q in\n%s", want, head)
		}
	}
}

func TestPlanLimits(t *testing.T) {
	a := start(t, domain.Starter)
	for range 3 {
		a.create("/api/v1/agents", a.key, `{"name":"A","systemPrompt":"p"}`)
	}
	a.want(a.send("POST", "/api/v1/agents", a.key, `{"name":"A","systemPrompt":"p"}`), http.StatusUnprocessableEntity, "LIMIT_REACHED")
	for range 2 {
		a.create("/api/v1/webhooks", a.key, `{"url":"https://example.com","events":["*"]}`)
	}
	a.want(a.send("POST", "/api/v1/webhooks", a.key, `{"url":"https://example.com","events":["*"]}`), http.StatusUnprocessableEntity, "LIMIT_REACHED")
	// Test mode counts for itself.
	a.create("/sandbox/api/v1/agents", a.key, `{"name":"A","systemPrompt":"p"}`)
}

func TestAllowlist(t *testing.T) {
	a := start(t, domain.Enterprise)
	for allow, status := range map[string]int{
		"127.0.0.1": 200, "127.0.0.0/8": 200, "::ffff:127.0.0.1": 200, "0.0.0.0/0": 200,
		"10.0.0.1": 403, "127.0.0.2": 403, "::1": 403, "::/0": 403,
	} {
		key := a.newKey(access.NewKey{Name: "k", Allow: []string{allow}})
		for _, spoof := range []string{"X-Nothing: 1", "X-Forwarded-For: 10.0.0.1", "Forwarded: for=10.0.0.1", "X-Real-Ip: 10.0.0.1"} {
			if r := a.send("GET", "/api/v1", key, "", spoof); r.status != status {
				t.Errorf("allow %s, %s: %d", allow, spoof, r.status)
			}
		}
	}
}

func TestKeyPlaces(t *testing.T) {
	a := start(t, domain.Enterprise)
	for header, status := range map[string]int{
		"Authorization: Bearer " + a.key:  200,
		"Authorization: bearer  " + a.key: 200,
		"Authorization: " + a.key:         200,
		"X-API-Key: " + a.key:             200,
		"Authorization: Basic " + a.key:   401,
		"Authorization: Bearer":           401,
		"X-API-Key: x":                    401,
	} {
		if r := a.send("GET", "/api/v1", "", "", header); r.status != status {
			t.Errorf("%.30s…: %d", header, r.status)
		}
	}
	if strings.Contains(a.log.String(), a.key) {
		t.Error("the log has the key")
	}
}

func TestTestKeyIsInTestModeEverywhere(t *testing.T) {
	a := start(t, domain.Professional)
	tester := a.newKey(access.NewKey{Name: "t", Mode: domain.Test})
	id := a.create("/api/v1/agents", tester, `{"name":"A","systemPrompt":"p"}`)
	a.want(a.send("GET", "/sandbox/api/v1/agents/"+id, a.key, ""), http.StatusOK, "")
	a.want(a.send("GET", "/sandbox/voxforge/api/v1/agents/"+id+"/", tester, ""), http.StatusOK, "")
	a.want(a.send("GET", "/api/v1/agents/"+id, a.key, ""), http.StatusNotFound, "NOT_FOUND")
}
