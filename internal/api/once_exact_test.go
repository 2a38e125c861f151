package api_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/api"
	"github.com/callwright/callwright/internal/api/native"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
	"github.com/callwright/callwright/internal/service/access"
	"github.com/callwright/callwright/internal/store"
	"github.com/callwright/callwright/internal/store/storetest"
)

// herd sends the same POST with one Idempotency-Key n times at once, each time
// again while it is told that the first one is being served, and returns the
// answers of all, and how many were not replayed. to spreads the requests over
// servers.
func (a *app) herd(n int, path, body, key string, to ...string) (bodies map[string]int, fresh int) {
	a.Helper()
	transport := &http.Transport{MaxConnsPerHost: 100, MaxIdleConnsPerHost: 100}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: time.Minute}
	var mu sync.Mutex
	var all sync.WaitGroup
	start := make(chan struct{})
	bodies = map[string]int{}
	for i := range n {
		all.Go(func() {
			<-start
			for {
				r, err := a.try(client, to[i%len(to)]+path, body, key)
				if err != nil {
					a.Error(err)
					return
				}
				switch {
				case r.status == http.StatusConflict && strings.Contains(r.body, "being served") && r.header.Get("Retry-After") == "1":
					time.Sleep(20 * time.Millisecond) // sooner than asked for, to meet the others
					continue
				case r.status != http.StatusCreated:
					a.Errorf("%d %s", r.status, r.body)
				}
				mu.Lock()
				defer mu.Unlock()
				bodies[r.body]++
				if r.header.Get("Idempotent-Replayed") == "" {
					fresh++
				}
				return
			}
		})
	}
	close(start)
	all.Wait()
	return bodies, fresh
}

// try sends one POST.
func (a *app) try(client *http.Client, url, body, key string) (reply, error) {
	req, err := http.NewRequestWithContext(a.Context(), "POST", url, strings.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	req.Header.Set("Authorization", "Bearer "+a.key)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", key)
	res, err := client.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer res.Body.Close() // it was only read
	var raw strings.Builder
	if err := res.Write(&raw); err != nil {
		return reply{}, err
	}
	_, text, _ := strings.Cut(raw.String(), "\r\n\r\n")
	return reply{status: res.StatusCode, header: res.Header, body: text}, nil
}

// TestThousandAtOnce: one Idempotency-Key in a thousand requests at once places
// one call, and all get the same answer.
func TestThousandAtOnce(t *testing.T) {
	a := start(t, domain.Enterprise)
	agent := a.objects(a.key)["agents"]
	before := a.send("GET", "/api/v1/calls?limit=1", a.key, "").header.Get("X-Total-Count")
	bodies, fresh := a.herd(1000, "/api/v1/calls", `{"agentId":"`+agent+`","to":"+14155550177"}`, "once", a.url)
	if len(bodies) != 1 || fresh != 1 {
		t.Errorf("%d fresh answers, %d different ones", fresh, len(bodies))
	}
	if after := a.send("GET", "/api/v1/calls?limit=1", a.key, "").header.Get("X-Total-Count"); before != "1" || after != "2" {
		t.Errorf("there were %s calls and are %s", before, after)
	}
	other := a.send("POST", "/api/v1/calls", a.key, `{"agentId":"`+agent+`","to":"+14155550178"}`, "Idempotency-Key: once")
	a.want(other, http.StatusUnprocessableEntity, "IDEMPOTENCY_MISMATCH")
}

// secondServer is another process's API on the same database.
func (a *app) secondServer(url string) string {
	a.Helper()
	db, err := store.Open(a.Context(), store.Options{Dir: storetest.Dir(a), DSN: url})
	a.ok(err)
	rules := service.New(service.Options{
		Store: db, Hooks: map[string]domain.HookDialect{"native": native.Hooks{}}, CheckFlow: checkFlow, HasLLM: func(domain.Mode) bool { return true },
	})
	handler, err := api.New(api.Options{Service: rules, Dialects: dialects, Version: "test"})
	a.ok(err)
	server := httptest.NewServer(handler)
	a.Cleanup(func() {
		server.Close()
		rules.Close()
		if err := db.Close(); err != nil {
			a.Error(err)
		}
	})
	return server.URL
}

// TestTwoServersAtOnce: two processes that get the same request at the same time
// do not know of one another; the database lets one through, and the other
// answers what that one did, also when its own try had failed for another reason.
func TestTwoServersAtOnce(t *testing.T) {
	storetest.OnPostgres(t, func(t *testing.T, url string) {
		a := startOn(t, domain.Professional, url)
		servers := []string{a.url, a.secondServer(url)}
		objects := a.objects(a.key)
		for i := range 12 {
			to := fmt.Sprintf("+1415555%04d", 200+i)
			bodies, fresh := a.herd(8, "/api/v1/calls", `{"agentId":"`+objects["agents"]+`","to":"`+to+`"}`, to, servers...)
			if len(bodies) != 1 || fresh != 1 {
				t.Errorf("%s: %d fresh answers, %d different ones", to, fresh, len(bodies))
			}
		}
		if total := a.send("GET", "/api/v1/calls?limit=1", a.key, "").header.Get("X-Total-Count"); total != "13" {
			t.Errorf("%s calls, want 13", total)
		}
		// The last agent of the plan: whoever comes second finds the limit reached.
		filler := a.newKey(access.NewKey{Name: "filler"})
		for range domain.Professional.Limits().Agents - 2 {
			a.create("/api/v1/agents", filler, `{"name":"A","systemPrompt":"p"}`)
		}
		a.key = a.newKey(access.NewKey{Name: "other"}) // with a rate of its own
		bodies, fresh := a.herd(8, "/api/v1/agents", `{"name":"last","systemPrompt":"p"}`, "last", servers...)
		if len(bodies) != 1 || fresh != 1 {
			t.Errorf("the last agent: %d fresh answers, %d different ones", fresh, len(bodies))
		}
		// A number is unique: whoever comes second finds it taken.
		bodies, fresh = a.herd(8, "/api/v1/phone-numbers", `{"number":"+14155550111","trunkId":"`+objects["trunks"]+`"}`, "number", servers...)
		if len(bodies) != 1 || fresh != 1 {
			t.Errorf("a number: %d fresh answers, %d different ones", fresh, len(bodies))
		}
	})
}
