package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Bounds of a flow's HTTP requests.
const (
	requestTime = 10 * time.Second // when the node says nothing
	maxAnswer   = 64 << 10         // bytes that are read of an answer
)

// request performs the arguments of a flow.Do of kind http. It returns the
// answer's body: as JSON decodes it, as a string when it is no JSON, nil when it
// is empty. Every status but 2xx is an error, with the body beside it. Errors
// tell the host and nothing else of the address, which may hold secrets.
func request(ctx context.Context, client *http.Client, args map[string]any) (any, error) {
	if client == nil {
		return nil, errors.New("requests are not available in this build")
	}
	limit := requestTime
	if seconds, ok := args["timeoutSeconds"].(float64); ok && seconds > 0 {
		limit = time.Duration(seconds * float64(time.Second))
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	req, err := newRequest(ctx, args)
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("the request to %s failed: %w", req.URL.Host, bare(err, limit))
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("the answer of %s broke off: %w", req.URL.Host, bare(err, limit))
	case len(body) > maxAnswer:
		return nil, fmt.Errorf("the answer of %s is longer than %d kB", req.URL.Host, maxAnswer>>10)
	}
	value, err := decoded(resp.Header.Get("Content-Type"), body)
	if err != nil {
		return nil, fmt.Errorf("the answer of %s is not the JSON that it says it is", req.URL.Host)
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return value, fmt.Errorf("%s answered the request with %d", req.URL.Host, resp.StatusCode)
	}
	return value, nil
}

func newRequest(ctx context.Context, args map[string]any) (*http.Request, error) {
	method, _ := args["method"].(string)
	address, _ := args["url"].(string)
	var body io.Reader
	kind := ""
	switch content := args["body"].(type) {
	case nil:
	case string:
		body, kind = strings.NewReader(content), "text/plain; charset=utf-8"
	default:
		raw, err := json.Marshal(content)
		if err != nil {
			return nil, fmt.Errorf("the body of the request is no JSON: %w", err)
		}
		body, kind = bytes.NewReader(raw), "application/json"
	}
	req, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil || req.URL.Host == "" || req.URL.Scheme != "http" && req.URL.Scheme != "https" {
		return nil, errors.New("the address of the request is no http or https URL")
	}
	req.Header.Set("User-Agent", "Callwright")
	req.Header.Set("Accept", "application/json, */*;q=0.5")
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	headers, _ := args["headers"].(map[string]any)
	for name, value := range headers {
		if text, ok := value.(string); ok {
			req.Header.Set(name, text)
		}
	}
	return req, nil
}

// bare is err without the address that net/http puts before it.
func bare(err error, limit time.Duration) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("no answer within %s", limit)
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

// decoded reads a body. One that says it is JSON must be.
func decoded(contentType string, body []byte) (any, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, nil
	}
	var value any
	err := json.Unmarshal(body, &value)
	if err == nil {
		return value, nil
	}
	kind, _, _ := mime.ParseMediaType(contentType) // one that cannot be read says nothing
	if kind == "application/json" || strings.HasSuffix(kind, "+json") {
		return nil, err
	}
	return strings.ToValidUTF8(string(body), "\ufffd"), nil
}
