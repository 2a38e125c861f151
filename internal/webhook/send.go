package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/callwright/callwright/internal/domain"
)

// Bounds of an answer: what is read, so that the connection can be used again,
// and what is kept.
const (
	maxAnswerBytes = 64 << 10
	keptBytes      = 4 << 10
)

// schedules are how long after each failed try the next one starts. The extended
// one is that of Standard Webhooks 1.0.
var schedules = map[domain.RetrySchedule][]time.Duration{
	domain.RetryStandard: {30 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour},
	domain.RetryExtended: {
		5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour,
		10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
	},
}

// maxRetryAfter is the longest wait that a receiver can ask for.
const maxRetryAfter = 24 * time.Hour

// maxJitter is the largest part of a wait that is added to it at random, so that
// what failed together does not come back together.
const maxJitter = 0.1

// outcome is how one try went: err is nil for a success.
type outcome struct {
	status   int
	request  string // what was sent, for the log
	response string
	err      error
	final    bool          // no further try can go better
	gone     bool          // the receiver said that it is gone for good (410)
	after    time.Duration // how long the receiver asks to wait
}

// waits is how long after each failed try the next one starts.
func (w *Worker) waits(kind domain.RetrySchedule) []time.Duration {
	if schedule, known := w.opts.Waits[kind]; known {
		return schedule
	}
	return w.opts.Waits[domain.RetryStandard]
}

// settle writes the outcome into d: delivered, to be tried again by the schedule,
// or failed.
func (o outcome) settle(d *domain.Delivery, schedule []time.Duration, now time.Time) {
	d.StatusCode, d.Response, d.Error = o.status, o.response, ""
	d.LeaseUntil, d.FinishedAt = time.Time{}, now
	if o.err == nil {
		d.State = domain.DeliveryDelivered
		return
	}
	d.Error = o.err.Error()
	if o.final || d.Round() > len(schedule) {
		d.State = domain.DeliveryFailed
		return
	}
	wait := max(schedule[max(d.Round(), 1)-1], o.after)
	wait += time.Duration(rand.Float64() * maxJitter * float64(wait)) //nolint:gosec // spreads load, keeps no secret
	d.State, d.NextAt, d.FinishedAt = domain.DeliveryPending, now.Add(wait), time.Time{}
}

// never makes an outcome that no further try can better.
func never(format string, args ...any) outcome {
	return outcome{err: fmt.Errorf(format, args...), final: true}
}

// send makes one try. The answer's status alone decides: a body that does not
// come to an end is no failure.
func (w *Worker) send(ctx context.Context, t task, now time.Time) outcome {
	if t.endpoint == nil {
		return never("the endpoint was deleted")
	}
	if !t.endpoint.IsActive {
		return never("the endpoint is switched off")
	}
	req, err := w.request(ctx, t, now)
	if err != nil {
		return never("%w", err)
	}
	res, err := w.client.Do(req)
	if err != nil {
		return outcome{request: shown(req), err: explain(err, w.opts.Timeout)}
	}
	defer res.Body.Close()
	o := outcome{status: res.StatusCode, request: shown(req), response: head(res.Body)}
	switch {
	case res.StatusCode >= 200 && res.StatusCode <= 299:
	case res.StatusCode == http.StatusGone:
		o.err, o.final, o.gone = errors.New("the receiver answered 410: it is gone for good"), true, true
	default:
		o.err = fmt.Errorf("the receiver answered %d, not 2xx", res.StatusCode)
		o.after = retryAfter(res.Header.Get("Retry-After"), now)
	}
	return o
}

// retryAfter reads Retry-After (RFC 9110 section 10.2.3), 0 when it says
// nothing.
func retryAfter(header string, now time.Time) time.Duration {
	header = strings.TrimSpace(header)
	if seconds, err := strconv.ParseInt(header, 10, 64); err == nil {
		return min(time.Duration(min(max(seconds, 0), int64(maxRetryAfter/time.Second)))*time.Second, maxRetryAfter)
	}
	if at, err := http.ParseTime(header); err == nil {
		return min(max(at.Sub(now), 0), maxRetryAfter)
	}
	return 0
}

