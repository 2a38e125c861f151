package api_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// probed is one noun of the domain and where each dialect shows it.
type probed struct {
	noun  string
	row   any // a pointer to a row with values that are its own
	keep  func(context.Context, *domain.Stores, any) error
	paths map[string]string // by dialect; %s is the id
}

// serverOnly are fields that say where a row belongs or are none of a client's.
var serverOnly = []string{"WorkspaceID", "Mode", "Version", "Extra", "SIPCallID", "Secret", "Definition"}

// fieldTables finds under which names each dialect shows the fields of the
// domain, by storing values that are nowhere else and looking for them.
func (a *app) fieldTables(out *strings.Builder) {
	for _, p := range a.probes() {
		var rows [][]string
		shown := a.shown(p)
		for _, field := range fieldsOf(p.row) {
			flipped := a.flipped(p, field.name)
			line := []string{field.name}
			for _, name := range dialectNames(a) {
				at := places(shown[name], field.value)
				if flipped != nil {
					at = differing(shown[name], flipped[name])
				}
				line = append(line, code(at...))
			}
			rows = append(rows, line)
		}
		table(out, p.noun, "field", dialectNames(a), rows)
	}
}

// shown stores the row of p under a new id, and returns what each dialect shows
// of it.
func (a *app) shown(p probed) map[string]map[string]any {
	a.Helper()
	id := reflect.ValueOf(p.row).Elem().FieldByName("ID")
	id.SetString(string(domain.NewID()))
	a.ok(a.store.InTx(a.Context(), domain.LaneAPI, func(ctx context.Context, s *domain.Stores) error { return p.keep(ctx, s, p.row) }))
	all := make(map[string]map[string]any)
	for name, path := range p.paths {
		all[name] = a.shownAt(fmt.Sprintf(path, id.String()), id.String())
	}
	return all
}

// shownAt is what is at path, flat; nil when the dialect has no such route.
func (a *app) shownAt(path, id string) map[string]any {
	a.Helper()
	a.clock.add(2 * time.Second)
	r := a.send(http.MethodGet, path, a.key, "")
	if r.status == http.StatusNotFound && strings.Contains(r.body, "nothing at this path") {
		return nil
	}
	a.want(r, http.StatusOK, "")
	flat := make(map[string]any)
	flatten(flat, "", r.json(a))
	for at, v := range flat { // the id is new each time
		if text, ok := v.(string); ok {
			flat[at] = strings.ReplaceAll(text, id, string(probeID))
		}
	}
	return flat
}

// flipped is what the dialects show when a yes or no is the other one; nil for
// other fields.
func (a *app) flipped(p probed, field string) map[string]map[string]any {
	a.Helper()
	v := reflect.ValueOf(p.row).Elem().FieldByName(field)
	if !v.IsValid() || v.Kind() != reflect.Bool {
		return nil
	}
	v.SetBool(!v.Bool())
	defer v.SetBool(!v.Bool())
	return a.shown(p)
}

// differing are the paths at which two answers differ.
func differing(one, other map[string]any) []string {
	var at []string
	for path, was := range one {
		if other[path] != was {
			at = append(at, path)
		}
	}
	slices.Sort(at)
	return at
}

// flatten notes every value of v by its dotted path.
func flatten(into map[string]any, path string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for name, value := range v {
			flatten(into, strings.TrimPrefix(path+"."+name, "."), value)
		}
	case []any:
		for _, value := range v {
			flatten(into, path+"[]", value)
		}
	default:
		into[path] = v
	}
}

// places are the paths at which a value of the domain stands.
func places(flat map[string]any, value reflect.Value) []string {
	var at []string
	for path, v := range flat {
		if stands(v, value.Interface()) {
			at = append(at, aProbe.ReplaceAllString(path, ""))
		}
	}
	slices.Sort(at)
	return slices.Compact(at)
}

// aProbe is what a value's path has beyond the field that it stands in.
var aProbe = regexp.MustCompile(`(\.probe\w+|\[\])$`)

