package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Error is an answer that is not a success.
type Error struct {
	Status     int           // of HTTP
	Code       string        // the API's word: "NOT_FOUND", "RATE_LIMITED" …; "" when something else answered
	Message    string        // what was wrong, where, and what to do
	RetryAfter time.Duration // when to try again; 0 when nothing was said
	RequestID  string        // for whoever reads the server's log
}

// Error returns the message with the status.
func (e *Error) Error() string {
	if e.Code == "" {
		return fmt.Sprintf("the server answered %d: %s", e.Status, e.Message)
	}
	return fmt.Sprintf("%s (%d %s)", e.Message, e.Status, e.Code)
}

// CodeOf returns the API's word for what went wrong, or "" when err is not an
// answer of the API.
func CodeOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// maxMessage bounds what of a foreign answer is shown.
const maxMessage = 300

// errorOf reads an answer that is not a success.
func errorOf(res *http.Response, body []byte, now time.Time) *Error {
	e := &Error{Status: res.StatusCode, RequestID: res.Header.Get("X-Request-Id"), RetryAfter: retryAfter(res.Header, now)}
	var fault Fault
	if json.Unmarshal(body, &fault) == nil && fault.Error != nil {
		e.Code, e.Message = fault.Error.Code, fault.Error.Message
	}
	if e.Message == "" {
		e.Message = string(body[:min(len(body), maxMessage)])
	}
	if e.Message == "" {
		e.Message = http.StatusText(res.StatusCode)
	}
	return e
}

// retryAfter reads Retry-After: seconds or a date (RFC 9110 section 10.2.3).
func retryAfter(h http.Header, now time.Time) time.Duration {
	value := h.Get("Retry-After")
	if seconds, err := strconv.Atoi(value); err == nil {
		return time.Duration(min(max(seconds, 0), 1<<31)) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(at.Sub(now), 0)
	}
	return 0
}
