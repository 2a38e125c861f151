// Package api serves the HTTP API: it finds the dialect and the mode of each
// request, lets in who may come in, and keeps every answer in the dialect's
// shape.
package api

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
	"github.com/callwright/callwright/internal/service/uptime"
)

// Options are what the server needs.
type Options struct {
	Service *service.Service // required
	// Dialects make the faces of the API; the first one is the default.
	Dialects []wire.Make
	// Ready tells whether the process can take work; nil means always.
	Ready func(context.Context) error
	// Generation is another number after each commit to the database, by whatever
	// process, and false when that is not known; nil: nothing is remembered.
	Generation func(context.Context) (uint64, bool)
	// Status has what the public status page shows; nil: there is none.
	Status func() uptime.StatusPage
	// Fallback serves the paths that are not the API's; nil answers 404.
	Fallback http.Handler
	// Hosts chooses a dialect by the request's host name, beside the names that
	// the dialects bring: "voice.example.com": "klen". "sandbox/klen" chooses the
	// sandbox, too.
	Hosts map[string]string
	// PublicURL is where the server is reached from outside; "" takes what each
	// request says.
	PublicURL string
	// TrustedProxies are the networks whose word on where a request came from is
	// believed; none is nobody's.
	TrustedProxies []netip.Prefix
	// Uploads is the directory where files are kept while they are read; "" is
	// that of temporary files.
	Uploads string
	Version string
	Now     func() time.Time // time.Now when nil
	Logger  *slog.Logger     // slog.Default() when nil
}

// face is one dialect as it is mounted.
type face struct {
	*wire.Dialect
	// What is read seldom is made when it is first asked for.
	openapi func() ([]byte, error)
	docs    func() ([]byte, error)
}

// server is the API's HTTP handler.
type server struct {
	Options
	faces  []*face // the first one is the default
	hosts  map[string]door
	memory memory
}

// door is what a host name chooses.
type door struct {
	face *face
	test bool
}

// New returns the handler of the whole API.
func New(o Options) (http.Handler, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	s := &server{Options: o, hosts: make(map[string]door)}
	for _, build := range o.Dialects {
		if err := s.mount(build); err != nil {
			return nil, err
		}
	}
	if len(s.faces) == 0 {
		return nil, domain.Invalid("dialects", "the API needs at least one dialect")
	}
	return s, s.name(o.Hosts)
}

// mount adds a dialect.
func (s *server) mount(build wire.Make) error {
	d, err := build(wire.Options{Rules: s.Service, Version: s.Version, Uploads: s.Uploads, Logger: s.Logger})
	if err != nil {
		return err
	}
	f := &face{Dialect: d}
	f.openapi = sync.OnceValues(d.Router.OpenAPI)
	f.docs = sync.OnceValues(func() ([]byte, error) { return s.docs(f) })
	if f.Key == nil {
		f.Key = wire.KeyOf
	}
	for _, host := range d.Hosts {
		s.hosts[host] = door{face: f}
		if rest, found := strings.CutPrefix(host, "api."); found {
			s.hosts["api-sandbox."+rest] = door{face: f, test: true}
		}
	}
	s.faces = append(s.faces, f)
	return nil
}

// name lets host names choose dialects, as an operator says.
func (s *server) name(hosts map[string]string) error {
	for host, word := range hosts {
		name, test := strings.CutPrefix(word, "sandbox/")
		i := slices.IndexFunc(s.faces, func(f *face) bool { return f.Name == name })
		if i < 0 {
			return domain.Invalid("hosts", "hosts: %s names no dialect of the API; use one of %s, or sandbox/ before it", host, s.dialectNames())
		}
		s.hosts[strings.ToLower(host)] = door{face: s.faces[i], test: test}
	}
	return nil
}

func (s *server) dialectNames() string {
	names := make([]string, len(s.faces))
	for i, f := range s.faces {
		names[i] = f.Name
	}
	return strings.Join(names, ", ")
}
