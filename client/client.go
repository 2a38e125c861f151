// Package client is a typed Go client of the Callwright API. Its types and
// methods are generated from the API's contract; this part of it sends requests
// and tries again what may be tried again. It needs nothing but the standard
// library.
package client

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

//go:generate go run ./internal/generate -contract ../docs/openapi/native.json

// Options are what a client needs.
type Options struct {
	// URL is where the server is, such as "https://calls.example.com"; a path that
	// chooses the sandbox ("/sandbox") may follow, and "/api/v1" is ignored.
	URL string
	// Key is the API key.
	Key string
	// HTTP sends the requests; nil is a client of its own without a time limit, so
	// that the context of each request says how long it may take.
	HTTP *http.Client
	// Tries is how often a request is sent at most; 0 is 5.
	Tries int
	// Patience is the longest time between two tries; an answer that asks for more
	// is returned as the error that it is. 0 is a minute, the API's rate window.
	Patience time.Duration
	// UserAgent names the program that asks; "" is "callwright-go".
	UserAgent string
}

// Client calls the API. It may be used by many goroutines at once.
type Client struct {
	o    Options
	base *url.URL
}

// New returns a client. It sends nothing yet.
func New(o Options) (*Client, error) {
	base, err := url.Parse(o.URL)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, fmt.Errorf("%q is not the URL of a server; write it like http://127.0.0.1:8080", o.URL)
	}
	base.Path = strings.TrimSuffix(strings.TrimRight(base.Path, "/"), "/api/v1")
	base.RawQuery, base.Fragment = "", ""
	if o.Key == "" {
		return nil, fmt.Errorf("an API key is needed; make one with: callwright key create --name NAME")
	}
	if o.HTTP == nil {
		o.HTTP = &http.Client{}
	}
	o.Tries = cmp.Or(o.Tries, 5)
	o.Patience = cmp.Or(o.Patience, time.Minute)
	o.UserAgent = cmp.Or(o.UserAgent, "callwright-go")
	return &Client{o: o, base: base}, nil
}

// Option changes one request.
type Option func(*call)

// call is one request with what its caller said about it.
type call struct {
	header http.Header
	meta   []*Meta
}

// IdempotencyKey names what a POST is to do once, however often it is sent:
// within a day the same key gets the same answer. A POST without one gets a
// random one, which makes its tries safe but not those of a later process.
func IdempotencyKey(key string) Option { return Header("Idempotency-Key", key) }

// IfMatch changes an object only if it still has this ETag; else the error's
// status is 412.
func IfMatch(etag string) Option { return Header("If-Match", etag) }

// Header sends a header.
func Header(name, value string) Option {
	return func(c *call) { c.header.Set(name, value) }
}

// Meta is what an answer says beside its body.
type Meta struct {
	Status   int
	ETag     string // the version of an object, for IfMatch
	Replayed bool   // the Idempotency-Key was seen before
	Tries    int
	Header   http.Header
}

// Into fills m from the answer.
func Into(m *Meta) Option { return func(c *call) { c.meta = append(c.meta, m) } }

// object runs a request whose answer is one object.
func object[T any](ctx context.Context, c *Client, r request, more []Option) (*T, error) {
	v := new(T)
	if err := c.do(ctx, r, more, v); err != nil {
		return nil, err
	}
	return v, nil
}