// shown is the head of a request for the log, without what may be a secret: the
// query of the URL and the signatures.
func shown(req *http.Request) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n", req.Method, req.URL.EscapedPath())
	for _, name := range slices.Sorted(maps.Keys(req.Header)) {
		value := req.Header[name][0]
		if strings.Contains(strings.ToLower(name), "signature") {
			value = "(redacted)"
		}
		fmt.Fprintf(&b, "%s: %s\n", name, value)
		if b.Len() > keptBytes {
			break
		}
	}
	return strings.ToValidUTF8(b.String()[:min(b.Len(), keptBytes)], "")
}

// request signs the delivery: with the dialect's own headers, and as Standard
// Webhooks 1.0 has it.
func (w *Worker) request(ctx context.Context, t task, now time.Time) (*http.Request, error) {
	d, e := t.delivery, t.endpoint
	dialect, ok := w.opts.Dialects[e.Dialect]
	if !ok {
		return nil, fmt.Errorf("the endpoint's dialect %q is not served here", e.Dialect)
	}
	if e.Secret == "" {
		return nil, errors.New("the endpoint has no secret to sign with: rotate its secret")
	}
	signer, err := standardwebhooks.NewWebhook(e.Secret)
	if err != nil {
		return nil, errors.New("the endpoint's secret is not whsec_ and base64: rotate its secret")
	}
	signature, err := signer.Sign(string(d.EventID), now, d.Body)
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	if old := oldSignature(e, d, now); old != "" {
		signature += " " + old
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.URL, bytes.NewReader(d.Body))
	if err != nil {
		return nil, errors.New("the endpoint's URL cannot be used: correct it")
	}
	// Set by hand, names keep the spelling that the documents give them.
	req.Header["Content-Type"] = []string{"application/json"}
	req.Header["User-Agent"] = []string{UserAgent}
	req.Header[standardwebhooks.HeaderWebhookID] = []string{string(d.EventID)}
	req.Header[standardwebhooks.HeaderWebhookTimestamp] = []string{strconv.FormatInt(now.Unix(), 10)}
	req.Header[standardwebhooks.HeaderWebhookSignature] = []string{signature}
	for name, value := range dialect.Sign(e.Secret, domain.DeliveryHead{ID: d.EventID, Type: d.EventType, At: now}, d.Body) {
		req.Header[name] = []string{value}
	}
	return req, nil
}

// oldSignature signs with the secret that was replaced, while a receiver may
// still have it.
func oldSignature(e *domain.Endpoint, d domain.Delivery, now time.Time) string {
	if e.OldSecret == "" || !now.Before(e.OldSecretUntil) {
		return ""
	}
	signer, err := standardwebhooks.NewWebhook(e.OldSecret)
	if err != nil {
		return ""
	}
	signature, err := signer.Sign(string(d.EventID), now, d.Body)
	if err != nil {
		return ""
	}
	return signature
}

// head reads an answer and returns what is kept of it: text that any store can
// hold.
func head(body io.Reader) string {
	kept, _ := io.ReadAll(io.LimitReader(body, keptBytes)) // as far as it came
	_, _ = io.Copy(io.Discard, io.LimitReader(body, maxAnswerBytes-keptBytes))
	return strings.ReplaceAll(strings.ToValidUTF8(string(kept), "\ufffd"), "\x00", "\ufffd")
}

// explain says why there is no answer, without the URL: it may hold a secret.
func explain(err error, timeout time.Duration) error {
	var urlErr *url.Error
	if errors.As(err, &urlErr) {
		if urlErr.Timeout() {
			return fmt.Errorf("the receiver did not answer within %s", timeout)
		}
		err = urlErr.Err
	}
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return fmt.Errorf("the receiver's name cannot be resolved: %s", dns.Err)
	}
	return err
}
