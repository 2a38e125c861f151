package api

import (
	"sync"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// window is how long a count of requests lasts, from the first one on.
const window = time.Minute

// rateLimiter counts requests by key in fixed windows of a minute. It is exact
// under concurrency: of a window's requests exactly as many pass as the limit
// says.
type rateLimiter struct {
	mu    sync.Mutex
	byKey map[domain.ID]*rateWindow
	swept time.Time
}

type rateWindow struct {
	end  time.Time
	used int
}

func newRateLimiter() *rateLimiter { return &rateLimiter{byKey: make(map[domain.ID]*rateWindow)} }

// take counts one request of key. It returns how many are left in the window,
// when the window is over (on a whole second, so that who waits for it is not
// early), and whether the request is within the limit.
func (l *rateLimiter) take(key domain.ID, limit int, now time.Time) (left int, end time.Time, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sweep(now)
	w := l.byKey[key]
	if w == nil || !now.Before(w.end) {
		w = &rateWindow{end: wholeSecond(now.Add(window))}
		l.byKey[key] = w
	}
	if w.used >= limit {
		return 0, w.end, false
	}
	w.used++
	return limit - w.used, w.end, true
}

// sweep forgets windows that are over, once a window.
func (l *rateLimiter) sweep(now time.Time) {
	if now.Sub(l.swept) < window {
		return
	}
	l.swept = now
	for key, w := range l.byKey {
		if !now.Before(w.end) {
			delete(l.byKey, key)
		}
	}
}

// wholeSecond is t, or the next second that begins.
func wholeSecond(t time.Time) time.Time {
	if cut := t.Truncate(time.Second); !cut.Equal(t) {
		return cut.Add(time.Second)
	}
	return t
}
