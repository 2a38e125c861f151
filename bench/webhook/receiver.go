//go:build linux

package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"
)

// receiver is a server on this machine that keeps what came under which
// webhook-id.
type receiver struct {
	answer func(w http.ResponseWriter, r *http.Request, endpoint int) bool // whether it took the event

	listener net.Listener
	server   *http.Server
	hung     chan struct{} // closed at the end: what hangs lets go

	mu     sync.Mutex
	events map[string]*received // by webhook-id
	bodies map[string]string    // webhook-id by call
	tries  int
	some   int // events that were taken
	forged int // tries under an id that came with another body before, or a call under a second id
	last   time.Time
}

// received is one event as it came.
type received struct {
	endpoint int
	first    time.Time // the first try
	taken    int       // tries that were answered 2xx, or would have been
	sum      [sha256.Size]byte
}

// listen starts a receiver. What answer makes is told of each request after its
// body was read; nil takes everything.
func listen(answer func(*receiver) func(w http.ResponseWriter, r *http.Request, endpoint int) bool) (*receiver, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &receiver{listener: listener, events: make(map[string]*received), bodies: make(map[string]string), hung: make(chan struct{})}
	r.answer = func(http.ResponseWriter, *http.Request, int) bool { return true }
	if answer != nil {
		r.answer = answer(r)
	}
	r.server = &http.Server{Handler: r, ReadHeaderTimeout: time.Minute}
	go func() { _ = r.server.Serve(listener) }() // ends with close
	return r, nil
}

// farewell is how long a receiver that ends finishes the answers that it has begun.
const farewell = time.Second

func (r *receiver) close(ctx context.Context) error {
	close(r.hung)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
	defer cancel()
	// What was taken is to be heard of: a sender that is not answered has failed.
	_ = r.server.Shutdown(ctx) // what does not end in time is cut off
	return r.server.Close()
}

// urls are addresses of n endpoints.
func (r *receiver) urls(n int) []string {
	urls := make([]string, n)
	for i := range urls {
		urls[i] = fmt.Sprintf("http://%s/%d", r.listener.Addr(), i)
	}
	return urls
}

// ServeHTTP keeps one try.
func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	at := time.Now()
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return // the sender died
	}
	id := req.Header.Get("Webhook-Id")
	var endpoint int
	if _, err := fmt.Sscanf(req.URL.Path, "/%d", &endpoint); err != nil || id == "" {
		http.Error(w, "no endpoint or no webhook-id", http.StatusBadRequest)
		return
	}
	r.note(id, endpoint, body, at)
	if !r.answer(w, req, endpoint) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.events[id].taken++; r.events[id].taken == 1 {
		r.some++
	}
	r.last = time.Now()
}

func (r *receiver) note(id string, endpoint int, body []byte, at time.Time) {
	sum := sha256.Sum256(body)
	var payload struct{ Data struct{ CallID string } }
	if bytes.HasPrefix(body, []byte("{")) && json.Unmarshal(body, &payload) != nil {
		payload.Data.CallID = ""
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tries++
	ev := r.events[id]
	if ev == nil {
		ev = &received{endpoint: endpoint, first: at, sum: sum}
		r.events[id] = ev
	}
	call := payload.Data.CallID
	if other, known := r.bodies[call]; ev.sum != sum || call != "" && known && other != id {
		r.forged++
	}
	if call != "" {
		r.bodies[call] = id
	}
}

// taken is how many events were taken.
func (r *receiver) taken() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.some
}

// failing fails so large a share of tries, in every way.
func (r *receiver) failing(share float64) func(http.ResponseWriter, *http.Request, int) bool {
	ways := []func(http.ResponseWriter, *http.Request) bool{
		r.say500, r.say500, r.reset, r.reset, r.gibberish, r.gibberish, r.takeAndReset, r.drip, r.hang,
	}
	return func(w http.ResponseWriter, req *http.Request, _ int) bool {
		if rand.Float64() >= share { //nolint:gosec // keeps no secret
			return true
		}
		return ways[rand.IntN(len(ways))](w, req) //nolint:gosec // keeps no secret
	}
}

func (r *receiver) say500(w http.ResponseWriter, _ *http.Request) bool {
	http.Error(w, "not now", http.StatusInternalServerError)
	return false
}

// reset closes the connection so that the sender sees a reset.
func (r *receiver) reset(w http.ResponseWriter, _ *http.Request) bool {
	if conn := hijacked(w); conn != nil {
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // a reset is all that is wanted
		}
		_ = conn.Close()
	}
	return false
}

// takeAndReset has taken the event, but the sender never hears of it: what makes
// duplicates.
func (r *receiver) takeAndReset(w http.ResponseWriter, req *http.Request) bool {
	r.reset(w, req)
	return true
}

// gibberish answers something that is not HTTP.
func (r *receiver) gibberish(w http.ResponseWriter, _ *http.Request) bool {
	if conn := hijacked(w); conn != nil {
		_, _ = conn.Write([]byte("SSH-2.0-OpenSSH_9.2p1\r\n\x00\xff\r\n\r\n")) // to nobody, perhaps
		_ = conn.Close()
	}
	return false
}

// drip fails with a body that takes its time.
func (r *receiver) drip(w http.ResponseWriter, req *http.Request) bool {
	w.WriteHeader(http.StatusServiceUnavailable)
	for range 10 {
		_, _ = w.Write([]byte("wait "))
		_ = http.NewResponseController(w).Flush() // to nobody, perhaps
		select {
		case <-req.Context().Done():
			return false
		case <-r.hung:
			return false
		case <-time.After(30 * time.Millisecond):
		}
	}
	return false
}

// hang never answers.
func (r *receiver) hang(_ http.ResponseWriter, req *http.Request) bool {
	select {
	case <-req.Context().Done():
	case <-r.hung:
	}
	return false
}

// flood answers 200 and a body that has no end.
func (r *receiver) flood(w http.ResponseWriter, req *http.Request, _ int) bool {
	chunk := bytes.Repeat([]byte("more "), 13_000)
	for req.Context().Err() == nil {
		if _, err := w.Write(chunk); err != nil {
			break
		}
	}
	return true
}

// hijacked takes the connection out of the server's hands, nil when it cannot be.
func hijacked(w http.ResponseWriter) net.Conn {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil
	}
	return conn
}
