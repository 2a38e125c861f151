package domain

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Code is one of the closed set of reasons why a request cannot be served.
// Each transport maps it once to its own status and word.
type Code string

// The closed set of codes.
const (
	CodeInvalid          Code = "invalid"           // the input is wrong; Field says where
	CodeUnauthorized     Code = "unauthorized"      // no key, or one that is not known
	CodeForbidden        Code = "forbidden"         // known, but not allowed
	CodeNotFound         Code = "not_found"         // no such object in this scope
	CodeConflict         Code = "conflict"          // clashes with the object's present state
	CodeMismatch         Code = "mismatch"          // an idempotency key was reused with another body
	CodeLimitReached     Code = "limit_reached"     // a limit of the plan
	CodePayment          Code = "payment_required"  // the workspace has no credits left
	CodeRateLimited      Code = "rate_limited"      // too many requests; RetryAfter says how long
	CodeTooLarge         Code = "too_large"         // the body is over the limit
	CodeUnsupportedMedia Code = "unsupported_media" // the body is not of a type that is read here
	CodeMethod           Code = "method_not_allowed"
	CodePrecondition     Code = "precondition_failed" // If-Match names another version
	CodeUnavailable      Code = "unavailable"         // draining or database down; RetryAfter says how long
	CodeInternal         Code = "internal"            // everything else; the detail goes to the log only
)

// The machine words that an Error's Reason may hold: what dialects have words
// of their own for.
const (
	ReasonInvalidNumber         = "invalid_number"
	ReasonDestinationNotAllowed = "destination_not_allowed"
	ReasonRegionNotAllowed      = "region_not_allowed" // the workspace calls other regions only
	ReasonDoNotCall             = "do_not_call"
	ReasonTimezoneUnknown       = "timezone_unknown"
	ReasonOutsideWindow         = "outside_window" // not at this time
	ReasonNoConsent             = "no_consent"     // marketing needs one that is recorded
	ReasonBudget                = "budget"         // the campaign has spent what it may
	ReasonDailyBudget           = "daily_budget"   // the workspace has spent what it may on one day
	ReasonPaused                = "paused"         // the campaign is
	ReasonTrunkFailing          = "trunk_failing"  // the trunk takes no calls; the campaign goes on when it does
	ReasonAbandonment           = "abandonment"    // too many who answered heard nobody
	ReasonCancelled             = "cancelled"      // the campaign was
	ReasonExpired               = "expired"        // the campaign ended first
	ReasonInsufficientCredits   = "insufficient_credits"
	ReasonAgentInactive         = "agent_inactive"
	ReasonNoPhoneNumber         = "no_phone_number" // the agent has none to call from
	ReasonNoFlow                = "no_flow"         // the agent has nothing to talk by
	ReasonNoTrunk               = "no_trunk"
	ReasonNoModel               = "no_model" // nothing here can think for a prompt
	ReasonInvalidJSON           = "invalid_json"
	ReasonMissing               = "missing_parameter"
	ReasonDuplicateVariable     = "duplicate_variable"
	ReasonInvalidValue          = "invalid_value"      // of a context variable
	ReasonUndefinedVariable     = "undefined_variable" // nobody declared it
	ReasonKeyMissing            = "key_missing"        // CodeUnauthorized: no key was sent at all
	ReasonScopeMissing          = "scope_missing"      // CodeForbidden: the key lacks the scope that is the Field
)

// Error is the one error type that reaches a transport.
type Error struct {
	Code       Code
	Message    string        // for the user: what was wrong, where, and what to do
	Noun       string        // with CodeNotFound: what was looked for, "Agent", or ""
	Field      string        // dotted path of the input at fault, or ""
	Reason     string        // one of the Reason words, or ""
	RetryAfter time.Duration // with CodeRateLimited and CodeUnavailable
	ResetAt    time.Time     // with CodeRateLimited: when the window is over
	Detail     any           // more about it, for dialects that show it, or nil
	cause      error
}

// Error returns the message, and the cause behind it for the log.
func (e *Error) Error() string {
	if e.cause != nil {
		return e.Message + ": " + e.cause.Error()
	}
	return e.Message
}

// Unwrap returns the cause, or nil.
func (e *Error) Unwrap() error { return e.cause }

// Errorf makes an error of the given code.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Invalid makes a CodeInvalid error about one field.
func Invalid(field, format string, args ...any) *Error {
	return &Error{Code: CodeInvalid, Field: field, Message: fmt.Sprintf(format, args...)}
}

// For gives the error a machine word, and the field at fault unless that is "".
func (e *Error) For(reason, field string) *Error {
	e.Reason = reason
	if field != "" {
		e.Field = field
	}
	return e
}

// NotFound makes the documents' error: "Agent with id X not found".
func NotFound(noun string, id ID) *Error {
	return &Error{Code: CodeNotFound, Noun: noun, Message: fmt.Sprintf("%s with id %s not found", noun, shown(id))}
}

// shown is an id as an error repeats it, which a client may have made up.
func shown(id ID) string {
	const most = 64
	if len(id) <= most {
		return string(id)
	}
	return strings.ToValidUTF8(string(id[:most]), "") + "…"
}

// Unavailable makes a CodeUnavailable error that says when to try again.
func Unavailable(retry time.Duration, cause error, format string, args ...any) *Error {
	return &Error{Code: CodeUnavailable, Message: fmt.Sprintf(format, args...), RetryAfter: retry, cause: cause}
}

// CodeOf returns the code of err: CodeInternal for an error that is not an
// Error, and "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return CodeInternal
}
