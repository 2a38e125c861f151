package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// request is one operation with its arguments.
type request struct {
	method, path string
	target       *url.URL // instead of path and query: a link of an answer
	query        url.Values
	body         any                           // sent as JSON
	contentType  string                        // of raw
	raw          io.Reader                     // sent as it is, once
	stream       func() (io.ReadCloser, error) // sent as it is, made anew for each try
	accept       string
}

// maxAnswer bounds what is read of a JSON answer.
const maxAnswer = 64 << 20

// do runs a request and decodes its answer into v, unless v is nil.
func (c *Client) do(ctx context.Context, r request, more []Option, v any) error {
	res, err := c.open(ctx, r, more)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return fmt.Errorf("reading the answer to %s %s: %w", r.method, r.path, err)
	}
	if len(raw) > maxAnswer {
		return fmt.Errorf("the answer to %s %s is longer than %d bytes", r.method, r.path, maxAnswer)
	}
	if v == nil || res.StatusCode == http.StatusNoContent {
		return nil
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return fmt.Errorf("the answer to %s %s is not as the contract says: %w", r.method, r.path, err)
	}
	return nil
}

// open runs a request and returns its answer, whose body the caller closes. What
// may be sent again is sent again: after 429, 503 and what proxies answer when
// the server is away, and after a connection that broke.
func (c *Client) open(ctx context.Context, r request, more []Option) (*http.Response, error) {
	one := call{header: make(http.Header)}
	for _, option := range more {
		option(&one)
	}
	body, err := c.head(&one, r)
	if err != nil {
		return nil, err
	}
	safe := r.raw == nil && (r.method != http.MethodPost || one.header.Get("Idempotency-Key") != "") &&
		(r.method == http.MethodGet || one.header.Get("If-Match") == "")
	for try := 1; ; try++ {
		res, err := c.send(ctx, r, one.header, body)
		if err == nil {
			for _, meta := range one.meta {
				*meta = Meta{Status: res.StatusCode, ETag: res.Header.Get("ETag"), Header: res.Header, Tries: try,
					Replayed: res.Header.Get("Idempotent-Replayed") != ""}
			}
			return res, nil
		}
		wait, again := c.again(err, try, safe)
		if !again || r.raw != nil {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(err, ctx.Err())
		case <-time.After(wait):
		}
	}
}

// head fills the headers of a request and renders its body.
func (c *Client) head(one *call, r request) ([]byte, error) {
	set := func(name, value string) {
		if one.header.Get(name) == "" && value != "" {
			one.header.Set(name, value)
		}
	}
	set("Authorization", "Bearer "+c.o.Key)
	set("User-Agent", c.o.UserAgent)
	set("Accept", r.accept)
	set("Content-Type", r.contentType)
	if r.method == http.MethodPost {
		set("Idempotency-Key", rand.Text())
	}
	if r.body == nil {
		return nil, nil
	}
	set("Content-Type", "application/json")
	return json.Marshal(r.body)
}

// send sends a request once. An answer that is no success is an *Error.
func (c *Client) send(ctx context.Context, r request, header http.Header, body []byte) (*http.Response, error) {
	var content io.Reader
	switch {
	case r.raw != nil:
		content = r.raw
	case r.stream != nil:
		made, err := r.stream()
		if err != nil {
			return nil, err
		}
		defer func() { _ = made.Close() }() // before another try reads the same file
		content = made
	case body != nil:
		content = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, c.target(r), content)
	if err != nil {
		return nil, err
	}
	req.Header = header.Clone()
	res, err := c.o.HTTP.Do(req)
	if err != nil {
		return nil, err
	}
	if res.StatusCode/100 == 2 {
		return res, nil
	}
	defer func() { _ = res.Body.Close() }()
	raw, _ := io.ReadAll(io.LimitReader(res.Body, 64<<10)) // what came of it is shown
	return nil, errorOf(res, raw, time.Now())
}

// target is the URL of a request.
func (c *Client) target(r request) string {
	if r.target != nil {
		return r.target.String()
	}
	target := strings.TrimRight(c.base.String(), "/") + r.path
	if q := r.query.Encode(); q != "" {
		target += "?" + q
	}
	return target
}

// away are the statuses with which something in front of the server says that
// it did not answer.
var away = []int{http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout}

// again tells whether a request may be sent again after err, and when. Safe
// requests have their effect once, however often they are sent.
func (c *Client) again(err error, try int, safe bool) (wait time.Duration, ok bool) {
	if try >= c.o.Tries || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return 0, false
	}
	var answer *Error
	if errors.As(err, &answer) {
		switch {
		case answer.Status == http.StatusTooManyRequests: // nothing was done
		case safe && slices.Contains(away, answer.Status):
		case safe && answer.Status == http.StatusConflict && answer.RetryAfter > 0: // an earlier try of it is being served
		default:
			return 0, false
		}
		if answer.RetryAfter > 0 {
			return answer.RetryAfter, answer.RetryAfter <= c.o.Patience
		}
	} else if !safe {
		return 0, false
	}
	// Full jitter over a doubling time, so that many clients do not come at once.
	most := min(200*time.Millisecond<<(try-1), 5*time.Second, c.o.Patience)
	return most/4 + mathrand.N(most), true
}

// addQuery adds a parameter unless it is the zero value.
func addQuery[T string | int64 | float64 | bool | []string](v url.Values, name string, value T) {
	text := ""
	switch value := any(value).(type) {
	case string:
		text = value
	case int64:
		text = strconv.FormatInt(value, 10)
	case float64:
		text = strconv.FormatFloat(value, 'g', -1, 64)
	case bool:
		text = strconv.FormatBool(value)
	case []string:
		text = strings.Join(value, ",")
	}
	if text != "" && text != "0" && text != "false" {
		v.Set(name, text)
	}
}
