package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"

	"github.com/callwright/callwright/internal/domain"
)

// migrations holds one directory for each kind of database and one file for
// each version of the tables.
//
//go:embed migrations
var migrations embed.FS

// migrate brings the tables up to date. Beside a server, which may hold the
// lock, they are only changed when there is no server.
func migrate(ctx context.Context, db *sql.DB, dir string, shared bool) error {
	files, err := fs.Sub(migrations, "migrations/sqlite")
	if err != nil {
		return err
	}
	steps, err := goose.NewProvider(goose.DialectSQLite3, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	now, target, err := steps.GetVersions(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("read the version of the tables: %w", err)
	case now == target:
		return nil
	case now > target:
		return domain.Errorf(domain.CodeConflict,
			"The database in %s has tables of version %d, but this Callwright knows them up to %d: run the newer Callwright, or restore a backup",
			dir, now, target)
	}
	if shared {
		lock, err := lockDir(ctx, dir)
		if err != nil {
			return domain.Errorf(domain.CodeConflict,
				"The database in %s has tables of version %d, this Callwright needs %d: restart the server that uses it with this version first",
				dir, now, target)
		}
		defer func() { _ = lock.Unlock() }()
	}
	if _, err := steps.Up(ctx); err != nil {
		return fmt.Errorf("bring the tables in %s from version %d to %d: %w", dir, now, target, err)
	}
	return nil
}
