package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store/lift"
	"github.com/callwright/callwright/internal/store/row"
)

// oldestPostgres is the first major version that is supported.
const oldestPostgres = 14

// pgReaders is how many snapshots are read at once.
const pgReaders = 8

// pgDialect is bun's for PostgreSQL, except that what its text cannot hold, NUL
// and bytes that are no UTF-8, is stored as U+FFFD.
type pgDialect struct{ *pgdialect.Dialect }

// AppendString quotes s.
func (d pgDialect) AppendString(b []byte, s string) []byte {
	return d.Dialect.AppendString(b, strings.Map(func(r rune) rune {
		if r == 0 {
			return '\uFFFD'
		}
		return r // which is U+FFFD for a byte that is no UTF-8
	}, s))
}

// isPostgres reports whether a DSN is one of PostgreSQL.
func isPostgres(dsn string) bool {
	return strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://")
}

// postgres is a database on a server, as its DSN says.
type postgres struct {
	conf   *pgx.ConnConfig
	space  uint32       // the schema's OID
	lifter *lift.Lifter // once it is prepared
}

// parsePostgres reads a DSN and adds what it does not say.
func parsePostgres(dsn string) (*postgres, error) {
	conf, err := pgx.ParseConfig(dsn)
	if err != nil {
		// The parser's message may show parts of a password.
		return nil, domain.Invalid("database",
			"The database URL is not understood: write it like postgres://user:password@host:5432/name, with special characters of the password percent-encoded")
	}
	// Arguments are part of bun's statements: there is nothing to prepare.
	conf.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	if conf.ConnectTimeout == 0 {
		conf.ConnectTimeout = 5 * time.Second
	}
	dialer := net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 10 * time.Second, Interval: 5 * time.Second, Count: 3}}
	conf.DialFunc = dialer.DialContext
	for name, value := range map[string]string{
		"application_name":                    "callwright",
		"synchronous_commit":                  "on",
		"default_transaction_isolation":       "read committed",
		"lock_timeout":                        "5s",
		"statement_timeout":                   "30s",
		"idle_in_transaction_session_timeout": "10s", // a process that was stopped must not hold up others
	} {
		if _, said := conf.RuntimeParams[name]; !said {
			conf.RuntimeParams[name] = value
		}
	}
	return &postgres{conf: conf}, nil
}

// name is how messages call the database. It has no password.
func (p *postgres) name() string {
	host := p.conf.Host
	if !strings.HasPrefix(host, "/") {
		host = net.JoinHostPort(host, strconv.Itoa(int(p.conf.Port)))
	}
	return fmt.Sprintf("%q on %s", p.conf.Database, host)
}

// check connects once and says what is wrong.
func (p *postgres) check(ctx context.Context) error {
	conn, err := pgx.ConnectConfig(ctx, p.conf)
	if err != nil {
		return p.refused(ctx, err)
	}
	defer hangUp(conn)
	version := conn.PgConn().ParameterStatus("server_version") // like "15.18 (Debian 15.18-0)" or "16beta1"
	major := version[:len(version)-len(strings.TrimLeft(version, "0123456789"))]
	if n, err := strconv.Atoi(major); err == nil && n < oldestPostgres {
		return domain.Errorf(domain.CodeInvalid, "The database %s is PostgreSQL %s: Callwright needs version %d or newer", p.name(), version, oldestPostgres)
	}
	var space *uint32
	var reading string
	err = conn.QueryRow(ctx, "SELECT current_schema()::regnamespace::oid, current_setting('transaction_read_only')").Scan(&space, &reading)
	switch {
	case err != nil:
		return p.refused(ctx, err)
	case space == nil:
		return domain.Errorf(domain.CodeInvalid, "The database %s has no schema that its search_path %q names: create one, or name another", p.name(), p.conf.RuntimeParams["search_path"])
	case reading == "on":
		return domain.Errorf(domain.CodeInvalid, "The database %s can only be read: name the primary server, not a standby", p.name())
	}
	p.space = *space
	return nil
}

// refused words why there is no connection.
func (p *postgres) refused(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var stated *pgconn.PgError
	if !errors.As(err, &stated) {
		return domain.Unavailable(0, nil, "The database %s cannot be reached (%s): start PostgreSQL there, or correct --database", p.name(), reason(err))
	}
	switch stated.Code {
	case "28P01", "28000":
		return domain.Errorf(domain.CodeInvalid, "The database %s refuses the user %q (%s): correct the user or the password in --database", p.name(), p.conf.User, stated.Message)
	case "3D000":
		return domain.Errorf(domain.CodeInvalid, "The database %s does not exist: create it (createdb %s), or name another with --database", p.name(), p.conf.Database)
	case "42501":
		return domain.Errorf(domain.CodeInvalid, "The database %s does not let the user %q do what it must (%s): grant it the rights to create tables", p.name(), p.conf.User, stated.Message)
	case "53300":
		return domain.Unavailable(0, nil, "The database %s has no connection left (%s): raise its max_connections", p.name(), stated.Message)
	}
	return domain.Unavailable(0, nil, "The database %s cannot be used: %s (SQLSTATE %s)", p.name(), stated.Message, stated.Code)
}

