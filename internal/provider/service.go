package provider

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/speech"
)

// service is an engine that is reached over HTTP: where it is, how it is asked,
// and how long it is waited for.
type service struct {
	name   string // for errors and records
	base   *url.URL
	key    string
	client *http.Client
	first  time.Duration // from the request to the first piece of the answer
	stall  time.Duration // between two pieces
}

// Bounds of what is waited for when the operator says nothing: conversations
// have long gone on to another engine, or given up.
const (
	firstPiece = 15 * time.Second
	nextPiece  = 10 * time.Second
)

// openService reads what all services have in common. address is where the
// vendor serves the engine; "" when it must be configured.
func openService(name, address string, c speech.Config) (service, error) {
	if c.URL != "" {
		address = c.URL
	}
	s := service{name: name, key: c.Key, client: newClient(), first: firstPiece, stall: nextPiece}
	base, err := url.Parse(strings.TrimRight(address, "/"))
	secure := map[string]bool{"http": true, "https": true, "ws": true, "wss": true}
	if err != nil || !secure[base.Scheme] || base.Host == "" {
		return s, domain.Invalid("url", "%s: %q is no address of a server; write it like https://api.example.com/v1", name, address)
	}
	s.base = base
	for option, target := range map[string]*time.Duration{"first": &s.first, "stall": &s.stall} {
		text, given := c.Options[option]
		if !given {
			continue
		}
		d, err := time.ParseDuration(text)
		if err != nil || d <= 0 {
			return s, domain.Invalid("options."+option, "%s: the option %s is %q; write a time like 5s", name, option, text)
		}
		*target = d
	}
	return s, nil
}

// newClient makes a client for one engine. It follows no redirect, which would
// carry the key elsewhere, and keeps enough connections for many calls at once.
func newClient() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
			ForceAttemptHTTP2:   true,
			MaxIdleConns:        256,
			MaxIdleConnsPerHost: 256,
			IdleConnTimeout:     90 * time.Second,
			TLSHandshakeTimeout: 5 * time.Second,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// address is the base with a path below it, which may have a query.
func (s *service) address(path string) *url.URL {
	path, query, _ := strings.Cut(path, "?")
	u := s.base.JoinPath(path)
	if u.RawQuery != "" && query != "" {
		query = u.RawQuery + "&" + query
	}
	if query != "" {
		u.RawQuery = query
	}
	return u
}

// post sends a request and returns an answer of status 2xx, whose body the
// caller closes. It waits for the head of the answer as long as ctx lives.
func (s *service) post(ctx context.Context, path, contentType string, body io.Reader, header map[string]string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.address(path).String(), body)
	if err != nil {
		return nil, s.fault(false, err)
	}
	req.Header.Set("User-Agent", "Callwright")
	req.Header.Set("Content-Type", contentType)
	for name, value := range header {
		req.Header.Set(name, value)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, s.broken(ctx, err)
	}
	if resp.StatusCode/100 != 2 {
		defer resp.Body.Close()
		return nil, s.refused(resp)
	}
	return resp, nil
}

// Remote is true: what it answers has come over the network.
func (s *service) Remote() bool { return true }

func (s *service) fault(retryable bool, err error) error {
	return &speech.Error{Engine: s.name, Err: err, Retryable: retryable}
}

// broken explains an error of the network. What ended ctx is told before what
// that did to the connection. net/http's wrapper would show the address with its
// query, which may hold a key.
func (s *service) broken(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		var ours *silence
		if errors.As(cause, &ours) {
			return s.fault(true, cause)
		}
		return ctx.Err()
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return s.fault(true, fmt.Errorf("%s cannot be reached (%w); see that its server runs and that the url is right", s.base.Host, err))
	}
	return s.fault(true, fmt.Errorf("the connection to %s broke: %w", s.base.Host, err))
}

