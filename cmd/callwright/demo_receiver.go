package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// demoWebhook is one event that arrived, and whether its signature was right.
type demoWebhook struct {
	Event    string `json:"event"`
	Verified bool   `json:"verified"`
}

// demoReceiver is a webhook receiver as a customer would write it.
type demoReceiver struct {
	url    string
	server *http.Server

	mu     sync.Mutex
	secret string
	got    []demoWebhook
	more   chan struct{}
}

func newDemoReceiver() (*demoReceiver, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &demoReceiver{url: "http://" + l.Addr().String() + "/webhook", more: make(chan struct{}, 64)}
	r.server = &http.Server{Handler: http.HandlerFunc(r.receive), ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = r.server.Serve(l) }() // returns when the server is closed
	return r, nil
}

func (r *demoReceiver) close() { _ = r.server.Close() }

// expect tells the secret with which events will be signed.
func (r *demoReceiver) expect(secret string) {
	r.mu.Lock()
	r.secret = secret
	r.mu.Unlock()
}

func (r *demoReceiver) receive(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, 1<<20))
	if err != nil {
		return
	}
	var payload struct{ Event string }
	_ = json.Unmarshal(body, &payload) // an unreadable payload shows as an event without a name
	r.mu.Lock()
	defer r.mu.Unlock()
	sum := hmac.New(sha256.New, []byte(r.secret))
	sum.Write(body)
	want := "sha256=" + hex.EncodeToString(sum.Sum(nil))
	r.got = append(r.got, demoWebhook{Event: payload.Event, Verified: hmac.Equal([]byte(want), []byte(req.Header.Get("X-VoxForge-Signature")))})
	select {
	case r.more <- struct{}{}:
	default:
	}
}

// wait returns what has arrived when there are n events, or after a while.
func (r *demoReceiver) wait(ctx context.Context, n int) []demoWebhook {
	patience := time.NewTimer(5 * time.Second)
	defer patience.Stop()
	for {
		r.mu.Lock()
		got := append([]demoWebhook{}, r.got...)
		r.mu.Unlock()
		if len(got) >= n {
			return got
		}
		select {
		case <-r.more:
		case <-patience.C:
			return got
		case <-ctx.Done():
			return got
		}
	}
}
