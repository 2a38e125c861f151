package storetest

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/store"
)

// Variable is the environment variable that holds the URL of a PostgreSQL
// server to test on, as a user who may create databases; scripts/postgres.sh
// sets it. Without it tests use SQLite.
const Variable = "CALLWRIGHT_TEST_DATABASE"

// URL returns what a test opens as its database: "" for SQLite, or a database of
// its own on the server that the environment names, empty but with all tables.
// It is removed after what the test registers for its end from here on.
func URL(t testing.TB) string { return made(t, clone) }

// Empty returns what URL does, but without tables, for tests of how they are
// made.
func Empty(t testing.TB) string { return made(t, store.Fresh) }

// made returns what one way of making a database makes of the server that the
// environment names.
func made(t testing.TB, how func(ctx context.Context, server string) (string, func(context.Context) error, error)) string {
	t.Helper()
	server := os.Getenv(Variable)
	if server == "" {
		return ""
	}
	inside, drop, err := how(t.Context(), server)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := drop(ctx); err != nil {
			t.Error(err)
		}
	})
	return inside
}

// OnPostgres runs a test that is about PostgreSQL, when the environment names a
// server, with the URL of a database as URL returns it.
func OnPostgres(t *testing.T, test func(t *testing.T, url string)) {
	t.Helper()
	if os.Getenv(Variable) != "" {
		t.Run("postgres", func(t *testing.T) { test(t, URL(t)) })
	}
}