// reason is the innermost error: what stood in the way, in one line.
func reason(err error) string {
	for {
		inner := errors.Unwrap(err)
		if many, ok := err.(interface{ Unwrap() []error }); ok {
			inner = many.Unwrap()[0] // of several addresses
		}
		if inner == nil {
			return strings.Join(strings.Fields(err.Error()), " ")
		}
		err = inner
	}
}

// reading opens at most size connections for lists. What is best for them hangs
// on what they ask for, so each is planned for its values.
func (p *postgres) reading(size int) *bun.DB {
	conf := p.conf.Copy()
	if _, said := conf.RuntimeParams["plan_cache_mode"]; !said {
		conf.RuntimeParams["plan_cache_mode"] = "force_custom_plan"
	}
	return p.pool(conf, size)
}

// writing opens at most size connections.
func (p *postgres) writing(size int) *bun.DB { return p.pool(p.conf, size) }

func (p *postgres) pool(conf *pgx.ConnConfig, size int) *bun.DB {
	pool := sql.OpenDB(lift.Postgres(*conf, p.lifter))
	pool.SetMaxOpenConns(size)
	pool.SetMaxIdleConns(size)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	return bun.NewDB(pool, pgDialect{pgdialect.New()})
}

// prepare brings the tables up to date and finds out how its secrets are sealed; of
// several servers that start at once, one does so and the others wait.
func (p *postgres) prepare(ctx context.Context, opts Options) (seal *row.Seal, err error) {
	conf := p.conf.Copy()
	conf.RuntimeParams["lock_timeout"] = "0"
	conf.RuntimeParams["statement_timeout"] = "0"
	conf.RuntimeParams["idle_in_transaction_session_timeout"] = "0"
	pool := stdlib.OpenDB(*conf)
	defer func() { _ = pool.Close() }()
	guard, err := pool.Conn(ctx)
	if err != nil {
		return nil, p.refused(ctx, err)
	}
	defer func() { _ = guard.Close() }() // which also frees the lock
	if _, err := guard.ExecContext(ctx, "SELECT pg_advisory_lock(hashtextextended(current_schema() || ' migrate', 0))"); err != nil {
		return nil, p.refused(ctx, err)
	}
	claim := unclaimed
	if opts.Shared {
		claim = func() (func() error, error) { return unserved(ctx, guard) }
	}
	err = migrate(ctx, tables{db: pool, dialect: goose.DialectPostgres, place: p.name(), claim: claim})
	own := bun.NewDB(pool, pgDialect{pgdialect.New()})
	if err == nil {
		seal, _, err = openSeal(ctx, own, opts.Key)
	}
	if err == nil {
		p.lifter, err = newLifter(ctx, own, true)
	}
	_, unlock := guard.ExecContext(ctx, "SELECT pg_advisory_unlock_all()")
	var stated *pgconn.PgError
	if errors.As(err, &stated) && stated.Code == "42501" {
		return nil, p.refused(ctx, err)
	}
	return seal, errors.Join(err, unlock)
}

// unserved is the claim of a command: an error means that a server uses the
// tables just now. Tables without nodes are used by none.
func unserved(ctx context.Context, conn *sql.Conn) (func() error, error) {
	var n int
	err := conn.QueryRowContext(ctx, "SELECT count(*) FROM nodes WHERE beat_at > (EXTRACT(EPOCH FROM clock_timestamp()) - 15) * 1000000").Scan(&n)
	if err == nil && n > 0 {
		return nil, domain.Errorf(domain.CodeConflict, "%d servers use the database", n)
	}
	return unclaimed()
}

// Fresh makes a schema of its own in a PostgreSQL database and returns the URL
// that leads into it, and what removes it with all that is in it.
func Fresh(ctx context.Context, dsn string) (inside string, drop func(context.Context) error, err error) {
	if !isPostgres(dsn) {
		return "", nil, unknownScheme(dsn)
	}
	p, err := parsePostgres(dsn)
	if err != nil {
		return "", nil, err
	}
	if err := p.check(ctx); err != nil {
		return "", nil, err
	}
	within, err := url.Parse(dsn)
	if err != nil {
		return "", nil, err
	}
	schema := "callwright_" + strings.ToLower(string(domain.NewID()))
	run := func(ctx context.Context, statement string) error {
		conn, err := pgx.ConnectConfig(ctx, p.conf)
		if err != nil {
			return p.refused(ctx, err)
		}
		defer hangUp(conn)
		if _, err := conn.Exec(ctx, statement); err != nil {
			return p.refused(ctx, err)
		}
		return nil
	}
	if err := run(ctx, "CREATE SCHEMA "+schema); err != nil {
		return "", nil, err
	}
	query := within.Query()
	query.Set("search_path", schema)
	within.RawQuery = query.Encode()
	return within.String(), func(ctx context.Context) error { return run(ctx, "DROP SCHEMA "+schema+" CASCADE") }, nil
}