// refused explains an answer that is no success, and says what to do about it.
func (s *service) refused(resp *http.Response) error {
	status := resp.StatusCode
	why := s.complaint(resp)
	said := fmt.Sprintf("%s answered %d", s.base.Host, status)
	switch {
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		// Servers repeat a part of the key here, so their words are left out.
		if s.key == "" {
			return s.fault(false, fmt.Errorf("%s: it wants a key; set the engine's key in callwright.yaml", said))
		}
		return s.fault(false, fmt.Errorf("%s: it does not accept the key, or not for this model; set another in callwright.yaml", said))
	case status == http.StatusNotFound:
		return s.fault(false, fmt.Errorf("%s%s: see that the url and the model or voice are right", said, why))
	case status == http.StatusTooManyRequests:
		if after := retryAfter(resp.Header.Get("Retry-After")); after > 0 {
			said += fmt.Sprintf(" (again in %s)", after)
		}
		return s.fault(true, fmt.Errorf("%s%s: too many requests, or no credit is left", said, why))
	case status == http.StatusRequestTimeout || status >= 500:
		return s.fault(true, fmt.Errorf("%s%s: the server is in trouble", said, why))
	case status >= 300 && status < 400:
		return s.fault(false, fmt.Errorf("%s: it has moved; set its new url in callwright.yaml", said))
	}
	return s.fault(false, fmt.Errorf("%s%s", said, why))
}

// maxComplaint bounds what is read and shown of a server's own words.
const maxComplaint = 300

// complaint is what a server says about an error, worded to follow its status.
func (s *service) complaint(resp *http.Response) string {
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 16<<10))
	if err != nil && len(raw) == 0 {
		return ""
	}
	if text := s.clean(wordsOf(raw)); text != "" {
		return ": " + text
	}
	return ""
}

// clean makes a server's words fit for a log line, without the key.
func (s *service) clean(text string) string {
	text = strings.Join(strings.Fields(printable(text)), " ")
	if s.key != "" {
		text = strings.ReplaceAll(text, s.key, "***")
	}
	if runes := []rune(text); len(runes) > maxComplaint {
		text = string(runes[:maxComplaint]) + "…"
	}
	return text
}

// wordsOf finds the message in the shapes of errors that vendors use: {"error":
// {"message"}}, {"error": ""}, {"message"}, {"detail": {"message"}}, {"err_msg"}.
func wordsOf(raw []byte) string {
	var object map[string]json.RawMessage
	if json.Unmarshal(raw, &object) != nil {
		return ""
	}
	for _, name := range []string{"error", "message", "detail", "err_msg"} {
		var text string
		switch inner := object[name]; {
		case len(inner) == 0:
		case json.Unmarshal(inner, &text) == nil && text != "":
			return text
		case inner[0] == '{':
			if text = wordsOf(inner); text != "" {
				return text
			}
		}
	}
	return ""
}

// retryAfter reads the header in seconds; the form with a date is not used by
// these vendors.
func retryAfter(header string) time.Duration {
	seconds, err := strconv.Atoi(header)
	if err != nil || seconds < 0 {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

// mediaType is an answer's type without its parameters, "" when it has none.
func mediaType(resp *http.Response) string {
	kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return kind
}

// silence is why an engine was given up that sent nothing for too long.
type silence struct {
	after time.Duration
	first bool
}

func (e *silence) Error() string {
	if e.first {
		return fmt.Sprintf("no answer came within %s", e.after)
	}
	return fmt.Sprintf("nothing more came for %s", e.after)
}

// Is makes a silence before the first sound what speech calls late, and one
// after it what speech calls stalled.
func (e *silence) Is(target error) bool {
	return e.first && target == speech.ErrLate || !e.first && target == speech.ErrStalled
}

// patience ends a context when no piece of an answer comes for too long.
type patience struct {
	cancel context.CancelCauseFunc
	timer  *time.Timer
	stall  time.Duration
}

// wait begins to wait for the first piece. The caller ends it with stop.
func (s *service) wait(ctx context.Context) (context.Context, *patience) {
	ctx, cancel := context.WithCancelCause(ctx)
	first := s.first
	return ctx, &patience{
		cancel: cancel, stall: s.stall,
		timer: time.AfterFunc(first, func() { cancel(&silence{after: first, first: true}) }),
	}
}

// piece tells that something came, and waits for the next.
func (p *patience) piece() {
	p.timer.Stop()
	p.timer = time.AfterFunc(p.stall, func() { p.cancel(&silence{after: p.stall}) })
}

func (p *patience) stop() {
	p.timer.Stop()
	p.cancel(nil)
}
