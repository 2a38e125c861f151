package api_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/access"
)

// TestIdempotencyKey: whatever is repeated, and however often at once, happens
// once and is answered with the same bytes.
func TestIdempotencyKey(t *testing.T) {
	a := start(t, domain.Enterprise)
	objects := a.objects(a.key)
	for path, body := range map[string]string{
		"/api/v1/agents":        `{"name":"A","systemPrompt":"p","variables":{"b":1.50,"a":"<ü>"}}`,
		"/api/v1/flows":         `{"name":"F","nodes":[{"id":"a","type":"end"}]}`,
		"/api/v1/trunks":        `{"name":"T","host":"example.com"}`,
		"/api/v1/phone-numbers": `{"number":"+14155550111","trunkId":"` + objects["trunks"] + `"}`,
		"/api/v1/calls":         `{"agentId":"` + objects["agents"] + `","to":"+14155552671"}`,
		"/api/v1/webhooks":      `{"url":"https://example.com","events":["call.ended"]}`,
		"/api/v1/webhooks/" + objects["webhooks"] + "/test":          ``,
		"/api/v1/webhooks/" + objects["webhooks"] + "/rotate-secret": ``,
		"/api/v1/calls/" + objects["calls"] + "/cancel":              ``,
	} {
		const n = 8
		answers := make([]reply, n+1)
		var all sync.WaitGroup
		for i := range n {
			all.Go(func() { answers[i] = a.send("POST", path, a.key, body, "Idempotency-Key: k-"+path) })
		}
		all.Wait()
		answers[n] = a.send("POST", path, a.key, body, "Idempotency-Key: k-"+path)
		first, fresh := "", 0
		for _, r := range answers {
			switch {
			case r.status == http.StatusConflict && strings.Contains(r.body, "being served"):
				continue
			case r.status >= 300:
				t.Errorf("%s: %d %s", path, r.status, r.body)
			case first == "":
				first = r.body
			case first != r.body:
				t.Errorf("%s: replayed\n%s\nfor\n%s", path, r.body, first)
			}
			if r.header.Get("Idempotent-Replayed") == "" {
				fresh++
			}
		}
		if fresh != 1 {
			t.Errorf("%s happened %d times", path, fresh)
		}
		a.want(a.send("POST", path, a.key, `{"name":"other"}`, "Idempotency-Key: k-"+path), http.StatusUnprocessableEntity, "IDEMPOTENCY_MISMATCH")
	}
	a.want(a.send("POST", "/api/v1/agents", a.key, `{"name":"A","systemPrompt":"p"}`, "Idempotency-Key: "+strings.Repeat("k", 256)), 400, "BAD_REQUEST")
	// A refused request leaves its key free; another key and another mode have
	// keys of their own.
	a.want(a.send("POST", "/api/v1/agents", a.key, `{"name":"A"}`, "Idempotency-Key: free"), 400, "BAD_REQUEST")
	for _, send := range []func() reply{
		func() reply {
			return a.send("POST", "/api/v1/agents", a.key, `{"name":"A","systemPrompt":"p"}`, "Idempotency-Key: free")
		},
		func() reply {
			return a.send("POST", "/sandbox/api/v1/agents", a.key, `{"name":"A","systemPrompt":"p"}`, "Idempotency-Key: free")
		},
		func() reply {
			return a.send("POST", "/api/v1/agents", a.newKey(access.NewKey{Name: "k"}), `{"name":"A","systemPrompt":"p"}`, "Idempotency-Key: free")
		},
	} {
		if r := send(); r.status != http.StatusCreated || r.header.Get("Idempotent-Replayed") != "" {
			t.Errorf("%d %s", r.status, r.body)
		}
	}
}
