package store_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/domain/ratetest"
	"github.com/callwright/callwright/internal/store"
	"github.com/callwright/callwright/internal/store/storetest"
)

// TestRates counts with three stores, as three processes have them, on one
// database.
func TestRates(t *testing.T) {
	if openIn(t, storetest.Dir(t)).Rates() != nil {
		t.Error("SQLite counts requests, which one process can do in its memory")
	}
	storetest.OnPostgres(t, func(t *testing.T, _ string) {
		ratetest.Exercise(t, func(t *testing.T) ratetest.Kit {
			url := storetest.URL(t)
			var kit ratetest.Kit
			for range 3 {
				db, err := store.Open(t.Context(), store.Options{DSN: url, Logger: slog.New(slog.DiscardHandler)})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() {
					if err := db.Close(); err != nil {
						t.Error(err)
					}
				})
				kit.Limits = append(kit.Limits, db.Rates())
			}
			conn := direct(t, url)
			kit.Pass = func(t *testing.T, key domain.ID, d time.Duration) {
				t.Helper()
				tag, err := conn.Exec(t.Context(), "UPDATE rate_windows SET ends_at = ends_at - $1 WHERE key_id = $2", d.Microseconds(), string(key))
				if err != nil || tag.RowsAffected() != 1 {
					t.Fatal(tag, err)
				}
			}
			return kit
		})
	})
}
