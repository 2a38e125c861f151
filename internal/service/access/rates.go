package access

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

const (
	// ratePatience is how long a request waits to be counted by others.
	ratePatience = 500 * time.Millisecond
	// rateRest is how long requests are counted here after that failed.
	rateRest = 2 * time.Second
)

// CountRequest counts one request against a key's rate, which is no more than
// most when that is not domain.Unlimited. It is nil for a key without a limit.
func (a *Access) CountRequest(ctx context.Context, who *Identity, most int) (*domain.Rate, error) {
	limit := who.RequestsPerMinute(most)
	if limit == domain.Unlimited {
		return nil, nil
	}
	rate, err := a.rates.Take(ctx, who.Key.ID, limit)
	return &rate, err
}

// NewRates counts requests in this process, by the clock now.
func NewRates(now func() time.Time) domain.RateLimits {
	return &ownRates{now: now, byKey: make(map[domain.ID]*rateWindow)}
}

// ownRates counts in memory.
type ownRates struct {
	now   func() time.Time
	mu    sync.Mutex
	byKey map[domain.ID]*rateWindow
	swept time.Time
}

type rateWindow struct {
	end  time.Time
	used int
}

// Take counts one request.
func (r *ownRates) Take(_ context.Context, key domain.ID, limit int) (domain.Rate, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	r.sweep(now)
	w := r.byKey[key]
	if w == nil || !now.Before(w.end) {
		w = &rateWindow{end: domain.WindowEnd(now)}
		r.byKey[key] = w
	}
	rate := domain.Rate{Passed: w.used < limit, Limit: limit, ResetAt: w.end, Wait: w.end.Sub(now)}
	if rate.Passed {
		w.used++
	}
	rate.Left = max(limit-w.used, 0)
	return rate, nil
}

// sweep forgets windows that are over, once a window.
func (r *ownRates) sweep(now time.Time) {
	if now.Sub(r.swept) < domain.RateWindow {
		return
	}
	r.swept = now
	for key, w := range r.byKey {
		if !now.Before(w.end) {
			delete(r.byKey, key)
		}
	}
}

// newRates counts with others when there are any, and here when these cannot be
// reached: a database that is down must not keep requests from being served that
// need none, nor let everybody send as much as he likes.
func newRates(shared domain.RateLimits, now func() time.Time, log *slog.Logger) domain.RateLimits {
	own := NewRates(now)
	if shared == nil {
		return own
	}
	return &steadyRates{shared: shared, own: own, now: now, log: log}
}

type steadyRates struct {
	shared, own domain.RateLimits
	now         func() time.Time
	log         *slog.Logger
	restUntil   atomic.Int64 // Unix nanoseconds
}

// Take counts one request.
func (r *steadyRates) Take(ctx context.Context, key domain.ID, limit int) (domain.Rate, error) {
	now := r.now()
	rest := r.restUntil.Load()
	if now.UnixNano() < rest {
		return r.own.Take(ctx, key, limit)
	}
	within, cancel := context.WithTimeout(ctx, ratePatience)
	defer cancel()
	rate, err := r.shared.Take(within, key, limit)
	if err == nil {
		if rest != 0 && r.restUntil.CompareAndSwap(rest, 0) {
			r.log.Info("requests are counted in the database again")
		}
		return rate, nil
	}
	if ctx.Err() != nil {
		return rate, ctx.Err() // the client went away
	}
	if r.restUntil.CompareAndSwap(rest, now.Add(rateRest).UnixNano()) && rest == 0 {
		r.log.Warn("requests cannot be counted in the database; each process counts for itself until they can", "err", err)
	}
	return r.own.Take(ctx, key, limit)
}
