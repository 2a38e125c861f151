package engine

import (
	"context"
	"errors"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/sdp"
	"github.com/callwright/callwright/internal/sip"
)

// reasonOf returns why an INVITE that led to err ended the call. The status
// codes are those of RFC 3261 §21, RFC 8197 (607) and RFC 8688 (608).
func reasonOf(err error) domain.EndReason {
	var status *sip.StatusError
	switch {
	case errors.As(err, &status):
		return reasonOfStatus(status.Status)
	case errors.Is(err, sip.ErrTimeout):
		return domain.EndUnreachable // nobody was heard of, which is no ringing that nobody answered
	case errors.Is(err, sip.ErrCanceled), errors.Is(err, context.DeadlineExceeded):
		return domain.EndNoAnswer
	case errors.Is(err, sdp.ErrNoCodec):
		return domain.EndMediaNotAgreed
	case errors.Is(err, context.Canceled):
		return domain.EndCanceled
	case domain.CodeOf(err) == domain.CodeInvalid:
		return domain.EndConfiguration
	}
	return domain.EndUnreachable
}

func reasonOfStatus(status int) domain.EndReason {
	switch status {
	case 486, 600:
		return domain.EndBusy
	case 480, 408, 487:
		return domain.EndNoAnswer
	case 603:
		return domain.EndDeclined
	case 607, 608:
		return domain.EndBlocked
	case 404, 410, 484, 604:
		return domain.EndInvalidNumber
	case 488, 606:
		return domain.EndMediaNotAgreed
	case 501, 505, 513:
		return domain.EndTrunkError // it will not understand us the next time either
	}
	switch status / 100 {
	case 3:
		return domain.EndMoved
	case 5:
		return domain.EndCongestion
	}
	return domain.EndTrunkError
}

// longestRetry bounds how long a far end may ask not to be called again.
const longestRetry = time.Hour

// retryAfter is how long the far end that led to err asked not to be tried again
// (RFC 3261 section 20.33); 0 when it did not.
func retryAfter(err error) time.Duration {
	var status *sip.StatusError
	if !errors.As(err, &status) {
		return 0
	}
	return min(max(status.RetryAfter, 0), longestRetry)
}
