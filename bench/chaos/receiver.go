//go:build linux

package main

import (
	"encoding/json"
	"net"
	"net/http"
	"sync"
	"time"
)

// receiver takes webhooks and keeps which call was said to be over, under which
// webhook-ids.
type receiver struct {
	listener net.Listener
	server   *http.Server

	mu   sync.Mutex
	ends map[string]map[string]int // webhook-ids by call, and how often each came
}

func receive() (*receiver, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &receiver{listener: listener, ends: map[string]map[string]int{}}
	r.server = &http.Server{Handler: r, ReadHeaderTimeout: time.Minute}
	go func() { _ = r.server.Serve(listener) }() // ends with close
	return r, nil
}

func (r *receiver) url() string { return "http://" + r.listener.Addr().String() }

func (r *receiver) close() error { return r.server.Close() }

// ServeHTTP takes one event.
func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	var event struct {
		Event string
		Data  struct{ CallID string }
	}
	if err := json.NewDecoder(req.Body).Decode(&event); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	call := r.ends[event.Data.CallID]
	if call == nil {
		call = map[string]int{}
		r.ends[event.Data.CallID] = call
	}
	call[req.Header.Get("Webhook-Id")]++
}

// told is how many webhook-ids said that the call is over.
func (r *receiver) told(call string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.ends[call])
}
