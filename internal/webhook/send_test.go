package webhook

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

func TestSettle(t *testing.T) {
	standard := New(Options{Store: nowhere{}}).waits("")
	now := time.Unix(1_700_000_000, 0)
	for attempt, wait := range map[int64]time.Duration{0: 30 * time.Second, 1: 30 * time.Second, 2: 5 * time.Minute, 3: 30 * time.Minute, 4: 2 * time.Hour, 5: 0, 9: 0} {
		for range 50 {
			d := domain.Delivery{State: domain.DeliveryPending, Attempt: attempt, LeaseUntil: now}
			outcome{err: errors.New("no")}.settle(&d, standard, now)
			if !d.LeaseUntil.IsZero() || d.Error != "no" {
				t.Fatalf("%+v", d)
			}
			if wait == 0 {
				if d.State != domain.DeliveryFailed || d.FinishedAt != now {
					t.Fatalf("try %d: %+v", attempt, d)
				}
				continue
			}
			if got := d.NextAt.Sub(now); d.State != domain.DeliveryPending || got < wait || got > wait*11/10 || !d.FinishedAt.IsZero() {
				t.Fatalf("try %d: %s, %+v", attempt, got, d)
			}
		}
	}
	d := domain.Delivery{Error: "before", Attempt: 9}
	outcome{status: 200}.settle(&d, standard, now)
	if d.State != domain.DeliveryDelivered || d.Error != "" || d.StatusCode != 200 || d.FinishedAt != now {
		t.Errorf("%+v", d)
	}
	// The receiver may ask for a longer wait, not for a shorter one.
	for _, c := range []struct{ after, least, most time.Duration }{
		{time.Second, 30 * time.Second, 33 * time.Second}, {time.Hour, time.Hour, 66 * time.Minute},
	} {
		d := domain.Delivery{Attempt: 1}
		outcome{err: errors.New("busy"), after: c.after}.settle(&d, standard, now)
		if wait := d.NextAt.Sub(now); wait < c.least || wait > c.most {
			t.Errorf("asked for %s it waits %s", c.after, wait)
		}
	}
	// What was sent again by hand begins its schedule anew.
	d = domain.Delivery{Attempt: 6, Resent: 5}
	outcome{err: errors.New("no")}.settle(&d, standard, now)
	if d.State != domain.DeliveryPending || d.NextAt.Sub(now) > 33*time.Second {
		t.Errorf("%+v", d)
	}
	// The extended schedule goes on for days.
	var total time.Duration
	for attempt := int64(1); ; attempt++ {
		d := domain.Delivery{Attempt: attempt}
		outcome{err: errors.New("no")}.settle(&d, schedules[domain.RetryExtended], now)
		if d.State == domain.DeliveryFailed {
			break
		}
		total += d.NextAt.Sub(now)
	}
	if total < 75*time.Hour || total > 84*time.Hour {
		t.Errorf("the extended schedule is over after %s", total)
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 3, 15, 12, 0, 0, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"": 0, "120": 2 * time.Minute, " 5 ": 5 * time.Second, "-3": 0, "soon": 0, "1.5": 0, "99999999999999999999": 0, "9999999": 24 * time.Hour,
		"Sun, 15 Mar 2026 12:01:00 GMT": time.Minute, "Sun, 15 Mar 2026 11:00:00 GMT": 0, "Wed, 15 Mar 2028 12:00:00 GMT": 24 * time.Hour,
	} {
		if got := retryAfter(header, now); got != want {
			t.Errorf("%q is %s, want %s", header, got, want)
		}
	}
}

func TestTimeoutIsSaid(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	defer server.Close()
	defer close(release)
	client := NewClient([]netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, 50*time.Millisecond)
	defer client.CloseIdleConnections()
	_, err := client.Post(server.URL, "", nil) //nolint:bodyclose // there is none
	if err == nil || !strings.Contains(explain(err, Timeout).Error(), "did not answer within 10s") {
		t.Errorf("%v", err)
	}
}

func TestHead(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "ok": "ok", "a\x00b\xffc": "a\ufffdb\ufffdc", strings.Repeat("é", 3000): strings.Repeat("é", 2048),
		"x" + strings.Repeat("é", 3000): "x" + strings.Repeat("é", 2047) + "\ufffd",
	} {
		if got := head(strings.NewReader(in)); got != want {
			t.Errorf("%.20q…: %d bytes %.20q", in, len(got), got)
		}
	}
}

func TestScheduleIsWritten(t *testing.T) {
	page, err := os.ReadFile("../../docs/webhooks.md")
	if err != nil {
		t.Fatal(err)
	}
	for i, wait := range schedules[domain.RetryStandard] {
		short := wait.String()
		for _, zero := range []string{"m0s", "h0m"} { // 2h0m0s is 2h
			if before, found := strings.CutSuffix(short, zero); found {
				short = before + zero[:1]
			}
		}
		if row := fmt.Sprintf("| %d | %s |\n", i+2, short); !strings.Contains(string(page), row) {
			t.Errorf("docs/webhooks.md has no row %q", row)
		}
	}
}

// nowhere is a store that is told nothing.
type nowhere struct{ domain.Store }

func (nowhere) AfterCommit(string, func()) {}
