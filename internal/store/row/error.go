package row

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/callwright/callwright/internal/domain"
)

// RetryAfter is when it is worth trying again after the database could not be
// read or written.
const RetryAfter = 2 * time.Second

// Primary result codes of SQLite (sqlite.org/rescode.html).
const (
	sqliteBusy      = 5
	sqliteLocked    = 6
	sqliteNoMem     = 7
	sqliteReadOnly  = 8
	sqliteInterrupt = 9
	sqliteIOErr     = 10
	sqliteFull      = 13
	sqliteCantOpen  = 14
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

// SQLSTATEs of PostgreSQL (its documentation, appendix A).
const (
	stateUnique        = "23505"
	stateReadOnly      = "25006"
	stateSerialization = "40001"
	stateDeadlock      = "40P01"
	stateLockTimeout   = "55P03"
	stateCanceled      = "57014"
)

// sqlState returns the SQLSTATE of err, or "".
func sqlState(err error) string {
	var stated *pgconn.PgError
	if errors.As(err, &stated) {
		return stated.Code
	}
	return ""
}

// Crossed reports whether a transaction failed only because others ran at the
// same time: it is worth running again at once.
func Crossed(err error) bool {
	switch sqlState(err) {
	case stateSerialization, stateDeadlock, stateLockTimeout:
		return true
	}
	return false
}

// Lost reports whether the connection to the database is gone, or could not be
// made.
func Lost(err error) bool {
	var refused *pgconn.ConnectError
	var network net.Error
	switch {
	case err == nil:
		return false
	case errors.As(err, &refused), errors.Is(err, driver.ErrBadConn), errors.Is(err, pgconn.ErrConnClosed),
		errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return true
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return false
	case errors.As(err, &network):
		return true
	}
	state := sqlState(err)
	// 08: the connection; 57P0x: the server is stopping, starting or crashed.
	return strings.HasPrefix(state, "08") || strings.HasPrefix(state, "57P0")
}

// unusable reports whether PostgreSQL cannot do what it is asked for now.
func unusable(err error) bool {
	switch state := sqlState(err); {
	case state == stateReadOnly, strings.HasPrefix(state, "53"), strings.HasPrefix(state, "58"): // resources, the system
		return true
	case state == stateCanceled: // the time that a statement has is over
		return true
	}
	return Crossed(err) || Lost(err)
}

// Busy reports whether another connection holds the lock that was needed.
func Busy(err error) bool {
	primary := sqliteCode(err) & 0xff
	return primary == sqliteBusy || primary == sqliteLocked
}

// Taken reports whether err says that a unique value exists already.
func Taken(err error) bool {
	code := sqliteCode(err)
	return code == sqliteUnique || code == sqlitePrimaryKey || sqlState(err) == stateUnique
}

// TakenIn is Taken for one index: PostgreSQL names it, SQLite its columns
// ("attempts.call_id, attempts.try_number").
func TakenIn(err error, index, columns string) bool {
	if !Taken(err) {
		return false
	}
	var stated *pgconn.PgError
	if errors.As(err, &stated) {
		return stated.ConstraintName == index
	}
	return strings.Contains(err.Error(), columns)
}

// Error gives an error of the database its code: CodeUnavailable where the
// database cannot be used now, a context's error as it is, else an internal
// error about what was done. nil stays nil.
func Error(err error, doing string) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) && !Lost(err) {
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
	if unusable(err) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, sql.ErrTxDone) || err.Error() == "sql: database is closed" {
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
