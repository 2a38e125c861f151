package store

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// flaky is a store that runs closures on nothing, and can be down.
type flaky struct {
	domain.Store
	mu   sync.Mutex
	down bool
	txs  int
}

func (f *flaky) InTx(ctx context.Context, _ domain.Lane, fn func(context.Context, *domain.Stores) error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down {
		return domain.Unavailable(time.Second, nil, "down")
	}
	f.txs++
	return fn(ctx, nil)
}

func (f *flaky) set(down bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down = down
}

// log notes which writes ran. A write that runs again after its batch failed
// counts once.
type ledger struct{ ran []int }

func (l *ledger) write(n int, err error) bufferedWrite {
	return func(context.Context, *domain.Stores) error {
		if err == nil && !slices.Contains(l.ran, n) {
			l.ran = append(l.ran, n)
		}
		return err
	}
}

func TestBufferCommitsInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, l := &flaky{}, &ledger{}
		b := NewBuffer(store, nil)
		for n := range 600 {
			if !b.Put(l.write(n, nil)) {
				t.Fatal("Put refused a write")
			}
		}
		time.Sleep(bufferEvery + time.Millisecond)
		synctest.Wait()
		if len(l.ran) != 600 || !slices.IsSorted(l.ran) {
			t.Errorf("after %s %d writes ran in order: %t", bufferEvery, len(l.ran), slices.IsSorted(l.ran))
		}
		if store.txs != 3 {
			t.Errorf("600 writes took %d transactions, want 3", store.txs)
		}
		if err := b.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestBufferOutlivesAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, l := &flaky{down: true}, &ledger{}
		b := NewBuffer(store, nil)
		for n := range bufferSize {
			if !b.Put(l.write(n, nil)) {
				t.Fatalf("Put refused write %d", n)
			}
		}
		if b.Put(l.write(-1, nil)) {
			t.Error("Put took a write over the bound")
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := b.Flush(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Flush returned %v while the database was down", err)
		}
		store.set(false)
		if err := b.Flush(t.Context()); err != nil || len(l.ran) != bufferSize {
			t.Errorf("Flush returned %v with %d writes, want %d", err, len(l.ran), bufferSize)
		}
		if !b.Put(l.write(-1, nil)) {
			t.Error("Put refused a write after the outage")
		}
		if err := b.Close(t.Context()); err != nil || !slices.Contains(l.ran, -1) {
			t.Errorf("Close returned %v and did not write what was left", err)
		}
		if err := b.Flush(t.Context()); err != nil {
			t.Errorf("Flush of nothing returned %v", err)
		}
	})
}

func TestBufferDropsOnlyTheBrokenWrite(t *testing.T) {
	db, _ := openDB(t)
	b := NewBuffer(db, db.log)
	var ids []domain.ID
	for i := range 5 {
		id, fn := workspaceNamed("buffered")
		ids = append(ids, id)
		b.Put(func(ctx context.Context, s *domain.Stores) error {
			switch i {
			case 1:
				return errors.New("no")
			case 3:
				panic("no")
			}
			return fn(ctx, s)
		})
	}
	if err := b.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i, id := range ids {
		if got, want := exists(t, db, id), i%2 == 0; got != want {
			t.Errorf("write %d is there: %t, want %t", i, got, want)
		}
	}
	if err := b.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.Put(func(context.Context, *domain.Stores) error { return nil })
	if err := b.Flush(t.Context()); domain.CodeOf(err) != domain.CodeUnavailable {
		t.Errorf("Flush of a closed buffer returned %v", err)
	}
}
