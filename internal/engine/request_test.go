package engine

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/conversation"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/flow"
	"github.com/callwright/callwright/internal/service"
	"github.com/callwright/callwright/internal/speech"
	"github.com/callwright/callwright/internal/speech/speechtest"
	"github.com/callwright/callwright/internal/webhook"
)

// far is a server of somebody else's, and a client that may reach it.
func far(t *testing.T, handler http.HandlerFunc) (url string, client *http.Client) {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return s.URL, s.Client()
}

func TestRequestSendsWhatTheNodeSays(t *testing.T) {
	var got string
	url, client := far(t, func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = fmt.Sprintf("%s %s %s %s %s", r.Method, r.URL, r.Header.Get("Content-Type"), r.Header.Get("X-Key"), body)
	})
	for _, c := range []struct {
		args map[string]any
		want string
	}{
		{map[string]any{"method": "GET", "url": url + "/a?b=c%20d"}, "GET /a?b=c%20d   "},
		{map[string]any{"method": "POST", "url": url, "body": map[string]any{"n": 2.0, "who": "Casey"}}, `POST / application/json  {"n":2,"who":"Casey"}`},
		{map[string]any{"method": "PUT", "url": url, "body": "a=b", "headers": map[string]any{"content-type": "application/x-www-form-urlencoded", "x-key": "k"}},
			"PUT / application/x-www-form-urlencoded k a=b"},
		{map[string]any{"method": "PATCH", "url": url, "body": "plain"}, "PATCH / text/plain; charset=utf-8  plain"},
	} {
		if _, err := request(t.Context(), client, c.args); err != nil {
			t.Error(err)
		}
		if got != c.want {
			t.Errorf("sent %q\nwant %q", got, c.want)
		}
	}
}

