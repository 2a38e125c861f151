package api_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/api"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/uptime"
)

// statusSample is a page with everything that it can show.
func statusSample(now time.Time) uptime.StatusPage {
	days := func(c domain.Component, count func(ago int) (good, bad int)) []domain.UptimeDay {
		out := make([]domain.UptimeDay, 90)
		for i := range out {
			ago := 89 - i
			out[i] = domain.UptimeDay{Component: c, Day: now.Truncate(24*time.Hour).AddDate(0, 0, -ago)}
			out[i].Good, out[i].Bad = count(ago)
		}
		return out
	}
	return uptime.StatusPage{
		At: now, Health: domain.HealthDown,
		Components: []uptime.ComponentStatus{
			{Component: domain.ComponentAPI, Health: domain.HealthUp, Days: days("api", func(ago int) (int, int) {
				if ago > 60 {
					return 0, 0
				}
				return 2880, 0
			})},
			{Component: domain.ComponentCalls, Health: domain.HealthDown, Days: days("calls", func(ago int) (int, int) {
				switch ago {
				case 12:
					return 2870, 10
				case 0:
					return 600, 40
				}
				return 2880, 0
			})},
			{Component: domain.ComponentSpeech, Health: domain.HealthDegraded, Days: days("speech", func(int) (int, int) { return 2879, 1 })},
		},
		Incidents: []domain.Incident{
			{ID: domain.NewID(), Component: domain.ComponentCalls, OpenedAt: now.Add(-20 * time.Minute), SeenAt: now},
			{ID: domain.NewID(), Component: domain.ComponentCalls, OpenedAt: now.AddDate(0, 0, -12), SeenAt: now.AddDate(0, 0, -12), ClosedAt: now.AddDate(0, 0, -12).Add(5 * time.Minute)},
		},
	}
}

// TestStatusPage: the page is for everybody and every cache, as HTML and JSON.
func TestStatusPage(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	page := statusSample(now)
	handler, err := api.New(api.Options{Dialects: dialects, Version: "test", Now: func() time.Time { return now }, Status: func() uptime.StatusPage { return page }})
	if err != nil {
		t.Fatal(err)
	}
	get := func(method, path string, headers ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), method, path, nil)
		for _, h := range headers {
			name, value, _ := strings.Cut(h, ": ")
			r.Header.Set(name, value)
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w
	}
	const browser = "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
	html := get("GET", "/status", browser)
	body := html.Body.String()
	if file := os.Getenv("CALLWRIGHT_STATUS_SAMPLE"); file != "" { // to look at it
		if err := os.WriteFile(file, html.Body.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if html.Code != 200 || !strings.HasPrefix(html.Header().Get("Content-Type"), "text/html") || strings.Count(body, "<i class=") != 3*90 {
		t.Errorf("%d %v with %d bars", html.Code, html.Header(), strings.Count(body, "<i class="))
	}
	for _, want := range []string{
		"Something is down", "Phone calls", `<i class="none" title="2026-08-25: no data">`, `<i class="poor" title="2026-11-22: 93.75 %">`,
		`<i class="fair" title="2026-11-10: 99.65 %">`, "down for 20 min", "was down for 5 min", "2026-11-22 11:40 UTC", `<span>100.00 %</span>`, "<span>99.96 %</span>",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page has no %s", want)
		}
	}
	for _, outside := range []string{"http://", "https://", "<script", "src=", string(page.Incidents[0].ID)} {
		if strings.Contains(body, outside) {
			t.Errorf("the page has %s", outside)
		}
	}
	for _, headers := range [][]string{{browser}, {"Accept: */*"}, {}, {"Accept: application/json"}} {
		r := get("GET", "/status", headers...)
		if h := r.Header(); h.Get("Cache-Control") != "public, max-age=15" || h.Get("ETag") == "" || !strings.Contains(strings.Join(h.Values("Vary"), ","), "Accept") {
			t.Errorf("%v: %v", headers, h)
		}
		again := get("GET", "/status", append(headers, "If-None-Match: "+r.Header().Get("ETag"))...)
		if again.Code != http.StatusNotModified || again.Body.Len() != 0 {
			t.Errorf("%v again: %d", headers, again.Code)
		}
	}
	if r := get("HEAD", "/status"); r.Code != 200 || r.Body.Len() != 0 {
		t.Errorf("HEAD: %d, %d bytes", r.Code, r.Body.Len())
	}
	if r := get("POST", "/status"); r.Code != http.StatusNotFound {
		t.Errorf("POST: %d", r.Code)
	}
	var told struct {
		Status, UpdatedAt string
		Components        []struct {
			ID, Name, Status string
			UptimePercent    *float64
			Days             []struct {
				Date          string
				UptimePercent *float64
			}
		}
		Incidents []struct {
			Component, StartedAt string
			EndedAt              *string
			DurationSeconds      int
		}
	}
	if err := json.Unmarshal(get("GET", "/status.json", browser).Body.Bytes(), &told); err != nil {
		t.Fatal(err)
	}
	if told.Status != "down" || told.UpdatedAt != "2026-11-22T12:00:00Z" || len(told.Components) != 3 || len(told.Components[1].Days) != 90 ||
		*told.Components[2].UptimePercent != 99.96 || told.Components[0].Days[0].UptimePercent != nil || told.Components[0].Days[89].Date != "2026-11-22" {
		t.Errorf("%+v", told)
	}
	if i := told.Incidents; len(i) != 2 || i[0].EndedAt != nil || i[0].DurationSeconds != 1200 || i[1].EndedAt == nil || i[1].DurationSeconds != 300 {
		t.Errorf("%+v", i)
	}
	page = uptime.StatusPage{}
	if r := get("GET", "/status"); r.Code != 200 || !strings.Contains(r.Body.String(), "Nothing was checked yet") || strings.Contains(r.Body.String(), "0001") {
		t.Errorf("before the first look: %d %s", r.Code, r.Body)
	}
	if r := get("GET", "/status.json"); r.Code != 200 || strings.TrimSpace(r.Body.String()) != `{"status":"unknown","updatedAt":null,"components":[],"incidents":[]}` {
		t.Errorf("before the first look: %d %s", r.Code, r.Body)
	}
}

// TestNoStatusPage where nobody looks.
func TestNoStatusPage(t *testing.T) {
	a := start(t, domain.Starter)
	a.want(a.send("GET", "/status", "", ""), http.StatusNotFound, "NOT_FOUND")
}