// stands reports whether an answer's value is the domain's.
func stands(v, want any) bool {
	text, _ := v.(string)
	number, isNumber := v.(float64)
	switch want := want.(type) {
	case time.Time:
		at, err := time.Parse(time.RFC3339, text)
		return err == nil && at.Equal(want) || isNumber && (number == float64(want.Unix()) || number == float64(want.UnixMilli()))
	case time.Duration:
		return isNumber && number == want.Seconds()
	case map[string]any:
		return text != "" && slices.Contains(slices.Collect(maps.Values(want)), any(text))
	case []string:
		return slices.Contains(want, text)
	case int64:
		return isNumber && number == float64(want)
	case domain.ID:
		return text == string(want) || text == "ID" && want == probeID
	}
	return text != "" && text == fmt.Sprint(want)
}

// probeID stands for the id of a row, which is new each time.
const probeID = domain.ID("ID")

// named is one field of a row.
type named struct {
	name  string
	value reflect.Value
}

// fieldsOf lists the fields of a row that clients may see, those of structs in
// it as well.
func fieldsOf(row any) []named {
	var all []named
	v := reflect.Indirect(reflect.ValueOf(row))
	for i := range v.NumField() {
		name, value := v.Type().Field(i).Name, v.Field(i)
		switch {
		case slices.Contains(serverOnly, name):
		case name == "ID":
			all = append(all, named{name, reflect.ValueOf(probeID)})
		case value.Kind() == reflect.Pointer && !value.IsNil():
			for _, below := range fieldsOf(value.Interface()) {
				all = append(all, named{name + "." + below.name, below.value})
			}
		case value.Kind() == reflect.Slice && value.Type().Elem().Kind() == reflect.Struct:
		case value.Kind() == reflect.Struct && value.Type() != reflect.TypeFor[time.Time]():
			for _, below := range fieldsOf(value.Interface()) {
				if !v.Type().Field(i).Anonymous {
					below.name = name + "." + below.name
				}
				all = append(all, below)
			}
		case !value.IsZero():
			all = append(all, named{name, value})
		}
	}
	return all
}

