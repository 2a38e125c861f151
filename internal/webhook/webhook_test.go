package webhook_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/callwright/callwright/internal/api/native"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
	"github.com/callwright/callwright/internal/store"
	"github.com/callwright/callwright/internal/store/storetest"
	"github.com/callwright/callwright/internal/webhook"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

var scope = domain.Scope{Workspace: "w", Mode: domain.Test}

// desk is a running worker over a real store, with a clock of its own.
type desk struct {
	*testing.T
	store  *store.DB
	clock  atomic.Pointer[time.Time]
	stop   func()
	crew   int // workers; 0 is the usual number
	kicked []func()
}

// AfterCommit keeps what the worker wants to be told, so that advance can tell.
func (d *desk) AfterCommit(table string, fn func()) {
	d.kicked = append(d.kicked, fn)
	d.store.AfterCommit(table, fn)
}

func (d *desk) InTx(ctx context.Context, lane domain.Lane, fn func(context.Context, *domain.Stores) error) error {
	return d.store.InTx(ctx, lane, fn)
}

func (d *desk) View(ctx context.Context, fn func(context.Context, *domain.Stores) error) error {
	return d.store.View(ctx, fn)
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{Dir: storetest.Dir(t), DSN: storetest.URL(t)})
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{T: t, store: db}
	now := time.Now().UTC().Truncate(time.Microsecond)
	d.clock.Store(&now)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// run starts a worker that may deliver to this machine.
func (d *desk) run(allow ...string) {
	d.Helper()
	opts := webhook.Options{
		Store: d, Workers: d.crew, Dialects: map[string]domain.HookDialect{"native": native.Hooks{}},
		Now:     func() time.Time { return *d.clock.Load() },
		Disable: service.New(service.Options{Store: d.store, Now: func() time.Time { return *d.clock.Load() }}).DisableEndpoint,
	}
	for _, cidr := range allow {
		opts.Allow = append(opts.Allow, netip.MustParsePrefix(cidr))
	}
	w := webhook.New(opts)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	d.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			d.Error(err)
		}
	})
	d.Cleanup(d.stop)
}

func (d *desk) advance(by time.Duration) {
	now := d.clock.Load().Add(by)
	d.clock.Store(&now)
	for _, kick := range d.kicked {
		kick()
	}
}

func (d *desk) write(fn func(ctx context.Context, s *domain.Stores) error) {
	d.Helper()
	if err := d.store.InTx(context.Background(), domain.LaneAPI, fn); err != nil {
		d.Fatal(err)
	}
}

func (d *desk) endpoint(url string) domain.Endpoint {
	d.Helper()
	e := domain.Endpoint{
		ID: domain.NewID(), WorkspaceID: scope.Workspace, Mode: scope.Mode, URL: url, Events: []string{domain.AllEvents},
		Dialect: "native", Secret: secret, IsActive: true, Version: 1, CreatedAt: *d.clock.Load(), UpdatedAt: *d.clock.Load(),
	}
	d.write(func(ctx context.Context, s *domain.Stores) error { row := e; return s.Endpoints.Create(ctx, &row) })
	return e
}

// send puts n deliveries of body to the endpoint into the outbox, in one commit.
func (d *desk) send(e domain.Endpoint, body string, n int) []domain.ID {
	d.Helper()
	ids := make([]domain.ID, n)
	for i := range ids {
		ids[i] = domain.NewID()
	}
	d.write(func(ctx context.Context, s *domain.Stores) error {
		for _, id := range ids {
			if err := s.Deliveries.Create(ctx, &domain.Delivery{
				ID: id, WorkspaceID: e.WorkspaceID, Mode: e.Mode, EventID: "event" + id, EventType: domain.EventCallEnded, EndpointID: e.ID, CallID: "c",
				Body: []byte(body), State: domain.DeliveryPending, NextAt: *d.clock.Load(), CreatedAt: *d.clock.Load(),
			}); err != nil {
				return err
			}
		}
		return nil
	})
	return ids
}

