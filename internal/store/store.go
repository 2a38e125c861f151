// Package store keeps everything in a database: one file of SQLite in the data
// directory, with one writer that commits for many at once.
package store

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/gofrs/flock"
	"github.com/uptrace/bun"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store/calling"
	"github.com/callwright/callwright/internal/store/directory"
	"github.com/callwright/callwright/internal/store/outbox"
	"github.com/callwright/callwright/internal/store/row"
)

// File is the name of the database in the data directory.
const File = "callwright.db"

// Options say which database to open.
type Options struct {
	Dir    string // the data directory; it is made when it is missing
	DSN    string // "" is SQLite in Dir; postgres:// is not supported by this version
	Shared bool   // go beside a running server: take no lock on Dir
	Logger *slog.Logger
}

// DB is an open database. It implements domain.Store.
type DB struct {
	log     *slog.Logger
	lock    *flock.Flock // nil when shared
	readers *bun.DB
	writer  *writer
	checks  *checkpoints
	hooks   *hooks
}

var _ domain.Store = (*DB)(nil)

// Open opens the database, brings its tables up to date and locks the data
// directory for this process. A directory that another server uses and tables
// of a newer version are CodeConflict; a DSN that is not understood is
// CodeInvalid.
func Open(ctx context.Context, opts Options) (_ *DB, err error) {
	if err := checkDSN(opts.DSN); err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(opts.Dir)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, domain.Errorf(domain.CodeInvalid, "The data directory %s cannot be made (%v): choose another with --data", dir, err)
	}
	db := &DB{log: opts.Logger, hooks: newHooks(opts.Logger)}
	if db.log == nil {
		db.log = slog.New(slog.DiscardHandler)
		db.hooks.log = db.log
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, db.Close())
		}
	}()
	if !opts.Shared {
		if db.lock, err = lockDir(ctx, dir); err != nil {
			return nil, err
		}
	}
	path := filepath.Join(dir, File)
	if err := prepare(ctx, dir, path, opts.Shared); err != nil {
		return nil, err
	}
	if db.readers, err = openReaders(path); err != nil {
		return nil, err
	}
	// The writer and the checkpoints outlive the opening and what limits it.
	if db.writer, err = newWriter(path, db.hooks, db.log); err != nil {
		return nil, err
	}
	db.checks, err = newCheckpoints(path, db.log)
	return db, err
}

func checkDSN(dsn string) error {
	switch {
	case dsn == "":
		return nil
	case strings.HasPrefix(dsn, "postgres://"), strings.HasPrefix(dsn, "postgresql://"):
		return domain.Invalid("database", "PostgreSQL is not supported by this version: leave the database setting empty to use SQLite in the data directory")
	}
	scheme, _, _ := strings.Cut(dsn, ":") // the rest may hold a password
	return domain.Invalid("database", "A database URL with the scheme %q is not understood: leave the database setting empty to use SQLite in the data directory", scheme)
}

// Close commits what was handed in, closes the database and unlocks the data
// directory. Writes that come later are CodeUnavailable.
func (db *DB) Close() error {
	var errs []error
	if db.writer != nil {
		errs = append(errs, db.writer.close())
	}
	if db.checks != nil {
		errs = append(errs, db.checks.close())
	}
	if db.readers != nil {
		errs = append(errs, db.readers.Close())
	}
	if db.lock != nil {
		errs = append(errs, db.lock.Unlock())
	}
	return errors.Join(errs...)
}

// InTx runs fn in a transaction of its own within a commit that it shares with
// others. Once fn was started, its outcome is returned even when ctx is done.
func (db *DB) InTx(ctx context.Context, lane domain.Lane, fn func(ctx context.Context, s *domain.Stores) error) error {
	return db.writer.do(ctx, lane, fn)
}

// View runs fn on a read-only snapshot.
func (db *DB) View(ctx context.Context, fn func(ctx context.Context, s *domain.Stores) error) error {
	tx, err := db.readers.BeginTx(ctx, nil)
	if err != nil {
		return row.Error(err, "begin to read")
	}
	defer func() { _ = tx.Rollback() }() // it wrote nothing
	return protect(db.log, func() error { return fn(ctx, stores(tx, func(string) {})) })
}

// AfterCommit registers a hint.
func (db *DB) AfterCommit(table string, fn func()) { db.hooks.add(table, fn) }

// stores assembles what a transaction can reach.
func stores(tx bun.IDB, touch row.Touch) *domain.Stores {
	return &domain.Stores{
		Workspaces:  directory.NewWorkspaces(tx),
		Keys:        directory.NewKeys(tx),
		Agents:      directory.NewAgents(tx),
		Flows:       directory.NewFlows(tx),
		Numbers:     directory.NewNumbers(tx),
		Trunks:      directory.NewTrunks(tx),
		Calls:       calling.NewCalls(tx),
		Attempts:    calling.NewAttempts(tx, touch),
		Turns:       calling.NewTurns(tx),
		Events:      outbox.NewEvents(tx),
		Endpoints:   directory.NewEndpoints(tx),
		Deliveries:  outbox.NewDeliveries(tx, touch),
		Jobs:        outbox.NewJobs(tx, touch),
		Idempotency: outbox.NewIdempotency(tx),
		Nodes:       calling.NewNodes(tx),
	}
}

// protect runs fn and makes a panic of it an internal error.
func protect(log *slog.Logger, fn func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			log.Error("a transaction panicked and was rolled back", "panic", r, "stack", string(debug.Stack()))
			err = domain.Errorf(domain.CodeInternal, "A transaction panicked: %v", r)
		}
	}()
	return fn()
}
