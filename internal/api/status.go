package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"html/template"
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/uptime"
)

// statusJSON is the status page for programs.
type statusJSON struct {
	Status     string          `json:"status"`
	UpdatedAt  wire.Instant    `json:"updatedAt"`
	Components []componentJSON `json:"components"`
	Incidents  []incidentJSON  `json:"incidents"`
}

type componentJSON struct {
	ID      domain.Component `json:"id"`
	Name    string           `json:"name"`
	Status  string           `json:"status"`
	Uptime  *float64         `json:"uptimePercent"`
	History []dayJSON        `json:"days"`
}

type dayJSON struct {
	Date   string   `json:"date"`
	Uptime *float64 `json:"uptimePercent"`
}

type incidentJSON struct {
	Component domain.Component `json:"component"`
	Name      string           `json:"name"`
	StartedAt wire.Instant     `json:"startedAt"`
	EndedAt   wire.Instant     `json:"endedAt"`
	Seconds   int64            `json:"durationSeconds"`
}

// componentNames are the components as the public knows them.
var componentNames = map[domain.Component]string{
	domain.ComponentAPI: "API", domain.ComponentDatabase: "Database", domain.ComponentCalls: "Phone calls", domain.ComponentCarriers: "Carriers",
	domain.ComponentSpeech: "Speech and language", domain.ComponentWebhooks: "Webhooks", domain.ComponentAnalysis: "Call analysis",
	domain.ComponentMessages: "Text messages",
}

// statusPage shows how the service is and was: as HTML, or as JSON to who asks
// for it. It is for everybody, so it has no names, numbers, hosts or errors.
func (s *server) statusPage(w http.ResponseWriter, r *http.Request, path string) {
	view := statusView(s.Status(), s.Now())
	h := w.Header()
	h.Set("Cache-Control", "public, max-age=15")
	h.Set("Access-Control-Allow-Origin", "*")
	h.Add("Vary", "Accept")
	accept := r.Header.Get("Accept")
	if path == "/status.json" || strings.Contains(accept, "application/json") && !strings.Contains(accept, "text/html") {
		wire.WriteJSON(w, http.StatusOK, view)
		return
	}
	var page bytes.Buffer
	if err := statusTemplate.Execute(&page, view); err != nil {
		s.fail(r.Context(), w, s.faces[0].Router.Shape, err)
		return
	}
	sum := sha256.Sum256(page.Bytes())
	h.Set("ETag", `"`+hex.EncodeToString(sum[:12])+`"`)
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(page.Bytes()))
}

// statusView is the page as it is told.
func statusView(p uptime.StatusPage, now time.Time) statusJSON {
	view := statusJSON{
		Status: healthWord(p.Health), UpdatedAt: wire.Instant(p.At),
		Components: make([]componentJSON, len(p.Components)), Incidents: make([]incidentJSON, len(p.Incidents)),
	}
	for i := range p.Components {
		c := &p.Components[i]
		line := componentJSON{ID: c.Component, Name: componentNames[c.Component], Status: healthWord(c.Health), History: make([]dayJSON, len(c.Days))}
		if share, known := c.Uptime(); known {
			line.Uptime = percent(share)
		}
		for j, d := range c.Days {
			line.History[j].Date = d.Day.Format(time.DateOnly)
			if all := d.Good + d.Bad; all > 0 {
				line.History[j].Uptime = percent(float64(d.Good) / float64(all))
			}
		}
		view.Components[i] = line
	}
	for i, in := range p.Incidents {
		end := in.ClosedAt
		if end.IsZero() {
			end = now
		}
		view.Incidents[i] = incidentJSON{
			Component: in.Component, Name: componentNames[in.Component], StartedAt: wire.Instant(in.OpenedAt), EndedAt: wire.Instant(in.ClosedAt),
			Seconds: max(int64(end.Sub(in.OpenedAt)/time.Second), 0),
		}
	}
	return view
}

// healthWord is the word for a health.
func healthWord(h domain.Health) string {
	if h == domain.HealthUnknown {
		return "unknown"
	}
	return string(h)
}

// percent cuts after two places: what was ever down is never 100.
func percent(share float64) *float64 {
	p := math.Floor(share*10_000) / 100
	return &p
}

