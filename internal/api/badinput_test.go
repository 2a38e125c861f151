package api_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
)

// marker stands in values that clients send; no error may repeat it.
const marker = "sEcReT"

// hostile sends bad input to the routes of one dialect.
type hostile struct {
	*app
	d       *contract
	objects map[string]string
}

// throughout runs do for every dialect of a fresh server, and then looks at the
// log.
func throughout(t *testing.T, do func(hostile)) {
	t.Helper()
	a := start(t, domain.Enterprise)
	objects := a.objects(a.key)
	for _, d := range faces(t) {
		do(hostile{a, newContract(t, d), objects})
	}
	for _, word := range []string{"level=ERROR", "panicked"} {
		if strings.Contains(a.log.String(), word) {
			t.Errorf("the log has %s:\n%.3000s", word, a.log)
		}
	}
}

// operation is r's part of the contract; aliases have that of their route.
func (h hostile) operation(r wire.Route) *huma.Operation {
	for _, item := range h.d.Router.Contract().Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			if op != nil && op.OperationID == routeID(r) {
				return op
			}
		}
	}
	return &huma.Operation{}
}

// schema is what r's JSON body must be; nil when r takes none.
func (h hostile) schema(r wire.Route) *huma.Schema {
	op := h.operation(r)
	if op.RequestBody == nil || op.RequestBody.Content["application/json"] == nil {
		return nil
	}
	s := op.RequestBody.Content["application/json"].Schema
	if s.Ref != "" {
		s = h.d.Router.Contract().Components.Schemas.SchemaFromRef(s.Ref)
	}
	return s
}

// refuses fails unless the answer is a documented error of the client's with
// one of the statuses, or with any when there are none; field is what it must
// name.
func (h hostile) refuses(r wire.Route, what, field string, got reply, statuses ...int) {
	h.Helper()
	if got.status < 400 || got.status > 499 || len(statuses) > 0 && !slices.Contains(statuses, got.status) {
		h.Errorf("%s %s with %s: %d %.300s", r.Method, h.d.Prefix+r.Path, what, got.status, got.body)
		return
	}
	if field != "" && !strings.Contains(got.body, field) {
		h.Errorf("%s %s with %s does not name %s: %s", r.Method, h.d.Prefix+r.Path, what, field, got.body)
	}
	h.shaped(r, what, got)
}

// shaped fails unless an error has the members of the dialect's errors and is as
// the contract says, and repeats nothing.
func (h hostile) shaped(r wire.Route, what string, got reply) {
	h.Helper()
	_, body := h.d.Router.ShapeOf(r)(domain.Invalid("x", "x"))
	raw, err := wire.Canonical(body)
	h.ok(err)
	have := got.json(h)
	for name := range (reply{body: string(raw)}).json(h) {
		if have[name] == nil {
			h.Errorf("%s %s with %s is not answered in the documented form %s: %.300s", r.Method, h.d.Prefix+r.Path, what, raw, got.body)
		}
	}
	if known, ok := h.d.ids[routeID(r)]; ok {
		h.d.check(h, known, got)
	}
	if strings.Contains(got.body, marker) || len(got.body) > 2_000 {
		h.Errorf("%s %s with %s is repeated: %.400s", r.Method, h.d.Prefix+r.Path, what, got.body)
	}
}

// pass lets time go by, where even the keys of the largest plan have a rate.
func (h hostile) pass() {
	if h.d.Name == "trillet" {
		h.clock.add(2 * time.Second)
	}
}

// ask sends a request to r.
func (h hostile) ask(r wire.Route, query, body string, headers ...string) reply {
	h.Helper()
	h.pass()
	return h.send(r.Method, h.d.Prefix+h.pathOf(r, h.objects)+query, h.key, body, headers...)
}

// badBody is one class of bodies that no route takes.
type badBody struct {
	name, body string
	status     int
	headers    []string
	says       string // what the error must say, where another fault could be meant
}