func TestRequestReadsTheAnswer(t *testing.T) {
	var (
		status int
		kind   string
		body   string
	)
	url, client := far(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
	for name, c := range map[string]struct {
		status     int
		kind, body string
		want       any
		problem    string
	}{
		"an object":              {200, "application/json", `{"free":["9:00"],"n":3}`, map[string]any{"free": []any{"9:00"}, "n": 3.0}, ""},
		"JSON of another type":   {201, "text/html", ` [1] `, []any{1.0}, ""},
		"text":                   {200, "text/plain", "it is fine\xff", "it is fine\ufffd", ""},
		"nothing":                {204, "", "", nil, ""},
		"broken JSON":            {200, "application/problem+json; charset=utf-8", `{"a":`, nil, "is not the JSON"},
		"not found":              {404, "application/json", `{"why":"no such order"}`, map[string]any{"why": "no such order"}, "with 404"},
		"a redirect is no way":   {302, "", "", nil, "with 302"},
		"as long as can be read": {200, "text/plain", strings.Repeat("a", maxAnswer), strings.Repeat("a", maxAnswer), ""},
		"longer":                 {200, "text/plain", strings.Repeat("a", maxAnswer+1), nil, "longer than 64 kB"},
	} {
		status, kind, body = c.status, c.kind, c.body
		value, err := request(t.Context(), client, map[string]any{"method": "GET", "url": url + "/secret"})
		if !reflect.DeepEqual(value, c.want) || (err == nil) != (c.problem == "") {
			t.Errorf("%s: %.60v, %v", name, value, err)
		}
		if err != nil && (!strings.Contains(err.Error(), c.problem) || strings.Contains(err.Error(), "secret")) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRequestGivesUp(t *testing.T) {
	release := make(chan struct{})
	url, client := far(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	defer close(release)
	_, err := request(t.Context(), client, map[string]any{"method": "GET", "url": url + "/?key=secret", "timeoutSeconds": 0.05})
	if err == nil || !strings.Contains(err.Error(), "no answer within 50ms") || strings.Contains(err.Error(), "secret") {
		t.Errorf("after its time: %v", err)
	}
	for _, address := range []string{"", "ftp://example.com", "//example.com", "http://", "file:///etc/passwd", "http://a b"} {
		if _, err := request(t.Context(), client, map[string]any{"method": "GET", "url": address}); err == nil || !strings.Contains(err.Error(), "no http or https URL") {
			t.Errorf("%q: %v", address, err)
		}
	}
	if _, err := request(t.Context(), nil, nil); err == nil {
		t.Error("sent without a client")
	}
}

// quickLine plays everything at once.
type quickLine struct{ talk *conversation.Conversation }

func (quickLine) Enqueue([]int16) {}
func (l *quickLine) Cue(s string) { l.talk.Cue(s) }
func (l *quickLine) Mark(id int)  { l.talk.Mark(id) }
func (quickLine) Pause()          {}
func (quickLine) Resume()         {}
func (quickLine) Cut()            {}
func (quickLine) Break()          {}
func (quickLine) String() string  { return "quick" }

// quickCall is a call without network or database, as its performer needs it.
func quickCall(t *testing.T, source string, client *http.Client) (c *call, said func() string) {
	t.Helper()
	g, err := flow.Parse([]byte(source))
	if err != nil {
		t.Fatal(err)
	}
	rules := service.New(service.Options{Store: noStore{}})
	c = &call{engine: &Engine{o: Options{HTTP: client, Service: rules}}, dial: &service.Dial{}, log: slog.New(slog.DiscardHandler)}
	c.ctx, c.cancel = context.WithCancelCause(t.Context())
	l := &quickLine{}
	turns := &turnsOf{performer: (*performer)(c)}
	c.talk = conversation.New(conversation.Options{Graph: g, Line: l, Performer: turns, Voice: speech.NewFallback(speech.FallbackOptions{Engines: []speech.TTS{&speechtest.Tone{}}}), Rate: 8000})
	l.talk = c.talk
	return c, func() string { return strings.Join(turns.said, "\n") }
}

// noStore is a database that cannot be used.
type noStore struct{ domain.Store }

func (noStore) InTx(context.Context, domain.Lane, func(context.Context, *domain.Stores) error) error {
	return domain.Unavailable(time.Second, nil, "the database is away")
}

// turnsOf keeps the turns that go past it.
type turnsOf struct {
	*performer
	said []string
}

func (t *turnsOf) Turn(turn domain.Turn) { t.said = append(t.said, turn.Text) }

func TestDo(t *testing.T) {
	url, client := far(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"slots":["nine","ten"]}`)
	})
	const source = `{"nodes":[
 {"id":"get","type":"http","url":"URL","save":{"first":"slots.0"},"edges":[{"to":"ok","kind":"success"},{"to":"bad","kind":"failure"}]},
 {"id":"ok","type":"end","text":"You can come at {{first}}."},
 {"id":"bad","type":"end","text":"I could not look it up."}]}`
	const sms = `{"nodes":[{"id":"text","type":"sms","text":"hi","edges":[{"to":"ok","kind":"success"},{"to":"bad","kind":"failure"}]},
 {"id":"ok","type":"end","text":"Sent."},{"id":"bad","type":"end","text":"Not sent."}]}`
	for name, c := range map[string]struct {
		source, want, note string
	}{
		"an answer":        {strings.Replace(source, "URL", url, 1), "You can come at nine.", ""},
		"no answer":        {strings.Replace(source, "URL", "http://127.0.0.1:1/", 1), "I could not look it up.", "node get: the request to 127.0.0.1:1 failed"},
		"what is not done": {sms, "Not sent.", "node text: the text message was not sent: the database is away"},
	} {
		call, said := quickCall(t, c.source, client)
		call.work.Go(func() { call.talk.Run(call.ctx) })
		select {
		case <-call.ctx.Done():
		case <-time.After(10 * time.Second):
			t.Errorf("%s: the talk does not end", name)
			call.cancel(nil)
		}
		call.work.Wait()
		notes := strings.Join(call.talk.Notes(), "\n")
		if said() != c.want || call.reason() != domain.EndFlow || !strings.HasPrefix(notes, c.note) || (c.note == "") != (notes == "") {
			t.Errorf("%s: said %q, ended for %q, notes %q", name, said(), call.reason(), notes)
		}
	}
}

func TestTalkThatEndsTakesItsRequestsAlong(t *testing.T) {
	asked := make(chan struct{})
	url, client := far(t, func(_ http.ResponseWriter, r *http.Request) {
		close(asked)
		<-r.Context().Done()
	})
	call, _ := quickCall(t, `{"nodes":[{"id":"get","type":"http","url":"`+url+`","edges":[{"to":"ok"}]},{"id":"ok","type":"end"}]}`, client)
	call.work.Go(func() { call.talk.Run(call.ctx) })
	<-asked
	call.talk.Stop(domain.EndCallerHangup)
	done := make(chan struct{})
	go func() { call.work.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		t.Fatal("a request outlives its call")
	}
	if len(call.talk.Notes()) != 0 {
		t.Errorf("notes: %q", call.talk.Notes())
	}
}

func TestRequestGoesOnlyWhereItMay(t *testing.T) {
	url, _ := far(t, func(http.ResponseWriter, *http.Request) {})
	allowed := webhook.NewClient([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, time.Second)
	refused := webhook.NewClient(nil, time.Second)
	defer allowed.CloseIdleConnections()
	if _, err := request(t.Context(), allowed, map[string]any{"method": "GET", "url": url}); err != nil {
		t.Errorf("to an address that is allowed: %v", err)
	}
	for _, address := range []string{url, "https://10.0.0.1/", "https://169.254.169.254/latest/meta-data", "https://[::1]/", "https://localhost/"} {
		_, err := request(t.Context(), refused, map[string]any{"method": "GET", "url": address})
		if err == nil || !strings.Contains(err.Error(), "webhook-allow") {
			t.Errorf("%s: %v", address, err)
		}
	}
}
