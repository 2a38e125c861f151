package sip

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	wire "github.com/emiago/sipgo/sip"

	"github.com/callwright/callwright/internal/sip/transport"
)

// Errors of calls and requests, for errors.Is.
var (
	// ErrTimeout: nothing came back at all (timers B and F, RFC 3261 section 17).
	ErrTimeout = errors.New("sip: no answer")
	// ErrUnreachable: the name did not resolve, the connection was refused or an
	// ICMP message said that nobody is there. Such errors are ErrTimeout too.
	ErrUnreachable = transport.ErrUnreachable
	// ErrCanceled: the call was given up before it was answered, by either side.
	ErrCanceled = errors.New("sip: canceled")
	// ErrClosed: the user agent was closed.
	ErrClosed = errors.New("sip: user agent closed")
	// ErrEnded: the dialog is over.
	ErrEnded = errors.New("sip: the dialog is over")
	// ErrPending: another offer is under way in the dialog (RFC 3261 section 14.1).
	ErrPending = errors.New("sip: another re-INVITE is pending")
	// ErrAnswered: the incoming call has its final response already.
	ErrAnswered = errors.New("sip: the call was decided already")
)

// StatusError is a final response other than 2xx.
type StatusError struct {
	Status     int           // 300 to 699
	Reason     string        // the reason phrase, for people
	RetryAfter time.Duration // of the Retry-After header, 0 for none
}

// Error returns "sip: 486 Busy Here".
func (e *StatusError) Error() string { return fmt.Sprintf("sip: %d %s", e.Status, e.Reason) }

func statusError(res *wire.Response) *StatusError {
	return &StatusError{Status: res.StatusCode, Reason: res.Reason, RetryAfter: retryAfter(res)}
}

// retryAfter reads "120 (I am in a meeting);duration=60" (RFC 3261 section
// 20.33). More than a day counts as a day.
func retryAfter(res *wire.Response) time.Duration {
	h := res.GetHeader("Retry-After")
	if h == nil {
		return 0
	}
	v := strings.TrimSpace(h.Value())
	end := strings.IndexFunc(v, func(r rune) bool { return r < '0' || r > '9' })
	if end >= 0 {
		v = v[:end]
	}
	seconds, err := strconv.Atoi(v)
	if err != nil || seconds < 0 {
		return 0
	}
	return time.Duration(min(seconds, 86400)) * time.Second
}
