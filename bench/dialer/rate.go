//go:build linux

package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"time"

	"github.com/callwright/callwright/bench/rig"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
	"github.com/callwright/callwright/internal/store"
)

// workers is how many calls are under way at once.
const workers = 256

// patience bounds each part of a run.
const patience = 10 * time.Minute

// rate is how fast the calls of a campaign are dialed and settled.
type rate struct {
	PerSecond        float64 `json:"perSecond"`
	Micros           float64 `json:"micros"`           // of this process's processor time for each
	OtherCores       float64 `json:"otherCores"`       // that other programs used meanwhile, a database server among them
	IntentsPerSecond float64 `json:"intentsPerSecond"` // of calls that ring on until all are dialed
	BarePerSecond    float64 `json:"barePerSecond"`    // an insert, and an update of the same row, each durable by itself
}

// measure has calls dialed, answered and settled.
func (r *rate) measure(ctx context.Context, o options, at place) error {
	l, err := open(ctx, at, 4*workers)
	if err != nil {
		return err
	}
	perSecond, load, err := l.run(ctx, o.calls, o.profile, l.carry)
	if err == nil {
		r.PerSecond, r.Micros, r.OtherCores = math.Round(perSecond), math.Round(1e6*load.Server/perSecond), math.Round(load.Other*100)/100
	}
	return errors.Join(err, l.close())
}

// intents has calls dialed, none of which ends meanwhile.
func (r *rate) intents(ctx context.Context, o options, at place) error {
	l, err := open(ctx, at, o.calls+4*workers)
	if err != nil {
		return err
	}
	perSecond, _, err := l.run(ctx, o.calls, "", l.dial)
	r.IntentsPerSecond = math.Round(perSecond)
	return errors.Join(err, l.close())
}

// run has a campaign of so many calls taken through step, which reports whether
// it has done with a call, and returns how many that were a second.
func (l *line) run(ctx context.Context, calls int, profiled string, step func(context.Context, *service.Dial) (bool, error)) (perSecond float64, load rig.Load, err error) {
	id, err := l.campaign(ctx, calls, 0)
	if err != nil {
		return 0, load, err
	}
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	written, err := profile(profiled)
	if err != nil {
		return 0, load, err
	}
	defer func() { err = errors.Join(err, written()) }()
	meter, err := rig.StartMeter(os.Getpid())
	if err != nil {
		return 0, load, err
	}
	began := time.Now()
	var took, done atomic.Int64
	var broken errs
	if err := l.work(ctx, workers, func(ctx context.Context, c service.Claimed) {
		over, err := false, c.Err
		if err == nil {
			over, err = step(context.WithoutCancel(ctx), c.Dial)
		}
		if err != nil && ctx.Err() == nil {
			broken.add(err)
			stop()
		}
		if over && done.Add(1) == int64(calls) {
			took.Store(int64(time.Since(began)))
			stop()
		}
	}); err != nil {
		return 0, load, err
	}
	load, err = meter.Stop()
	elapsed := time.Duration(took.Load())
	switch err := errors.Join(err, broken.join()); {
	case err != nil:
		return 0, load, err
	case elapsed == 0:
		return 0, load, fmt.Errorf("%d of %d calls were done in time", done.Load(), calls)
	}
	return float64(calls) / elapsed.Seconds(), load, l.sound(context.WithoutCancel(ctx), id, calls)
}

// profile writes a processor profile into a file until the function that it
// returns is called; "" is none.
func profile(path string) (func() error, error) {
	if path == "" {
		return func() error { return nil }, nil
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() error {
		pprof.StopCPUProfile()
		return f.Close()
	}, nil
}

// carry has a call dialed, answered and ended, each step as the engine notes it.
// It reports whether the call is over.
func (l *line) carry(ctx context.Context, d *service.Dial) (bool, error) {
	if dialed, err := l.intend(ctx, d); !dialed {
		return false, err
	}
	d.Call.State, d.Call.RingingAt, d.Call.AnsweredAt, d.Attempt.State = domain.CallInProgress, l.Clock(), l.Clock(), domain.AttemptAnswered
	l.Progress(d.Call, d.Attempt)
	return true, l.FinishCall(ctx, service.Verdict{Call: d.Call.ID, Attempt: d.Attempt, Reason: domain.EndFlow, EndedAt: l.Clock().Add(time.Second)})
}

// dial has a call dialed, which rings from then on.
func (l *line) dial(ctx context.Context, d *service.Dial) (bool, error) {
	dialed, err := l.intend(ctx, d)
	if dialed {
		d.Call.State, d.Call.RingingAt, d.Attempt.State = domain.CallRinging, l.Clock(), domain.AttemptRinging
		l.Progress(d.Call, d.Attempt)
	}
	return dialed, err
}

// intend commits the intent of a call. A call that must wait comes back.
func (l *line) intend(ctx context.Context, d *service.Dial) (bool, error) {
	refused, err := l.CommitIntent(ctx, d)
	if refused != nil && refused.End != "" {
		err = errors.Join(err, fmt.Errorf("a call was refused: %s", refused.Why))
	}
	return err == nil && refused == nil, err
}

// sound makes sure that each contact was called, and once.
func (l *line) sound(ctx context.Context, id domain.ID, calls int) error {
	c, err := l.Campaign(ctx, l.in, domain.KindCampaign, id)
	if err != nil {
		return err
	}
	if n := c.Counts; n.Completed+n.Active != calls || n.Answered != n.Completed || n.Total() != calls {
		return fmt.Errorf("%d calls led to %+v", calls, n)
	}
	return nil
}

// errs collects errors of goroutines.
type errs struct {
	mu  sync.Mutex
	all []error
}

func (e *errs) add(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = append(e.all, err)
}

func (e *errs) join() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return errors.Join(e.all...)
}

// bare commits one insert and one update a call, with nothing around them: as
// few durable steps as a call that is noted before and after can have.
func (r *rate) bare(ctx context.Context, o options, at place) (err error) {
	driver, name, writers := "pgx", at.dsn, 16
	if at.dsn == "" {
		if err := os.MkdirAll(at.dir, 0o700); err != nil {
			return err
		}
		driver, writers = "sqlite", 1
		name = "file:" + filepath.Join(at.dir, store.File) + "?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(5000)"
	}
	db, err := sql.Open(driver, name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := db.ExecContext(ctx, "CREATE TABLE bare_calls (id BIGINT PRIMARY KEY, state TEXT NOT NULL)"); err != nil {
		return err
	}
	var next atomic.Int64
	var broken errs
	var all sync.WaitGroup
	began := time.Now()
	for range writers {
		all.Go(func() {
			for i := next.Add(1); i <= int64(o.calls); i = next.Add(1) {
				if _, err := db.ExecContext(ctx, fmt.Sprintf("INSERT INTO bare_calls VALUES (%d, 'intent')", i)); err != nil {
					broken.add(err)
					return
				}
				if _, err := db.ExecContext(ctx, fmt.Sprintf("UPDATE bare_calls SET state = 'ended' WHERE id = %d", i)); err != nil {
					broken.add(err)
					return
				}
			}
		})
	}
	all.Wait()
	r.BarePerSecond = math.Round(float64(o.calls) / time.Since(began).Seconds())
	return broken.join()
}
