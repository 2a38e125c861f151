// Package ops lets operators look inside: metrics for Prometheus, profiles, and
// traces by OpenTelemetry, on a listener of their own or not at all.
package ops

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/rtp"
)

// Options are what the operators' side needs.
type Options struct {
	Listen   string // HOST:PORT; without a host it is the loopback
	Version  string
	Lateness func() rtp.Lateness // of the packets that leave; nil: not shown
	Draining func() bool         // nil: not shown
	Logger   *slog.Logger
}

// Server serves /metrics and /debug/pprof/. It is meant for operators alone and
// asks nobody who they are: profiles tell what the memory holds.
type Server struct {
	*Metrics
	listener net.Listener
	server   *http.Server
}

// Listen binds the address; Run serves. An error names the flag.
func Listen(o Options) (*Server, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	host, port, err := net.SplitHostPort(o.Listen)
	if err != nil {
		return nil, domain.Invalid("ops", "--ops %q is not an address; write it like 127.0.0.1:9090", o.Listen)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, domain.Errorf(domain.CodeInvalid,
			"the address %s for metrics cannot be used (%v); stop what listens there or choose another with --ops", o.Listen, err)
	}
	if tcp, ok := listener.Addr().(*net.TCPAddr); ok && !tcp.IP.IsLoopback() {
		o.Logger.Warn("metrics and profiles are served to other machines, and ask nobody who they are", "address", listener.Addr().String())
	}
	s := &Server{Metrics: NewMetrics(o), listener: listener}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, ErrorLog: slog.NewLogLogger(o.Logger.Handler(), slog.LevelWarn)}))
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	s.server = &http.Server{
		Handler: mux, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
		ErrorLog: slog.NewLogLogger(o.Logger.Handler(), slog.LevelDebug),
	}
	return s, nil
}

// URL is where the operators' side is served.
func (s *Server) URL() string { return "http://" + s.listener.Addr().String() }

// Run serves until ctx is done.
func (s *Server) Run(ctx context.Context) error {
	defer context.AfterFunc(ctx, func() { _ = s.Close() })()
	if err := s.server.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) && ctx.Err() == nil {
		return fmt.Errorf("the server for metrics stopped: %w", err)
	}
	return nil
}

// Close ends serving at once: a scrape can be made again.
func (s *Server) Close() error { return errors.Join(s.server.Close(), closed(s.listener)) }

// closed closes a listener that may be closed already.
func closed(l net.Listener) error {
	if err := l.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}