// The words of the page.
var statusFuncs = template.FuncMap{
	"headline": func(status string) string {
		switch status {
		case string(domain.HealthUp):
			return "Everything works"
		case string(domain.HealthDegraded):
			return "Some things work with less than they should have"
		case string(domain.HealthDown):
			return "Something is down"
		}
		return "Nothing was checked yet"
	},
	"level": func(uptime *float64) string {
		switch {
		case uptime == nil:
			return "none"
		case *uptime >= 99.9:
			return "good"
		case *uptime >= 99:
			return "fair"
		}
		return "poor"
	},
	"share": func(uptime *float64) string {
		if uptime == nil {
			return "no data"
		}
		return fmt.Sprintf("%.2f %%", *uptime)
	},
	"when":  func(t wire.Instant) string { return time.Time(t).UTC().Format("2006-01-02 15:04 UTC") },
	"lasts": func(i incidentJSON) bool { return time.Time(i.EndedAt).IsZero() },
	"span": func(seconds int64) string {
		d := time.Duration(seconds) * time.Second
		switch {
		case d < time.Minute:
			return fmt.Sprintf("%d s", seconds)
		case d < time.Hour:
			return fmt.Sprintf("%d min", seconds/60)
		}
		return fmt.Sprintf("%d h %d min", seconds/3600, seconds/60%60)
	},
}

var statusTemplate = template.Must(template.New("status").Funcs(statusFuncs).Parse(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="60">
<title>{{headline .Status}} · Status</title>
<style>
:root { --ink: #1c2024; --soft: #60646c; --line: #d9dce0; --paper: #fff; --good: #2b9a66; --fair: #dc8f00; --poor: #ce2c31; --none: #d9dce0 }
@media (prefers-color-scheme: dark) { :root { --ink: #edeef0; --soft: #b0b4ba; --line: #363a3f; --paper: #111113; --good: #33b074; --fair: #ffb224; --poor: #f2555a; --none: #363a3f } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 54rem; margin: 2rem auto; padding: 0 1rem; color: var(--ink); background: var(--paper) }
header { border-left: .4rem solid var(--none); padding: .2rem 0 .2rem 1rem; margin-bottom: 2rem }
header.operational { border-color: var(--good) } header.degraded { border-color: var(--fair) } header.down { border-color: var(--poor) }
h1 { font-size: 1.5rem; margin: 0 } h2 { font-size: 1.1rem; margin: 2.2rem 0 .6rem } p { margin: 0 }
.soft, time { color: var(--soft); font-size: .875rem }
section { border-top: 1px solid var(--line); padding: .9rem 0 }
.row { display: flex; justify-content: space-between; gap: 1rem; flex-wrap: wrap }
.name { font-weight: 600 }
.word.operational { color: var(--good) } .word.degraded { color: var(--fair) } .word.down { color: var(--poor) }
.bars { display: flex; gap: 2px; height: 2rem; margin: .5rem 0 .2rem }
.bars i { flex: 1 1 0; border-radius: 1px; background: var(--none) }
.bars .good { background: var(--good) } .bars .fair { background: var(--fair) } .bars .poor { background: var(--poor) }
@media (max-width: 40rem) { .bars { gap: 1px } .bars i:nth-child(-n+45) { display: none } .old { visibility: hidden } }
ul { list-style: none; margin: 0; padding: 0 } li { border-top: 1px solid var(--line); padding: .6rem 0 }
</style>
<header class="{{.Status}}">
<h1>{{headline .Status}}</h1>
{{if ne .Status "unknown"}}<p class="soft">Checked by the service itself at {{when .UpdatedAt}}</p>{{end}}
</header>
<main>
{{range .Components}}<section aria-label="{{.Name}}">
<div class="row"><span class="name">{{.Name}}</span><span class="word {{.Status}}">{{.Status}}</span></div>
<div class="bars" role="img" aria-label="{{share .Uptime}} over 90 days">{{range .History}}<i class="{{level .Uptime}}" title="{{.Date}}: {{share .Uptime}}"></i>{{end}}</div>
<div class="row soft"><span class="old">90 days ago</span><span>{{share .Uptime}}</span><span>today</span></div>
</section>
{{end}}
<h2>Incidents</h2>
<ul>
{{range .Incidents}}<li><div class="row"><span class="name">{{.Name}}</span><span class="{{if lasts .}}word down{{else}}soft{{end}}">{{if lasts .}}down for {{span .Seconds}}{{else}}was down for {{span .Seconds}}{{end}}</span></div>
<time>{{when .StartedAt}}{{if not (lasts .)}} – {{when .EndedAt}}{{end}}</time></li>
{{else}}<li class="soft">None in the last 90 days.</li>
{{end}}</ul>
</main>
</html>
`))
