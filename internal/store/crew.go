package store

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/uptrace/bun"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store/row"
)

// Sizes of a crew: how many transactions it has under way at once, and how many
// of these places are for the call lane alone, so that no flood of others, nor
// what these wait for, holds it up.
const (
	crewSize     = 14
	crewForCalls = 2
)

const (
	// tryLimit bounds one run of a closure, its commit included. What a dead
	// network holds up ends here.
	tryLimit = 10 * time.Second
	// crossedTries is how often a closure is run again when others crossed it.
	crossedTries = 10
	// lostPatience is how long writes wait for a database that went away before
	// they are told that it is unavailable.
	lostPatience = 3 * time.Second
)

// crew writes to PostgreSQL: each of its goroutines takes waiting closures, runs
// each in a transaction of its own, and answers after the commit.
type crew struct {
	db      *bun.DB
	seal    *row.Seal
	lanes   *lanes
	hooks   *hooks
	notices *notices
	log     *slog.Logger
	ended   sync.WaitGroup
	counts  row.Counts
	// lostAt is when the database went away, in Unix nanoseconds; 0 while it is
	// there.
	lostAt atomic.Int64
}

func newCrew(db *bun.DB, seal *row.Seal, hooks *hooks, notices *notices, log *slog.Logger) *crew {
	c := &crew{db: db, seal: seal, lanes: newLanes(), hooks: hooks, notices: notices, log: log}
	for i := range crewSize {
		last := background
		if i < crewForCalls {
			last = int(domain.LaneCall)
		}
		c.ended.Add(1)
		go c.run(last)
	}
	return c
}

func (c *crew) do(ctx context.Context, lane domain.Lane, fn func(ctx context.Context, s *domain.Stores) error) error {
	return c.lanes.submit(ctx, lane, fn)
}

func (c *crew) close() error {
	c.lanes.close()
	c.ended.Wait()
	return c.db.Close()
}

// run takes writes of the lanes up to last until these are closed and empty.
func (c *crew) run(last int) {
	var mine *write
	defer func() {
		if mine != nil {
			// The closure ended the goroutine (runtime.Goexit, as a test's FailNow
			// does). The work goes on in another.
			mine.done <- domain.Errorf(domain.CodeInternal, "A closure ended the goroutine that ran it")
			go c.run(last)
			return
		}
		c.ended.Done()
	}()
	for mine = c.lanes.take(last); mine != nil; mine = c.lanes.take(last) {
		err := c.write(mine)
		mine.done <- err
		if err == nil && len(mine.touched) > 0 {
			c.hooks.committed(mine.touched)
			c.notices.send(mine.touched)
		}
	}
}

// write runs one closure until it is committed, has an error of its own, or
// there is no more hope.
func (c *crew) write(one *write) error {
	ctx := context.WithValue(context.WithoutCancel(one.ctx), withinWrite{}, true)
	var crossed, stale int
	for {
		fate, err := c.try(ctx, one)
		if fate != tryLost {
			c.lostAt.Store(0)
		}
		switch fate {
		case tryDone, tryFailed:
			return err
		case tryUnknown:
			c.log.Error("the connection was lost during a commit: it may be done or not", "error", err)
			return row.Unavailable(err)
		case tryCrossed:
			if crossed++; crossed >= crossedTries {
				return row.Unavailable(err)
			}
			time.Sleep(time.Duration(crossed) * time.Millisecond)
		case tryStale:
			if stale++; stale > 1 {
				return err
			}
		case tryLost:
			if !c.hope() {
				return row.Unavailable(err)
			}
		}
	}
}

// hope waits a moment for a database that is gone; false means that it has been
// gone for too long.
func (c *crew) hope() bool {
	now := time.Now()
	if c.lostAt.CompareAndSwap(0, now.UnixNano()) {
		c.log.Error("the connection to the database is lost")
	}
	if now.Sub(time.Unix(0, c.lostAt.Load())) > lostPatience {
		return false
	}
	time.Sleep(100 * time.Millisecond)
	return true
}

// fate is how a try to run and commit a closure ended.
type fate int

const (
	tryDone    fate = iota // committed
	tryFailed              // the closure refused, or nothing can help
	tryCrossed             // others came between: run it again
	tryStale               // what it looked at may have changed since: run it once more
	tryLost                // nothing was committed, and the connection is gone
	tryUnknown             // the connection was lost during the commit
)

// try runs a closure in one transaction.
func (c *crew) try(ctx context.Context, one *write) (fate, error) {
	ctx, cancel := context.WithTimeout(ctx, tryLimit)
	defer cancel()
	conn, err := c.db.Conn(ctx)
	if err != nil {
		return tryLost, err
	}
	defer func() { _ = conn.Close() }() // back to the pool
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return lostOr(tryFailed, err), row.Error(err, "begin to write")
	}
	defer func() { _ = tx.Rollback() }() // after the commit it does nothing
	one.touched = map[string]bool{}
	touch := func(table string) { one.touched[table] = true }
	if err := protect(c.log, func() error { return one.fn(ctx, stores(row.NewWriting(tx, &c.counts), c.seal, touch)) }); err != nil {
		return c.failure(ctx, conn, err), err
	}
	err = tx.Commit()
	switch {
	case err == nil:
		return tryDone, nil
	case row.Crossed(err):
		return tryCrossed, err
	case ctx.Err() != nil, row.Lost(err):
		return tryUnknown, err
	}
	return tryFailed, row.Error(err, "commit")
}

func lostOr(otherwise fate, err error) fate {
	if row.Lost(err) || errors.Is(err, context.DeadlineExceeded) {
		return tryLost
	}
	return otherwise
}

// failure says what the error of a closure means.
func (c *crew) failure(ctx context.Context, conn bun.Conn, err error) fate {
	if row.Crossed(err) {
		return tryCrossed
	}
	status := byte('?')
	_ = conn.Raw(func(driver any) error { // on an error it stays unknown
		if pg, ok := driver.(interface{ Conn() *pgx.Conn }); ok && !pg.Conn().IsClosed() {
			status = pg.Conn().PgConn().TxStatus()
		}
		return nil
	})
	switch {
	case status == '?' || ctx.Err() != nil:
		return tryLost
	case status == 'E', domain.CodeOf(err) == domain.CodePrecondition:
		// A statement failed, as a unique value that was free a moment ago makes
		// it, or a version moved on.
		return tryStale
	}
	return tryFailed
}
