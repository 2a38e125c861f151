// Package providertest serves scripted models, voices and ears over loopback,
// in the protocols of the engines in package provider: for tests, and for
// programs that measure. A server costs little: hundreds of calls can share one.
package providertest

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"time"
)

// Server serves one or several scripts.
type Server struct {
	URL string // http://127.0.0.1:port

	server *http.Server
	cancel context.CancelFunc // ends WebSockets, which the server has let go of
	done   chan struct{}
}

// Start serves h on a free port of loopback until Close.
func Start(h http.Handler) (*Server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &Server{
		URL: "http://" + l.Addr().String(),
		server: &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second,
			BaseContext: func(net.Listener) context.Context { return ctx }},
		cancel: cancel, done: make(chan struct{}),
	}
	go func() {
		defer close(s.done)
		_ = s.server.Serve(l) // ends with Close
	}()
	return s, nil
}

// Close ends the server and its connections.
func (s *Server) Close() {
	s.cancel()
	_ = s.server.Close() // nothing is left to be done about it
	<-s.done
}

// All serves a model, a voice and an ear at one address: its URL with the path
// /v1 is what engines are configured with. Nil ones are not served.
func All(model *Model, voice *Voice, ear *Ear) http.Handler {
	mux := http.NewServeMux()
	if model != nil {
		mux.Handle("POST /v1/chat/completions", model)
	}
	if voice != nil {
		mux.Handle("POST /v1/audio/speech", voice)
	}
	if ear != nil {
		mux.Handle("GET /v1/listen", ear)
	}
	return mux
}

// readJSON reads a body to its end: only then net/http notices that a client
// has gone.
func readJSON(r *http.Request, v any) error {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, v)
}

// pause waits, or returns false when ctx is done.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
