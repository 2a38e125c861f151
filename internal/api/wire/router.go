package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
)

// Route is one operation of a dialect.
type Route struct {
	Method  string
	Path    string // "/api/v1/agents/{id}"
	ID      string // operation id, "list-agents"
	Summary string
	Tag     string
	// Scope is what a key must have: "<resource>:read" or "<resource>:write", or
	// AnyScope.
	Scope  string
	Status int  // of a success; 0 is 200
	Hidden bool // not in the contract: an alias
	// Stored says that a good answer is made of the caller's scope, the request's
	// target, the public URL, the end of links to recordings and what is stored, and
	// of nothing else: it may be remembered until something is committed.
	Stored bool
	// Open lets requests without a key in; the handler checks who may.
	Open bool
	// Aliases are other ways to the route, "PATH" with its Method or "METHOD
	// PATH", with the same names of path parameters. They pass the same chain and
	// are not in the contract.
	Aliases []string
	// Shape renders the route's errors, where they differ from the dialect's.
	Shape ErrorShape
	// Form says that the route takes a file; nil: JSON only.
	Form *Form
}

// aliases are the routes of r's other ways, hidden and numbered.
func (r Route) aliases() []Route {
	all := make([]Route, len(r.Aliases))
	for i, way := range r.Aliases {
		alias := r
		alias.Aliases, alias.Hidden, alias.ID = nil, true, fmt.Sprintf("%s-alias-%d", r.ID, i+1)
		alias.Path = way
		if method, path, found := strings.Cut(way, " "); found {
			alias.Method, alias.Path = method, path
		}
		all[i] = alias
	}
	return all
}

// AnyScope is the scope of a route that every key may use.
const AnyScope = "any"

var scopeForm = regexp.MustCompile(`^[a-z-]+:(read|write)$`)

// RouterOptions are what a dialect's router needs.
type RouterOptions struct {
	Title       string
	Description string
	Version     string
	Shape       ErrorShape
	ErrorBody   any    // a value of the type that Shape returns, for the contract
	KeyQuery    string // a query parameter that may carry the key, for the contract; "" is none
	Uploads     string // the directory where files are kept while they are read; "" is the system's
	Rules       *service.Service
	Logger      *slog.Logger
}

// Router carries the routes of one dialect, and their contract.
type Router struct {
	Shape  ErrorShape
	mux    *http.ServeMux
	api    huma.API
	once   onceGuard
	files  string // RouterOptions.Uploads
	log    *slog.Logger
	fault  any              // of RouterOptions.ErrorBody
	routes map[string]Route // by pattern
	errs   []error

	completed sync.Once // the contract
}

// NewRouter returns a router without routes.
func NewRouter(o RouterOptions) *Router {
	speakDialects()
	rt := &Router{Shape: o.Shape, mux: http.NewServeMux(), log: o.Logger, routes: make(map[string]Route)}
	rt.once.rules, rt.files = o.Rules, o.Uploads
	if rt.log == nil {
		rt.log = slog.Default()
	}
	format := huma.Format{Marshal: marshal, Unmarshal: json.Unmarshal}
	registry := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	rt.api = humago.New(rt.mux, huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info:    &huma.Info{Title: o.Title, Description: o.Description, Version: o.Version},
			Components: &huma.Components{
				Schemas: registry,
				SecuritySchemes: map[string]*huma.SecurityScheme{
					"bearer": {Type: "http", Scheme: "bearer"},
					"header": {Type: "apiKey", In: "header", Name: "X-API-Key"},
				},
			},
			Security: []map[string][]string{{"bearer": {}}, {"header": {}}},
		},
		Formats:       map[string]huma.Format{"application/json": format, "json": format},
		DefaultFormat: "application/json",
	})
	if o.KeyQuery != "" {
		contract := rt.api.OpenAPI()
		contract.Components.SecuritySchemes["query"] = &huma.SecurityScheme{Type: "apiKey", In: "query", Name: o.KeyQuery}
		contract.Security = append(contract.Security, map[string][]string{"query": {}})
	}
	rt.fault = o.ErrorBody
	return rt
}

// answers are buffers that answers are encoded in.
var answers = sync.Pool{New: func() any { return new([]byte) }}

// largeAnswer is from where on a buffer is not kept for the next answer.
const largeAnswer = 256 << 10

