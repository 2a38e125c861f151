package storetest

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/callwright/callwright/internal/store"
)

// Dir returns a data directory for one test, whose SQLite database is empty but
// has all its tables: they are made once in a process and copied, because to
// make them takes longer than most tests do. Tests of how they are made, or of
// PostgreSQL, do with t.TempDir.
func Dir(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	if os.Getenv(Variable) != "" {
		return dir
	}
	tables, err := emptyTables()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, store.File), tables, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// emptyTables is the file of a database in which nothing was stored yet.
var emptyTables = sync.OnceValues(func() (_ []byte, err error) {
	dir, err := os.MkdirTemp("", "callwright-tables-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	db, err := store.Open(context.Background(), store.Options{Dir: dir})
	if err != nil {
		return nil, err
	}
	if err := db.Close(); err != nil { // which leaves nothing beside the file
		return nil, err
	}
	return os.ReadFile(filepath.Join(dir, store.File)) //nolint:gosec // a directory that was made above
})
