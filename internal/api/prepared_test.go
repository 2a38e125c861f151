package api_test

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/callwright/callwright/internal/store"
)

// emptyStore is the file of a SQLite store that has all tables and no rows. To
// make it takes longer than most tests.
var emptyStore = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "callwright-empty-store-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) // only its file's bytes are wanted
	db, err := store.Open(context.Background(), store.Options{Dir: dir})
	if err != nil {
		return nil, err
	}
	if err := db.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(dir, store.File))
})

// storeDir is a directory for a store; unless it is elsewhere, the store is in
// it, empty.
func storeDir(t *testing.T, url string) string {
	t.Helper()
	dir := t.TempDir()
	if url != "" {
		return dir
	}
	raw, err := emptyStore()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, store.File), raw, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}