func marshal(w io.Writer, v any) error {
	buf := answers.Get().(*[]byte) //nolint:errcheck,forcetypeassert // the pool holds nothing else
	raw, err := appendCanonical((*buf)[:0], v)
	if err == nil {
		_, err = w.Write(raw)
	}
	if cap(raw) <= largeAnswer {
		*buf = raw
		answers.Put(buf)
	}
	return err
}

// Handle adds a route whose input and output huma reads and writes: see the
// package huma for the tags of I and O. An error of handler is answered in the
// dialect's shape.
func Handle[I, O any](rt *Router, r Route, handler func(context.Context, *I) (*O, error)) {
	for _, alias := range r.aliases() {
		Handle(rt, alias, handler)
	}
	if !rt.add(r) {
		return
	}
	shape := rt.ShapeOf(r)
	op := huma.Operation{
		OperationID: r.ID, Method: r.Method, Path: r.Path, Summary: r.Summary,
		DefaultStatus: r.Status, Hidden: r.Hidden, Tags: tags(r),
		// The body was read, bounded and checked before huma sees it.
		MaxBodyBytes: -1, BodyReadTimeout: -1,
		Metadata:    map[string]any{shapeKey: shape},
		Middlewares: huma.Middlewares{rt.admit(r)},
		Responses:   map[string]*huma.Response{"default": rt.faultOf(r)},
	}
	if r.Scope != AnyScope {
		op.Description = "Needs the scope `" + r.Scope + "`."
	}
	if r.Status == 0 {
		op.DefaultStatus = http.StatusOK
	}
	op.Responses[fmt.Sprint(op.DefaultStatus)] = &huma.Response{}
	huma.Register(rt.api, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := handler(ctx, in)
		if err != nil {
			if first := rt.once.lost(ctx); first != nil {
				return nil, replayed{first}
			}
			return nil, newProblem(shape, rt.public(ctx, err))
		}
		return out, nil
	})
	if r.Form != nil && !r.Hidden {
		r.Form.describe(rt.Contract().Paths[r.Path].Post) // files come with POST
	}
}

// Raw adds a route that answers by itself; doc describes it in the contract.
func (rt *Router) Raw(r Route, doc *huma.Operation, handler func(http.ResponseWriter, *http.Request) error) {
	for _, alias := range r.aliases() {
		rt.Raw(alias, nil, handler)
	}
	if !rt.add(r) {
		return
	}
	if doc != nil {
		if doc.Responses == nil {
			doc.Responses = make(map[string]*huma.Response)
		}
		if doc.Responses["default"] == nil {
			doc.Responses["default"] = rt.faultOf(r)
		}
		doc.OperationID, doc.Method, doc.Path, doc.Summary, doc.Tags = r.ID, r.Method, r.Path, r.Summary, tags(r)
		rt.api.OpenAPI().AddOperation(doc)
	}
	rt.mux.HandleFunc(r.Method+" "+r.Path, func(w http.ResponseWriter, req *http.Request) {
		if err := handler(w, req); err != nil {
			WriteError(w, rt.ShapeOf(r), rt.public(req.Context(), err))
		}
	})
}

// ShapeOf returns how the errors of r are rendered.
func (rt *Router) ShapeOf(r Route) ErrorShape {
	if r.Shape != nil {
		return r.Shape
	}
	return rt.Shape
}

// add notes a route; one without a scope is an error of Err.
func (rt *Router) add(r Route) bool {
	pattern := r.Method + " " + r.Path
	switch {
	case r.Scope != AnyScope && !scopeForm.MatchString(r.Scope):
		rt.errs = append(rt.errs, fmt.Errorf("route %s has no scope", pattern))
		return false
	case r.ID == "" || r.Summary == "":
		rt.errs = append(rt.errs, fmt.Errorf("route %s has no id or summary", pattern))
		return false
	}
	if _, twice := rt.routes[pattern]; twice {
		rt.errs = append(rt.errs, fmt.Errorf("route %s is there twice", pattern))
		return false
	}
	rt.routes[pattern] = r
	return true
}

// Err tells what is wrong with the routes, or nil. It comes after the last route
// and before the first request, and completes the contract.
func (rt *Router) Err() error {
	rt.completed.Do(rt.complete)
	return errors.Join(rt.errs...)
}

