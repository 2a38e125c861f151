package wire

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"

	"github.com/callwright/callwright/internal/domain"
)

// ErrorShape renders an error as a dialect's clients know it.
type ErrorShape func(*domain.Error) (status int, body any)

// StatusOf is the HTTP status of a code, where a dialect has none of its own.
func StatusOf(code domain.Code) int {
	switch code {
	case domain.CodeInvalid:
		return http.StatusBadRequest
	case domain.CodeUnauthorized:
		return http.StatusUnauthorized
	case domain.CodePayment:
		return http.StatusPaymentRequired
	case domain.CodeForbidden:
		return http.StatusForbidden
	case domain.CodeNotFound:
		return http.StatusNotFound
	case domain.CodeConflict:
		return http.StatusConflict
	case domain.CodeMismatch, domain.CodeLimitReached:
		return http.StatusUnprocessableEntity
	case domain.CodeRateLimited:
		return http.StatusTooManyRequests
	case domain.CodeTooLarge:
		return http.StatusRequestEntityTooLarge
	case domain.CodeUnsupportedMedia:
		return http.StatusUnsupportedMediaType
	case domain.CodeMethod:
		return http.StatusMethodNotAllowed
	case domain.CodePrecondition:
		return http.StatusPreconditionFailed
	case domain.CodeUnavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// Public returns what a client may know of err: an error that is none of ours
// becomes CodeInternal without its detail, a request that was given up becomes
// CodeUnavailable.
func Public(err error) *domain.Error {
	var known *domain.Error
	switch {
	case errors.As(err, &known) && known.Code != domain.CodeInternal:
		return known
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return domain.Unavailable(time.Second, err, "the request was given up before it was done; try again")
	}
	return domain.Errorf(domain.CodeInternal, "something went wrong on our end")
}

// problem is an error on its way through huma: a status, headers and a body in
// the dialect's shape.
type problem struct {
	status int
	body   any
	err    *domain.Error
}

func newProblem(shape ErrorShape, err *domain.Error) *problem {
	status, body := shape(err)
	return &problem{status: status, body: body, err: err}
}

// Error returns the message; GetStatus, GetHeaders and MarshalJSON are how huma
// writes it.
func (p *problem) Error() string                { return p.err.Error() }
func (p *problem) GetStatus() int               { return p.status }
func (p *problem) GetHeaders() http.Header      { return errorHeaders(p.err) }
func (p *problem) MarshalJSON() ([]byte, error) { return Canonical(p.body) }

// errorHeaders are the headers that go with an error: when to try again.
func errorHeaders(err *domain.Error) http.Header {
	h := make(http.Header)
	switch {
	case err.RetryAfter > 0:
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(err.RetryAfter.Seconds()))))
	case err.Code == domain.CodeRateLimited, err.Code == domain.CodeUnavailable:
		h.Set("Retry-After", "1")
	case err.Code == domain.CodeUnauthorized:
		h.Set("WWW-Authenticate", "Bearer")
	}
	return h
}

// WriteError answers with err in shape.
func WriteError(w http.ResponseWriter, shape ErrorShape, err *domain.Error) {
	for name, values := range errorHeaders(err) {
		w.Header()[name] = values
	}
	status, body := shape(err)
	WriteJSON(w, status, body)
}

// WriteJSON answers with body.
func WriteJSON(w http.ResponseWriter, status int, body any) {
	raw, err := Canonical(body)
	if err != nil {
		status, raw = http.StatusInternalServerError, []byte("{}")
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(raw) // a client that is gone needs no answer
}

// shapeKey is where an operation keeps its dialect's ErrorShape.
const shapeKey = "error-shape"

// speakDialects makes huma's own errors, which are made by package variables of
// huma, take the shape of the operation's dialect.
var speakDialects = sync.OnceFunc(func() {
	huma.DefaultArrayNullable = false
	huma.ValidateStrictCasing = true
	plain := huma.NewErrorWithContext
	huma.NewErrorWithContext = func(ctx huma.Context, status int, msg string, errs ...error) huma.StatusError {
		if ctx != nil && ctx.Operation() != nil {
			if shape, ok := ctx.Operation().Metadata[shapeKey].(ErrorShape); ok {
				return newProblem(shape, fromHuma(status, msg, errs))
			}
		}
		return plain(ctx, status, msg, errs...)
	}
})

// maxComplaints bounds how many faults of one request are listed.
const maxComplaints = 5

// fromHuma translates what huma found wrong with a request. Values that the
// client sent are left out.
func fromHuma(status int, msg string, errs []error) *domain.Error {
	switch {
	case status == http.StatusRequestEntityTooLarge:
		return domain.Errorf(domain.CodeTooLarge, "the request body is too large")
	case status == http.StatusUnsupportedMediaType:
		return domain.Errorf(domain.CodeUnsupportedMedia, "the request body must be JSON")
	case status >= http.StatusInternalServerError:
		return domain.Errorf(domain.CodeInternal, "something went wrong on our end")
	case len(errs) == 0:
		return domain.Invalid("", "%s", msg)
	}
	var texts []string
	field := ""
	for i, err := range errs {
		if i == maxComplaints {
			texts = append(texts, "and more")
			break
		}
		where, what := complaint(err)
		if i == 0 {
			field = where
		}
		texts = append(texts, strings.TrimLeft(where+what, " :"))
	}
	return domain.Invalid(field, "%s", strings.Join(texts, "; "))
}

// complaint turns one fault into the field and what is wrong with it.
func complaint(err error) (field, what string) {
	var detailer huma.ErrorDetailer
	if !errors.As(err, &detailer) {
		return "", "the request is not as documented"
	}
	d := detailer.ErrorDetail()
	field = strings.TrimPrefix(d.Location, "body")
	for _, place := range []string{"query.", "path.", "header.", "."} {
		field = strings.TrimPrefix(field, place)
	}
	field = clip(field, 200)
	what = d.Message
	missing, isMissing := strings.CutPrefix(what, "expected required property ")
	switch {
	case isMissing:
		name, _, _ := strings.Cut(missing, " ")
		return strings.TrimPrefix(field+"."+name, "."), " is required"
	case what == "unexpected property":
		return field, " is not a field that is known here; check its spelling and case"
	case strings.Contains(what, "json:"), strings.Contains(what, "cannot unmarshal"), what == validation.MsgExpectedMatchExactlyOneSchema:
		return field, " has a value that is out of range or of the wrong type"
	case field == "":
		return "", "the request body: " + what
	}
	return field, ": " + what
}
