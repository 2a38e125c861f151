package trillet

import (
	"testing"
	"time"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
)

// TestErrorBodies compares with the documents' words; message beside error is
// ours.
func TestErrorBodies(t *testing.T) {
	limited := domain.Errorf(domain.CodeRateLimited, "x")
	limited.RetryAfter, limited.ResetAt = 59*time.Second+time.Millisecond, time.Date(2024, 1, 22, 15, 30, 0, 0, time.UTC)
	for _, c := range []struct {
		err        *domain.Error
		shape      wire.ErrorShape
		status     int
		body, rest string
	}{
		{domain.Errorf(domain.CodePayment, "x").For(domain.ReasonInsufficientCredits, ""), Shape, 402,
			`{"error":{"code":"insufficient_credits","message":"Your account has insufficient credits"}`, `,"message":"Your account has insufficient credits"}`},
		{domain.Invalid("to", "x").For(domain.ReasonInvalidNumber, ""), Shape, 400,
			`{"error":{"code":"invalid_number","message":"The provided phone number is invalid"}`, `,"message":"The provided phone number is invalid"}`},
		{limited, CallShape, 429,
			`{"error":{"code":"rate_limit_exceeded","message":"Too many requests. Please try again in 60 seconds.","reset_at":"2024-01-22T15:30:00Z"}`,
			`,"message":"Too many requests. Please try again in 60 seconds."}`},
		{domain.NotFound("Agent", "x"), CallShape, 404,
			`{"error":"Agent not found","details":"The specified agent does not exist or you don't have access to it"}`, ""},
		{domain.Invalid("x", "x").For(domain.ReasonNoPhoneNumber, ""), CallShape, 400,
			`{"error":"Invalid configuration","details":"Agent has no phone number configured"}`, ""},
		{domain.Invalid("x", "x").For(domain.ReasonNoFlow, ""), CallShape, 400,
			`{"error":"Invalid configuration","details":"Agent has no active flow configured"}`, ""},
		{domain.Errorf(domain.CodeInternal, "Error message"), CallShape, 500,
			`{"error":"Failed to initiate call","details":"Error message","code":"UNKNOWN_ERROR"}`, ""},
		{domain.Unavailable(time.Second, nil, "stopping"), CallShape, 503, `{"error":{"code":"unavailable","message":"stopping"}`, `,"message":"stopping"}`},
		{domain.Errorf(domain.CodeForbidden, "no").For(domain.ReasonDoNotCall, ""), CallShape, 403, `{"error":{"code":"do_not_call","message":"no"}`, `,"message":"no"}`},
		{domain.NotFound("Flow", "x"), CallShape, 404, `{"error":{"code":"not_found","message":"Flow with id x not found"}`, `,"message":"Flow with id x not found"}`},
		{domain.Errorf("unheard-of", "no"), Shape, 500, `{"error":{"code":"internal_error","message":"no"}`, `,"message":"no"}`},
	} {
		status, body := c.shape(c.err)
		raw, err := wire.Canonical(body)
		if err != nil || status != c.status || string(raw) != c.body+c.rest {
			t.Errorf("%s: %d %s (%v)\nwant %d %s", c.err.Code, status, raw, err, c.status, c.body+c.rest)
		}
	}
}

// TestEveryCodeHasAWord: a new code must not become internal_error.
func TestEveryCodeHasAWord(t *testing.T) {
	for _, code := range []domain.Code{
		domain.CodeInvalid, domain.CodeUnauthorized, domain.CodePayment, domain.CodeForbidden, domain.CodeNotFound, domain.CodeConflict,
		domain.CodeMismatch, domain.CodeLimitReached, domain.CodeRateLimited, domain.CodeTooLarge, domain.CodeUnsupportedMedia,
		domain.CodeMethod, domain.CodePrecondition, domain.CodeUnavailable,
	} {
		if _, body := Shape(domain.Errorf(code, "x")); body.(Fault).Error.Code == "internal_error" {
			t.Errorf("%s has no word", code)
		}
	}
}
