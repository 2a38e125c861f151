package app_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/store/storetest"
)

// status reads the public page, without a key.
func (h *house) status(path string) (kind, body string) {
	h.Helper()
	req, err := http.NewRequestWithContext(h.Context(), http.MethodGet, h.app.URL()+path, nil)
	h.fine(err)
	res, err := h.http.Do(req)
	h.fine(err)
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	h.fine(err)
	if res.StatusCode != http.StatusOK {
		h.Errorf("%s answered %d: %s", path, res.StatusCode, raw)
	}
	return res.Header.Get("Content-Type"), string(raw)
}

func (h *house) fine(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// components reads how each component is.
func (h *house) components() (overall string, all map[string]string) {
	h.Helper()
	_, raw := h.status("/status.json")
	var page struct {
		Status     string
		Components []struct{ ID, Status string }
	}
	h.fine(json.Unmarshal([]byte(raw), &page))
	all = map[string]string{}
	for _, c := range page.Components {
		all[c.ID] = c.Status
	}
	return page.Status, all
}

// shows waits until the page shows what is expected.
func (h *house) shows(what string, there func() bool) {
	h.Helper()
	for deadline := time.Now().Add(callLimit); !there(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			_, page := h.status("/status.json")
			h.Fatalf("the page does not show that %s: %.300s", what, page)
		}
	}
}

// TestStatus: the components of a running server are looked at soon after its
// start, and the page tells nothing of whom it serves.
func TestStatus(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	h.number(h.trunkTo(h.app.SIPAddr(), nil), h.agent(nil, bye("one")), 1)
	h.shows("all components were looked at", func() bool {
		overall, all := h.components()
		return overall == "operational" && len(all) >= 6 && all["api"] == "operational" && all["calls"] == "operational" && all["webhooks"] == "operational"
	})
	kind, page := h.status("/status")
	if !strings.HasPrefix(kind, "text/html") || !strings.Contains(page, "Everything works") {
		t.Errorf("%s: %s", kind, page)
	}
	_, told := h.status("/status.json")
	for _, secret := range []string{"127.0.0.1", h.app.SIPAddr().String(), string(h.app.First.Workspace.ID), h.app.First.Workspace.Name, "+1"} {
		if strings.Contains(page+told, secret) {
			t.Errorf("the page tells %q", secret)
		}
	}
}

// TestStatusWithoutDatabase: the page is there while the database is not, and
// says so.
func TestStatusWithoutDatabase(t *testing.T) {
	t.Parallel()
	storetest.OnPostgres(t, func(t *testing.T, url string) {
		over, line := storetest.BehindLine(t, url)
		h := open(t, setup{database: over})
		line.Cut(true)
		defer line.Cut(false)
		h.shows("the database is down", func() bool {
			overall, all := h.components()
			return overall == "down" && all["database"] == "down" && all["api"] == "operational"
		})
	})
}