// await waits until the delivery was tried n times and that was stored.
func (d *desk) await(id domain.ID, state domain.DeliveryState, tries int64) domain.Delivery {
	d.Helper()
	var got domain.Delivery
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		if err := d.store.View(context.Background(), func(ctx context.Context, s *domain.Stores) error {
			row, err := s.Deliveries.Get(ctx, scope, id)
			if err == nil {
				got = *row
			}
			return err
		}); err != nil {
			d.Fatal(err)
		}
		if got.State == state && got.Attempt == tries && got.LeaseUntil.IsZero() {
			return got
		}
	}
	d.Fatalf("the delivery is %s after %d tries (%s), want %s after %d", got.State, got.Attempt, got.Error, state, tries)
	return got
}

// letter is one request as it arrived.
type letter struct {
	header http.Header
	body   string
}

// receiver is a server that answers as answer says and keeps what it got.
func receiver(t *testing.T, answer http.HandlerFunc) (url string, letters <-chan letter) {
	t.Helper()
	got := make(chan letter, 1000)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- letter{r.Header, string(body)}
		answer(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL, got
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		_, _ = fmt.Fprintf(w, "answer \x00 \xff %d", code)
	}
}

func TestDelivered(t *testing.T) {
	d := newDesk(t)
	url, letters := receiver(t, status(204))
	e := d.endpoint(url + "/hook?a=b")
	d.run("127.0.0.0/8")
	id := d.send(e, `{"event":"call.ended"}`, 1)[0]
	got := d.await(id, domain.DeliveryDelivered, 1)
	if got.StatusCode != 204 || got.Error != "" || got.FinishedAt.IsZero() {
		t.Errorf("%+v", got)
	}
	l := <-letters
	if l.body != `{"event":"call.ended"}` || l.header.Get("User-Agent") != webhook.UserAgent || l.header.Get("Content-Type") != "application/json" {
		t.Errorf("%+v", l)
	}
	if got := l.header.Get("Webhook-Id"); got != "event"+string(id) {
		t.Errorf("webhook-id is %q", got)
	}
}

// TestSchedule walks a delivery that fails through all its tries.
func TestSchedule(t *testing.T) {
	d := newDesk(t)
	url, letters := receiver(t, status(500))
	e := d.endpoint(url)
	d.run("127.0.0.0/8")
	id := d.send(e, `{}`, 1)[0]
	ids := map[string]bool{}
	for i, wait := range []time.Duration{30 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour} {
		got := d.await(id, domain.DeliveryPending, int64(i+1))
		if late := got.NextAt.Sub(*d.clock.Load()); late < wait || late > wait+wait/10 {
			t.Errorf("try %d comes after %s, want %s and at most a tenth more", i+2, late, wait)
		}
		if got.Error == "" || got.StatusCode != 500 || got.Response != "answer \ufffd \ufffd 500" {
			t.Errorf("%+v", got)
		}
		ids[(<-letters).header.Get("Webhook-Id")] = true
		d.advance(wait - time.Millisecond)
		time.Sleep(10 * time.Millisecond)
		if len(letters) > 0 {
			t.Fatalf("try %d comes too early", i+2)
		}
		d.advance(wait/10 + time.Millisecond)
	}
	got := d.await(id, domain.DeliveryFailed, 5)
	ids[(<-letters).header.Get("Webhook-Id")] = true
	if got.FinishedAt.IsZero() || len(ids) != 1 {
		t.Errorf("%+v under the ids %v", got, ids)
	}
	d.advance(24 * time.Hour)
	time.Sleep(20 * time.Millisecond)
	if len(letters) > 0 {
		t.Error("it is sent again after it failed for good")
	}
}

