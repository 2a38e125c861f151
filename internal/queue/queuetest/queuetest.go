// Package queuetest proves that a table of rows and the claim loop work
// together: the conformance suite of every queue.
package queuetest

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/queue"
)

// Item is one claimed row: its id and the fencing token of the claim.
type Item struct {
	ID    string
	Fence int64
}

// Table is a queue's rows. Its clock is the now that is given to Claim.
type Table interface {
	// Add stores a row that is due at the given time and returns its id.
	Add(ctx context.Context, at time.Time) (string, error)
	// Claim leases up to limit rows that are due, oldest first, and returns them
	// with the time at which the next one is due (zero: none waits).
	Claim(ctx context.Context, now time.Time, lease time.Duration, limit int) ([]Item, time.Time, error)
	// Finish marks a row as done where the claim is still the one of item.
	Finish(ctx context.Context, item Item) error
}

// Exercise runs the suite; open returns a table without rows.
func Exercise(t *testing.T, open func(t *testing.T) Table) {
	t.Run("OldestFirst", func(t *testing.T) { oldestFirst(t, open(t)) })
	t.Run("LeaseAndFence", func(t *testing.T) { leaseAndFence(t, open(t)) })
	t.Run("RacingClaims", func(t *testing.T) { racingClaims(t, open(t)) })
	t.Run("EachOnce", func(t *testing.T) { eachOnce(t, open(t)) })
	t.Run("OnTime", func(t *testing.T) { onTime(t, open(t)) })
	t.Run("LostWorkComesBack", func(t *testing.T) { lostWorkComesBack(t, open(t)) })
}

// epoch is a time of whole microseconds, as tables keep them.
func epoch() time.Time { return time.Now().Truncate(time.Microsecond) }

