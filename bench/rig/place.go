//go:build linux

package rig

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"os"
	"path/filepath"

	"github.com/callwright/callwright/internal/store"
)

// The databases that are measured.
const (
	SQLite   = "sqlite"
	Postgres = "postgres"
)

// Place is where an empty database is.
type Place struct {
	Name string // SQLite or Postgres
	Dir  string // not made yet
	DSN  string // of Postgres
}

// Within makes a place, which is removed when do returns. database is a URL of
// the server of Postgres.
func Within(ctx context.Context, name, database string, do func(Place) error) (err error) {
	dir, err := os.MkdirTemp("", "callwright-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	at := Place{Name: name, Dir: filepath.Join(dir, "data")}
	if name == Postgres {
		dsn, drop, err := store.Fresh(ctx, database)
		if err != nil {
			return err
		}
		at.DSN = dsn
		return errors.Join(do(at), drop(context.WithoutCancel(ctx)))
	}
	return do(at)
}

// Open opens the database for reading, beside whoever has it.
func (p Place) Open() (*sql.DB, error) {
	if p.DSN != "" {
		return sql.Open("pgx", p.DSN)
	}
	name := url.URL{Scheme: "file", Opaque: (&url.URL{Path: filepath.Join(p.Dir, store.File)}).EscapedPath(), RawQuery: "_pragma=busy_timeout(10000)&mode=ro"}
	return sql.Open("sqlite", name.String())
}
