package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/failpoint"
)

// migrations holds one directory for each kind of database and one file for
// each version of the tables.
//
//go:embed migrations
var migrations embed.FS

// Fingerprint tells the tables of this program from those of another: 16 hex
// digits, of all migrations.
func Fingerprint() (string, error) {
	sum := sha256.New()
	err := fs.WalkDir(migrations, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := migrations.ReadFile(path)
		_, _ = fmt.Fprintf(sum, "%s\n%s\n", path, text) // never fails, as hash.Hash says
		return err
	})
	return hex.EncodeToString(sum.Sum(nil)[:8]), err
}

// tables are those of one database, before they are brought up to date.
type tables struct {
	db      *sql.DB
	dialect goose.Dialect // also the name of the directory of migrations
	place   string        // how messages call the database
	// claim makes sure that no server uses the tables while they are changed; an
	// error means that one does.
	claim func() (release func() error, err error)
}

// unclaimed is the claim of a server, which has the tables to itself or shares
// them with others of its kind.
func unclaimed() (func() error, error) { return func() error { return nil }, nil }

// migrate brings the tables up to date.
func migrate(ctx context.Context, t tables) error {
	dir := map[goose.Dialect]string{goose.DialectSQLite3: "sqlite", goose.DialectPostgres: "postgres"}[t.dialect]
	files, err := fs.Sub(migrations, "migrations/"+dir)
	if err != nil {
		return err
	}
	steps, err := goose.NewProvider(t.dialect, t.db, files, goose.WithDisableGlobalRegistry(true))
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
			"The database %s has tables of version %d, but this Callwright knows them up to %d: run the newer Callwright, or restore a backup",
			t.place, now, target)
	}
	release, err := t.claim()
	if err != nil {
		return domain.Errorf(domain.CodeConflict,
			"The database %s has tables of version %d, this Callwright needs %d: restart the server that uses it with this version first",
			t.place, now, target)
	}
	for err == nil && now < target {
		var step *goose.MigrationResult
		if step, err = steps.UpByOne(ctx); err == nil {
			now = step.Source.Version
		}
		failpoint.Hit(failpoint.DuringMigration)
	}
	if err != nil {
		err = fmt.Errorf("bring the tables %s from version %d to %d: %w", t.place, now, target, err)
	}
	return errors.Join(err, release())
}
