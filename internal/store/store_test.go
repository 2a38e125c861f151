package store_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store"
	"github.com/callwright/callwright/internal/store/storetest"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		os.Exit(writeUntilKilled(dir))
	}
	if dir := os.Getenv(besideDir); dir != "" {
		if err := writeAsTold(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

// openIn opens SQLite in dir and closes it when the test ends.
func openIn(t *testing.T, dir string) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{Dir: dir, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// conformanceKey seals what the conformance suite stores.
var conformanceKey = store.Key{From: "a test", Bytes: func(bool) ([]byte, error) { return bytes.Repeat([]byte{9}, 32), nil }}

// openAt opens the database at url, or SQLite when url is "", and closes it when
// the test ends.
func openAt(t *testing.T, url string) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{Dir: storetest.Dir(t), DSN: url, Key: conformanceKey, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func TestConformance(t *testing.T) {
	writers := 1
	if os.Getenv(storetest.Variable) != "" {
		writers = store.CrewSize
	}
	storetest.Exercise(t, writers, func(t *testing.T) domain.Store { return openAt(t, storetest.URL(t)) })
}
