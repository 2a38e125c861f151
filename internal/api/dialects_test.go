package api_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/api/klen"
	"github.com/callwright/callwright/internal/api/native"
	"github.com/callwright/callwright/internal/api/trillet"
	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/access"
)

// hookDialects are the ways in which events are told.
var hookDialects = map[string]domain.HookDialect{"native": native.Hooks{}, "trillet": trillet.Hooks{}, "klen": klen.Hooks{}}

// generated is the line of docs/dialects.md under which the program writes.
const generated = "<!-- What follows is written by: go test ./internal/api -update -->\n"

// TestDialectsPage compares the tables of docs/dialects.md with what the
// dialects really do: every cell is found by asking.
func TestDialectsPage(t *testing.T) {
	const file = "../../docs/dialects.md"
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	prose, tables, found := strings.Cut(string(page), generated)
	if !found {
		t.Fatalf("%s has lost the line %s", file, generated)
	}
	a := start(t, domain.Enterprise)
	var out strings.Builder
	a.doors(&out)
	a.fieldTables(&out)
	a.statusTable(&out)
	eventTable(&out, dialectNames(t))
	a.faultTable(&out)
	a.scopeTable(&out)
	a.limitTables(&out)
	if *rewrite {
		a.ok(os.WriteFile(file, []byte(prose+generated+out.String()), 0o600))
		return
	}
	if out.String() != tables {
		t.Errorf("%s is not what the program does; run: go test ./internal/api -update, and look at what it changes", file)
	}
}

// table writes rows with the dialects as columns.
func table(out *strings.Builder, title, first string, names []string, rows [][]string) {
	fmt.Fprintf(out, "\n## %s\n\n| %s | %s |\n|%s\n", title, first, strings.Join(names, " | "), strings.Repeat("---|", len(names)+1))
	for _, row := range rows {
		for i, cell := range row {
			if cell == "" {
				row[i] = "–"
			}
		}
		fmt.Fprintf(out, "| %s |\n", strings.Join(row, " | "))
	}
}

func code(words ...string) string {
	var all []string
	for _, w := range words {
		if w != "" {
			all = append(all, "`"+w+"`")
		}
	}
	return strings.Join(all, ", ")
}

func dialectNames(t testing.TB) []string {
	t.Helper()
	var names []string
	for _, d := range faces(t) {
		names = append(names, d.Name)
	}
	return names
}

// doors tells how each dialect is reached.
func (a *app) doors(out *strings.Builder) {
	var rows [][]string
	row := func(what string, cell func(*wire.Dialect) string) {
		line := []string{what}
		for _, d := range faces(a) {
			line = append(line, cell(d))
		}
		rows = append(rows, line)
	}
	row("path prefix", func(d *wire.Dialect) string { return code(d.Prefix) })
	row("hosts of the vendor", func(d *wire.Dialect) string { return code(d.Hosts...) })
	row("paths that need no prefix", func(d *wire.Dialect) string { return code(d.Own...) })
	row("routes, without aliases", func(d *wire.Dialect) string {
		n := 0
		for _, r := range d.Router.Routes() {
			if !r.Hidden {
				n++
			}
		}
		return fmt.Sprint(n)
	})
	row("keys", func(d *wire.Dialect) string {
		var all []string
		for _, s := range d.Router.Contract().Components.SecuritySchemes {
			all = append(all, map[string]string{"header": s.Name + ": KEY", "query": "?" + s.Name + "=KEY", "": "Authorization: Bearer KEY"}[s.In])
		}
		slices.Sort(all)
		return code(all...)
	})
	row("`X-RateLimit-*` headers", func(d *wire.Dialect) string { return map[bool]string{true: "yes"}[d.RateHeaders] })
	table(out, "Ways in", "", dialectNames(a), rows)
}

