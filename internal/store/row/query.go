package row

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/uptrace/bun"
)

// Query is a statement with its arguments, in the order of its question marks.
// The text comes from code only; values are arguments.
type Query struct {
	text strings.Builder
	args []any
}

// Add appends text, which has a question mark for each of args.
func (q *Query) Add(text string, args ...any) *Query {
	q.text.WriteString(text)
	q.args = append(q.args, args...)
	return q
}

// String is the statement without its values.
func (q *Query) String() string { return q.text.String() }

// Args are the values.
func (q *Query) Args() []any { return q.args }

// Each runs the query and calls scan for each row. The values are valid until
// scan returns, which must not use db.
func (q *Query) Each(ctx context.Context, db bun.IDB, scan func(Values) error) error {
	if watch, ok := ctx.Value(watching{}).(func(*Query)); ok {
		watch(q)
	}
	if prepared, ok := db.(*Prepared); ok {
		return prepared.each(ctx, q, scan)
	}
	rows, err := db.QueryContext(ctx, q.text.String(), q.args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // again, where all went well
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	values := make([]driver.Value, len(columns))
	into := make([]any, len(columns))
	for i := range values {
		into[i] = (*any)(&values[i])
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		if err := scan(Values{columns: values}); err != nil {
			return err
		}
	}
	return errors.Join(rows.Err(), rows.Close())
}

type watching struct{}

// Watch lets see be told of each query that is run with the context it returns,
// before it runs: for those who want to know how the database would run it.
func Watch(ctx context.Context, see func(*Query)) context.Context {
	return context.WithValue(ctx, watching{}, see)
}

// separator stands between packed columns: the control character for it, which
// is in no text that we keep but for what strangers make up.
const separator = "\x1f"

var errSeparated = errors.New("a column holds the separator")

// Packed runs the query that with makes of columns, none of which is ever NULL.
// SQLite gives a row as one text: asking it for each column by itself, under a
// lock each time, costs more than finding the row. Should a column hold the
// separator, the query runs once more for the columns by themselves.
func Packed(ctx context.Context, db bun.IDB, columns []string, with func(columns string) *Query, scan func(Values) error) error {
	all := strings.Join(columns, ", ")
	if _, ok := db.(*Prepared); !ok {
		return with(all).Each(ctx, db, scan)
	}
	parts := make([]string, len(columns))
	err := with("concat_ws(char(31), "+all+")").Each(ctx, db, func(v Values) error {
		rest := v.Text(0)
		for i := range parts {
			var more bool
			if parts[i], rest, more = strings.Cut(rest, separator); more != (i < len(parts)-1) {
				return errSeparated
			}
		}
		return scan(Values{parts: parts})
	})
	if errors.Is(err, errSeparated) {
		return with(all).Each(ctx, db, scan)
	}
	return err
}

// Int runs a query for one number.
func (q *Query) Int(ctx context.Context, db bun.IDB) (n int64, err error) {
	err = q.Each(ctx, db, func(v Values) error {
		n = v.Int(0)
		return nil
	})
	return n, err
}

// Values are the columns of one row.
type Values struct {
	columns []driver.Value
	parts   []string // of a packed row, instead
}

// Len is how many columns there are.
func (v Values) Len() int { return len(v.columns) + len(v.parts) }

// Text is a column of text; NULL is "".
func (v Values) Text(i int) string {
	if v.parts != nil {
		return v.parts[i]
	}
	switch text := v.columns[i].(type) {
	case string:
		return text
	case []byte:
		return string(text)
	}
	return ""
}

// Int is a column of integers; NULL is 0.
func (v Values) Int(i int) int64 {
	if v.parts != nil {
		n, _ := strconv.ParseInt(v.parts[i], 10, 64) // the database has printed it
		return n
	}
	n, _ := v.columns[i].(int64)
	return n
}

// Time is a column of Micros.
func (v Values) Time(i int) Micros { return Micros(v.Int(i)) }

// Prepared is a connection to SQLite that prepares each Query once. It is used
// by one goroutine at a time.
type Prepared struct {
	bun.Conn

	statements map[string]statement
	values     []driver.Value
	args       []driver.NamedValue
}

// statement is what a driver makes of a text.
type statement interface {
	driver.Stmt
	driver.StmtQueryContext
}

// NewPrepared takes over a connection.
func NewPrepared(conn bun.Conn) *Prepared {
	return &Prepared{Conn: conn, statements: make(map[string]statement)}
}

// Texts returns the statements that were prepared so far, in order.
func (p *Prepared) Texts() []string {
	texts := make([]string, 0, len(p.statements))
	for text := range p.statements {
		texts = append(texts, text)
	}
	slices.Sort(texts)
	return texts
}

// Close ends the statements and the connection, with what it has begun.
func (p *Prepared) Close() error {
	var errs []error
	for _, statement := range p.statements {
		errs = append(errs, statement.Close())
	}
	clear(p.statements)
	_ = p.Raw(func(any) error { return driver.ErrBadConn }) // not back to the pool
	_ = p.Conn.Close()
	return errors.Join(errs...)
}

// Run runs a statement that has no rows.
func (p *Prepared) Run(ctx context.Context, text string) error {
	return new(Query).Add(text).Each(ctx, p, func(Values) error { return nil })
}

func (p *Prepared) each(ctx context.Context, q *Query, scan func(Values) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	// Queries that are prepared are short: watching whether somebody still waits
	// would cost more than running them.
	ctx = context.WithoutCancel(ctx)
	return p.Raw(func(conn any) error {
		known, err := p.prepare(ctx, conn, q.text.String())
		if err != nil {
			return err
		}
		rows, err := known.QueryContext(ctx, p.bind(q.args))
		if err != nil {
			return err
		}
		return errors.Join(p.read(rows, scan), rows.Close())
	})
}

func (p *Prepared) prepare(ctx context.Context, conn any, text string) (statement, error) {
	if known, ok := p.statements[text]; ok {
		return known, nil
	}
	preparer, ok := conn.(driver.ConnPrepareContext)
	if !ok {
		return nil, fmt.Errorf("the driver's %T cannot prepare", conn)
	}
	made, err := preparer.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	ready, ok := made.(statement)
	if !ok {
		return nil, errors.Join(fmt.Errorf("the driver's %T cannot be queried", made), made.Close())
	}
	p.statements[text] = ready
	return ready, nil
}

// bind gives the arguments the types that a driver knows.
func (p *Prepared) bind(args []any) []driver.NamedValue {
	p.args = p.args[:0]
	for i, arg := range args {
		p.args = append(p.args, driver.NamedValue{Ordinal: i + 1, Value: plain(arg)})
	}
	return p.args
}

// plain is a value of one of the types of driver.Value.
func plain(arg any) driver.Value {
	if v, err := driver.DefaultParameterConverter.ConvertValue(arg); err == nil {
		return v
	}
	return fmt.Sprint(arg) // no query has an argument of another kind
}

func (p *Prepared) read(rows driver.Rows, scan func(Values) error) error {
	columns := len(rows.Columns())
	p.values = slices.Grow(p.values[:0], columns)[:columns]
	for {
		switch err := rows.Next(p.values); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if err := scan(Values{columns: p.values}); err != nil {
			return err
		}
	}
}