func TestRecovers(t *testing.T) {
	d := newDesk(t)
	var fail atomic.Bool
	fail.Store(true)
	url, letters := receiver(t, func(w http.ResponseWriter, _ *http.Request) {
		if fail.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	e := d.endpoint(url)
	d.run("127.0.0.0/8")
	id := d.send(e, `{"a":1}`, 1)[0]
	d.await(id, domain.DeliveryPending, 1)
	fail.Store(false)
	d.advance(40 * time.Second)
	got := d.await(id, domain.DeliveryDelivered, 2)
	first, second := <-letters, <-letters
	if got.Error != "" || first.body != second.body || first.header.Get("Webhook-Timestamp") == second.header.Get("Webhook-Timestamp") {
		t.Errorf("%+v\n%+v\n%+v", got, first, second)
	}
}

func TestFailures(t *testing.T) {
	other, reached := receiver(t, status(200))
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		url    string
		edit   func(*domain.Endpoint)
		state  domain.DeliveryState
		want   string
	}{
		"redirect":      {answer: func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other, http.StatusTemporaryRedirect) }, state: domain.DeliveryPending, want: "answered 307"},
		"gone":          {answer: status(410), state: domain.DeliveryFailed, want: "answered 410"},
		"informational": {answer: status(304), state: domain.DeliveryPending, want: "answered 304"},
		"broken off": {answer: func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_ = conn.Close()
			}
		}, state: domain.DeliveryPending, want: "EOF"},
		"private":     {url: "https://10.255.0.1/x", state: domain.DeliveryPending, want: "10.255.0.1 is not public"},
		"plain http":  {url: "http://93.184.216.34/x", state: domain.DeliveryPending, want: "plain http to 93.184.216.34"},
		"no such":     {url: "https://receiver.invalid/x?token=hidden", state: domain.DeliveryPending, want: "cannot be resolved"},
		"refused":     {url: "http://127.0.0.1:1/", state: domain.DeliveryPending, want: "connection refused"},
		"not a URL":   {url: "://x", state: domain.DeliveryFailed, want: "URL cannot be used"},
		"off":         {edit: func(e *domain.Endpoint) { e.IsActive = false }, state: domain.DeliveryFailed, want: "switched off"},
		"deleted":     {edit: func(e *domain.Endpoint) { e.ID = "gone" }, state: domain.DeliveryFailed, want: "deleted"},
		"no dialect":  {edit: func(e *domain.Endpoint) { e.Dialect = "latin" }, state: domain.DeliveryFailed, want: `"latin" is not served`},
		"no secret":   {edit: func(e *domain.Endpoint) { e.Secret = "" }, state: domain.DeliveryFailed, want: "no secret"},
		"other's key": {edit: func(e *domain.Endpoint) { e.Secret = "whsec_!" }, state: domain.DeliveryFailed, want: "rotate its secret"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			url := c.url
			if url == "" {
				answer := c.answer
				if answer == nil {
					answer = status(200)
				}
				url, _ = receiver(t, answer)
			}
			e := d.endpoint(url)
			if c.edit != nil {
				changed := e
				c.edit(&changed)
				d.write(func(ctx context.Context, s *domain.Stores) error {
					if changed.ID != e.ID {
						return s.Endpoints.Delete(ctx, scope, e.ID)
					}
					return s.Endpoints.Update(ctx, &changed)
				})
			}
			id := d.send(e, `{}`, 1)[0]
			d.run("127.0.0.0/8")
			got := d.await(id, c.state, 1)
			if !strings.Contains(got.Error, c.want) || strings.Contains(got.Error, "hidden") {
				t.Errorf("the error is %q, want %q in it", got.Error, c.want)
			}
		})
	}
	if len(reached) > 0 {
		t.Error("a redirect was followed")
	}
}

// TestAnswerIsReadInPart has a receiver that never stops answering.
func TestAnswerIsReadInPart(t *testing.T) {
	d := newDesk(t)
	var written atomic.Int64
	url, _ := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil && written.Load() < 100<<20 {
			n, err := io.WriteString(w, strings.Repeat("x", 32<<10))
			written.Add(int64(n))
			if err != nil {
				return
			}
		}
	})
	d.run("127.0.0.0/8")
	got := d.await(d.send(d.endpoint(url), `{}`, 1)[0], domain.DeliveryDelivered, 1)
	if len(got.Response) != 4<<10 {
		t.Errorf("%d bytes of the answer are kept", len(got.Response))
	}
	if n := written.Load(); n > 50<<20 {
		t.Errorf("%d bytes were read", n)
	}
}

