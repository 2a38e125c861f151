package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// sink is a webhook receiver that outlives the servers which deliver to it.
type sink struct {
	t      *testing.T
	server *httptest.Server

	mu  sync.Mutex
	got []delivery
}

type delivery struct {
	endpoint  string // path it came to
	signature string
	body      []byte
	event     string
	call      string
}

func newSink(t *testing.T) *sink {
	t.Helper()
	s := &sink{t: t}
	s.server = httptest.NewServer(http.HandlerFunc(s.take))
	t.Cleanup(s.server.Close)
	return s
}

func (s *sink) take(_ http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return // the server was killed while it delivered
	}
	var payload struct {
		Event string
		Data  struct{ CallID string }
	}
	if err := json.Unmarshal(body, &payload); err != nil {
		s.t.Errorf("a webhook is not JSON: %v: %s", err, body)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, delivery{req.URL.Path, req.Header.Get("X-VoxForge-Signature"), body, payload.Event, payload.Data.CallID})
}

// subscription is an endpoint of the sink in one mode.
type subscription struct {
	sink         *sink
	path, secret string
}

// subscribe makes an endpoint for the events of a line's mode.
func (s *sink) subscribe(l *line, path string) subscription {
	s.t.Helper()
	var hook struct{ Secret string }
	err := l.client.post(s.t.Context(), "/webhooks", map[string]any{
		"url": s.server.URL + path, "events": []string{"call.started", "call.ended", "call.failed"},
	}, &hook)
	if err != nil {
		s.t.Fatal(err)
	}
	return subscription{s, path, hook.Secret}
}

// events returns the names of the different events that arrived about a call,
// each with a signature that verifies.
func (s subscription) events(call string) []string {
	s.sink.t.Helper()
	s.sink.mu.Lock()
	defer s.sink.mu.Unlock()
	var names []string
	seen := map[string]bool{}
	for _, d := range s.sink.got {
		if d.endpoint != s.path || d.call != call || seen[string(d.body)] {
			continue // at least once may be twice, with the same bytes
		}
		seen[string(d.body)] = true
		mac := hmac.New(sha256.New, []byte(s.secret))
		mac.Write(d.body)
		if want := "sha256=" + hex.EncodeToString(mac.Sum(nil)); d.signature != want {
			s.sink.t.Errorf("%s of %s is signed %s, want %s", d.event, call, d.signature, want)
		}
		names = append(names, d.event)
	}
	return names
}

// deliveries counts what arrived about a call.
func (s *sink) deliveries(call string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, d := range s.got {
		if d.call == call {
			n++
		}
	}
	return n
}
