// Package store keeps everything in a database: one file of SQLite in the data
// directory, with one writer that commits for many at once, or a PostgreSQL
// server that several processes share.
package store

import (
	"context"
	"database/sql"
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
	"github.com/callwright/callwright/internal/store/lift"
	"github.com/callwright/callwright/internal/store/outbox"
	"github.com/callwright/callwright/internal/store/row"
)

// File is the name of the database in the data directory.
const File = "callwright.db"

// Options say which database to open.
type Options struct {
	Dir    string // the data directory; it is made when it is missing
	DSN    string // "" is SQLite in Dir; else postgres://user:password@host:port/name
	Key    Key    // seals secrets; none keeps them as they are
	Shared bool   // go beside a running server, which has the lock on Dir
	Logger *slog.Logger
	// Watch is told of each statement of the transactions that write, by many at
	// once, for those who measure; nil for none.
	Watch func(statement string)
}

// DB is an open database. It implements domain.Store.
type DB struct {
	log     *slog.Logger
	lock    *flock.Flock // nil when shared, and on PostgreSQL
	reads   *snapshots   // of SQLite
	readers *bun.DB      // of PostgreSQL
	writer  committer
	folds   *folding     // nil when shared
	checks  *checkpoints // of SQLite
	notices *notices     // of PostgreSQL
	rates   *rates       // of PostgreSQL
	hooks   *hooks
	seal    *row.Seal
	lifter  *lift.Lifter // of SQLite

	generations *generations // of SQLite
}

// committer runs closures and commits what they did.
type committer interface {
	do(ctx context.Context, lane domain.Lane, fn func(ctx context.Context, s *domain.Stores) error) error
	// close commits what was handed in and ends the committer.
	close() error
}

var _ domain.Store = (*DB)(nil)

// Open opens the database and brings its tables up to date. With SQLite it
// locks the data directory for this process: one that another server uses is
// CodeConflict, as are tables of a newer version. A DSN that is not understood
// or refused is CodeInvalid, a server that cannot be reached CodeUnavailable.
func Open(ctx context.Context, opts Options) (_ *DB, err error) {
	db := &DB{log: opts.Logger}
	if db.log == nil {
		db.log = slog.New(slog.DiscardHandler)
	}
	db.hooks = newHooks(db.log)
	defer func() {
		if err != nil {
			err = errors.Join(err, db.Close())
		}
	}()
	switch {
	case opts.DSN == "":
		err = db.openSQLite(ctx, opts)
	case isPostgres(opts.DSN):
		err = db.openPostgres(ctx, opts)
	default:
		return nil, unknownScheme(opts.DSN)
	}
	if err == nil && !opts.Shared {
		db.folds = newFolding(db)
	}
	return db, err
}

func unknownScheme(dsn string) error {
	scheme, _, _ := strings.Cut(dsn, ":") // the rest may hold a password
	return domain.Invalid("database", "A database URL with the scheme %q is not understood: write postgres://user:password@host:5432/name, or leave the database setting empty to use SQLite in the data directory", scheme)
}

func (db *DB) openSQLite(ctx context.Context, opts Options) error {
	dir, err := filepath.Abs(opts.Dir)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return domain.Errorf(domain.CodeInvalid, "The data directory %s cannot be made (%v): choose another with --data", dir, err)
	}
	if !opts.Shared {
		if db.lock, err = lockDir(ctx, dir); err != nil {
			return err
		}
	}
	path := filepath.Join(dir, File)
	if err := db.prepare(ctx, dir, path, opts); err != nil {
		return err
	}
	if db.reads, err = openSnapshots(path, db.lifter); err != nil {
		return err
	}
	db.generations = &generations{path: path}
	// The writer and the checkpoints outlive the opening and what limits it.
	writer, err := newWriter(path, db.lifter, opts.Watch, db.seal, db.hooks, db.log)
	if err != nil {
		return err
	}
	db.writer = writer
	db.checks, err = newCheckpoints(path, db.log)
	return err
}

