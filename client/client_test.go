package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// answers is a server in memory that answers one request after the other.
type answers struct {
	t      *testing.T
	steps  []answer
	came   []*http.Request
	bodies []string
	at     []time.Time
}

func (a *answers) RoundTrip(r *http.Request) (*http.Response, error) {
	if len(a.came) >= len(a.steps) {
		a.t.Errorf("a request too many: %s %s", r.Method, r.URL)
		return nil, errors.New("too many")
	}
	body := ""
	if r.Body != nil {
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			a.t.Error(err)
		}
		body = string(raw)
	}
	a.came, a.bodies, a.at = append(a.came, r), append(a.bodies, body), append(a.at, time.Now())
	step := a.steps[len(a.came)-1]
	if step.status == 0 {
		return nil, errors.New("connection reset by peer")
	}
	h := make(http.Header)
	for _, line := range step.headers {
		name, value, _ := strings.Cut(line, ": ")
		h.Set(name, value)
	}
	return &http.Response{StatusCode: step.status, Header: h, Body: io.NopCloser(strings.NewReader(step.body)), Request: r}, nil
}

// answer is what a server says; one without a status is a connection that breaks.
type answer struct {
	status  int
	body    string
	headers []string // "Name: value"
}

// say is an answer.
func say(status int, body string, headers ...string) answer { return answer{status, body, headers} }

// cut is a connection that breaks.
var cut answer

func (a *answers) client(o Options) *Client {
	a.t.Helper()
	o.URL, o.Key, o.HTTP = "http://calls.example/sandbox/api/v1/", "cw_test_x", &http.Client{Transport: a}
	c, err := New(o)
	if err != nil {
		a.t.Fatal(err)
	}
	return c
}

const (
	limited   = `{"error":{"code":"RATE_LIMITED","message":"slow down"}}`
	away503   = `{"error":{"code":"UNAVAILABLE","message":"the database is away"}}`
	inFlight  = `{"error":{"code":"CONFLICT","message":"is being served"}}`
	anAgent   = `{"id":"a1","name":"Ava","isActive":true}`
	notFound  = `{"error":{"code":"NOT_FOUND","message":"Agent with id a1 was not found"}}`
	wrongBody = `{"error":{"code":"BAD_REQUEST","message":"name is required"}}`
)

