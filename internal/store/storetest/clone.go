package storetest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store"
)

// clone copies the template into a database of its own and returns its URL, and
// what removes it with whoever is still connected: a tenth of the time that
// making the tables takes.
func clone(ctx context.Context, server string) (inside string, drop func(context.Context) error, err error) {
	from, err := template()
	if err != nil {
		return "", nil, err
	}
	name := "callwright_" + strings.ToLower(string(domain.NewID()))
	if err := run(ctx, server, "CREATE DATABASE "+name+" TEMPLATE "+from); err != nil {
		return "", nil, err
	}
	inside, err = within(server, name)
	return inside, func(ctx context.Context) error { return run(ctx, server, "DROP DATABASE "+name+" WITH (FORCE)") }, err
}

// template is the name of a database in which nothing was stored yet. The first
// process that needs it makes it; it stays on the server.
var template = sync.OnceValues(func() (string, error) {
	ctx, server := context.Background(), os.Getenv(Variable)
	fingerprint, err := store.Fingerprint()
	if err != nil {
		return "", err
	}
	name := "callwright_tables_" + fingerprint
	guard, err := pgx.Connect(ctx, server)
	if err != nil {
		return "", err
	}
	defer func() { _ = guard.Close(ctx) }() // which frees the lock
	if _, err := guard.Exec(ctx, "SELECT pg_advisory_lock(hashtextextended($1, 0))", name); err != nil {
		return "", err
	}
	var there bool
	if err := guard.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name).Scan(&there); err != nil || there {
		return name, err
	}
	making := name + "_new" // one that was not finished is nobody's template
	for _, statement := range []string{"DROP DATABASE IF EXISTS " + making, "CREATE DATABASE " + making} {
		if _, err := guard.Exec(ctx, statement); err != nil {
			return "", fmt.Errorf("%s: %w", statement, err)
		}
	}
	dsn, err := within(server, making)
	if err != nil {
		return "", err
	}
	db, err := store.Open(ctx, store.Options{DSN: dsn})
	if err != nil {
		return "", err
	}
	if err := db.Close(); err != nil {
		return "", err
	}
	_, err = guard.Exec(ctx, "ALTER DATABASE "+making+" RENAME TO "+name)
	return name, err
})

// within is the URL of another database on a server.
func within(server, database string) (string, error) {
	at, err := url.Parse(server)
	if err != nil {
		return "", errors.New(Variable + " is not a URL") // the error would show the password
	}
	at.Path = "/" + database
	return at.String(), nil
}

// run has the server do one statement.
func run(ctx context.Context, server, statement string) error {
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement)
	return errors.Join(err, conn.Close(ctx))
}