func (db *DB) openPostgres(ctx context.Context, opts Options) error {
	p, err := parsePostgres(opts.DSN)
	if err != nil {
		return err
	}
	if err := p.check(ctx); err != nil {
		return err
	}
	if db.seal, err = p.prepare(ctx, opts); err != nil {
		return err
	}
	if db.notices, err = newNotices(ctx, p.conf, p.space, db.hooks, db.log); err != nil {
		return p.refused(ctx, err)
	}
	db.readers = p.reading(pgReaders)
	db.rates = &rates{p.writing(pgRates)}
	db.writer = newCrew(watched(p.writing(crewSize), opts.Watch), db.seal, db.hooks, db.notices, db.log)
	return nil
}

// Close commits what was handed in, closes the database and unlocks the data
// directory. Writes that come later are CodeUnavailable.
func (db *DB) Close() error {
	var errs []error
	if db.folds != nil {
		db.folds.close()
	}
	if db.writer != nil {
		errs = append(errs, db.writer.close())
	}
	if db.checks != nil {
		errs = append(errs, db.checks.close())
	}
	if db.generations != nil {
		errs = append(errs, db.generations.close())
	}
	if db.reads != nil {
		errs = append(errs, db.reads.close())
	}
	if db.readers != nil {
		errs = append(errs, db.readers.Close())
	}
	if db.rates != nil {
		errs = append(errs, db.rates.db.Close())
	}
	if db.notices != nil {
		db.notices.close()
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
	err := db.view(ctx, fn)
	if row.Lost(err) && ctx.Err() == nil {
		// The connection was one of before a restart of the server.
		err = db.view(ctx, fn)
	}
	return err
}

func (db *DB) view(ctx context.Context, fn func(ctx context.Context, s *domain.Stores) error) error {
	return db.snapshot(ctx, func(tx bun.IDB) error {
		return protect(db.log, func() error { return fn(ctx, stores(tx, db.seal, func(string) {})) })
	})
}

// snapshot runs fn on a connection that reads one state of the database.
func (db *DB) snapshot(ctx context.Context, fn func(bun.IDB) error) error {
	if db.reads != nil {
		return db.reads.view(ctx, fn)
	}
	tx, err := db.readers.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return row.Error(err, "begin to read")
	}
	defer func() { _ = tx.Rollback() }() // it wrote nothing
	return fn(tx)
}

// Sealed reports whether secrets are kept sealed.
func (db *DB) Sealed() bool { return db.seal != nil }

// AfterCommit registers a hint.
func (db *DB) AfterCommit(table string, fn func()) { db.hooks.add(table, fn) }

// stores assembles what a transaction can reach.
func stores(tx bun.IDB, seal *row.Seal, touch row.Touch) *domain.Stores {
	return &domain.Stores{
		Campaigns:  directory.NewCampaigns(tx, touch),
		Recipients: calling.NewRecipients(tx, touch),
		Sheets:     directory.NewSheets(tx),
		Dialing:    directory.NewDialing(tx, touch),
		Tries:      directory.NewTries(tx),
		Breakers:   directory.NewBreakers(tx),
		Tallies:    directory.NewTallies(tx),

		Workspaces:  directory.NewWorkspaces(tx),
		Keys:        directory.NewKeys(tx),
		KeyTraces:   directory.NewKeyTraces(tx),
		Usage:       directory.NewUsages(tx),
		Agents:      directory.NewAgents(tx),
		Flows:       directory.NewFlows(tx),
		Numbers:     directory.NewNumbers(tx),
		Trunks:      directory.NewTrunks(tx, seal),
		Calls:       calling.NewCalls(tx, seal),
		Attempts:    calling.NewAttempts(tx, touch),
		Turns:       calling.NewTurns(tx),
		Events:      outbox.NewEvents(tx),
		Endpoints:   directory.NewEndpoints(tx, seal),
		Deliveries:  outbox.NewDeliveries(tx, touch),
		Notices:     directory.NewNotices(tx),
		Jobs:        outbox.NewJobs(tx, touch),
		Idempotency: outbox.NewIdempotency(tx, seal),
		Nodes:       calling.NewNodes(tx),
		Contacts:    directory.NewContacts(tx),
		Variables:   directory.NewContextVariables(tx),
		Business:    directory.NewBusiness(tx),
		Suppressed:  calling.NewSuppressions(tx, touch),
		Erasure:     calling.NewErasure(tx, seal),

		Appointments: directory.NewAppointments(tx),
		Uptimes:      directory.NewUptimes(tx),
		Messages:     directory.NewMessages(tx),

		Acquaintances: directory.NewAcquaintances(tx),
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