func add(t *testing.T, table Table, at time.Time) string {
	t.Helper()
	id, err := table.Add(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func claim(t *testing.T, table Table, now time.Time, lease time.Duration, limit int) ([]Item, time.Time) {
	t.Helper()
	items, next, err := table.Claim(t.Context(), now, lease, limit)
	if err != nil {
		t.Fatal(err)
	}
	return items, next
}

func finish(t *testing.T, table Table, item Item) {
	t.Helper()
	if err := table.Finish(t.Context(), item); err != nil {
		t.Fatal(err)
	}
}

func oldestFirst(t *testing.T, table Table) {
	now := epoch()
	if items, next := claim(t, table, now, time.Minute, 10); len(items) != 0 || !next.IsZero() {
		t.Fatalf("an empty table gave %v, next %v", items, next)
	}
	third := add(t, table, now.Add(-1*time.Second))
	first := add(t, table, now.Add(-3*time.Second))
	later := add(t, table, now.Add(7*time.Second))
	second := add(t, table, now.Add(-2*time.Second))

	items, next := claim(t, table, now, time.Minute, 2)
	if len(items) != 2 || items[0].ID != first || items[1].ID != second {
		t.Fatalf("claimed %v, want %s and %s: oldest first, at most 2", items, first, second)
	}
	if !next.Equal(now.Add(-1 * time.Second)) {
		t.Fatalf("next is due at %v, want the row that was left: %v", next, now.Add(-1*time.Second))
	}
	items, next = claim(t, table, now, time.Minute, 10)
	if len(items) != 1 || items[0].ID != third {
		t.Fatalf("claimed %v, want %s", items, third)
	}
	if !next.Equal(now.Add(7 * time.Second)) {
		t.Fatalf("next is due at %v, want %v", next, now.Add(7*time.Second))
	}
	items, _ = claim(t, table, now.Add(7*time.Second), time.Minute, 10)
	if len(items) != 1 || items[0].ID != later {
		t.Fatalf("claimed %v when it was due to the microsecond, want %s", items, later)
	}
}

func leaseAndFence(t *testing.T, table Table) {
	now := epoch()
	id := add(t, table, now)
	first, _ := claim(t, table, now, 10*time.Second, 10)
	if len(first) != 1 || first[0].ID != id {
		t.Fatalf("claimed %v, want %s", first, id)
	}
	if again, _ := claim(t, table, now.Add(9*time.Second), 10*time.Second, 10); len(again) != 0 {
		t.Fatalf("claimed %v under a lease of somebody else", again)
	}
	second, _ := claim(t, table, now.Add(10*time.Second), 10*time.Second, 10)
	if len(second) != 1 || second[0].Fence <= first[0].Fence {
		t.Fatalf("after the lease claimed %v, want %s with a fence over %d", second, id, first[0].Fence)
	}
	_ = table.Finish(t.Context(), first[0]) // late: it may be refused, it must not count
	third, _ := claim(t, table, now.Add(20*time.Second), 10*time.Second, 10)
	if len(third) != 1 {
		t.Fatal("a finish with an old fence ended the row")
	}
	finish(t, table, third[0])
	if rest, next := claim(t, table, now.Add(time.Hour), 10*time.Second, 10); len(rest) != 0 || !next.IsZero() {
		t.Fatalf("a finished row came back: %v, next %v", rest, next)
	}
}

func racingClaims(t *testing.T, table Table) {
	const rows = 60
	now := epoch()
	for range rows {
		add(t, table, now)
	}
	var mu sync.Mutex
	seen := map[string]int{}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				items, _, err := table.Claim(t.Context(), now, time.Hour, 7)
				if err != nil {
					t.Error(err)
				}
				if len(items) == 0 {
					return
				}
				mu.Lock()
				for _, item := range items {
					seen[item.ID]++
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for id, n := range seen {
		if n != 1 {
			t.Errorf("row %s was claimed %d times at once", id, n)
		}
	}
	if len(seen) != rows {
		t.Errorf("%d rows were claimed, want %d", len(seen), rows)
	}
}

// work runs a queue over table until done items were handled.
func work(t *testing.T, table Table, lease time.Duration, done int, handle func(context.Context, Item)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	left := make(chan struct{}, done)
	q := queue.New(queue.Options[Item]{
		Name: t.Name(),
		Claim: func(ctx context.Context, now time.Time, limit int) ([]Item, time.Time, error) {
			return table.Claim(ctx, now, lease, limit)
		},
		Handle: func(ctx context.Context, item Item) {
			handle(ctx, item)
			left <- struct{}{}
		},
	})
	ended := make(chan error, 1)
	go func() { ended <- q.Run(ctx) }()
	for range done {
		select {
		case <-left:
		case <-ctx.Done():
			t.Error("not all items were handled within 15 s")
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func eachOnce(t *testing.T, table Table) {
	const rows = 100
	for range rows {
		add(t, table, epoch())
	}
	var mu sync.Mutex
	seen := map[string]int{}
	work(t, table, time.Minute, rows, func(ctx context.Context, item Item) {
		mu.Lock()
		seen[item.ID]++
		mu.Unlock()
		if err := table.Finish(ctx, item); err != nil {
			t.Error(err)
		}
	})
	if len(seen) != rows {
		t.Errorf("%d items were handled, want %d", len(seen), rows)
	}
}

// onTime allows 500 ms on a busy machine; that the loop itself is exact is
// shown under a simulated clock.
func onTime(t *testing.T, table Table) {
	due := map[string]time.Time{}
	for _, in := range []time.Duration{350, 50, 200, 0} {
		at := epoch().Add(in * time.Millisecond)
		due[add(t, table, at)] = at
	}
	work(t, table, time.Minute, len(due), func(ctx context.Context, item Item) {
		if late := time.Since(due[item.ID]); late < 0 || late > 500*time.Millisecond {
			t.Errorf("an item was handled %s after it was due", late)
		}
		if err := table.Finish(ctx, item); err != nil {
			t.Error(err)
		}
	})
}

func lostWorkComesBack(t *testing.T, table Table) {
	id := add(t, table, epoch())
	var mu sync.Mutex
	var fences []int64
	work(t, table, 150*time.Millisecond, 2, func(ctx context.Context, item Item) {
		mu.Lock()
		fences = append(fences, item.Fence)
		lost := len(fences) == 1
		mu.Unlock()
		if lost {
			return // as if the process had died
		}
		if err := table.Finish(ctx, item); err != nil || item.ID != id {
			t.Errorf("finishing %v: %v", item, err)
		}
	})
	if len(fences) != 2 || fences[1] <= fences[0] {
		t.Errorf("fences %v, want two that rise", fences)
	}
}
