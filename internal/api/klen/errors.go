package klen

import (
	"fmt"
	"math"
	"strings"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
)

// Fault is the body of every error.
type Fault struct {
	Error   string `json:"error" doc:"The machine word for the error: validation_error, not_found …"`
	Message string `json:"message" doc:"What was wrong, where, and what to do."`
	Code    string `json:"code,omitempty" doc:"A finer word, where there is one: missing_phone_number, agent_not_found …"`
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

// The finer words of requests that lack a field.
const (
	missingPhoneNumber = "missing_phone_number"
	missingAgentID     = "missing_agent_id"
)

// finer are the dialect's finer words for reasons.
var finer = map[string]string{
	domain.ReasonInvalidNumber:         "invalid_phone_number",
	domain.ReasonNoPhoneNumber:         "no_phone_number",
	domain.ReasonDoNotCall:             "do_not_call",
	domain.ReasonDestinationNotAllowed: "destination_not_allowed",
	domain.ReasonRegionNotAllowed:      "destination_not_allowed",
	domain.ReasonInvalidJSON:           "invalid_json",
	missingPhoneNumber:                 missingPhoneNumber,
	missingAgentID:                     missingAgentID,
}

// Shape renders an error as {"error","message"}.
func Shape(err *domain.Error) (int, any) {
	word, ok := words[err.Code]
	if !ok {
		word = words[domain.CodeInternal]
	}
	f := Fault{Error: word, Message: err.Message, Code: finer[err.Reason]}
	switch {
	case err.Code == domain.CodeRateLimited:
		f.Message = fmt.Sprintf("Rate limit exceeded. Please try again after %d seconds.", int(math.Ceil(err.RetryAfter.Seconds())))
	case err.Reason == domain.ReasonKeyMissing:
		f.Error, f.Message = "authentication_required", "API key is required"
	case err.Code == domain.CodeUnauthorized:
		f.Message = "Invalid or inactive API key"
	case err.Reason == domain.ReasonScopeMissing:
		f.Message = fmt.Sprintf("This API key does not have %s permission", permission(err.Field))
	case err.Code == domain.CodeNotFound && err.Noun != "":
		f.Code = strings.ToLower(err.Noun) + "_not_found"
	}
	return wire.StatusOf(err.Code), f
}

// permissions are the dialect's words for scopes that differ from the rule.
var permissions = map[string]string{
	"calls:write": "can_initiate_calls", "appointments:read": "can_read_calendar", "appointments:write": "can_write_calendar",
}

// permission is the dialect's word for a scope: "agents:read" is can_read_agents.
func permission(scope string) string {
	if word, ok := permissions[scope]; ok {
		return word
	}
	resource, action, _ := strings.Cut(scope, ":")
	return "can_" + action + "_" + strings.ReplaceAll(resource, "-", "_")
}

// ours turns the rules' names of fields into the dialect's, in their messages.
var ours = strings.NewReplacer("systemPrompt or flowId", "model_instructions", "systemPrompt", "model_instructions",
	"phoneNumberId is required: ", "", "agentId", "agent_id", "isActive", "is_active")

// naming is Shape for routes whose fields have other names than the rules give
// them.
func naming(fields map[string]string) wire.ErrorShape {
	return func(err *domain.Error) (int, any) {
		named := *err
		if name, other := fields[err.Field]; other {
			if rest, leads := strings.CutPrefix(err.Message, err.Field); leads {
				named.Message = name + rest
			}
			named.Field = name
		}
		named.Message = ours.Replace(named.Message)
		return Shape(&named)
	}
}
