package store_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store"
	"github.com/callwright/callwright/internal/store/storetest"
)

// TestCutLine cuts the network under a store: writes and reads are unavailable
// after a bounded time, then work again by themselves.
func TestCutLine(t *testing.T) {
	storetest.OnPostgres(t, func(t *testing.T, at string) {
		over, l := storetest.BehindLine(t, at)
		db := openAt(t, over)
		if err := db.InTx(t.Context(), domain.LaneAPI, create(workspace("before"))); err != nil {
			t.Fatal(err)
		}
		nothing := func(context.Context, *domain.Stores) error { return nil }
		l.Cut(true)
		began := time.Now()
		wantCode(t, db.InTx(t.Context(), domain.LaneAPI, create(workspace("lost"))), domain.CodeUnavailable, "try again")
		if took := time.Since(began); took > store.LostPatience+10*time.Second {
			t.Errorf("who writes waits for %s", took)
		}
		wantCode(t, db.View(t.Context(), nothing), domain.CodeUnavailable, "try again")
		began = time.Now()
		wantCode(t, db.InTx(t.Context(), domain.LaneAPI, create(workspace("lost"))), domain.CodeUnavailable, "try again")
		if took := time.Since(began); took > time.Second {
			t.Errorf("while it is known to be gone, who writes waits for %s", took)
		}
		// Closures that wait in the buffer are kept.
		buffer := store.NewBuffer(db, nil)
		kept := workspace("kept")
		if !buffer.Put(create(kept)) {
			t.Error("the buffer took nothing")
		}
		l.Cut(false)
		if err := db.InTx(t.Context(), domain.LaneAPI, create(workspace("after"))); err != nil {
			t.Errorf("the store did not recover: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		if err := buffer.Close(ctx); err != nil {
			t.Error(err)
		}
		err := db.View(t.Context(), func(ctx context.Context, s *domain.Stores) error {
			_, err := s.Workspaces.Get(ctx, kept.ID)
			return err
		})
		if err != nil {
			t.Error(err)
		}
		conn := direct(t, at)
		if n := value[int](t, conn, "SELECT count(*) FROM workspaces WHERE name = 'lost'"); n != 0 {
			t.Errorf("%d writes are there although they were refused", n)
		}
	})
}

// TestShortBreakIsNotSeen cuts all connections while many write: they are run
// again, each is committed once, and nobody is told.
func TestShortBreakIsNotSeen(t *testing.T) {
	storetest.OnPostgres(t, func(t *testing.T, at string) {
		name := string(domain.NewID())
		db := openAt(t, with(t, at, "application_name", name))
		conn := direct(t, at)
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		var acked, unknown atomic.Int64
		for range 8 {
			wg.Go(func() {
				for ctx.Err() == nil {
					err := db.InTx(t.Context(), domain.LaneAPI, create(workspace("w")))
					switch domain.CodeOf(err) {
					case "":
						acked.Add(1)
					case domain.CodeUnavailable: // cut in the middle of a commit
						unknown.Add(1)
					default:
						t.Error(err)
					}
				}
			})
		}
		for round := range 3 {
			before := acked.Load()
			eventually(t, "going on", func() bool { return acked.Load() > before+20 })
			cut := value[int](t, conn, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = $1", name)
			if cut == 0 {
				t.Errorf("round %d: nothing was cut", round)
			}
		}
		before := acked.Load()
		eventually(t, "going on after the last cut", func() bool { return acked.Load() > before+20 })
		stop()
		wg.Wait()
		there := value[int64](t, conn, "SELECT count(*) FROM workspaces")
		if there < acked.Load() || there > acked.Load()+unknown.Load() {
			t.Errorf("%d rows are there; %d were acknowledged, %d are unknown", there, acked.Load(), unknown.Load())
		}
		t.Logf("%d acknowledged, %d unknown", acked.Load(), unknown.Load())
	})
}

// TestLostAnswerToCommit loses what the server says to a COMMIT: nobody knows
// whether it is done, so it is not done again.
func TestLostAnswerToCommit(t *testing.T) {
	storetest.OnPostgres(t, func(t *testing.T, at string) {
		over, l := storetest.BehindLine(t, at)
		db := openAt(t, over)
		l.LoseAnswerTo([]byte("\x0bcommit\x00")) // the length and text of the statement
		runs := 0
		w := workspace("once")
		err := db.InTx(t.Context(), domain.LaneAPI, func(ctx context.Context, s *domain.Stores) error {
			runs++
			return create(w)(ctx, s)
		})
		wantCode(t, err, domain.CodeUnavailable, "try again")
		l.LoseAnswerTo(nil)
		if n := value[int](t, direct(t, at), "SELECT count(*) FROM workspaces"); n != 1 || runs != 1 {
			t.Errorf("%d rows after %d runs", n, runs)
		}
		if err := db.InTx(t.Context(), domain.LaneAPI, create(workspace("after"))); err != nil {
			t.Error(err)
		}
	})
}
