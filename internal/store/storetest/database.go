package storetest

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/store"
)

// Variable is the environment variable that holds the URL of a PostgreSQL
// server to test on; scripts/postgres.sh sets it. Without it tests use SQLite.
const Variable = "CALLWRIGHT_TEST_DATABASE"

// URL returns what a test opens as its database: "" for SQLite, or an empty
// schema on the server that the environment names. The schema is removed after
// what the test registers for its end from here on.
func URL(t testing.TB) string {
	t.Helper()
	server := os.Getenv(Variable)
	if server == "" {
		return ""
	}
	inside, drop, err := store.Fresh(t.Context(), server)
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
// server, with the URL of an empty schema there.
func OnPostgres(t *testing.T, test func(t *testing.T, url string)) {
	t.Helper()
	if os.Getenv(Variable) != "" {
		t.Run("postgres", func(t *testing.T) { test(t, URL(t)) })
	}
}
