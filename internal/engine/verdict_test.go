package engine

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/sdp"
	"github.com/callwright/callwright/internal/sip"
)

// TestReasonOfEveryStatus goes through the final responses of RFC 3261 §21, RFC
// 8197 and RFC 8688.
func TestReasonOfEveryStatus(t *testing.T) {
	want := map[domain.EndReason][]int{
		domain.EndBusy:           {486, 600},
		domain.EndNoAnswer:       {408, 480, 487},
		domain.EndDeclined:       {603},
		domain.EndBlocked:        {607, 608},
		domain.EndInvalidNumber:  {404, 410, 484, 604},
		domain.EndMediaNotAgreed: {488, 606},
		domain.EndMoved:          {300, 301, 302, 305, 380},
		domain.EndCongestion:     {500, 502, 503, 504, 580},
		domain.EndTrunkError: {400, 401, 402, 403, 405, 406, 407, 413, 414, 415, 416, 420, 421, 423,
			481, 482, 483, 485, 491, 493, 501, 505, 513},
	}
	seen := map[int]bool{}
	for reason, list := range want {
		for _, status := range list {
			err := fmt.Errorf("invite: %w", &sip.StatusError{Status: status})
			if got := reasonOf(err); got != reason {
				t.Errorf("%d = %s, want %s", status, got, reason)
			}
			if seen[status] {
				t.Errorf("%d is there twice", status)
			}
			seen[status] = true
			if domain.EndedState(false, reason) != domain.CallFailed {
				t.Errorf("a call that was refused with %d did not fail", status)
			}
		}
	}
}

func TestRetryAfter(t *testing.T) {
	for after, want := range map[time.Duration]time.Duration{
		0: 0, time.Second: time.Second, time.Hour: time.Hour, 24 * time.Hour: time.Hour, -time.Second: 0,
	} {
		if got := retryAfter(fmt.Errorf("invite: %w", &sip.StatusError{Status: 503, RetryAfter: after})); got != want {
			t.Errorf("%s = %s, want %s", after, got, want)
		}
	}
	if got := retryAfter(sip.ErrTimeout); got != 0 {
		t.Errorf("who says nothing asks for %s", got)
	}
}

func TestReasonOfOtherErrors(t *testing.T) {
	for err, want := range map[error]domain.EndReason{
		sip.ErrCanceled:                   domain.EndNoAnswer,
		context.DeadlineExceeded:          domain.EndNoAnswer,
		sip.ErrTimeout:                    domain.EndUnreachable,
		sdp.ErrNoCodec:                    domain.EndMediaNotAgreed,
		context.Canceled:                  domain.EndCanceled,
		domain.Invalid("host", "no host"): domain.EndConfiguration,
		errors.New("connection refused"):  domain.EndUnreachable,
	} {
		if got := reasonOf(fmt.Errorf("dial: %w", err)); got != want {
			t.Errorf("%v = %s, want %s", err, got, want)
		}
	}
}
