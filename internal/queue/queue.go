// Package queue runs work that waits in database rows: it claims what is due,
// hands it to a bounded number of workers and sleeps until the next is due.
package queue

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// Options say what a queue works on. Claim and Handle are required.
type Options[T any] struct {
	Name string // for the log: "deliveries"
	// Claim takes up to limit items that are due at now, under a lease, and
	// returns them with the time at which the next one is due (zero: none waits).
	Claim func(ctx context.Context, now time.Time, limit int) (items []T, next time.Time, err error)
	// Handle works on one item and stores its outcome. What it does not finish
	// comes back when its lease runs out. Its context ends with the drain.
	Handle  func(ctx context.Context, item T)
	Workers int           // items at work at once; 0 is 16
	MaxIdle time.Duration // longest sleep between two looks; 0 is 1 s
	Drain   time.Duration // how long Run waits for items at work; 0 is 10 s
	Logger  *slog.Logger
}

// Queue is one claim loop.
type Queue[T any] struct {
	opts Options[T]
	kick chan struct{}
	free chan struct{} // one token for each worker that is idle
	work sync.WaitGroup
	seen atomic.Int64 // Unix nanoseconds of the last look that had no error
}

// Looked tells when the queue last looked for work without an error; zero
// before the first time. A queue whose workers are all busy does not look.
func (q *Queue[T]) Looked() time.Time {
	if at := q.seen.Load(); at != 0 {
		return time.Unix(0, at)
	}
	return time.Time{}
}

// New makes a queue. It does nothing until Run.
func New[T any](opts Options[T]) *Queue[T] {
	opts.Workers = orDefault(opts.Workers, 16)
	opts.MaxIdle = orDefault(opts.MaxIdle, time.Second)
	opts.Drain = orDefault(opts.Drain, 10*time.Second)
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	q := &Queue[T]{opts: opts, kick: make(chan struct{}, 1), free: make(chan struct{}, opts.Workers)}
	for range opts.Workers {
		q.free <- struct{}{}
	}
	return q
}

func orDefault[N int | time.Duration](n, otherwise N) N {
	if n <= 0 {
		return otherwise
	}
	return n
}

// Kick makes the loop look for work at once. It never blocks and may be called
// at any time, from anywhere.
func (q *Queue[T]) Kick() {
	select {
	case q.kick <- struct{}{}:
	default: // a look is already owed
	}
}

// Run works until ctx is done and the items at work are finished. When they do
// not finish within the drain, their context is canceled and Run returns an
// error at once; their leases bring them back. Run may be called once.
func (q *Queue[T]) Run(ctx context.Context) error {
	handling, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var failures int
	for slots := q.take(ctx); slots > 0; slots = q.take(ctx) {
		items, next, err := q.claim(ctx, slots)
		if err == nil {
			q.seen.Store(time.Now().UnixNano())
		}
		for _, item := range items {
			q.start(handling, item)
		}
		q.giveBack(slots - len(items))
		switch {
		case err != nil && ctx.Err() == nil:
			failures++
			q.opts.Logger.Error("queue cannot claim work; it will try again", "queue", q.opts.Name, "failures", failures, "error", err)
			sleep(ctx, backoff(failures, q.opts.MaxIdle))
		case len(items) < slots:
			failures = 0
			q.idle(ctx, next)
		default: // all that was asked for came: there may be more
			failures = 0
		}
	}
	return q.drain()
}

// take waits for an idle worker, then takes all there are; 0 means ctx is done.
func (q *Queue[T]) take(ctx context.Context) int {
	if ctx.Err() != nil {
		return 0
	}
	select {
	case <-ctx.Done():
		return 0
	case <-q.free:
	}
	for n := 1; ; n++ {
		select {
		case <-q.free:
		default:
			return n
		}
	}
}

func (q *Queue[T]) giveBack(n int) {
	for range n {
		q.free <- struct{}{}
	}
}

// claim calls Claim; a panic or more items than asked for are errors of it.
func (q *Queue[T]) claim(ctx context.Context, limit int) (items []T, next time.Time, err error) {
	defer func() {
		if r := recover(); r != nil {
			items, err = nil, fmt.Errorf("claim panicked: %v\n%s", r, debug.Stack())
		}
	}()
	items, next, err = q.opts.Claim(ctx, time.Now(), limit)
	if len(items) > limit {
		return items[:limit], next, fmt.Errorf("claim returned %d items where %d were asked for; the rest waits for its lease", len(items), limit)
	}
	return items, next, err
}

func (q *Queue[T]) start(ctx context.Context, item T) {
	q.work.Go(func() {
		defer func() {
			if r := recover(); r != nil {
				q.opts.Logger.Error("queue item panicked; its lease will bring it back",
					"queue", q.opts.Name, "panic", r, "stack", string(debug.Stack()))
			}
			q.free <- struct{}{}
		}()
		q.opts.Handle(ctx, item)
	})
}

// idle sleeps until next, a kick or MaxIdle, whichever comes first.
func (q *Queue[T]) idle(ctx context.Context, next time.Time) {
	wait := q.opts.MaxIdle
	if !next.IsZero() {
		wait = min(wait, time.Until(next))
	}
	if wait <= 0 {
		// Something is due that could not be claimed: somebody else is just
		// taking it. Give way instead of asking in a tight loop.
		wait = time.Millisecond
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-q.kick:
	case <-timer.C:
	}
}

func (q *Queue[T]) drain() error {
	done := make(chan struct{})
	go func() {
		q.work.Wait()
		close(done)
	}()
	timer := time.NewTimer(q.opts.Drain)
	defer timer.Stop()
	select {
	case <-done:
		return nil
	case <-timer.C:
		return fmt.Errorf("queue %s: work was still under way %s after the stop; its leases will bring it back", q.opts.Name, q.opts.Drain)
	}
}

// backoff grows from 20 ms by doubling up to limit.
func backoff(failures int, limit time.Duration) time.Duration {
	return min(limit, 20*time.Millisecond<<min(failures-1, 10))
}

func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
