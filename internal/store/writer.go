package store

import (
	"context"
	"database/sql/driver"
	"log/slog"
	"maps"
	"time"

	"github.com/uptrace/bun"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store/lift"
	"github.com/callwright/callwright/internal/store/row"
)

// Bounds of a group: what is committed together.
const (
	groupSize = 64
	groupTime = 2 * time.Millisecond
)

// lockPatience is how long the writer tries to get the lock of the database
// from another process before those who wait are told that it is unavailable.
const lockPatience = 10 * time.Second

// writer owns the one connection that writes. Its goroutine takes waiting
// closures, runs each in a savepoint of one transaction, commits, and only then
// answers: so many share the price of one sync.
type writer struct {
	db    *bun.DB // one connection
	seal  *row.Seal
	lanes *lanes
	hooks *hooks
	log   *slog.Logger
	ended chan struct{}

	// Of the goroutine:
	conn  bun.Conn
	group []*write
}

func newWriter(path string, l *lift.Lifter, see func(string), seal *row.Seal, hooks *hooks, log *slog.Logger) (*writer, error) {
	db, err := openLifted(l, path, 1, unchecked)
	if err != nil {
		return nil, err
	}
	w := &writer{db: watched(db, see), seal: seal, lanes: newLanes(), hooks: hooks, log: log, ended: make(chan struct{})}
	go w.run()
	return w, nil
}

func (w *writer) close() error {
	w.lanes.close()
	<-w.ended
	return w.db.Close()
}

// do hands fn to the writer and waits for its outcome.
func (w *writer) do(ctx context.Context, lane domain.Lane, fn func(ctx context.Context, s *domain.Stores) error) error {
	return w.lanes.submit(ctx, lane, fn)
}

// run commits groups until the lanes are closed and empty.
func (w *writer) run() {
	finished := false
	defer func() {
		if finished {
			close(w.ended)
			return
		}
		// A closure ended the goroutine (runtime.Goexit, as a test's FailNow
		// does). Its group is rolled back and the work goes on in another.
		w.discard()
		w.answer(domain.Errorf(domain.CodeInternal, "A closure of the same group ended the writer's goroutine"))
		go w.run()
	}()
	for w.lanes.wait() {
		w.commitGroup()
	}
	finished = true
}

func (w *writer) commitGroup() {
	if err := w.begin(); err != nil {
		w.refuse(err)
		return
	}
	broken := w.runGroup()
	if broken == nil {
		broken = w.exec("COMMIT")
	}
	if broken != nil {
		w.log.Error("a group of writes could not be committed", "writes", len(w.group), "error", broken)
		w.discard()
		w.answer(row.Unavailable(broken))
		return
	}
	_ = w.conn.Close() // back to the pool of one
	touched := map[string]bool{}
	for _, one := range w.group {
		maps.Copy(touched, one.touched)
	}
	w.answer(nil)
	w.hooks.committed(touched)
}

// begin takes the write lock of the database, also from another process that
// holds it for a while.
func (w *writer) begin() error {
	for start := time.Now(); ; {
		conn, err := w.db.Conn(context.Background())
		if err == nil {
			w.conn = conn
			if err = w.exec("BEGIN IMMEDIATE"); err == nil {
				return nil
			}
			w.discard()
		}
		if !row.Busy(err) || time.Since(start) > lockPatience {
			return err
		}
	}
}

// runGroup runs waiting closures within the transaction. An error means that
// the transaction is lost.
func (w *writer) runGroup() error {
	for start := time.Now(); len(w.group) < groupSize && time.Since(start) < groupTime; {
		one := w.lanes.pop()
		if one == nil {
			return nil
		}
		w.group = append(w.group, one)
		if err := w.runOne(one); err != nil {
			return err
		}
	}
	return nil
}

// runOne runs a closure in a savepoint and keeps its error in it. The error
// that is returned is about the transaction.
func (w *writer) runOne(one *write) error {
	if err := w.exec("SAVEPOINT one"); err != nil {
		return err
	}
	// Canceling a statement would roll back the whole transaction
	// (sqlite.org/c3ref/interrupt.html), so the closure cannot be canceled.
	ctx := context.WithValue(context.WithoutCancel(one.ctx), withinWrite{}, true)
	one.touched = map[string]bool{}
	touch := func(table string) { one.touched[table] = true }
	one.err = protect(w.log, func() error { return one.fn(ctx, stores(w.conn, w.seal, touch)) })
	if one.err != nil {
		clear(one.touched)
		if err := w.exec("ROLLBACK TO one"); err != nil {
			return err
		}
	}
	return w.exec("RELEASE one")
}

// answer tells every closure of the group its outcome; a fault of the group is
// everyone's.
func (w *writer) answer(fault error) {
	for _, one := range w.group {
		if fault != nil {
			one.err = fault
		}
		one.done <- one.err
	}
	clear(w.group)
	w.group = w.group[:0]
}

// refuse tells all who wait that the database cannot be written.
func (w *writer) refuse(cause error) {
	w.log.Error("the database cannot be written", "error", cause)
	for one := w.lanes.pop(); one != nil; one = w.lanes.pop() {
		one.done <- row.Unavailable(cause)
	}
}

// discard rolls back and closes the connection; the next group gets a new one.
func (w *writer) discard() {
	_ = w.exec("ROLLBACK") // SQLite may have done so already
	_ = w.conn.Raw(func(any) error { return driver.ErrBadConn })
	_ = w.conn.Close()
}

func (w *writer) exec(statement string) error {
	_, err := w.conn.ExecContext(context.Background(), statement)
	return err
}