// TestTarpit has an endpoint with a long backlog that never answers beside one
// that does.
func TestTarpit(t *testing.T) {
	d := newDesk(t)
	release := make(chan struct{})
	var inside, most atomic.Int32
	slow, _ := receiver(t, func(_ http.ResponseWriter, r *http.Request) {
		n := inside.Add(1)
		for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
		}
		select {
		case <-release:
		case <-r.Context().Done():
		}
		inside.Add(-1)
	})
	quick, letters := receiver(t, status(200))
	slowEnd, quickEnd := d.endpoint(slow), d.endpoint(quick)
	stuck := d.send(slowEnd, `{"slow":true}`, 300)
	d.run("127.0.0.0/8")
	for began := time.Now(); inside.Load() < 8; time.Sleep(time.Millisecond) {
		if time.Since(began) > 5*time.Second {
			t.Fatal("the tarpit was not reached")
		}
	}
	began := time.Now()
	ids := d.send(quickEnd, `{"quick":true}`, 25)
	for _, id := range ids {
		d.await(id, domain.DeliveryDelivered, 1)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("25 deliveries beside a tarpit took %s", took)
	}
	if len(letters) != 25 {
		t.Errorf("%d of 25 arrived", len(letters))
	}
	close(release)
	for _, id := range stuck {
		d.await(id, domain.DeliveryDelivered, 1)
	}
	if n := most.Load(); n > webhook.DefaultPerEndpoint {
		t.Errorf("%d requests at once to one endpoint", n)
	}
}

// TestManyTarpits has more endpoints that never answer than would fill a worker,
// were each given all the places that one can have.
func TestManyTarpits(t *testing.T) {
	d := newDesk(t)
	release := make(chan struct{})
	var inside atomic.Int32
	slow, _ := receiver(t, func(_ http.ResponseWriter, r *http.Request) {
		inside.Add(1)
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	const tarpits = 5
	d.crew = (tarpits - 1) * webhook.DefaultPerEndpoint
	for i := range tarpits {
		d.send(d.endpoint(fmt.Sprint(slow, "/", i)), `{"slow":true}`, webhook.DefaultPerEndpoint)
	}
	quick, _ := receiver(t, status(200))
	end := d.endpoint(quick)
	d.run("127.0.0.0/8")
	for began := time.Now(); inside.Load() < 8*tarpits; time.Sleep(time.Millisecond) {
		if time.Since(began) > 8*time.Second {
			t.Fatalf("%d requests are inside the tarpits", inside.Load())
		}
	}
	for _, id := range d.send(end, `{"quick":true}`, 20) {
		d.await(id, domain.DeliveryDelivered, 1)
	}
	if n := inside.Load(); n != 8*tarpits {
		t.Errorf("%d requests were inside the tarpits, want %d", n, 8*tarpits)
	}
	close(release)
}

// TestStopLosesNothing stops a worker in the middle and starts another.
func TestStopLosesNothing(t *testing.T) {
	d := newDesk(t)
	url, letters := receiver(t, status(200))
	e := d.endpoint(url)
	d.run("127.0.0.0/8")
	ids := d.send(e, `{}`, 300)
	<-letters
	d.stop()
	d.run("127.0.0.0/8")
	d.advance(2 * time.Minute) // what waited at its endpoint is held by its lease
	seen := map[string]int{}
	for _, id := range ids {
		began := time.Now()
		for {
			var got *domain.Delivery
			err := d.store.View(t.Context(), func(ctx context.Context, s *domain.Stores) (err error) {
				got, err = s.Deliveries.Get(ctx, scope, id)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			if got.State == domain.DeliveryDelivered {
				break
			}
			if time.Since(began) > 10*time.Second {
				t.Fatalf("%s is lost: %+v", id, got)
			}
			time.Sleep(2 * time.Millisecond)
		}
	}
	for len(letters) > 0 {
		seen[(<-letters).header.Get("Webhook-Id")]++
	}
	for id, n := range seen {
		if n > 1 {
			t.Errorf("%s was sent %d times although the stop was in order", id, n)
		}
	}
}

// wireTap is a server that answers one request 200 and tells what it read.
func wireTap(t *testing.T) (addr string, raw <-chan string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	got := make(chan string, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		var read []byte
		for buf := make([]byte, 4096); !strings.HasSuffix(string(read), "\r\n\r\n{}"); {
			n, err := conn.Read(buf)
			read = append(read, buf[:n]...)
			if err != nil {
				break
			}
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
		got <- string(read)
	}()
	return listener.Addr().String(), got
}