var badBodies = func() []badBody {
	deep := func(n int) string { return `{"x":` + strings.Repeat("[", n) + strings.Repeat("]", n) + `}` }
	gzipped := []string{"Content-Encoding: gzip"}
	return []badBody{
		{"half a body", `{"name":"sEcReT`, 400, nil, ""},
		{"a trailing comma", `{"name":"sEcReT",}`, 400, nil, ""},
		{"a member twice", `{"name":"sEcReT","name":"B"}`, 400, nil, "twice"},
		{"a member twice by escape", `{"name":"sEcReT","n\u0061me":"B"}`, 400, nil, "twice"},
		{"a member twice below", `{"x":{"y":"sEcReT","y":2}}`, 400, nil, "twice"},
		{"65 levels", deep(64), 400, nil, "64 levels"},
		{"10,000 levels", deep(10_000), 400, nil, "64 levels"},
		{"two values", `{}{}`, 400, nil, "more than one"},
		{"a NUL", `{"name":"sEcReT\u0000"}`, 400, nil, "NUL"},
		{"a NUL in a name", `{"sEcReT\u0000":1}`, 400, nil, "NUL"},
		{"bytes that are not UTF-8", "{\"name\":\"sEcReT\xff\"}", 400, nil, "UTF-8"},
		{"a byte order mark", "\ufeff{}", 400, nil, ""},
		{"an array", `["sEcReT"]`, 400, nil, ""},
		{"a string", `"sEcReT"`, 400, nil, ""},
		{"a number", `1`, 400, nil, ""},
		{"null", `null`, 400, nil, ""},
		{"NaN", `{"name":NaN}`, 400, nil, ""},
		{"a form", `name=sEcReT`, 415, []string{"Content-Type: application/x-www-form-urlencoded"}, ""},
		{"plain text", `{}`, 415, []string{"Content-Type: text/plain"}, ""},
		{"latin1", `{}`, 415, []string{"Content-Type: application/json; charset=latin1"}, ""},
		{"a garbled type", `{}`, 415, []string{"Content-Type: ;;;"}, ""},
		{"too many bytes", `{"name":"` + strings.Repeat("x", 1<<20) + `"}`, 413, nil, ""},
		{"too many bytes inflated", squeeze(`{"name":"` + strings.Repeat("x", 8<<20) + `"}`), 413, gzipped, ""},
		{"half a gzip", squeeze(`{"name":"sEcReT"}`)[:20], 400, gzipped, ""},
		{"no gzip", `{"name":"sEcReT"}`, 400, gzipped, ""},
		{"brotli", `{}`, 415, []string{"Content-Encoding: br"}, ""},
	}
}()

// TestBadBodies sends every class of bad bodies to every route that takes one.
func TestBadBodies(t *testing.T) {
	throughout(t, func(h hostile) {
		for _, r := range h.d.Router.Routes() {
			if h.schema(r) == nil {
				continue
			}
			for i, b := range badBodies {
				if r.Hidden && i > 3 && b.status != http.StatusUnsupportedMediaType { // aliases pass the same chain
					continue
				}
				h.refuses(r, b.name, b.says, h.ask(r, "", b.body, b.headers...), b.status)
			}
			if r.Hidden {
				continue
			}
			for _, body := range []string{`{"name":"\ud800"}`, `{"\udc00":1}`, `{}`} { // fine, or the route's own complaint
				if got := h.ask(r, "", body, "Content-Type: "); got.status >= 500 || got.status == http.StatusUnsupportedMediaType {
					h.Errorf("%s %s with %s: %d %s", r.Method, h.d.Prefix+r.Path, body, got.status, got.body)
				}
			}
		}
	})
}

// wrongValues are values that a field of a type must not have.
func wrongValues(s *huma.Schema) map[string]string {
	wrong := map[string]string{}
	add := func(types string, values ...string) {
		if strings.Contains(types, s.Type) {
			return
		}
		for _, v := range values {
			wrong[v] = ""
		}
	}
	if s.Type == "" {
		return wrong // anything goes
	}
	add("string", `"sEcReT"`)
	add("boolean", `true`)
	add("object", `{"sEcReT":"sEcReT"}`)
	add("array", `["sEcReT"]`)
	add("number integer", `1`)
	switch s.Type {
	case huma.TypeInteger:
		for _, v := range []string{"1e400", "-1e400", "9223372036854775808", "1e30", "1.5"} {
			wrong[v] = ""
		}
	case huma.TypeNumber:
		wrong["1e400"] = ""
	case huma.TypeString:
		wrong[`"\u0000"`] = ""
	}
	return wrong
}

// TestWrongTypes gives every field of every body each type that it has not, and
// numbers that are out of range.
func TestWrongTypes(t *testing.T) {
	throughout(t, func(h hostile) {
		tried := 0
		for _, r := range h.d.Router.Routes() {
			schema := h.schema(r)
			if schema == nil || r.Hidden {
				continue
			}
			for name, field := range schema.Properties {
				if field.Ref != "" {
					field = h.d.Router.Contract().Components.Schemas.SchemaFromRef(field.Ref)
				}
				for value := range wrongValues(field) {
					tried++
					body := fmt.Sprintf(`{%q:%s}`, name, value)
					h.refuses(r, body, name, h.ask(r, "", body), http.StatusBadRequest)
				}
			}
		}
		h.Logf("%s: %d wrong values", h.d.Name, tried)
	})
}

