package api_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/callwright/callwright/internal/domain"
)

// TestHostileBodies: no body gives a 500, echoes a value, or slips through.
func TestHostileBodies(t *testing.T) {
	a := start(t, domain.Enterprise)
	good := `{"name":"A","systemPrompt":"p"}`
	for _, c := range []struct {
		name, body string
		status     int
		headers    []string
	}{
		{"deep", `{"name":"A","systemPrompt":"p","variables":{"a":` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + `}}`, 400, nil},
		{"just deep enough", `{"name":"A","systemPrompt":"p","variables":{"a":` + strings.Repeat("[", 62) + strings.Repeat("]", 62) + `}}`, 201, nil},
		{"one too deep", `{"name":"A","systemPrompt":"p","variables":{"a":` + strings.Repeat("[", 63) + strings.Repeat("]", 63) + `}}`, 400, nil},
		{"duplicate", `{"name":"sEcReT","name":"B","systemPrompt":"p"}`, 400, nil},
		{"duplicate in a value", `{"name":"A","systemPrompt":"p","variables":{"x":{"y":"sEcReT","y":2}}}`, 400, nil},
		{"duplicate by escape", `{"name":"A","n\u0061me":"B","systemPrompt":"p"}`, 400, nil},
		{"other case", `{"Name":"A","systemPrompt":"p"}`, 400, nil},
		{"mass assignment", `{"name":"A","systemPrompt":"p","workspaceId":"sEcReT"}`, 400, nil},
		{"not UTF-8", "{\"name\":\"\xff\",\"systemPrompt\":\"p\"}", 400, nil},
		{"lone surrogate", `{"name":"\ud800","systemPrompt":"p"}`, 201, nil},
		{"NUL", `{"name":"A\u0000","systemPrompt":"p"}`, 400, nil},
		{"NUL in a name", `{"name":"A","systemPrompt":"p","variables":{"a\u0000":1}}`, 400, nil},
		{"two values", good + good, 400, nil},
		{"trailing comma", `{"name":"A","systemPrompt":"p",}`, 400, nil},
		{"comment", `{"name":"A"/*sEcReT*/}`, 400, nil},
		{"wrong types", `{"name":["sEcReT"],"systemPrompt":{"a":"sEcReT"}}`, 400, nil},
		{"huge number", `{"name":"A","systemPrompt":"p","maxCallDuration":1e400}`, 400, nil},
		{"big number", `{"name":"A","systemPrompt":"p","maxCallDuration":1e30}`, 400, nil},
		{"most of int64", `{"name":"A","systemPrompt":"p","maxCallDuration":9223372036854775807}`, 400, nil},
		{"fraction", `{"name":"A","systemPrompt":"p","maxCallDuration":1.5}`, 400, nil},
		{"null", `null`, 400, nil}, {"array", `[]`, 400, nil}, {"string", `"sEcReT"`, 400, nil}, {"number", `1`, 400, nil}, {"space", ` `, 400, nil},
		{"byte order mark", "\ufeff" + good, 400, nil},
		{"too long", `{"name":"A","systemPrompt":"` + strings.Repeat("x", 1<<20) + `"}`, 413, nil},
		{"long prompt", `{"name":"A","systemPrompt":"` + strings.Repeat("x", 100_001) + `"}`, 400, nil},
		{"long name", `{"name":"` + strings.Repeat("ü", 201) + `","systemPrompt":"p"}`, 400, nil},
		{"name of the longest", `{"name":"` + strings.Repeat("ü", 200) + `","systemPrompt":"p"}`, 201, nil},
		{"form", "name=sEcReT", 415, []string{"Content-Type: application/x-www-form-urlencoded"}},
		{"latin1", good, 415, []string{"Content-Type: application/json; charset=latin1"}},
		{"utf-8", good, 201, []string{"Content-Type: application/json; charset=UTF-8"}},
		{"vendor JSON", good, 201, []string{"Content-Type: application/vnd.api+json"}},
		{"garbled type", good, 415, []string{"Content-Type: ;;;"}},
		{"gzip", squeeze(good), 201, []string{"Content-Encoding: gzip"}},
		{"gzip bomb", squeeze(`{"name":"A","systemPrompt":"` + strings.Repeat("x", 16<<20) + `"}`), 413, []string{"Content-Encoding: gzip"}},
		{"cut gzip", squeeze(good)[:20], 400, []string{"Content-Encoding: gzip"}},
		{"not gzip", good, 400, []string{"Content-Encoding: gzip"}},
		{"brotli", good, 415, []string{"Content-Encoding: br"}},
		{"language", `{"name":"A","systemPrompt":"p","language":"sEcReT!"}`, 400, nil},
		{"many faults", `{` + manyFields(300) + `"name":"A"}`, 400, nil},
	} {
		r := a.send("POST", "/api/v1/agents", a.key, c.body, c.headers...)
		if r.status != c.status {
			t.Errorf("%s: %d %.300s", c.name, r.status, r.body)
		}
		if r.status != http.StatusCreated && (r.code() == "" || strings.Contains(r.body, marker) || len(r.body) > 2_000) {
			t.Errorf("%s answers %.400s", c.name, r.body)
		}
	}
	if strings.Contains(a.log.String(), "level=ERROR") {
		t.Errorf("the log has errors:\n%s", a.log)
	}
}

