package service_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
	"github.com/callwright/callwright/internal/store"
	"github.com/callwright/callwright/internal/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// kit is the rules over a real store.
type kit struct {
	*testing.T
	*service.Service
	store domain.Store
	live  *liveCalls
	first *service.FirstStart
	test  domain.Scope // the first workspace in test mode
	prod  domain.Scope // the first workspace in live mode

	mu   sync.Mutex
	at   time.Time
	seen func(statement string) // of transactions that write; nil for nobody
}

// saw is told of a statement.
func (k *kit) saw(statement string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.seen != nil {
		k.seen(statement)
	}
}

func (k *kit) now() time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.at
}

func (k *kit) pass(d time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.at = k.at.Add(d)
}

func newKit(t *testing.T) *kit {
	t.Helper()
	k := &kit{T: t, live: &liveCalls{}, at: time.Now().UTC().Truncate(time.Microsecond)}
	db, err := store.Open(t.Context(), store.Options{Dir: storetest.Dir(t), DSN: storetest.URL(t), Logger: slog.New(slog.DiscardHandler), Watch: k.saw})
	if err != nil {
		t.Fatal(err)
	}
	k.store = db
	buffer := store.NewBuffer(db, nil)
	k.Service = service.New(service.Options{
		Store: db, Buffer: buffer, Hooks: map[string]domain.HookDialect{"native": plainHooks{}},
		CheckFlow:    func(raw []byte) ([]byte, error) { return raw, nil },
		HasLLM:       func(m domain.Mode) bool { return m == domain.Test },
		WebhookAllow: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("::1/128")},
		NoSamples:    true,
		Now:          k.now, Logger: slog.New(slog.DiscardHandler),
	})
	k.Attach(k.live)
	t.Cleanup(func() {
		k.Service.Close()
		if err := buffer.Close(context.Background()); err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	k.first, err = k.FirstStart(t.Context())
	k.ok(err)
	k.test = domain.Scope{Workspace: k.first.Workspace.ID, Mode: domain.Test}
	k.prod = domain.Scope{Workspace: k.first.Workspace.ID, Mode: domain.Live}
	return k
}

func (k *kit) ok(err error) {
	k.Helper()
	if err != nil {
		k.Fatal(err)
	}
}

func (k *kit) code(err error, want domain.Code) {
	k.Helper()
	if domain.CodeOf(err) != want {
		k.Errorf("got %v (%s), want %s", err, domain.CodeOf(err), want)
	}
}

// agent makes an agent that talks by its prompt.
func (k *kit) agent(in domain.Scope) *domain.Agent {
	k.Helper()
	a, err := k.CreateAgent(k.Context(), in, service.AgentChange{Name: new("A"), SystemPrompt: new("p")}, nil)
	k.ok(err)
	return a
}

// plainHooks encodes an event as its type.
type plainHooks struct{}

func (plainHooks) Encode(ev *domain.Event) ([]byte, bool) {
	raw, err := json.Marshal(map[string]any{"event": ev.Type})
	return raw, err == nil
}

func (plainHooks) Sign(string, domain.DeliveryHead, []byte) map[string]string { return nil }

// liveCalls notes what is hung up.
type liveCalls struct {
	mu   sync.Mutex
	ends map[domain.ID]domain.EndReason
	gone bool

	draining bool
	done     []string // what was asked for of calls
}

func (l *liveCalls) Hangup(_ context.Context, call domain.ID, reason domain.EndReason) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gone {
		return domain.NotFound("Call", call)
	}
	if l.ends == nil {
		l.ends = make(map[domain.ID]domain.EndReason)
	}
	l.ends[call] = reason
	return nil
}

func (l *liveCalls) Watch(context.Context, domain.ID) (<-chan domain.LiveEvent, error) {
	return nil, domain.Errorf(domain.CodeNotFound, "nothing to watch")
}

func (l *liveCalls) Draining() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.draining
}

func (l *liveCalls) Hold(_ context.Context, call domain.ID, on bool) error {
	return l.note(call, fmt.Sprint("hold ", on))
}

func (l *liveCalls) Press(_ context.Context, call domain.ID, keys string) error {
	return l.note(call, "press "+keys)
}

func (l *liveCalls) Say(_ context.Context, call domain.ID, text string) error {
	return l.note(call, "say "+text)
}

func (l *liveCalls) Transfer(_ context.Context, call domain.ID, t domain.Transfer) error {
	return l.note(call, "transfer to "+t.To)
}

func (l *liveCalls) note(call domain.ID, what string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gone {
		return domain.NotFound("Call", call)
	}
	l.done = append(l.done, what)
	return nil
}

func TestFirstStartOnce(t *testing.T) {
	k := newKit(t)
	if f := k.first; !f.Created || f.Number.Number != service.SampleNumber || f.Number.TrunkID != f.Trunk.ID ||
		f.Trunk.Carrier != domain.CarrierSandbox || !f.Trunk.RealtimeText || f.Trunk.CallsPerSecond != 100 || f.Trunk.MaxCalls != 100 {
		t.Errorf("%+v", f)
	}
	again, err := k.FirstStart(t.Context())
	k.ok(err)
	if again.Created || again.Workspace.ID != k.first.Workspace.ID {
		t.Errorf("%+v", again)
	}
	if _, total, err := k.Numbers(t.Context(), k.test, domain.Page{Limit: 10}); err != nil || total != 1 {
		t.Errorf("%d numbers, %v", total, err)
	}
	if _, total, err := k.Numbers(t.Context(), k.prod, domain.Page{Limit: 10}); err != nil || total != 0 {
		t.Errorf("%d numbers in live mode, %v", total, err)
	}
}

// Concurrent first starts make one workspace.
func TestFirstStartRace(t *testing.T) {
	k := newKit(t)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if f, err := k.FirstStart(t.Context()); err != nil || f.Created {
				t.Errorf("%+v %v", f, err)
			}
		})
	}
	all.Wait()
}
