package lift

import (
	"context"
	"database/sql/driver"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// Postgres makes connections that prepare each statement once. Those of conf
// that keep no statements (statement_cache_capacity=0, for poolers that cannot)
// run them as they come.
func Postgres(conf pgx.ConnConfig, l *Lifter) driver.Connector {
	inner := stdlib.GetConnector(conf)
	if conf.StatementCacheCapacity == 0 {
		return inner
	}
	return &postgres{inner, l}
}

type postgres struct {
	driver.Connector
	lifter *Lifter
}

// Connect opens a connection.
func (p *postgres) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := p.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	known, ok := conn.(*stdlib.Conn)
	if !ok {
		return conn, nil
	}
	return &postgresConn{pgxConn: known, lifter: p.lifter}, nil
}

// pgxConn has the method Conn, which a field of that name would hide.
type pgxConn = stdlib.Conn

// postgresConn is a connection of pgx, which keeps the statements itself.
type postgresConn struct {
	*pgxConn
	lifter *Lifter
}

// ExecContext runs a statement that has no rows.
func (c *postgresConn) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	text, args = c.lift(text, args)
	return c.pgxConn.ExecContext(ctx, text, args)
}

// QueryContext runs a statement that has rows.
func (c *postgresConn) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	text, args = c.lift(text, args)
	return c.pgxConn.QueryContext(ctx, text, args)
}

func (c *postgresConn) lift(text string, args []driver.NamedValue) (string, []driver.NamedValue) {
	if len(args) > 0 {
		return text, args
	}
	lifted, values, ok := c.lifter.Lift(text)
	if !ok {
		return text, args
	}
	return lifted, named(append([]any{pgx.QueryExecModeCacheStatement}, values...))
}

func named(values []any) []driver.NamedValue {
	args := make([]driver.NamedValue, len(values))
	for i, v := range values {
		args[i] = driver.NamedValue{Ordinal: i + 1, Value: v}
	}
	return args
}
