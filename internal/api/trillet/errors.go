package trillet

import (
	"fmt"
	"math"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

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

// ownWords are the dialect's words for reasons, where it has any.
var ownWords = map[string]string{
	domain.ReasonDoNotCall: "do_not_call", domain.ReasonDestinationNotAllowed: "destination_not_allowed",
	domain.ReasonRegionNotAllowed: "destination_not_allowed",
	domain.ReasonInvalidJSON:      "invalid_json",
}

// misconfigured says what an agent lacks for a call, when that is what an error
// is about.
func misconfigured(err *domain.Error) (details string, ok bool) {
	switch err.Reason {
	case domain.ReasonNoPhoneNumber:
		return "Agent has no phone number configured", true
	case domain.ReasonNoFlow:
		return "Agent has no active flow configured", true
	case domain.ReasonAgentInactive, domain.ReasonNoTrunk, domain.ReasonNoModel:
		return err.Message, true
	}
	return "", false
}

// CallFault is the body of the errors that are special to placing a call.
type CallFault struct {
	Error   string `json:"error"`
	Details string `json:"details"`
	Code    string `json:"code,omitempty"`
}

// AnyFault is the body of an error in the contract: a Fault, or a CallFault.
type AnyFault struct{}

// Schema says one of the two.
func (AnyFault) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{OneOf: []*huma.Schema{
		r.Schema(reflect.TypeFor[Fault](), true, ""), r.Schema(reflect.TypeFor[CallFault](), true, ""),
	}}
}

// CallShape renders the errors of placing a call: those that the documents have
// a form of their own for, and the others as Shape does.
func CallShape(err *domain.Error) (int, any) {
	switch {
	case err.Code == domain.CodeNotFound && err.Noun == "Agent":
		return wire.StatusOf(err.Code), CallFault{
			Error: "Agent not found", Details: "The specified agent does not exist or you don't have access to it",
		}
	case err.Code == domain.CodeInternal:
		return wire.StatusOf(err.Code), CallFault{Error: "Failed to initiate call", Details: err.Message, Code: "UNKNOWN_ERROR"}
	}
	if details, ok := misconfigured(err); ok {
		return wire.StatusOf(err.Code), CallFault{Error: "Invalid configuration", Details: details}
	}
	return Shape(err)
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
	case err.Code == domain.CodeUnavailable || err.Code == domain.CodeInternal:
	case err.Reason == domain.ReasonInvalidNumber:
		d.Code, d.Message = "invalid_number", "The provided phone number is invalid"
	default:
		if details, ok := misconfigured(err); ok {
			d.Code, d.Message = "invalid_configuration", details
		} else if own := ownWords[err.Reason]; own != "" {
			d.Code = own
		}
	}
	return wire.StatusOf(err.Code), Fault{Error: d, Message: d.Message}
}