// statusTable finds each dialect's words for the states of a call.
func (a *app) statusTable(out *strings.Builder) {
	calls := a.callProbe()
	var rows [][]string
	for _, state := range []domain.CallState{
		domain.CallQueued, domain.CallDialing, domain.CallRinging, domain.CallInProgress, domain.CallCompleted, domain.CallFailed,
	} {
		line := []string{string(state)}
		row := *calls.row.(*domain.Call)
		row.State = state
		if !state.Ended() {
			row.EndedAt, row.Analysis, row.EndReason = time.Time{}, nil, ""
		}
		shown := a.shown(probed{row: &row, keep: calls.keep, paths: calls.paths})
		for _, name := range dialectNames(a) {
			word, _ := shown[name]["status"].(string)
			line = append(line, code(word))
		}
		rows = append(rows, line)
	}
	table(out, "Status of a call", "engine", dialectNames(a), rows)
}

// eventTable finds each dialect's words for events, and its signature.
func eventTable(out *strings.Builder, names []string) {
	call := &domain.Call{ID: domain.NewID(), AgentID: domain.NewID(), State: domain.CallCompleted, To: "+14155550122", CreatedAt: time.Unix(1, 0), Recording: "r",
		Analysis: &domain.Analysis{Summary: "s", Sentiment: "neutral", Method: "lexicon"}}
	appointment := &domain.Appointment{ID: domain.NewID(), Title: "T", StartAt: time.Unix(1, 0), EndAt: time.Unix(2, 0), Status: domain.AppointmentScheduled}
	var rows [][]string
	for _, event := range domain.EventTypes {
		line := []string{string(event)}
		for _, name := range names {
			word := ""
			ev := &domain.Event{ID: domain.NewID(), Type: event, At: time.Unix(1, 0), Call: call}
			if strings.HasPrefix(string(event), "appointment.") {
				ev.Call, ev.Appointment, ev.Previous = nil, appointment, appointment
			}
			if raw, known := hookDialects[name].Encode(ev); known {
				word = eventWord(raw)
			}
			line = append(line, code(word))
		}
		rows = append(rows, line)
	}
	line := []string{"signature"}
	for _, name := range names {
		line = append(line, code(slices.Sorted(maps.Keys(hookDialects[name].Sign("s", domain.DeliveryHead{At: time.Unix(1, 0)}, nil)))...))
	}
	table(out, "Events", "event", names, append(rows, line))
}

func eventWord(payload []byte) string {
	var body struct {
		Event     string `json:"event"`
		EventType string `json:"event_type"`
	}
	if json.Unmarshal(payload, &body) != nil {
		return ""
	}
	return body.Event + body.EventType
}

// faultTable lists status and word of every error.
func (a *app) faultTable(out *strings.Builder) {
	codes := []domain.Code{
		domain.CodeInvalid, domain.CodeUnauthorized, domain.CodePayment, domain.CodeForbidden, domain.CodeNotFound, domain.CodeMethod, domain.CodeConflict,
		domain.CodePrecondition, domain.CodeTooLarge, domain.CodeUnsupportedMedia, domain.CodeMismatch, domain.CodeLimitReached, domain.CodeRateLimited,
		domain.CodeInternal, domain.CodeUnavailable,
	}
	var rows [][]string
	add := func(what string, err *domain.Error) {
		line := []string{what}
		for _, d := range faces(a) {
			status, body := d.Router.Shape(err)
			raw, encodeErr := wire.Canonical(body)
			a.ok(encodeErr)
			line = append(line, fmt.Sprintf("%d %s", status, code(faultWord(raw))))
		}
		rows = append(rows, line)
	}
	for _, c := range codes {
		add(string(c), domain.Errorf(c, "x"))
	}
	for _, r := range []struct {
		reason string
		of     domain.Code
	}{
		{domain.ReasonKeyMissing, domain.CodeUnauthorized}, {domain.ReasonInvalidNumber, domain.CodeInvalid}, {domain.ReasonNoPhoneNumber, domain.CodeInvalid},
		{domain.ReasonNoFlow, domain.CodeInvalid}, {domain.ReasonInvalidJSON, domain.CodeInvalid}, {domain.ReasonDoNotCall, domain.CodeForbidden},
		{domain.ReasonDestinationNotAllowed, domain.CodeForbidden}, {domain.ReasonInsufficientCredits, domain.CodePayment},
	} {
		add(string(r.of)+": "+r.reason, domain.Errorf(r.of, "x").For(r.reason, ""))
	}
	table(out, "Errors", "reason", dialectNames(a), rows)
}

