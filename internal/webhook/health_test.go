package webhook_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// now reads an endpoint and the notices of its workspace.
func (d *desk) now(id domain.ID) (e domain.Endpoint, since time.Time, notices []domain.Notice) {
	d.Helper()
	if err := d.store.View(context.Background(), func(ctx context.Context, s *domain.Stores) error {
		row, err := s.Endpoints.Get(ctx, scope, id)
		if err != nil {
			return err
		}
		e = *row
		failing, err := s.Endpoints.FailingSince(ctx, id)
		if err != nil {
			return err
		}
		since = failing[id]
		notices, err = s.Notices.List(ctx, scope, domain.Page{Limit: 9})
		return err
	}); err != nil {
		d.Fatal(err)
	}
	return e, since, notices
}

func (d *desk) tries(id domain.ID) (tries []domain.Try) {
	d.Helper()
	if err := d.store.View(context.Background(), func(ctx context.Context, s *domain.Stores) (err error) {
		tries, err = s.Deliveries.Tries(ctx, id)
		return err
	}); err != nil {
		d.Fatal(err)
	}
	return tries
}

// TestGone: 410 switches the endpoint off, and its people are told.
func TestGone(t *testing.T) {
	d := newDesk(t)
	url, _ := receiver(t, status(http.StatusGone))
	e := d.endpoint(url)
	d.run("127.0.0.0/8")
	d.await(d.send(e, `{}`, 1)[0], domain.DeliveryFailed, 1)
	off, _, notices := d.now(e.ID)
	if off.IsActive || off.DisabledAt.IsZero() || !strings.Contains(off.DisabledFor, "410") {
		t.Errorf("%+v", off)
	}
	if len(notices) != 1 || notices[0].SubjectID != e.ID || notices[0].Kind != domain.NoticeEndpointDisabled || !strings.Contains(notices[0].Text, "410") {
		t.Errorf("%+v", notices)
	}
	// What comes afterwards fails at once, and no second notice is written.
	d.await(d.send(off, `{}`, 1)[0], domain.DeliveryFailed, 1)
	if _, _, notices := d.now(e.ID); len(notices) != 1 {
		t.Errorf("%d notices", len(notices))
	}
}

// TestFailingForDays: five days without a success switch the endpoint off, one
// success in between keeps it on.
func TestFailingForDays(t *testing.T) {
	d := newDesk(t)
	var well atomic.Bool
	url, _ := receiver(t, func(w http.ResponseWriter, _ *http.Request) {
		if !well.Load() {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	e := d.endpoint(url)
	d.run("127.0.0.0/8")
	fail := func() {
		t.Helper()
		d.await(d.send(e, `{}`, 1)[0], domain.DeliveryPending, 1)
	}
	fail()
	began := *d.clock.Load()
	if _, since, _ := d.now(e.ID); since.Sub(began).Abs() > time.Second {
		t.Fatalf("it fails since %s", since)
	}
	well.Store(true)
	d.await(d.send(e, `{}`, 1)[0], domain.DeliveryDelivered, 1)
	if _, since, _ := d.now(e.ID); !since.IsZero() {
		t.Fatalf("a success left it failing since %s", since)
	}
	well.Store(false)
	fail()
	d.stop()
	next := d.clock.Load().Add(5*24*time.Hour - time.Minute)
	d.clock.Store(&next)
	fresh := d.endpoint(url) // its own clock
	d.run("127.0.0.0/8")
	fail()
	if on, _, _ := d.now(e.ID); !on.IsActive {
		t.Fatal("it is switched off too early")
	}
	d.advance(2 * time.Minute)
	id := d.send(e, `{}`, 1)[0]
	d.await(id, domain.DeliveryPending, 1)
	off, _, notices := d.now(e.ID)
	if off.IsActive || len(notices) != 1 || !strings.Contains(notices[0].Text, "5 days") {
		t.Errorf("after five days: %+v, %+v", off, notices)
	}
	if other, _, _ := d.now(fresh.ID); !other.IsActive {
		t.Error("another endpoint is switched off, too")
	}
}

// TestLog: each try is kept with what was sent, without secrets.
func TestLog(t *testing.T) {
	d := newDesk(t)
	url, _ := receiver(t, status(http.StatusServiceUnavailable))
	e := d.endpoint(url + "/hook?token=hidden")
	d.run("127.0.0.0/8")
	id := d.send(e, `{}`, 1)[0]
	d.await(id, domain.DeliveryPending, 1)
	d.advance(time.Minute)
	d.await(id, domain.DeliveryPending, 2)
	tries := d.tries(id)
	if len(tries) != 2 || tries[0].Number != 1 || tries[1].Number != 2 || !tries[1].At.After(tries[0].At) {
		t.Fatalf("%+v", tries)
	}
	got := tries[0]
	if got.StatusCode != 503 || !strings.Contains(got.Error, "503") || !strings.HasPrefix(got.Request, "POST /hook\n") || !strings.Contains(got.Response, "answer") {
		t.Errorf("%+v", got)
	}
	for _, secret := range []string{"hidden", "sha256=", "v1,"} {
		if strings.Contains(fmt.Sprint(tries), secret) {
			t.Errorf("the log holds %q: %+v", secret, tries)
		}
	}
}

// TestBreakerLeavesAlone: an endpoint that fails ten times in a row is left
// alone; what waits for it uses up no tries, and goes when it is well again.
func TestBreakerLeavesAlone(t *testing.T) {
	d := newDesk(t)
	var well atomic.Bool
	url, letters := receiver(t, func(w http.ResponseWriter, _ *http.Request) {
		if !well.Load() {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	e := d.endpoint(url)
	d.run("127.0.0.0/8")
	for range 10 {
		d.await(d.send(e, `{}`, 1)[0], domain.DeliveryPending, 1)
	}
	late := d.send(e, `{"late":true}`, 20)
	d.advance(time.Second)
	time.Sleep(50 * time.Millisecond)
	if n := len(letters); n != 10 {
		t.Fatalf("%d requests reached it", n)
	}
	well.Store(true)
	deadline := time.Now().Add(10 * time.Second)
	for sent := 0; sent < len(late); {
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d were sent", sent, len(late))
		}
		d.advance(31 * time.Second)
		time.Sleep(20 * time.Millisecond)
		sent = 0
		for _, id := range late {
			sent += len(d.tries(id))
		}
	}
	for _, id := range late {
		if tries := d.tries(id); len(tries) != 1 || tries[0].StatusCode != 200 {
			t.Errorf("%+v", tries)
		}
	}
}