// TestRetries: what may be sent again is sent again, as often and as late as it
// should be, and a POST with the same Idempotency-Key and body each time.
func TestRetries(t *testing.T) {
	type steps = []answer
	post := func(ctx context.Context, c *Client) error {
		_, err := c.CreateAgent(ctx, AgentFields{Name: Set("Ava"), FlowID: Null[string]()})
		return err
	}
	patch := func(ctx context.Context, c *Client) error {
		_, err := c.UpdateAgent(ctx, "a/1", AgentFields{Name: Set("")}, IfMatch(`"3"`))
		return err
	}
	get := func(ctx context.Context, c *Client) error {
		_, err := c.GetAgent(ctx, "a1")
		return err
	}
	for name, c := range map[string]struct {
		do    func(context.Context, *Client) error
		steps steps
		want  string        // a part of the error
		waits time.Duration // at least, and not three seconds more
	}{
		"at once":                {get, steps{say(200, anAgent)}, "", 0},
		"after a rate limit":     {post, steps{say(429, limited, "Retry-After: 17"), say(201, anAgent)}, "", 17 * time.Second},
		"until a date":           {get, steps{say(503, away503, "Retry-After: Sat, 01 Jan 2000 00:00:30 GMT"), say(200, anAgent)}, "", 30 * time.Second},
		"a cut post":             {post, steps{cut, cut, say(201, anAgent)}, "", 0},
		"a cut answer in flight": {post, steps{cut, say(409, inFlight, "Retry-After: 1"), say(201, anAgent)}, "", time.Second},
		"a gateway":              {get, steps{say(502, "<html>"), say(504, ""), say(200, anAgent)}, "", 0},
		"five times at most":     {get, steps{cut, cut, cut, cut, cut}, "reset by peer", 0},
		"not for ever":           {get, steps{say(429, limited, "Retry-After: 3600")}, "RATE_LIMITED", 0},
		"a conflict":             {post, steps{say(409, inFlight)}, "CONFLICT", 0},
		"a bad request":          {post, steps{say(400, wrongBody)}, "name is required (400 BAD_REQUEST)", 0},
		"an internal error":      {post, steps{say(500, "")}, "500", 0},
		"a cut guarded change":   {patch, steps{cut}, "reset by peer", 0},
		"a limited change":       {patch, steps{say(429, limited, "Retry-After: 2"), say(200, anAgent)}, "", 2 * time.Second},
		"no JSON":                {get, steps{say(200, "<html>")}, "not as the contract says", 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := &answers{t: t, steps: c.steps}
				begun := time.Now()
				err := c.do(t.Context(), a.client(Options{}))
				if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
					t.Errorf("the error is %v", err)
				}
				if took := time.Since(begun); took < c.waits || took > c.waits+4*time.Second {
					t.Errorf("it took %s", took)
				}
				if len(a.came) != len(c.steps) {
					t.Fatalf("%d requests, want %d", len(a.came), len(c.steps))
				}
				for i, r := range a.came {
					first := a.came[0]
					if r.Header.Get("Idempotency-Key") != first.Header.Get("Idempotency-Key") || a.bodies[i] != a.bodies[0] {
						t.Errorf("request %d is another one", i)
					}
					if (r.Method == "POST") != (r.Header.Get("Idempotency-Key") != "") || r.Header.Get("Authorization") != "Bearer cw_test_x" {
						t.Errorf("headers %v", r.Header)
					}
				}
			})
		})
	}
}

// TestRequests: what is sent is what the contract says.
func TestRequests(t *testing.T) {
	a := &answers{t: t, steps: []answer{
		say(201, anAgent, `ETag: "1"`, "Idempotent-Replayed: true"), say(200, anAgent), say(200, `{"calls":[],"total":0}`),
	}}
	c := a.client(Options{})
	var meta Meta
	agent, err := c.CreateAgent(t.Context(), AgentFields{Name: Set("Ava"), FlowID: Null[string](), IsActive: Set(false)}, IdempotencyKey("k"), Into(&meta))
	if err != nil || agent.ID != "a1" || !agent.IsActive || meta.ETag != `"1"` || !meta.Replayed || meta.Tries != 1 || meta.Status != 201 {
		t.Errorf("%+v %+v %v", agent, meta, err)
	}
	if _, err := c.UpdateAgent(t.Context(), "a/1?x", AgentFields{}, IfMatch(meta.ETag)); err != nil {
		t.Error(err)
	}
	if _, err := c.ListCalls(t.Context(), ListCallsQuery{Limit: 7, Status: "failed", From: "2026-01-01T00:00:00+01:00"}); err != nil {
		t.Error(err)
	}
	for i, want := range []string{
		`POST http://calls.example/sandbox/api/v1/agents {"flowId":null,"isActive":false,"name":"Ava"}`,
		`PATCH http://calls.example/sandbox/api/v1/agents/a%2F1%3Fx {}`,
		`GET http://calls.example/sandbox/api/v1/calls?from=2026-01-01T00%3A00%3A00%2B01%3A00&limit=7&status=failed `,
	} {
		if got := a.came[i].Method + " " + a.came[i].URL.String() + " " + a.bodies[i]; got != want {
			t.Errorf("sent %s\nwant %s", got, want)
		}
	}
	if a.came[0].Header.Get("Idempotency-Key") != "k" || a.came[1].Header.Get("If-Match") != `"1"` {
		t.Error("options are not sent")
	}
}

