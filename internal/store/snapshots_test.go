package store

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// TestSnapshotsSurviveTheirReaders has readers fail in every way, more often than
// there are connections: the next ones read as if nothing had been.
func TestSnapshotsSurviveTheirReaders(t *testing.T) {
	db, _ := openDB(t)
	broken := errors.New("broken")
	gone, leave := context.WithCancel(t.Context())
	leave()
	for range 3 * readerCount {
		err := db.View(t.Context(), func(context.Context, *domain.Stores) error { return broken })
		if !errors.Is(err, broken) {
			t.Errorf("an error became %v", err)
		}
		err = db.View(t.Context(), func(context.Context, *domain.Stores) error { panic("reader") })
		if domain.CodeOf(err) != domain.CodeInternal {
			t.Errorf("a panic became %v", err)
		}
		if err := db.View(gone, func(context.Context, *domain.Stores) error { return nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("a reader who is gone got %v", err)
		}
		var ended sync.WaitGroup
		ended.Go(func() {
			_ = db.View(t.Context(), func(context.Context, *domain.Stores) error { // it never returns
				runtime.Goexit()
				return nil
			})
		})
		ended.Wait()
		err = db.View(t.Context(), func(ctx context.Context, s *domain.Stores) error {
			leaving, leave := context.WithCancel(ctx)
			leave()
			_, _, err := s.Calls.List(leaving, domain.Scope{}, domain.CallFilter{}, domain.Page{})
			return err
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("a reader who left got %v", err)
		}
	}
	listCalls(t, db, domain.Scope{Workspace: "w", Mode: domain.Live})
}

// TestCloseWaitsForSnapshots closes the database while it is read.
func TestCloseWaitsForSnapshots(t *testing.T) {
	db, _ := openDB(t)
	reading, finish, read := make(chan struct{}), make(chan struct{}), make(chan error)
	go func() {
		read <- db.View(t.Context(), func(ctx context.Context, s *domain.Stores) error {
			close(reading)
			<-finish
			_, err := s.Nodes.List(ctx)
			return err
		})
	}()
	<-reading
	closed := make(chan error)
	go func() { closed <- db.Close() }()
	select {
	case err := <-closed:
		t.Fatalf("closed while it was read: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	close(finish)
	if err := errors.Join(<-read, <-closed); err != nil {
		t.Error(err)
	}
	err := db.View(t.Context(), func(context.Context, *domain.Stores) error { return nil })
	if domain.CodeOf(err) != domain.CodeUnavailable {
		t.Errorf("a closed database is read: %v", err)
	}
}
