package courier_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/callwright/callwright/internal/courier"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
	"github.com/callwright/callwright/internal/service/messaging"
	"github.com/callwright/callwright/internal/store"
	"github.com/callwright/callwright/internal/store/storetest"
	"github.com/callwright/callwright/internal/trunk"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pigeons are a carrier that does what each message's text says.
type pigeons struct {
	mu    sync.Mutex
	sent  map[string]int // by text
	flies chan struct{}  // what "wait" waits for
}

func (*pigeons) Name() string                                                         { return domain.CarrierSandbox }
func (*pigeons) Listen(trunk.Inbox)                                                   {}
func (*pigeons) Close() error                                                         { return nil }
func (*pigeons) Route(context.Context, domain.Trunk, string) (r trunk.Route, _ error) { return r, nil }

func (p *pigeons) Send(_ context.Context, _ domain.Trunk, m trunk.Message) (string, error) {
	p.mu.Lock()
	p.sent[m.Text]++
	p.mu.Unlock()
	switch m.Text {
	case "panic":
		panic("the pigeon is a hawk")
	case "wait":
		<-p.flies
	case "busy":
		if m.Try == 1 {
			return "", domain.Unavailable(0, nil, "all pigeons are out")
		}
	}
	return "ring of " + m.Text, nil
}

// office is a courier over a real store.
type office struct {
	*testing.T
	rules   *service.Service
	in      domain.Scope
	pigeons *pigeons
	store   *flaky
	stop    context.CancelFunc
	ended   chan error
}

// flaky is a store whose writes fail while down is set.
type flaky struct {
	*store.DB
	down atomic.Bool
}

func (f *flaky) InTx(ctx context.Context, lane domain.Lane, fn func(context.Context, *domain.Stores) error) error {
	if f.down.Load() {
		return domain.Unavailable(time.Second, nil, "the database is away")
	}
	return f.DB.InTx(ctx, lane, fn)
}

func openOffice(t *testing.T) *office {
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{Dir: t.TempDir(), DSN: storetest.URL(t), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	o := &office{T: t, pigeons: &pigeons{sent: map[string]int{}, flies: make(chan struct{})}, store: &flaky{DB: db}, ended: make(chan error, 1)}
	o.rules = service.New(service.Options{
		Store: o.store, CheckFlow: func(raw []byte) ([]byte, error) { return raw, nil }, NoSamples: true, Logger: slog.New(slog.DiscardHandler),
	})
	first, err := o.rules.FirstStart(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	o.in = domain.Scope{Workspace: first.Workspace.ID, Mode: domain.Test}
	carriers, err := trunk.NewCarriers(o.pigeons)
	if err != nil {
		t.Fatal(err)
	}
	c := courier.New(courier.Options{Store: o.store, Rules: o.rules.Messaging, Carriers: carriers})
	ctx, stop := context.WithCancel(context.Background())
	o.stop = stop
	go func() { o.ended <- c.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err, running := <-o.ended; running && err != nil {
			t.Error(err)
		}
		o.rules.Close()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return o
}

func (o *office) send(text string) domain.ID {
	o.Helper()
	m, err := o.rules.SendMessage(o.Context(), o.in, messaging.SendRequest{From: service.SampleNumber, To: "+15005550177", Text: text}, nil)
	if err != nil {
		o.Fatal(err)
	}
	return m.ID
}

// becomes waits until a message has the status.
func (o *office) becomes(id domain.ID, status domain.MessageStatus) *domain.Message {
	o.Helper()
	var m *domain.Message
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		var err error
		if m, err = o.rules.Message(o.Context(), o.in, id); err != nil {
			o.Fatal(err)
		}
		if m.Status == status {
			return m
		}
	}
	o.Fatalf("the message is %s (%s), not %s", m.Status, m.Error, status)
	return nil
}

func (o *office) asked(text string) int {
	o.pigeons.mu.Lock()
	defer o.pigeons.mu.Unlock()
	return o.pigeons.sent[text]
}

func TestCourier(t *testing.T) {
	o := openOffice(t)
	fine, bad, busy := o.send("fine"), o.send("panic"), o.send("busy")
	if m := o.becomes(fine, domain.MessageSent); m.CarrierID != "ring of fine" {
		t.Errorf("%+v", m)
	}
	if m := o.becomes(bad, domain.MessageFailed); !strings.Contains(m.Error, "not known") || strings.Contains(m.Error, "hawk") {
		t.Errorf("%+v", m)
	}
	o.becomes(busy, domain.MessageSent)
	for text, want := range map[string]int{"fine": 1, "panic": 1, "busy": 2} {
		if n := o.asked(text); n != want {
			t.Errorf("%q was handed over %d times, want %d", text, n, want)
		}
	}
}

// TestCourierNotesWhatItWasAnswered: an answer outlives a database that is away
// and the end of the process.
func TestCourierNotesWhatItWasAnswered(t *testing.T) {
	o := openOffice(t)
	id := o.send("wait")
	for deadline := time.Now().Add(20 * time.Second); o.asked("wait") == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the carrier was not asked")
		}
	}
	o.store.down.Store(true)
	o.stop()
	close(o.pigeons.flies)
	select {
	case err := <-o.ended:
		t.Fatalf("the courier went without noting the answer: %v", err)
	case <-time.After(300 * time.Millisecond):
	}
	o.store.down.Store(false)
	if err := <-o.ended; err != nil {
		t.Error(err)
	}
	close(o.ended)
	o.becomes(id, domain.MessageSent)
	if n := o.asked("wait"); n != 1 {
		t.Errorf("handed over %d times", n)
	}
}
