package wire

import (
	"log/slog"
	"net/http"

	"github.com/callwright/callwright/internal/service"
)

// Options are what a dialect needs.
type Options struct {
	Rules   *service.Service
	Version string       // of the program, for the contract
	Uploads string       // the directory where files are kept while they are read; "" is the system's
	Logger  *slog.Logger // slog.Default() when nil
}

// Make builds a dialect; each one's New is one.
type Make func(Options) (*Dialect, error)

// Dialect is one face of the API, as the server mounts it.
type Dialect struct {
	Name   string // "klen"
	Prefix string // "/klen" before a path chooses the dialect, and is taken off
	// Roots begin all of the dialect's paths: "/api", "/v1".
	Roots  []string
	Router *Router
	// Own begin paths that choose the dialect without a prefix, whatever the host.
	Own []string
	// Hosts are the vendor's own names, which choose the dialect; "api-sandbox."
	// instead of "api." chooses the sandbox, too.
	Hosts []string
	// RateHeaders asks for X-RateLimit-* on every answer.
	RateHeaders bool
	// LiveRate is how many requests a minute live keys have at most, whatever the
	// plan says; 0 is the plan's.
	LiveRate int
	// Key returns the key that a request carries where this dialect's clients put
	// it, "" when there is none. nil is KeyOf.
	Key func(*http.Request) string
	// Check refuses a request of a good key for reasons of the dialect; nil
	// refuses none.
	Check func(*http.Request, *Caller) error
}
