package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// texts keeps what webhooks tell of messages: for each event of a message, under
// which webhook-ids it came.
type texts struct {
	mu  sync.Mutex
	got map[string]map[string]bool // "sms.sent <message>" → ids
}

func (x *texts) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	var payload struct {
		Event string
		Data  struct{ ID string }
	}
	raw, err := io.ReadAll(r.Body)
	if err != nil || json.Unmarshal(raw, &payload) != nil {
		return // the server was killed while it delivered
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	about := payload.Event + " " + payload.Data.ID
	if x.got[about] == nil {
		x.got[about] = map[string]bool{}
	}
	x.got[about][r.Header.Get("Webhook-Id")] = true
}

// times is under how many webhook-ids an event of a message came.
func (x *texts) times(event, message string) int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return len(x.got[event+" "+message])
}

// TestKillAmongMessages kills a server again and again while it hands messages
// over. Each that was accepted comes to an end, and none is sent twice: what was
// under way fails as interrupted.
func TestKillAmongMessages(t *testing.T) {
	t.Parallel()
	const messages, kills = 60, 4
	told := &texts{got: map[string]map[string]bool{}}
	sink := httptest.NewServer(told)
	t.Cleanup(sink.Close)
	data := t.TempDir()
	s := serve(t, data)
	l := newLine(t, s, "test", nil)
	l.make("/webhooks", map[string]any{"url": sink.URL, "events": []string{"sms.sent", "sms.delivered", "sms.failed"}})
	var accepted []string
	for kill := range kills {
		for i := range messages / kills {
			var made struct{ ID string }
			err := l.on(s).client.post(t.Context(), "/messages", map[string]any{
				"from": "+15005550100", "to": fmt.Sprintf("+1500%03d0006", kill*100+i), "text": "Hello",
			}, &made)
			if err != nil {
				t.Fatal(err)
			}
			accepted = append(accepted, made.ID)
		}
		time.Sleep(time.Duration(rand.Int64N(int64(60 * time.Millisecond)))) //nolint:gosec // keeps no secret
		s.kill()
		s = serve(t, data)
	}
	l = l.on(s)
	ends := map[string]int{}
	for _, id := range accepted {
		var m struct{ Status, Error string }
		until(t, 60*time.Second, "message "+id+" at an end", func() bool {
			if err := l.client.get(t.Context(), "/messages/"+id, &m); err != nil {
				t.Fatal(err)
			}
			return m.Status != "queued" && (told.times("sms.sent", id) > 0 || told.times("sms.failed", id) > 0)
		})
		ends[m.Status]++
		sent, failed := told.times("sms.sent", id), told.times("sms.failed", id)
		if sent+failed != 1 || (failed == 1) != (m.Status == "failed") || told.times("sms.delivered", id) > sent {
			t.Errorf("message %s is %s (%s), and was told %d times as sent, %d as failed", id, m.Status, m.Error, sent, failed)
		}
	}
	t.Logf("ends: %v", ends)
	if ends["failed"] == len(accepted) {
		t.Error("no message was sent at all")
	}
}
