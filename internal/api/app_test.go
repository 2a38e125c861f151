package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/callwright/callwright/internal/api"
	"github.com/callwright/callwright/internal/api/klen"
	"github.com/callwright/callwright/internal/api/native"
	"github.com/callwright/callwright/internal/api/trillet"
	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/flow"
	"github.com/callwright/callwright/internal/service"
	"github.com/callwright/callwright/internal/service/access"
	"github.com/callwright/callwright/internal/store"
	"github.com/callwright/callwright/internal/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// dialects are the faces that the program has.
var dialects = []wire.Make{native.New, trillet.New, klen.New}

// app is the whole API over a real store and a real socket.
type app struct {
	*testing.T
	url     string
	dir     string // of the database
	store   domain.Store
	service *service.Service
	first   *service.FirstStart
	key     string // live, all scopes
	log     *logBuffer
	clock   *clock
	sounds  recordings
}

// clock is a time that a test sets; it stands still.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// logBuffer keeps what was logged.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// start runs the API on a fresh store whose workspace has the given plan.
func start(t *testing.T, plan domain.Plan) *app {
	t.Helper()
	return startOn(t, plan, storetest.URL(t))
}

// startOn does it on a database of the test's own.
func startOn(t *testing.T, plan domain.Plan, url string) *app {
	t.Helper()
	a := &app{T: t, dir: storetest.Dir(t), sounds: recordings{dir: t.TempDir()}, log: &logBuffer{}, clock: &clock{at: time.Now().UTC().Truncate(time.Millisecond)}}
	logger := slog.New(slog.NewTextHandler(a.log, nil))
	db, err := store.Open(t.Context(), store.Options{Dir: a.dir, DSN: url, Logger: logger})
	a.ok(err)
	a.store = db
	if plan != domain.Professional {
		a.ok(db.InTx(t.Context(), domain.LaneAPI, func(ctx context.Context, s *domain.Stores) error {
			return s.Workspaces.Create(ctx, &domain.Workspace{ID: domain.NewID(), Name: "First", Plan: plan, Timezone: "UTC", CreatedAt: a.clock.now()})
		}))
	}
	a.service = service.New(service.Options{
		Store: db, Hooks: map[string]domain.HookDialect{"native": native.Hooks{}, klen.Name: klen.Hooks{}, trillet.Name: trillet.Hooks{}},
		NoSamples:    true,
		Recordings:   a.sounds,
		CheckFlow:    checkFlow,
		HasLLM:       func(m domain.Mode) bool { return m == domain.Test },
		WebhookAllow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		Now:          a.clock.now, Logger: logger,
	})
	a.first, err = a.service.FirstStart(t.Context())
	a.ok(err)
	a.key = a.newKey(access.NewKey{Name: "all"})
	handler, err := api.New(api.Options{Service: a.service, Dialects: dialects, Version: "test", Now: a.clock.now, Logger: logger, Generation: db.Generation})
	a.ok(err)
	server := httptest.NewServer(handler)
	a.url = server.URL
	t.Cleanup(func() {
		server.Close()
		a.service.Close()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
		http.DefaultClient.CloseIdleConnections()
	})
	return a
}

func checkFlow(raw []byte) ([]byte, error) {
	g, err := flow.Parse(raw)
	if err != nil {
		return nil, err
	}
	return g.Canonical(), nil
}

func (a *app) ok(err error) {
	a.Helper()
	if err != nil {
		a.Fatal(err)
	}
}

// newKey makes a key in the first workspace, unless req names another.
func (a *app) newKey(req access.NewKey) string {
	a.Helper()
	if req.Workspace == "" {
		req.Workspace = a.first.Workspace.ID
	}
	_, secret, err := a.service.CreateKey(a.Context(), req)
	a.ok(err)
	return secret
}

// reply is an answer.
type reply struct {
	status int
	header http.Header
	body   string
}

// json reads the body as an object.
func (r reply) json(t testing.TB) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(r.body), &v); err != nil {
		t.Fatalf("%v in %s", err, r.body)
	}
	return v
}

// code is the machine word of an error.
func (r reply) code() string {
	var v struct{ Error struct{ Code string } }
	_ = json.Unmarshal([]byte(r.body), &v) // no error is no code
	return v.Error.Code
}

// send sends a request; headers are "Name: value" and win over the usual ones.
// "Host: name" asks under another host name.
func (a *app) send(method, path, key, body string, headers ...string) reply {
	a.Helper()
	req, err := http.NewRequestWithContext(a.Context(), method, a.url+path, strings.NewReader(body))
	a.ok(err)
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if name == "Host" {
			req.Host = value
			continue
		}
		req.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(req)
	a.ok(err)
	defer res.Body.Close() // it was only read
	raw, err := io.ReadAll(res.Body)
	a.ok(err)
	return reply{status: res.StatusCode, header: res.Header, body: string(raw)}
}

// create posts body and returns the new object's id.
func (a *app) create(path, key, body string) string {
	a.Helper()
	r := a.send("POST", path, key, body)
	if r.status != http.StatusCreated {
		a.Fatalf("POST %s %s: %d %s", path, body, r.status, r.body)
	}
	return r.json(a)["id"].(string)
}

// want fails unless r has the status and, in an error, the code.
func (a *app) want(r reply, status int, code string) {
	a.Helper()
	if r.status != status || r.code() != code {
		a.Errorf("got %d %s, want %d %s", r.status, r.body, status, code)
	}
}

// recordings keeps sounds as files of a directory.
type recordings struct{ dir string }

func (r recordings) Create(ctx context.Context, call domain.ID) (domain.RecordingFile, string, error) {
	f, err := os.Create(r.dir + "/" + string(call))
	return f, string(call), err
}

func (r recordings) Open(_ context.Context, name string) (domain.RecordingReader, error) {
	f, err := os.Open(r.dir + "/" + name)
	if os.IsNotExist(err) {
		return nil, domain.NotFound("Recording", domain.ID(name))
	}
	return f, err
}

func (r recordings) Delete(_ context.Context, name string) error {
	if err := os.Remove(r.dir + "/" + name); !os.IsNotExist(err) {
		return err
	}
	return nil
}

func (r recordings) Repair(context.Context, string) error { return nil }
func (r recordings) Path(name string) string              { return r.dir + "/" + name }