func TestError(t *testing.T) {
	a := &answers{t: t, steps: []answer{say(404, notFound, "X-Request-Id: r1"), say(418, strings.Repeat("x", 5000))}}
	c := a.client(Options{})
	_, err := c.GetAgent(t.Context(), "a1")
	var e *Error
	if !errors.As(err, &e) || e.Status != 404 || e.Code != "NOT_FOUND" || CodeOf(err) != "NOT_FOUND" || e.RequestID != "r1" || e.RetryAfter != 0 {
		t.Errorf("%+v", e)
	}
	_, err = c.GetAgent(t.Context(), "a1")
	if !errors.As(err, &e) || e.Code != "" || len(e.Error()) > 400 {
		t.Errorf("%v", err)
	}
	if CodeOf(io.EOF) != "" || CodeOf(nil) != "" {
		t.Error("an error of another kind has a code")
	}
}

func TestNewSaysWhatIsWrong(t *testing.T) {
	for _, o := range []Options{{URL: "", Key: "k"}, {URL: "ftp://x", Key: "k"}, {URL: "127.0.0.1:8080", Key: "k"}, {URL: "http://x"}} {
		if _, err := New(o); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
}

// TestGivesUpWithContext: a wait ends with the context.
func TestGivesUpWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &answers{t: t, steps: []answer{say(429, limited, "Retry-After: 50")}}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		_, err := a.client(Options{}).GetAgent(ctx, "a1")
		if !errors.Is(err, context.DeadlineExceeded) || CodeOf(err) != "RATE_LIMITED" {
			t.Errorf("the error is %v", err)
		}
	})
}

func items(from, n int) string {
	list := make([]map[string]string, n)
	for i := range list {
		list[i] = map[string]string{"id": fmt.Sprint(from + i)}
	}
	raw, _ := json.Marshal(list)
	return string(raw)
}

// TestPages goes through lists: by links, by offsets, and not to other servers.
func TestPages(t *testing.T) {
	type steps = []answer
	for name, c := range map[string]struct {
		steps steps
		limit int64
		count int
		last  string // the last request
		fails bool
	}{
		"one page":      {steps{say(200, items(0, 3), `Link: </api/v1/agents?limit=200&offset=0>; rel="first"`)}, 0, 3, "limit=200", false},
		"links":         {steps{say(200, items(0, 2), `Link: </sandbox/api/v1/agents?cursor=a%2Cb>; rel="next", </x>; rel="last"`), say(200, items(2, 1), `Link: </x>; rel="last"`)}, 2, 3, "cursor=a%2Cb", false},
		"offsets":       {steps{say(200, items(0, 2)), say(200, items(2, 2)), say(200, "[]")}, 2, 4, "limit=2&offset=4", false},
		"another host":  {steps{say(200, items(0, 2), `Link: <http://evil.example/x>; rel="next"`)}, 2, 0, "limit=2", true},
		"broken off":    {steps{say(200, items(0, 2)), say(401, "")}, 2, 2, "limit=2&offset=2", true},
		"no list":       {steps{say(200, "{}")}, 2, 0, "limit=2", true},
		"nothing there": {steps{say(200, "[]")}, 0, 0, "limit=200", false},
	} {
		t.Run(name, func(t *testing.T) {
			a := &answers{t: t, steps: c.steps}
			n, failed := 0, false
			for item, err := range a.client(Options{}).AllAgents(t.Context(), ListAgentsQuery{Limit: c.limit}) {
				if err != nil {
					failed = true
					continue
				}
				if item.ID != fmt.Sprint(n) {
					t.Errorf("item %d is %s", n, item.ID)
				}
				n++
			}
			if last := a.came[len(a.came)-1].URL; n != c.count || failed != c.fails || last.RawQuery != c.last || len(a.came) != len(c.steps) || last.Host != "calls.example" {
				t.Errorf("%d items, failed %v, %d requests, the last %s", n, failed, len(a.came), last)
			}
		})
	}
	a := &answers{t: t, steps: steps{say(200, items(0, 2), "X-Total-Count: 9")}}
	page, err := a.client(Options{}).ListAgents(t.Context(), ListAgentsQuery{})
	if err != nil || page.Total != 9 || len(page.Items) != 2 {
		t.Errorf("%+v, %v", page, err)
	}
}