// Routes lists the routes in no order.
func (rt *Router) Routes() []Route {
	all := make([]Route, 0, len(rt.routes))
	for _, r := range rt.routes {
		all = append(all, r)
	}
	return all
}

// Match returns the route that serves r. When there is none, allow lists the
// methods that its path has, if any.
func (rt *Router) Match(r *http.Request) (route Route, allow string, found bool) {
	handler, pattern := rt.mux.Handler(r)
	if route, found = rt.routes[pattern]; found {
		return route, "", true
	}
	if pattern != "" {
		return Route{}, "", false // the mux would redirect to a cleaner path
	}
	probe := &allowProbe{header: make(http.Header)}
	handler.ServeHTTP(probe, r)
	return Route{}, probe.header.Get("Allow"), false
}

// ServeHTTP serves a request that Match found a route for.
func (rt *Router) ServeHTTP(w http.ResponseWriter, r *http.Request) { rt.mux.ServeHTTP(w, r) }

// allowProbe takes the mux's own answer to a path without the method.
type allowProbe struct{ header http.Header }

// Header, Write and WriteHeader make it an http.ResponseWriter.
func (p *allowProbe) Header() http.Header         { return p.header }
func (p *allowProbe) Write(b []byte) (int, error) { return len(b), nil }
func (p *allowProbe) WriteHeader(int)             {}

// admit checks the key's scope, reads the body and looks at the
// Idempotency-Key before huma decodes anything.
func (rt *Router) admit(route Route) func(huma.Context, func(huma.Context)) {
	shape := rt.ShapeOf(route)
	return func(ctx huma.Context, next func(huma.Context)) {
		r, w := humago.Unwrap(ctx)
		if err := Allowed(r.Context(), route.Scope); err != nil && !route.Open {
			WriteError(w, shape, Public(err))
			return
		}
		body, same, err := rt.body(w, r, route.Form)
		defer RequestOf(r.Context()).upload.close()
		if err != nil {
			WriteError(w, shape, Public(err))
			return
		}
		stored, leave, err := rt.once.enter(r, same)
		defer leave()
		switch {
		case err != nil:
			WriteError(w, shape, rt.public(r.Context(), err))
		case stored != nil:
			replay(w, stored)
		default:
			r.Body = io.NopCloser(bytes.NewReader(body))
			r.Header.Set("Content-Type", "application/json")
			next(ctx)
		}
	}
}

// body reads the body of a request: JSON, and what makes two requests the same.
// A form is kept with the request, and has no JSON.
func (rt *Router) body(w http.ResponseWriter, r *http.Request, form *Form) (body, same []byte, err error) {
	if form == nil || form.isJSON(r) {
		body, err = readJSON(r)
		return body, body, err
	}
	upload, err := form.read(w, r, rt.files)
	if err != nil {
		return nil, nil, err
	}
	RequestOf(r.Context()).upload = upload
	return []byte("{}"), upload.digest(), nil
}

// KeyMissing is the error of a request without a key.
func KeyMissing() error {
	return domain.Errorf(domain.CodeUnauthorized, "an API key is required; send it as Authorization: Bearer YOUR_API_KEY").
		For(domain.ReasonKeyMissing, "")
}

// Allowed returns CodeForbidden when the request's key has not got scope.
func Allowed(ctx context.Context, scope string) error {
	caller := RequestOf(ctx).Caller
	if caller == nil {
		return KeyMissing()
	}
	if scope == AnyScope || caller.Identity.Key.Can(scope) {
		return nil
	}
	if use := RequestOf(ctx).Use; use != nil {
		use.Fault = domain.FaultScope
	}
	return domain.Errorf(domain.CodeForbidden, "the API key lacks the scope %s", scope).For(domain.ReasonScopeMissing, scope)
}

// public is what the client may know of an error of a handler. What it must not
// see goes to the log.
func (rt *Router) public(ctx context.Context, err error) *domain.Error {
	shown := Public(err)
	if shown.Code == domain.CodeInternal {
		rt.log.ErrorContext(ctx, "a request failed", "request", RequestOf(ctx).ID, "error", err)
	}
	return shown
}

func tags(r Route) []string {
	if r.Tag != "" {
		return []string{r.Tag}
	}
	resource, _, _ := strings.Cut(r.Scope, ":")
	return []string{resource}
}
