package app_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// receiver is a customer's webhook receiver.
type receiver struct {
	url string

	mu     sync.Mutex
	secret string
	events map[domain.ID][]string // in the order of their sequence, by call
	forged int
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{events: map[domain.ID][]string{}}
	server := httptest.NewServer(http.HandlerFunc(r.receive))
	t.Cleanup(func() {
		server.Close()
		if r.forged > 0 {
			t.Errorf("%d webhooks had a wrong signature", r.forged)
		}
	})
	r.url = server.URL
	return r
}

// expect tells the secret with which webhooks are signed.
func (r *receiver) expect(secret string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.secret = secret
}

func (r *receiver) receive(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return // the sender tries again
	}
	var payload struct {
		Event string
		Data  struct{ CallID domain.ID }
	}
	if json.Unmarshal(body, &payload) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	sum := hmac.New(sha256.New, []byte(r.secret))
	sum.Write(body)
	if req.Header.Get("X-VoxForge-Signature") != "sha256="+hex.EncodeToString(sum.Sum(nil)) {
		r.forged++
	}
	r.events[payload.Data.CallID] = append(r.events[payload.Data.CallID], payload.Event)
}

// of returns the events of a call so far.
func (r *receiver) of(call domain.ID) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.events[call])
}

// wait waits until one of the events of a call has come.
func (r *receiver) wait(t *testing.T, call domain.ID, events ...string) {
	t.Helper()
	for deadline := time.Now().Add(2 * callLimit); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if slices.ContainsFunc(r.of(call), func(e string) bool { return slices.Contains(events, e) }) {
			return
		}
	}
	t.Fatalf("call %s: none of %q came, but %q", call, events, r.of(call))
}

// exactly waits until all events of a call have come, and nothing else has.
func (r *receiver) exactly(t *testing.T, call domain.ID, events ...string) {
	t.Helper()
	for _, e := range events {
		r.wait(t, call, e)
	}
	got := r.of(call)
	slices.Sort(got)
	slices.Sort(events)
	if !slices.Equal(got, events) {
		t.Errorf("call %s had the events %q, want %q", call, got, events)
	}
}

// lockedWriter keeps what several goroutines write.
type lockedWriter struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lockedWriter) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}