// TestStream: events come once each over connections that break; whatever the
// server sends, the reader ends.
func TestStream(t *testing.T) {
	type steps = []answer
	const head = "id: 1.0\nevent: state\ndata: {\"state\":\"queued\",\ndata: \"status\":\"queued\"}\n\n:\n\n"
	for name, c := range map[string]struct {
		steps steps
		want  string
		fails string
	}{
		"whole": {steps{say(200, head+"id: 1.1\r\nevent: turn\r\ndata: {\"text\":\"Hi\"}\r\n\r\nevent: news\ndata: x\n\nid: end\nevent: end\ndata: {\"status\":\"completed\"}\n\nid: z\nevent: turn\ndata: {}\n\n")},
			"queued Hi completed", ""},
		"cut":           {steps{say(200, head+"id: half\nevent: turn"), say(200, "retry: 7000\nid: end\nevent: end\ndata: {\"status\":\"failed\"}\n\n")}, "queued failed", ""},
		"nothing more":  {steps{say(204, "")}, "", ""},
		"unknown":       {steps{say(404, notFound)}, "", "NOT_FOUND"},
		"always cut":    {steps{say(200, ""), say(200, ""), say(200, ""), say(200, ""), say(200, "")}, "", "broke off 5 times"},
		"not an object": {steps{say(200, "event: turn\ndata: 7\n\n")}, "", "not as the contract says"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := &answers{t: t, steps: c.steps}
				var got []string
				var failed error
				for ev, err := range a.client(Options{}).WatchCall(t.Context(), "c1") {
					switch {
					case err != nil:
						failed = err
					case ev.Progress != nil:
						got = append(got, ev.Progress.State)
					case ev.Turn != nil:
						got = append(got, ev.Turn.Text)
					case ev.End != nil:
						got = append(got, ev.End.Status)
					}
				}
				if strings.Join(got, " ") != c.want || (failed == nil) != (c.fails == "") || failed != nil && !strings.Contains(failed.Error(), c.fails) {
					t.Errorf("%q, %v", got, failed)
				}
				if len(a.came) > 1 && name == "cut" && a.came[1].Header.Get("Last-Event-ID") != "1.0" {
					t.Errorf("the second request asks for what follows %q", a.came[1].Header.Get("Last-Event-ID"))
				}
			})
		})
	}
}

// TestStreamIsLeft: whoever leaves the loop leaves the connection.
func TestStreamIsLeft(t *testing.T) {
	gone := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "event: state\ndata: {}\n\n")
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
		<-r.Context().Done()
		close(gone)
	}))
	defer server.Close()
	c, err := New(Options{URL: server.URL, Key: "k", HTTP: server.Client()})
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range c.WatchCall(t.Context(), "c1") {
		if err != nil {
			t.Error(err)
		}
		break
	}
	select {
	case <-gone:
	case <-time.After(10 * time.Second):
		t.Error("the connection is still open")
	}
}

// FuzzStream: no stream of bytes makes the reader fail otherwise than in order.
func FuzzStream(f *testing.F) {
	f.Add("id: 1\nevent: turn\ndata: {}\n\n")
	f.Add("retry: 99999999999999999999\ndata\n\n:\n\nevent: end\ndata:\n\n")
	f.Add("\x00\xff: \n\n\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		a := &answers{t: t, steps: []answer{say(200, text)}}
		f := follower{client: a.client(Options{}), request: request{method: "GET", path: "/x"}}
		if _, err := f.once(t.Context(), func(Event, error) bool { return true }); err != nil && !errors.Is(err, errCut) {
			t.Error(err)
		}
	})
}
