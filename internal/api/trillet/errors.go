package trillet

import (
	"fmt"
	"math"
	"time"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
)

// Fault is the body of an error.
type Fault struct {
	Error   FaultDetail `json:"error"`
	Message string      `json:"message" doc:"The same as error.message."`
}

// FaultDetail says what went wrong.
type FaultDetail struct {
	Code    string `json:"code" doc:"The machine word for the error: not_found, invalid_number …"`
	Message string `json:"message" doc:"What was wrong, where, and what to do."`
	ResetAt string `json:"reset_at,omitempty" doc:"With rate_limit_exceeded: when to go on, ISO 8601 in UTC."`
}

// words are the dialect's words for codes.
var words = map[domain.Code]string{
	domain.CodeInvalid:          "bad_request",
	domain.CodeUnauthorized:     "unauthorized",
	domain.CodePayment:          "insufficient_credits",
	domain.CodeForbidden:        "forbidden",
	domain.CodeNotFound:         "not_found",
	domain.CodeConflict:         "conflict",
	domain.CodeMismatch:         "idempotency_mismatch",
	domain.CodeLimitReached:     "limit_reached",
	domain.CodeRateLimited:      "rate_limit_exceeded",
	domain.CodeTooLarge:         "payload_too_large",
	domain.CodeUnsupportedMedia: "unsupported_media_type",
	domain.CodeMethod:           "method_not_allowed",
	domain.CodePrecondition:     "precondition_failed",
	domain.CodeUnavailable:      "unavailable",
	domain.CodeInternal:         "internal_error",
}

// Shape renders an error as {"error":{"code","message"}}.
func Shape(err *domain.Error) (int, any) {
	word, ok := words[err.Code]
	if !ok {
		word = words[domain.CodeInternal]
	}
	d := FaultDetail{Code: word, Message: err.Message}
	switch {
	case err.Code == domain.CodeRateLimited:
		d.Message = fmt.Sprintf("Too many requests. Please try again in %d seconds.", int(math.Ceil(err.RetryAfter.Seconds())))
		d.ResetAt = err.ResetAt.UTC().Format(time.RFC3339)
	case err.Code == domain.CodePayment:
		d.Message = "Your account has insufficient credits"
	case err.Reason == domain.ReasonInvalidNumber:
		d.Code, d.Message = "invalid_number", "The provided phone number is invalid"
	}
	return wire.StatusOf(err.Code), Fault{Error: d, Message: d.Message}
}
