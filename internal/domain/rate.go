package domain

import (
	"context"
	"time"
)

// RateWindow is how long a count of requests lasts, from the first one on.
const RateWindow = time.Minute

// RateLimits counts requests by key in fixed windows of RateWindow, each of which
// begins with the key's first request after the one before. It is exact under
// concurrency: of a window's requests exactly as many pass as the limit says.
type RateLimits interface {
	// Take counts one request of key against limit, which is 1 or more; a request
	// that does not pass is not counted.
	Take(ctx context.Context, key ID, limit int) (Rate, error)
}

// Rate is how a key stands after a request.
type Rate struct {
	Passed  bool
	Limit   int           // requests in a window
	Left    int           // how many more would pass
	ResetAt time.Time     // when the window is over: a whole second, so that who waits for it is not early
	Wait    time.Duration // how long that is from now
}

// WindowEnd is when a window is over that begins in the second of now: nobody is
// told to wait longer than RateWindow.
func WindowEnd(now time.Time) time.Time { return now.Truncate(time.Second).Add(RateWindow) }
