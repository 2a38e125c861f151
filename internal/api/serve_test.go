package api_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/callwright/callwright/internal/api"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
)

// front is the API with nothing behind it.
func front(t *testing.T, o api.Options) (http.Handler, *logBuffer) {
	t.Helper()
	log := &logBuffer{}
	o.Logger = slog.New(slog.NewTextHandler(log, nil))
	o.Dialects = dialects
	o.Service = service.New(service.Options{Store: brokenStore{}, Logger: o.Logger})
	h, err := api.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return h, log
}

// brokenStore fails as an unreachable database does, or worse.
type brokenStore struct{ domain.Store }

func (brokenStore) View(context.Context, func(context.Context, *domain.Stores) error) error {
	return domain.Unavailable(3e9, errors.New("dial tcp 10.0.0.1: refused"), "the database cannot be reached; try again")
}

func ask(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestPanicIsAnswered(t *testing.T) {
	h, log := front(t, api.Options{Ready: func(context.Context) error { panic("secret detail") }})
	w := ask(h, httptest.NewRequest("GET", "/readyz", nil))
	if w.Code != 500 || w.Body.String() != `{"error":{"code":"INTERNAL_ERROR","message":"something went wrong on our end"}}` {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if !strings.Contains(log.String(), "secret detail") || !strings.Contains(log.String(), w.Header().Get("X-Request-Id")) {
		t.Errorf("the log does not tell: %s", log)
	}
}

func TestUnavailable(t *testing.T) {
	h, _ := front(t, api.Options{Ready: func(context.Context) error { return errors.New("draining") }})
	if w := ask(h, httptest.NewRequest("GET", "/readyz", nil)); w.Code != 503 || w.Header().Get("Retry-After") != "1" || !strings.Contains(w.Body.String(), "draining") {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	if w := ask(h, httptest.NewRequest("GET", "/healthz", nil)); w.Code != 200 {
		t.Errorf("%d", w.Code)
	}
	r := httptest.NewRequest("GET", "/api/v1/agents", nil)
	r.Header.Set("Authorization", "Bearer cw_live_01a2012e785d3f9070119589AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"+"000000")
	if w := ask(h, r); w.Code != 401 {
		t.Errorf("a key with a wrong checksum reached the database: %d %s", w.Code, w.Body)
	}
	r.Header.Set("Authorization", "Bearer "+knownGood)
	if w := ask(h, r); w.Code != 503 || w.Header().Get("Retry-After") != "3" || strings.Contains(w.Body.String(), "10.0.0.1") {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
}

// knownGood has the right form and checksum, and belongs to nobody.
const knownGood = "cw_live_000000000000000000000000" + "00000000000000000000000000000000" + "4P5jMF"

func TestFallbackAndRequestID(t *testing.T) {
	h, _ := front(t, api.Options{Fallback: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "dashboard "+r.URL.Path)
	})})
	for path, want := range map[string]string{"/": "dashboard /", "/calls/": "dashboard /calls/", "/apix": "dashboard /apix"} {
		if w := ask(h, httptest.NewRequest("GET", path, nil)); w.Body.String() != want {
			t.Errorf("%s: %s", path, w.Body)
		}
	}
	if w := ask(h, httptest.NewRequest("GET", "/api/v2/agents", nil)); w.Code != 404 || !strings.Contains(w.Body.String(), "NOT_FOUND") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	r := httptest.NewRequest("GET", "/healthz", nil)
	r.Header.Set("X-Request-Id", "mine-1")
	if w := ask(h, r); w.Header().Get("X-Request-Id") != "mine-1" {
		t.Errorf("%v", w.Header())
	}
	r.Header.Set("X-Request-Id", "two words")
	if id := ask(h, r).Header().Get("X-Request-Id"); !domain.ID(id).Valid() {
		t.Errorf("request id %q", id)
	}
}
