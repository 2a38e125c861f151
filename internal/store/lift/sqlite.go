package lift

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
)

// kept bounds the statements that a connection to SQLite keeps.
const kept = 256

// SQLite makes connections, by the driver and the name of the data source, that
// prepare each statement once.
func SQLite(d driver.Driver, name string, l *Lifter) driver.Connector { return &sqlite{d, name, l} }

type sqlite struct {
	driver driver.Driver
	name   string
	lifter *Lifter
}

// Driver is that of the connections within.
func (s *sqlite) Driver() driver.Driver { return s.driver }

// Connect opens a connection.
func (s *sqlite) Connect(context.Context) (driver.Conn, error) {
	conn, err := s.driver.Open(s.name)
	if err != nil {
		return nil, err
	}
	known, ok := conn.(sqliteInner)
	if !ok {
		return nil, errors.Join(fmt.Errorf("the driver's %T lacks a method", conn), conn.Close())
	}
	return &SQLiteConn{sqliteInner: known, lifter: s.lifter, statements: make(map[string]*statement)}, nil
}

// sqliteInner is what a connection of the driver can do for database/sql.
type sqliteInner interface {
	driver.Conn
	driver.ConnPrepareContext
	driver.ConnBeginTx
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// SQLiteConn is a connection that keeps its statements.
type SQLiteConn struct {
	sqliteInner
	lifter     *Lifter
	statements map[string]*statement
}

// Bare is the driver's connection.
func (c *SQLiteConn) Bare() driver.Conn { return c.sqliteInner }

// statement is one that is kept. While it is busy, others of the same text are
// run by themselves.
type statement struct {
	prepared
	busy bool
}

type prepared interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// ExecContext runs a statement that has no rows.
func (c *SQLiteConn) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	s, lifted := c.lift(ctx, text, args)
	if s == nil {
		return c.sqliteInner.ExecContext(ctx, text, args)
	}
	return s.ExecContext(ctx, lifted)
}

// QueryContext runs a statement that has rows.
func (c *SQLiteConn) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	s, lifted := c.lift(ctx, text, args)
	if s == nil {
		return c.sqliteInner.QueryContext(ctx, text, args)
	}
	rows, err := s.QueryContext(ctx, lifted)
	if err != nil {
		return nil, err
	}
	s.busy = true
	return &sqliteRows{rows, s}, nil
}

// lift returns the kept statement of a text and its arguments, or nil when the
// text is to be run as it is.
func (c *SQLiteConn) lift(ctx context.Context, text string, args []driver.NamedValue) (*statement, []driver.NamedValue) {
	if len(args) > 0 {
		return nil, nil
	}
	lifted, values, ok := c.lifter.Lift(text)
	if !ok {
		return nil, nil
	}
	s := c.statements[lifted]
	if s == nil {
		s = c.keep(ctx, lifted)
	}
	if s == nil || s.busy {
		return nil, nil
	}
	return s, named(values)
}

// keep prepares a statement; nil when it cannot be: whoever runs it is told why.
func (c *SQLiteConn) keep(ctx context.Context, text string) *statement {
	made, err := c.PrepareContext(ctx, text)
	if err != nil {
		return nil
	}
	ready, ok := made.(prepared)
	if !ok {
		_ = made.Close()
		return nil
	}
	for other, s := range c.statements {
		if len(c.statements) < kept {
			break
		}
		if !s.busy {
			delete(c.statements, other)
			_ = s.Close() // it only frees memory
		}
	}
	s := &statement{prepared: ready}
	c.statements[text] = s
	return s
}

// Close ends the statements and the connection.
func (c *SQLiteConn) Close() error {
	errs := make([]error, 0, 1)
	for _, s := range c.statements {
		errs = append(errs, s.Close())
	}
	clear(c.statements)
	return errors.Join(append(errs, c.sqliteInner.Close())...)
}

// sqliteRows are those of a kept statement, which is free when they are closed.
type sqliteRows struct {
	driver.Rows
	of *statement
}

// Close ends the rows.
func (r *sqliteRows) Close() error {
	r.of.busy = false
	return r.Rows.Close()
}
