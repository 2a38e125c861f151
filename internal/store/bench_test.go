package store_test

import (
	"context"
	"fmt"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store"
	"github.com/callwright/callwright/internal/store/storetest"
)

// BenchmarkPlace commits a call with its attempt, for one caller and for many.
// With scripts/postgres.sh it measures PostgreSQL (FSYNC=on for what it costs in
// earnest), else SQLite.
func BenchmarkPlace(b *testing.B) {
	for _, callers := range []int{1, 64} {
		b.Run(fmt.Sprint(callers), func(b *testing.B) {
			db := benched(b)
			work := make(chan struct{})
			var wg sync.WaitGroup
			for range callers {
				wg.Go(func() {
					for range work {
						if err := place(b, db, time.Now()); err != nil {
							b.Error(err)
						}
					}
				})
			}
			b.ResetTimer()
			for range b.N {
				work <- struct{}{}
			}
			close(work)
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tx/s")
		})
	}
}

// BenchmarkClaim claims 64 of many attempts at a time.
func BenchmarkClaim(b *testing.B) {
	db := benched(b)
	var wg sync.WaitGroup
	rows := 64 * b.N
	for i := range 64 {
		wg.Go(func() {
			for range rows / 64 {
				if err := place(b, db, time.Now().Add(-time.Duration(i)*time.Second)); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
	b.ResetTimer()
	for range b.N {
		err := db.InTx(b.Context(), domain.LaneDial, func(ctx context.Context, s *domain.Stores) error {
			got, _, err := s.Attempts.Claim(ctx, "epoch", time.Now(), time.Minute, 64)
			if err == nil && len(got) != 64 {
				err = fmt.Errorf("claimed %d", len(got))
			}
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

func benched(b *testing.B) *store.DB {
	b.Helper()
	db, err := store.Open(b.Context(), store.Options{Dir: b.TempDir(), DSN: storetest.URL(b)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := db.Close(); err != nil {
			b.Error(err)
		}
	})
	return db
}

func place(b *testing.B, db *store.DB, at time.Time) error {
	return db.InTx(b.Context(), domain.LaneAPI, func(ctx context.Context, s *domain.Stores) error {
		call := &domain.Call{ID: domain.NewID(), WorkspaceID: "w", Mode: domain.Live, State: domain.CallQueued, CreatedAt: at, To: "+15005550006"}
		if err := s.Calls.Create(ctx, call); err != nil {
			return err
		}
		return s.Attempts.Create(ctx, &domain.Attempt{
			ID: domain.NewID(), WorkspaceID: "w", Mode: domain.Live, CallID: call.ID, Number: call.To, TryNumber: 1,
			State: domain.AttemptPlanned, NextAt: at, CreatedAt: at,
		})
	})
}

// BenchmarkList lists 50 of 10,000 calls, as a page of the API shows them.
func BenchmarkList(b *testing.B) { benchList(b, nil) }

// BenchmarkHeldList does so for whoever holds all of them.
func BenchmarkHeldList(b *testing.B) { benchList(b, func(domain.ID, int64) bool { return true }) }

func benchList(b *testing.B, held func(domain.ID, int64) bool) {
	b.Helper()
	db := benched(b)
	in := domain.Scope{Workspace: domain.NewID(), Mode: domain.Live}
	err := db.InTx(b.Context(), domain.LaneAPI, func(ctx context.Context, s *domain.Stores) error {
		for range 10_000 {
			c := domain.Call{
				ID: domain.NewID(), WorkspaceID: in.Workspace, Mode: in.Mode, Version: 1, CreatedAt: time.Now(), State: domain.CallCompleted,
				AgentID: domain.NewID(), PhoneNumberID: domain.NewID(), CampaignID: domain.NewID(), Direction: domain.Outbound,
				From: "+15005550100", To: "+15005550006", Recording: "2026/01/x.wav", Variables: map[string]any{"name": "Ada"},
				Analysis: &domain.Analysis{Summary: "The caller said yes to Monday at ten.", Sentiment: "positive", Method: "lexicon"},
			}
			if err := s.Calls.Create(ctx, &c); err != nil {
				return err
			}
		}
		for n := 1; n > 0; {
			var err error
			if n, err = s.Calls.Fold(ctx, 5000); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	began := processorTime(b)
	defer func() { b.ReportMetric(float64(processorTime(b)-began)/float64(b.N), "cpu-ns/op") }()
	for range b.N {
		err := db.View(b.Context(), func(ctx context.Context, s *domain.Stores) error {
			page, total, err := s.Calls.List(ctx, in, domain.CallFilter{Brief: true, Held: held}, domain.Page{Limit: 50})
			if held == nil && len(page) != 50 || total != 10_000 {
				b.Errorf("%d of %d calls", len(page), total)
			}
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// processorTime is what this process has used: on a busy machine it tells more
// than the clock.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