// TestBadQueries gives every parameter of every query values that it must not
// have, and some that are just odd.
func TestBadQueries(t *testing.T) {
	odd := []string{"", "%00", "%ff%fe", "%zz", "-1", "0", "99999999999999999999", "9223372036854775807", "1e9", "sEcReT", "2025-13-45", "2025-02-01T25:00:00Z",
		"null", "[]", "%7B%7D", "'%20OR%201=1", "%E2%98%83", strings.Repeat("9", 3000)}
	throughout(t, func(h hostile) {
		for _, r := range h.d.Router.Routes() {
			for _, p := range h.operation(r).Parameters {
				if p.In != "query" {
					continue
				}
				for i, value := range odd {
					if r.Hidden && i > 3 { // aliases pass the same chain
						break
					}
					query := "?" + p.Name + "=" + value
					asked := []string{query}
					if i == 0 {
						asked = append(asked, query+"&"+p.Name+"=-1", query+"&"+query[1:])
					}
					for _, q := range asked {
						got := h.ask(r, q, bodyOf(r))
						if got.status >= 500 {
							h.Errorf("%s %s%.80s: %d %s", r.Method, h.d.Prefix+r.Path, q, got.status, got.body)
						}
						if got.status >= 400 {
							h.shaped(r, q[:min(len(q), 80)], got)
						}
					}
					if p.Schema.Type == huma.TypeInteger && slices.Contains([]string{"-1", "99999999999999999999", "1e9", "sEcReT", "2025-13-45", "[]"}, value) {
						h.refuses(r, query, p.Name, h.ask(r, query, bodyOf(r)), http.StatusBadRequest)
					}
				}
			}
		}
	})
}

// TestBadIDs puts what is no id where every path has one.
func TestBadIDs(t *testing.T) {
	garbage := []string{"x", "%00", "..%2f..%2fetc%2fpasswd", "%2e%2e", strings.Repeat("a", 5000), "%E2%98%83", "%ff%fe", "'%20OR%201=1", "-1", "01A2026A04F5503FC5ECE78A",
		"ffffffffffffffffffffffff", "null", "%20", "a%2fb"}
	throughout(t, func(h hostile) {
		for _, r := range h.d.Router.Routes() {
			if !strings.Contains(r.Path, "{") {
				continue
			}
			for i, id := range garbage {
				if r.Hidden && i > 3 {
					break
				}
				path := aParameter.ReplaceAllString(r.Path, "$1/"+id)
				h.pass()
				got := h.send(r.Method, h.d.Prefix+path, h.key, bodyOf(r))
				if got.status != http.StatusNotFound && got.status != http.StatusMethodNotAllowed && got.status != http.StatusBadRequest {
					h.Errorf("%s %.100s: %d %.300s", r.Method, path, got.status, got.body)
				}
				h.shaped(r, "a bad id", got)
			}
		}
	})
}

// TestBadPaths walks around the routes of every dialect.
func TestBadPaths(t *testing.T) {
	throughout(t, func(h hostile) {
		paths := make(map[string][]string) // of every route, with their methods
		for _, r := range h.d.Router.Routes() {
			if !strings.Contains(r.Path, "{") {
				paths[r.Path] = append(paths[r.Path], r.Method)
			}
		}
		plain := wire.Route{}
		for path, methods := range paths {
			for _, method := range []string{"OPTIONS", "TRACE", "BREW", "PROPFIND", "DELETE"} {
				if _, _, found := h.d.Router.Match(httptest.NewRequest(method, path, nil)); found {
					continue
				}
				got := h.send(method, h.d.Prefix+path, h.key, "")
				plain.Method, plain.Path = method, path
				h.refuses(plain, "a method that is not there", "", got, http.StatusMethodNotAllowed)
				for _, there := range methods {
					if !strings.Contains(got.header.Get("Allow"), there) {
						h.Errorf("%s %s: Allow is %q, without %s", method, path, got.header.Get("Allow"), there)
					}
				}
			}
			last := path[strings.LastIndexByte(path, '/'):]
			plain.Method = http.MethodGet
			for _, around := range []string{path + "//", strings.TrimSuffix(path, last) + "/" + last, strings.TrimSuffix(path, last) + "/." + last,
				path + "/%2e%2e", path + "/x/../..", strings.TrimSuffix(path, last) + "%2f" + last[1:] + "x/y/z", path + "x/y/z/w"} {
				plain.Path = around
				h.pass()
				h.refuses(plain, "no such path", "", h.send("GET", h.d.Prefix+around, h.key, ""), http.StatusNotFound)
			}
			if slices.Contains(methods, http.MethodGet) {
				h.pass()
				h.pass()
				get, head := h.send("GET", h.d.Prefix+path+"/", h.key, ""), h.send("HEAD", h.d.Prefix+path, h.key, "")
				if get.status != head.status || head.body != "" || strings.TrimPrefix(get.header.Get("Etag"), "W/") != head.header.Get("Etag") {
					h.Errorf("GET %s/ answers %d %s, HEAD without the slash %d %s", path, get.status, get.header.Get("Etag"), head.status, head.header.Get("Etag"))
				}
			}
		}
	})
}
