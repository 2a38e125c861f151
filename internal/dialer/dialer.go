// Package dialer has the calls of campaigns and batches placed when they are
// due, as many at once as may be.
package dialer

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/outreach"
)

// Bounds of a look at the campaigns.
const (
	batch   = 1024                   // campaigns in one look
	calm    = 20 * time.Millisecond  // at least, between two looks
	longest = 500 * time.Millisecond // without a hint
	rounds  = 16                     // plans of one campaign before the next has its turn
)

// How long a campaign that is due and has no room is left alone: so long for each
// of them, so that all together make the database no busier than one does.
const (
	share     = 20 * time.Millisecond
	shortWait = 100 * time.Millisecond
	longWait  = 5 * time.Second
)

// Options are what a Dialer needs. Store and Rules are required.
type Options struct {
	Store domain.Store
	Rules *outreach.Outreach
	// May reports whether this process could dial what is planned; nil is always.
	May    func() bool
	Logger *slog.Logger
}

// Dialer plans calls until it is stopped.
type Dialer struct {
	o    Options
	kick chan struct{}
	seen atomic.Int64 // Unix nanoseconds of the last look that had no error

	waits map[domain.ID]time.Time // campaigns that were due after all was planned that could be: when to try again
}

// New makes a dialer that looks at campaigns after each commit that touched one,
// or a contact of one. It does nothing until Run.
func New(o Options) *Dialer {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.May == nil {
		o.May = func() bool { return true }
	}
	d := &Dialer{o: o, kick: make(chan struct{}, 1)}
	for _, table := range []string{"campaigns", "recipients"} {
		o.Store.AfterCommit(table, d.hint)
	}
	return d
}

func (d *Dialer) hint() {
	select {
	case d.kick <- struct{}{}:
	default: // a look is already owed
	}
}

// Looked tells when it last looked at the campaigns; zero before the first time.
func (d *Dialer) Looked() time.Time {
	if at := d.seen.Load(); at != 0 {
		return time.Unix(0, at)
	}
	return time.Time{}
}

// Run works until ctx is done. Calls that it has planned are for the engine to
// place.
func (d *Dialer) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		next, err := d.look(ctx)
		if err == nil {
			d.seen.Store(time.Now().UnixNano())
		} else if ctx.Err() == nil {
			d.o.Logger.Error("the dialer cannot plan calls; it will try again", "err", err)
		}
		d.rest(ctx, next)
	}
	return nil
}

// look plans for all campaigns that are due and returns when the next one is. A
// campaign that waits for room stays due, and has its turn again after a while.
func (d *Dialer) look(ctx context.Context) (next time.Time, err error) {
	if !d.o.May() {
		return time.Time{}, nil
	}
	due, next, err := d.o.Rules.DueCampaigns(ctx, batch)
	if err != nil {
		return next, err
	}
	waits := make(map[domain.ID]time.Time, len(due))
	wait := min(max(time.Duration(len(d.waits))*share, shortWait), longWait)
	for _, id := range due {
		now := time.Now()
		again := d.waits[id]
		if !again.After(now) && !d.plan(ctx, id) {
			again = now.Add(wait)
		}
		if again.After(now) {
			waits[id] = again
			next = earlier(next, again)
		}
		if ctx.Err() != nil {
			return next, ctx.Err()
		}
	}
	d.waits = waits // those that are not due any more are forgotten
	return next, nil
}

// plan plans for a campaign. It reports whether there is more to plan at once.
func (d *Dialer) plan(ctx context.Context, id domain.ID) bool {
	for range rounds {
		more, err := d.o.Rules.Plan(ctx, id)
		if err != nil && ctx.Err() == nil {
			d.o.Logger.Error("a campaign cannot be planned now", "campaign", id, "err", err)
		}
		if err != nil || !more {
			return false
		}
	}
	return true
}

// earlier is the first of two times, of which the zero time is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

// rest waits for a hint or until next, at most a while.
func (d *Dialer) rest(ctx context.Context, next time.Time) {
	pause(ctx, calm, nil)
	wait := longest
	if !next.IsZero() {
		wait = min(wait, time.Until(next))
	}
	pause(ctx, wait, d.kick)
}

func pause(ctx context.Context, wait time.Duration, kick <-chan struct{}) {
	if wait <= 0 {
		return
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-kick:
	case <-timer.C:
	}
}
