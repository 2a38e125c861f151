package main

import (
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/service"
	"github.com/callwright/callwright/internal/sip/siptest"
	"github.com/callwright/callwright/internal/store/storetest"
)

// quick is an agent whose calls are short.
func (l *line) quick() string {
	return l.make("/agents", map[string]any{"name": "Quick", "voice": "placeholder", "flowId": l.make("/flows", map[string]any{
		"name": "Quick", "status": "published", "nodes": []any{map[string]any{"id": "bye", "type": "end", "text": "Good day."}},
	})})
}

// twoServers are servers with data directories of their own on one database.
func twoServers(t *testing.T, url string) (one, two *server) {
	t.Helper()
	dirs := []string{t.TempDir(), t.TempDir()}
	for _, dir := range dirs {
		databases.Store(dir, url)
	}
	return serve(t, dirs[0]), serve(t, dirs[1])
}

// over waits until all calls are over.
func (l *line) over(limit time.Duration) []lineCall {
	l.t.Helper()
	var page struct{ Calls []lineCall }
	until(l.t, limit, "all over", func() bool {
		if err := l.client.get(l.t.Context(), "/calls", &page); err != nil {
			l.t.Fatal(err)
		}
		return !slices.ContainsFunc(page.Calls, func(c lineCall) bool { return c.Status != "completed" && c.Status != "failed" })
	})
	return page.Calls
}

// dials returns the Call-IDs of the INVITEs that a peer received, by number.
func dials(p *siptest.Peer) map[string][]string {
	all := map[string][]string{}
	for _, m := range p.Messages() {
		to := userOf(m.Header("To"))
		if id := m.Header("Call-ID"); m.Received && m.Is("INVITE") && !slices.Contains(all[to], id) {
			all[to] = append(all[to], id)
		}
	}
	return all
}

// TestTwoServersShareWork places calls at two servers with one database: each is
// dialed once, each event is told once, and both servers carry some.
func TestTwoServersShareWork(t *testing.T) {
	t.Parallel()
	storetest.OnPostgres(t, func(t *testing.T, url string) {
		peer := siptest.UAS(t, siptest.Scenario{Name: siptest.Answer, Pause: 100 * time.Millisecond})
		one, two := twoServers(t, url)
		l := newLine(t, one, "live", peer.Addr)
		l.agent = l.quick()
		heard := newSink(t).subscribe(l, "/")
		const calls = 24
		for i := range calls {
			l.on([]*server{one, two}[i%2]).call(fmt.Sprintf("+472210%04d", i))
		}
		for _, c := range l.over(60 * time.Second) {
			if c.EndReason != "flow-ended" || len(dials(peer)[c.To]) != 1 {
				t.Errorf("%s ended for %s after %d INVITEs", c.To, c.EndReason, len(dials(peer)[c.To]))
			}
			until(t, 20*time.Second, "told all of "+c.ID, func() bool { return len(heard.events(c.ID)) >= 2 })
			if got, all := heard.events(c.ID), heard.sink.deliveries(c.ID); len(got) != 2 || all != 2 {
				t.Errorf("events of %s: %v, in %d deliveries", c.To, got, all)
			}
		}
		carriers := map[string]int{}
		for _, m := range peer.Messages() {
			if m.Received && m.Is("INVITE") {
				carriers[m.Header("Contact")]++
			}
		}
		if len(carriers) != 2 {
			t.Errorf("the INVITEs came from %v, want two servers", carriers)
		}
	})
}

// TestStoppedServerDialsNothing stops a server that has calls to dial for longer
// than its lease, and lets it go on: another one has taken over by then, and
// nobody is called twice.
func TestStoppedServerDialsNothing(t *testing.T) {
	t.Parallel()
	storetest.OnPostgres(t, func(t *testing.T, url string) {
		peer := siptest.UAS(t, siptest.Scenario{Name: siptest.Answer, Pause: 100 * time.Millisecond})
		one, two := twoServers(t, url)
		l := newLine(t, one, "live", peer.Addr)
		l.agent = l.quick()
		l.number = l.numberOver(peer.Addr, map[string]any{"callsPerSecond": 2})
		const calls = 16
		for i := range calls {
			l.call(fmt.Sprintf("+472211%04d", i))
		}
		until(t, 20*time.Second, "dialing", func() bool { return len(dials(peer)) >= 2 })
		one.signal(syscall.SIGSTOP)
		stopped := time.Now()
		ended := l.on(two).over(service.NodeLease + 45*time.Second)
		if pause := service.NodeLease + 5*time.Second - time.Since(stopped); pause > 0 {
			time.Sleep(pause)
		}
		one.signal(syscall.SIGCONT)

		// It joins again, and what is placed there is dialed.
		last := l.call("+4722110100")
		l.await(last, "completed")
		ends := map[string]int{}
		for _, c := range ended {
			ends[c.EndReason]++
			if n := len(dials(peer)[c.To]); n > 1 || n == 0 && c.Status == "completed" {
				t.Errorf("%s (%s) was called %d times", c.To, c.EndReason, n)
			}
			if again := l.read(c.ID); again.Status != c.Status || again.EndReason != c.EndReason {
				t.Errorf("%s had ended for %s and is now %s (%s)", c.To, c.EndReason, again.Status, again.EndReason)
			}
		}
		t.Logf("ends: %v", ends)
		if len(ended) != calls || ends["flow-ended"] < calls/2 {
			t.Errorf("%d calls ended: %v", len(ended), ends)
		}
	})
}
