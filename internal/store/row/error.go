package row

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// RetryAfter is when it is worth trying again after the database could not be
// read or written.
const RetryAfter = 2 * time.Second

// Primary result codes of SQLite (sqlite.org/rescode.html).
const (
	sqliteBusy       = 5
	sqliteLocked     = 6
	sqliteNoMem      = 7
	sqliteReadOnly   = 8
	sqliteInterrupt  = 9
	sqliteIOErr      = 10
	sqliteFull       = 13
	sqliteCantOpen   = 14
	sqliteConstraint = 19
)

// Extended result codes of the two uniqueness constraints.
const (
	sqliteUnique     = 2067
	sqlitePrimaryKey = 1555
)

// sqliteCode returns the extended result code of err, or 0.
func sqliteCode(err error) int {
	var coded interface{ Code() int }
	if errors.As(err, &coded) {
		return coded.Code()
	}
	return 0
}

// Busy reports whether another connection holds the lock that was needed.
func Busy(err error) bool {
	primary := sqliteCode(err) & 0xff
	return primary == sqliteBusy || primary == sqliteLocked
}

// Taken reports whether err says that a unique value exists already.
func Taken(err error) bool {
	code := sqliteCode(err)
	return code == sqliteUnique || code == sqlitePrimaryKey
}

// Error gives an error of the database its code: CodeUnavailable where the
// database cannot be used now, a context's error as it is, else an internal
// error about what was done. nil stays nil.
func Error(err error, doing string) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	var coded *domain.Error
	if errors.As(err, &coded) {
		return err
	}
	switch sqliteCode(err) & 0xff {
	case sqliteInterrupt:
		return context.Canceled
	case sqliteBusy, sqliteLocked, sqliteNoMem, sqliteReadOnly, sqliteIOErr, sqliteFull, sqliteCantOpen:
		return Unavailable(err)
	}
	if errors.Is(err, sql.ErrConnDone) || errors.Is(err, sql.ErrTxDone) || err.Error() == "sql: database is closed" {
		return Unavailable(err)
	}
	return fmt.Errorf("database: %s: %w", doing, err)
}

// Unavailable is the error for a database that cannot be used now.
func Unavailable(cause error) error {
	return domain.Unavailable(RetryAfter, cause, "The database cannot be used at the moment; try again in a few seconds")
}

// Created maps the error of an insert: a value that must be unique and exists
// already is CodeConflict with the given message.
func Created(err error, conflict string) error {
	if Taken(err) {
		return domain.Errorf(domain.CodeConflict, "%s", conflict)
	}
	return Error(err, "insert")
}

// Found maps the error of reading one row: no row is missing.
func Found(err error, missing *domain.Error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return missing
	}
	return Error(err, "select")
}