// probes are the nouns that clients know, with values that are nowhere else.
func (a *app) probes() []probed {
	in := func(name string) map[string]any { return map[string]any{"probe" + name: "probe-" + name} }
	at := func(days int) time.Time { return time.Date(2025, 1, days, 3, 4, 5, 0, time.UTC) }
	scope := domain.Scope{Workspace: a.first.Workspace.ID, Mode: domain.Live}
	one := func(noun string) map[string]string {
		return map[string]string{"native": "/voxforge/api/v1/" + noun + "/%s", "trillet": "/trillet/api/v1/" + noun + "/%s", "klen": "/klen/api/v1/" + noun + "/%s"}
	}
	appointments := one("appointments")
	appointments["klen"] = "/klen/api/v1/calendar/events/%s"
	return []probed{
		{"Agent", &domain.Agent{
			WorkspaceID: scope.Workspace, Mode: scope.Mode, Name: "probe-Name", IsActive: true, Voice: "probe-Voice", Language: "de-CH", Model: "probe-Model",
			SystemPrompt: "probe-SystemPrompt", FirstMessage: "probe-FirstMessage", FlowID: domain.NewID(), Record: true, Variables: in("Variables"),
			MaxCallDuration: 1234 * time.Second, Version: 1, CreatedAt: at(2), UpdatedAt: at(3),
		}, func(ctx context.Context, s *domain.Stores, row any) error {
			return s.Agents.Create(ctx, row.(*domain.Agent))
		}, one("agents")},
		{"Flow", &domain.Flow{
			WorkspaceID: scope.Workspace, Mode: scope.Mode, Name: "probe-Name", Status: domain.FlowPublished, Definition: []byte(`{"nodes":[{"id":"a","type":"end","text":"Bye"}]}`),
			Version: 1, CreatedAt: at(2), UpdatedAt: at(3),
		}, func(ctx context.Context, s *domain.Stores, row any) error {
			return s.Flows.Create(ctx, row.(*domain.Flow))
		}, one("flows")},
		a.callProbe(),
		{"Phone number", &domain.PhoneNumber{
			WorkspaceID: scope.Workspace, Mode: scope.Mode, Number: "+14155550133", TrunkID: domain.NewID(), AgentID: domain.NewID(), Version: 1, CreatedAt: at(2), UpdatedAt: at(3),
		}, func(ctx context.Context, s *domain.Stores, row any) error {
			return s.Numbers.Create(ctx, row.(*domain.PhoneNumber))
		}, one("phone-numbers")},
		{"Webhook endpoint", &domain.Endpoint{
			WorkspaceID: scope.Workspace, Mode: scope.Mode, URL: "https://probe.example.com/", Events: []string{"call.started"}, Dialect: "native", Description: "probe-Description",
			Secret: "whsec_cHJvYmU=", IsActive: true, Version: 1, CreatedAt: at(2), UpdatedAt: at(3),
		}, func(ctx context.Context, s *domain.Stores, row any) error {
			return s.Endpoints.Create(ctx, row.(*domain.Endpoint))
		}, one("webhooks")},
		{"Contact", &domain.Contact{
			WorkspaceID: scope.Workspace, Mode: scope.Mode, Phone: "+14155550144", Phones: []domain.ContactPhone{{ID: domain.NewID(), Number: "+14155550144", Primary: true}},
			FirstName: "probe-FirstName", LastName: "probe-LastName", Email: "probe@example.com", Company: "probe-Company", Website: "https://probe.example.com/", Timezone: "Europe/Zurich",
			Stage: "probe-Stage", Status: "probe-Status", Tags: []string{"probe-Tags"}, Notes: "probe-Notes", Custom: in("Custom"), Industry: in("Industry"),
			Version: 1, CreatedAt: at(2), UpdatedAt: at(3),
		}, func(ctx context.Context, s *domain.Stores, row any) error {
			return s.Contacts.Create(ctx, row.(*domain.Contact))
		}, one("contacts")},
		{"Appointment", &domain.Appointment{
			WorkspaceID: scope.Workspace, Mode: scope.Mode, AgentID: domain.NewID(), CallID: domain.NewID(), Title: "probe-Title", Notes: "probe-Notes",
			StartAt: at(4), EndAt: at(4).Add(30 * time.Minute), Status: domain.AppointmentConfirmed,
			AppointmentDetails: domain.AppointmentDetails{
				Description: "probe-Description", Location: "probe-Location", TeamID: "probe-TeamID",
				Customer: domain.Customer{Name: "probe-CustomerName", Email: "customer@example.com", Phone: "+14155550145", Notes: "probe-CustomerNotes"},
				Video:    domain.Video{URL: "https://video.example.com/", Provider: "probe-Provider"},
			},
			Version: 1, CreatedAt: at(2), UpdatedAt: at(3),
		}, func(ctx context.Context, s *domain.Stores, row any) error {
			return s.Appointments.Create(ctx, row.(*domain.Appointment))
		}, appointments},
	}
}

// callProbe is the probe of calls.
func (a *app) callProbe() probed {
	at := func(days int) time.Time { return time.Date(2025, 1, days, 3, 4, 5, 0, time.UTC) }
	return probed{"Call", &domain.Call{
		WorkspaceID: a.first.Workspace.ID, Mode: domain.Live, Direction: domain.Outbound, State: domain.CallCompleted, EndReason: domain.EndSilence,
		AgentID: domain.NewID(), FlowID: domain.NewID(), FlowVersion: 4321, PhoneNumberID: domain.NewID(), CampaignID: domain.NewID(), From: "+14155550111", To: "+14155550122", Record: true,
		MaxDuration: 1234 * time.Second, Variables: map[string]any{"probeVariables": "probe-Variables"}, Captured: map[string]any{"probeCaptured": "probe-Captured"}, Notes: []string{"probe-Notes"}, Voice: "probe-Voice", Model: "probe-Model",
		Analysis: &domain.Analysis{Summary: "probe-Summary", Sentiment: "negative", Method: "probe-Method"}, Version: 1,
		CreatedAt: at(2), DialedAt: at(3), RingingAt: at(4), AnsweredAt: at(5), EndedAt: at(5).Add(777 * time.Second),
	}, func(ctx context.Context, s *domain.Stores, row any) error {
		return s.Calls.Create(ctx, row.(*domain.Call))
	}, map[string]string{"native": "/voxforge/api/v1/calls/%s", "trillet": "/trillet/v1/api/call-history/%s", "klen": "/klen/api/v1/calls/%s"}}
}
