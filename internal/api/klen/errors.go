package klen

import (
	"fmt"
	"math"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
)

// Fault is the body of every error.
type Fault struct {
	Error   string `json:"error" doc:"The machine word for the error: validation_error, not_found …"`
	Message string `json:"message" doc:"What was wrong, where, and what to do."`
}

// words are the dialect's words for codes.
var words = map[domain.Code]string{
	domain.CodeInvalid:          "validation_error",
	domain.CodeUnauthorized:     "invalid_key",
	domain.CodePayment:          "insufficient_funds",
	domain.CodeForbidden:        "permission_denied",
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
	domain.CodeInternal:         "server_error",
}

// Shape renders an error as {"error","message"}.
func Shape(err *domain.Error) (int, any) {
	word, ok := words[err.Code]
	if !ok {
		word = words[domain.CodeInternal]
	}
	f := Fault{Error: word, Message: err.Message}
	switch {
	case err.Code == domain.CodeRateLimited:
		f.Message = fmt.Sprintf("Rate limit exceeded. Please try again after %d seconds.", int(math.Ceil(err.RetryAfter.Seconds())))
	case err.Reason == domain.ReasonKeyMissing:
		f.Error, f.Message = "authentication_required", "API key is required"
	}
	return wire.StatusOf(err.Code), f
}
