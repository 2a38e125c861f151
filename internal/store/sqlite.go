package store

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/pressly/goose/v3"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store/lift"
)

// readerCount is how many snapshots are read at once.
const readerCount = 4

// dialect is bun's for SQLite, except that a NUL in text, which would end the
// statement, is stored as U+FFFD.
type dialect struct{ *sqlitedialect.Dialect }

// AppendString quotes s.
func (d dialect) AppendString(b []byte, s string) []byte {
	return d.Dialect.AppendString(b, strings.ReplaceAll(s, "\x00", "\uFFFD"))
}

// open opens a pool of at most size connections with the given pragmas.
func open(path string, size int, pragmas ...string) (*bun.DB, error) {
	pool, err := sql.Open("sqlite", source(path, pragmas))
	if err != nil {
		return nil, err
	}
	return sized(pool, size), nil
}

// openLifted is open for connections that prepare each statement once.
func openLifted(l *lift.Lifter, path string, size int, pragmas ...string) (*bun.DB, error) {
	pool, err := sql.Open("sqlite", "")
	if err != nil {
		return nil, err
	}
	driver := pool.Driver()
	_ = pool.Close() // it has no connection
	return sized(sql.OpenDB(lift.SQLite(driver, source(path, pragmas), l)), size), nil
}

func sized(pool *sql.DB, size int) *bun.DB {
	pool.SetMaxOpenConns(size)
	pool.SetMaxIdleConns(size)
	return bun.NewDB(pool, dialect{sqlitedialect.New()})
}

// source names a file with the pragmas of its connections.
func source(path string, pragmas []string) string {
	query := url.Values{"_pragma": append([]string{
		"busy_timeout(1000)", // first: the others may need it
		"journal_mode(WAL)",
		"synchronous(FULL)",
		"temp_store(MEMORY)",
	}, pragmas...)}
	name := url.URL{Scheme: "file", Path: path, RawQuery: query.Encode()}
	return name.String()
}

// unchecked leaves checkpoints to others, so that no commit pays for one.
const unchecked = "wal_autocheckpoint(0)"

// prepare makes the file, readable to its owner only, brings its tables up to
// date and finds out how its secrets are sealed.
func (db *DB) prepare(ctx context.Context, dir, path string, opts Options) error {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return domain.Errorf(domain.CodeInvalid, "The database %s cannot be opened: %v", path, err)
	}
	if err := file.Close(); err != nil {
		return err
	}
	own, err := open(path, 1, unchecked)
	if err != nil {
		return err
	}
	defer func() { _ = own.Close() }()
	t := tables{db: own.DB, dialect: goose.DialectSQLite3, place: "in " + dir, claim: unclaimed}
	if opts.Shared {
		t.claim = func() (func() error, error) {
			lock, err := lockDir(ctx, dir)
			if err != nil {
				return nil, err
			}
			return lock.Unlock, nil
		}
	}
	if err := migrate(ctx, t); err != nil {
		return err
	}
	if db.lifter, err = newLifter(ctx, own, false); err != nil {
		return err
	}
	if err := db.openSeal(ctx, own, opts.Key); err != nil || opts.Shared {
		return err
	}
	return freeLeases(ctx, own.DB)
}

// openSeal finds out how secrets are sealed. What was sealed just now is not left
// to be read in the file as it was before.
func (db *DB) openSeal(ctx context.Context, own *bun.DB, key Key) (err error) {
	if _, err := own.ExecContext(ctx, "PRAGMA secure_delete = ON"); err != nil {
		return err
	}
	var first bool
	if db.seal, first, err = openSeal(ctx, own, key); err != nil {
		return err
	}
	if !first {
		return nil
	}
	_, err = own.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)") // a hint: somebody may read
	return err
}

// freeLeases gives back what the last server held when it died. Whoever holds
// the lock on the directory is the only server, so nobody works on it any more;
// without this, deliveries and jobs would wait for their leases to run out.
func freeLeases(ctx context.Context, db *sql.DB) error {
	if _, err := db.ExecContext(ctx, "DELETE FROM nodes"); err != nil {
		return fmt.Errorf("forget the last server: %w", err)
	}
	for _, table := range []string{"deliveries", "jobs"} {
		if _, err := db.ExecContext(ctx, "UPDATE "+table+" SET lease_until = 0 WHERE state = 'pending' AND lease_until > 0"); err != nil {
			return fmt.Errorf("free what the last server held in %s: %w", table, err)
		}
	}
	return nil
}