func manyFields(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"field%d":1,`, i)
	}
	return b.String()
}

func squeeze(s string) string {
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	_, _ = io.WriteString(z, s)
	_ = z.Close()
	return buf.String()
}

// TestHostilePaths: no path or query gives a 500 or an answer that is not JSON.
func TestHostilePaths(t *testing.T) {
	a := start(t, domain.Enterprise)
	for _, c := range []struct {
		method, path string
		status       int
	}{
		{"GET", "/api/v1/agents/%00", 404}, {"GET", "/api/v1/agents/%ff%fe", 404}, {"GET", "/api/v1/agents/..%2f..%2fetc", 404},
		{"GET", "/api/v1/agents/../agents", 404}, {"GET", "/api/v1//agents", 404}, {"GET", "/api/v1/agents/a/b/c", 404},
		{"GET", "/api/v1/agents/" + strings.Repeat("a", 5000), 404}, {"GET", "/api/v1/agents/'%20OR%201=1", 404},
		{"GET", "/api", 404}, {"GET", "/apix/v1/agents", 404}, {"GET", "/sandbox/", 404}, {"GET", "/sandbox", 404},
		{"GET", "/sandbox/sandbox/api/v1/agents", 404}, {"OPTIONS", "/api/v1/agents", 405}, {"TRACE", "/api/v1/agents", 405},
		{"BREW", "/api/v1/agents", 405}, {"PATCH", "/api/v1/calls", 405}, {"POST", "/healthz", 404},
		{"GET", "/api/v1/agents?limit=99999999999999999999", 400}, {"GET", "/api/v1/agents?limit=1&limit=x", 200},
		{"GET", "/api/v1/agents?offset=9223372036854775807", 200}, {"GET", "/api/v1/agents?limit=%zz", 400},
		{"GET", "/api/v1/calls?from=2025-13-01", 400}, {"GET", "/api/v1/calls?to=0000-01-01", 400}, {"GET", "/api/v1/calls?to=12025-01-01", 400},
		{"GET", "/api/v1/calls?agentId=%00", 200}, {"GET", "/api/v1/calls?status=QUEUED", 400}, {"GET", "/api/v1/calls?direction=up", 400},
		{"GET", "/api/v1/calls?from=2025-01-01T00:00:00+01:00&to=2025-01-01T00:00", 200}, {"GET", "/api/v1/calls?unknown=1", 200},
		{"GET", "/api/v1/recordings/x?expires=x&signature=y", 403}, {"GET", "/api/v1/recordings/x?expires=99999999999&signature=%00", 403},
		{"GET", "/docs", 200}, {"GET", "/openapi.json", 200}, {"GET", "/voxforge/openapi.json", 200}, {"HEAD", "/api/v1/agents", 200},
		{"DELETE", "/api/v1/agents/x", 404}, {"POST", "/api/v1/webhooks/x/test", 404}, {"POST", "/api/v1/calls/x/cancel", 404},
	} {
		r := a.send(c.method, c.path, a.key, "")
		if r.status != c.status {
			t.Errorf("%s %.60s: %d %.200s", c.method, c.path, r.status, r.body)
		}
		if r.status >= 400 && c.method != "HEAD" && r.code() == "" {
			t.Errorf("%s %.60s is not in the documented form: %.200s", c.method, c.path, r.body)
		}
	}
	if strings.Contains(a.log.String(), "level=ERROR") {
		t.Errorf("the log has errors:\n%s", a.log)
	}
}

// rawHead sends raw bytes and returns what comes back.
func (a *app) rawHead(request string) string {
	a.Helper()
	conn, err := (&net.Dialer{}).DialContext(a.Context(), "tcp", strings.TrimPrefix(a.url, "http://"))
	a.ok(err)
	defer conn.Close() // it was only read
	_, err = io.WriteString(conn, request)
	a.ok(err)
	raw, err := io.ReadAll(bufio.NewReader(conn))
	a.ok(err)
	return string(raw)
}

func TestConditionalAndCompressed(t *testing.T) {
	a := start(t, domain.Enterprise)
	id := a.create("/api/v1/agents", a.key, `{"name":"A","systemPrompt":"`+strings.Repeat("p", 3000)+`"}`)
	list := a.send("GET", "/api/v1/agents", a.key, "")
	tag := list.header.Get("ETag")
	again := a.send("GET", "/api/v1/agents", a.key, "", `If-None-Match: "x", W/`+tag)
	if tag == "" || again.status != http.StatusNotModified || again.body != "" {
		t.Errorf("%s: %d %s", tag, again.status, again.body)
	}
	a.create("/api/v1/agents", a.key, `{"name":"B","systemPrompt":"p"}`)
	if r := a.send("GET", "/api/v1/agents", a.key, "", "If-None-Match: "+tag); r.status != http.StatusOK {
		t.Errorf("a changed list: %d", r.status)
	}
	zipped := a.send("GET", "/api/v1/agents/"+id, a.key, "", "Accept-Encoding: br, gzip;q=0.5")
	if zipped.header.Get("Content-Encoding") != "gzip" || zipped.header.Get("ETag") != `W/"1"` || len(zipped.body) > 1000 {
		t.Errorf("%v, %d bytes", zipped.header, len(zipped.body))
	}
	plain := a.send("GET", "/api/v1/agents/"+id, a.key, "", "Accept-Encoding: gzip;q=0")
	if plain.header.Get("Content-Encoding") != "" || plain.header.Get("ETag") != `"1"` {
		t.Errorf("%v", plain.header)
	}
	// A tag that compression weakened still guards a change.
	a.want(a.send("PATCH", "/api/v1/agents/"+id, a.key, `{"name":"C"}`, `If-Match: W/"1"`), http.StatusOK, "")
	a.want(a.send("PATCH", "/api/v1/agents/"+id, a.key, `{"name":"C"}`, `If-Match: "1"`), http.StatusPreconditionFailed, "PRECONDITION_FAILED")
	a.want(a.send("DELETE", "/api/v1/agents/"+id, a.key, "", `If-Match: nonsense`), http.StatusPreconditionFailed, "PRECONDITION_FAILED")
	a.want(a.send("DELETE", "/api/v1/agents/"+id, a.key, "", `If-Match: *`), http.StatusOK, "")
}

// TestGarbledQuery: a filter that cannot be read does not answer with everything.
func TestGarbledQuery(t *testing.T) {
	a := start(t, domain.Enterprise)
	const say = `the query string has a % sign without two hex digits after it; write the sign as %25`
	for path, want := range map[string]string{
		"/api/v1/calls":                 `{"error":{"code":"BAD_REQUEST","message":"` + say + `"}}`,
		"/trillet/v2/api/call-history":  `{"error":{"code":"bad_request","message":"` + say + `"},"message":"` + say + `"}`,
		"/klen/api/v1/calls":            `{"error":"validation_error","message":"` + say + `"}`,
		"/klen/api/v1/contacts":         `{"error":"validation_error","message":"` + say + `"}`,
		"/klen/api/v1/calendar/events/": `{"error":"validation_error","message":"` + say + `"}`,
	} {
		for _, query := range []string{"?status=%zz", "?limit=1&search=100%", "?%"} {
			if r := a.send("GET", path+query, a.key, ""); r.status != http.StatusBadRequest || r.body != want {
				t.Errorf("%s: %d %s", path+query, r.status, r.body)
			}
			if r := a.send("GET", path+query, "", ""); r.status != http.StatusUnauthorized {
				t.Errorf("%s without a key: %d %s", path+query, r.status, r.body)
			}
		}
		if r := a.send("GET", path+"?search=100%25&x=a;b", a.key, ""); r.status != http.StatusOK {
			t.Errorf("%s: %d %s", path, r.status, r.body)
		}
	}
}