// faultWord is the machine word of an error, and the finer one where there is
// one.
func faultWord(raw []byte) string {
	var body struct {
		Error json.RawMessage
		Code  string
	}
	if json.Unmarshal(raw, &body) != nil {
		return ""
	}
	word := strings.Trim(string(body.Error), `"`)
	var nested struct{ Code string }
	if json.Unmarshal(body.Error, &nested) == nil {
		word = nested.Code
	}
	if body.Code != "" {
		word += " / " + body.Code
	}
	return word
}

var aScope = regexp.MustCompile(`can_\w+|[a-z-]+:(read|write)`)

// scopeTable finds each dialect's words for scopes, as its errors name them.
func (a *app) scopeTable(out *strings.Builder) {
	scopes := make(map[string]map[string]bool) // the dialects that have a route with it
	for _, d := range faces(a) {
		for _, r := range d.Router.Routes() {
			if r.Scope == wire.AnyScope {
				continue
			}
			if scopes[r.Scope] == nil {
				scopes[r.Scope] = make(map[string]bool)
			}
			scopes[r.Scope][d.Name] = true
		}
	}
	ctx := wire.WithRequest(a.Context(), &wire.Request{Caller: &wire.Caller{Identity: &access.Identity{}}})
	var rows [][]string
	for _, scope := range slices.Sorted(maps.Keys(scopes)) {
		line := []string{code(scope)}
		for _, d := range faces(a) {
			word := ""
			if scopes[scope][d.Name] {
				_, body := d.Router.Shape(wire.Public(wire.Allowed(ctx, scope)))
				raw, err := wire.Canonical(body)
				a.ok(err)
				word = aScope.FindString(string(raw))
			}
			line = append(line, code(word))
		}
		rows = append(rows, line)
	}
	table(out, "Scopes", "scope", dialectNames(a), rows)
}

// aLimit finds how many a list returned in its own words.
var aLimit = regexp.MustCompile(`[?&]limit=(\d+)|"limit":(\d+)`)

// limitTables finds the bounds of lists, and lists those of plans.
func (a *app) limitTables(out *strings.Builder) {
	var rows [][]string
	for what, query := range map[string]string{"asked for nothing": "", "asked for 100,000": "?limit=100000"} {
		line := []string{what}
		for _, d := range faces(a) {
			path := d.Prefix + "/api/v1/calls"
			if d.Name == "trillet" {
				path = d.Prefix + "/v1/api/call-history"
			}
			a.clock.add(2 * time.Second)
			r := a.send(http.MethodGet, path+query, a.key, "")
			a.want(r, http.StatusOK, "")
			m := aLimit.FindStringSubmatch(r.header.Get("Link") + r.body)
			if m == nil {
				m = make([]string, 3)
			}
			line = append(line, m[1]+m[2])
		}
		rows = append(rows, line)
	}
	slices.SortFunc(rows, func(a, b []string) int { return strings.Compare(b[0], a[0]) })
	table(out, "Calls that a list returns at most", "", dialectNames(a), rows)
	plans := []domain.Plan{domain.Starter, domain.Professional, domain.Business, domain.Enterprise}
	var names []string
	rows = nil
	limits := reflect.TypeFor[domain.PlanLimits]()
	for i := range limits.NumField() {
		line := []string{limits.Field(i).Name}
		for _, plan := range plans {
			cell := fmt.Sprint(reflect.ValueOf(plan.Limits()).Field(i).Interface())
			if cell == fmt.Sprint(domain.Unlimited) {
				cell = "none"
			}
			line = append(line, cell)
		}
		rows = append(rows, line)
	}
	for _, plan := range plans {
		names = append(names, string(plan))
	}
	table(out, "Limits of the plans", "limit", names, rows)
}
