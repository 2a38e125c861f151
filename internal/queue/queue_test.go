package queue_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/callwright/callwright/internal/queue"
	"github.com/callwright/callwright/internal/queue/queuetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// memory is a table of rows as a database would keep them.
type memory struct {
	mu   sync.Mutex
	rows map[string]*memoryRow
}

type memoryRow struct {
	item   queuetest.Item
	due    time.Time
	finish bool
}

func newMemory() *memory { return &memory{rows: map[string]*memoryRow{}} }

func (m *memory) Add(_ context.Context, at time.Time) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	id := fmt.Sprint(len(m.rows))
	m.rows[id] = &memoryRow{item: queuetest.Item{ID: id}, due: at}
	return id, nil
}

func (m *memory) Claim(_ context.Context, now time.Time, lease time.Duration, limit int) ([]queuetest.Item, time.Time, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var open []*memoryRow
	for _, r := range m.rows {
		if !r.finish {
			open = append(open, r)
		}
	}
	byDue := func(a, b *memoryRow) int { return a.due.Compare(b.due) }
	slices.SortFunc(open, byDue)
	var items []queuetest.Item
	for _, r := range open {
		if len(items) < limit && !r.due.After(now) {
			r.item.Fence++
			r.due = now.Add(lease)
			items = append(items, r.item)
		}
	}
	if len(open) == 0 {
		return items, time.Time{}, nil
	}
	return items, slices.MinFunc(open, byDue).due, nil
}

func (m *memory) Finish(_ context.Context, item queuetest.Item) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r := m.rows[item.ID]; r.item.Fence == item.Fence {
		r.finish = true
	}
	return nil
}

func TestConformance(t *testing.T) {
	queuetest.Exercise(t, func(*testing.T) queuetest.Table { return newMemory() })
}

// start runs q until the returned stop is called, which waits for its end.
func start[T any](t *testing.T, q *queue.Queue[T]) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- q.Run(ctx) }()
	return func() error {
		cancel()
		return <-ended
	}
}

// options are those of a queue over m whose items are finished at once.
func options(m *memory, lease time.Duration, handled func(queuetest.Item)) queue.Options[queuetest.Item] {
	return queue.Options[queuetest.Item]{
		Name: "test",
		Claim: func(ctx context.Context, now time.Time, limit int) ([]queuetest.Item, time.Time, error) {
			return m.Claim(ctx, now, lease, limit)
		},
		Handle: func(ctx context.Context, item queuetest.Item) {
			handled(item)
			_ = m.Finish(ctx, item)
		},
	}
}

func TestScheduledItemsStartOnTheDot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, begin := newMemory(), time.Now()
		var late []time.Duration
		delays := []time.Duration{3 * time.Second, 40 * time.Millisecond, 0, 1500 * time.Millisecond, time.Hour}
		due := map[string]time.Time{}
		for _, d := range delays {
			id, _ := m.Add(t.Context(), begin.Add(d))
			due[id] = begin.Add(d)
		}
		opts := options(m, time.Minute, func(item queuetest.Item) { late = append(late, time.Since(due[item.ID])) })
		opts.Workers = 1
		stop := start(t, queue.New(opts))
		time.Sleep(2 * time.Hour)
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		if len(late) != len(delays) {
			t.Fatalf("%d items handled, want %d", len(late), len(delays))
		}
		for i, l := range late {
			if l < 0 || l > time.Millisecond {
				t.Errorf("item %d was handled %s after it was due", i, l)
			}
		}
	})
}

func TestKickWakesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		var handled []time.Time
		q := queue.New(options(m, time.Minute, func(queuetest.Item) { handled = append(handled, time.Now()) }))
		stop := start(t, q)
		time.Sleep(300 * time.Millisecond)
		_, _ = m.Add(t.Context(), time.Now())
		q.Kick()
		synctest.Wait()
		if len(handled) != 1 {
			t.Fatalf("%d items handled after the kick, want 1", len(handled))
		}
		_, _ = m.Add(t.Context(), time.Now()) // without a kick: polling finds it
		time.Sleep(time.Second + time.Millisecond)
		synctest.Wait()
		if len(handled) != 2 {
			t.Fatalf("%d items handled after a second, want 2: the poll found nothing", len(handled))
		}
		if err := stop(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestWorkersBoundItemsAtWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		for range 100 {
			_, _ = m.Add(t.Context(), time.Now())
		}
		var at, most, total atomic.Int64
		opts := options(m, time.Minute, func(queuetest.Item) {
			n := at.Add(1)
			for seen := most.Load(); n > seen && !most.CompareAndSwap(seen, n); seen = most.Load() {
			}
			time.Sleep(10 * time.Millisecond)
			at.Add(-1)
			total.Add(1)
		})
		opts.Workers = 7
		begin := time.Now()
		stop := start(t, queue.New(opts))
		for total.Load() < 100 {
			time.Sleep(time.Millisecond)
		}
		took := time.Since(begin)
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		if most.Load() != 7 {
			t.Errorf("%d items at work at once, want exactly 7", most.Load())
		}
		if limit := 160 * time.Millisecond; took > limit { // 15 rounds of 10 ms
			t.Errorf("100 items of 10 ms on 7 workers took %s, want at most %s", took, limit)
		}
	})
}

func TestPanicComesBackWithItsLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		_, _ = m.Add(t.Context(), time.Now())
		var tries []time.Time
		stop := start(t, queue.New(options(m, 5*time.Second, func(queuetest.Item) {
			if tries = append(tries, time.Now()); len(tries) == 1 {
				panic("bang")
			}
		})))
		time.Sleep(time.Minute)
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		if len(tries) != 2 || tries[1].Sub(tries[0]) != 5*time.Second {
			t.Fatalf("tries at %v, want two, 5 s apart", tries)
		}
	})
}

func TestClaimErrorsBackOff(t *testing.T) {
	for name, fail := range map[string]func() error{
		"error": func() error { return errors.New("database is down") },
		"panic": func() error { panic("database is gone") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var calls int
				handled := make(chan int, 1)
				stop := start(t, queue.New(queue.Options[int]{
					Claim: func(context.Context, time.Time, int) ([]int, time.Time, error) {
						if calls++; calls < 12 {
							return nil, time.Time{}, fail()
						}
						return []int{42}, time.Time{}, nil
					},
					Handle: func(_ context.Context, n int) {
						select {
						case handled <- n:
						default:
						}
					},
				}))
				begin := time.Now()
				<-handled
				// 20+40+…+640 ms, then 1 s each.
				if took := time.Since(begin); took < 6*time.Second || took > 7*time.Second {
					t.Errorf("work after %s, want 6 to 7 s of growing pauses", took)
				}
				if err := stop(); err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}

func TestRunWaitsForItemsAtWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		_, _ = m.Add(t.Context(), time.Now())
		var finished bool
		stop := start(t, queue.New(options(m, time.Minute, func(queuetest.Item) {
			time.Sleep(3 * time.Second)
			finished = true
		})))
		synctest.Wait()
		if err := stop(); err != nil || !finished {
			t.Fatalf("Run returned %v with the item finished=%t, want nil and true", err, finished)
		}
	})
}

func TestDrainIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		_, _ = m.Add(t.Context(), time.Now())
		opts := options(m, time.Minute, nil)
		opts.Drain = 2 * time.Second
		canceled := make(chan struct{})
		opts.Handle = func(ctx context.Context, _ queuetest.Item) {
			<-ctx.Done()
			close(canceled)
		}
		stop := start(t, queue.New(opts))
		synctest.Wait()
		begin := time.Now()
		if err := stop(); err == nil {
			t.Fatal("Run returned nil with an item still at work")
		}
		if took := time.Since(begin); took != 2*time.Second {
			t.Errorf("Run gave up after %s, want 2 s", took)
		}
		<-canceled
	})
}

func TestBatcher(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sizes []int
		var all []int
		var mu sync.Mutex
		b := queue.NewBatcher(64, 0, func(_ context.Context, items []int) error {
			mu.Lock()
			defer mu.Unlock()
			sizes, all = append(sizes, len(items)), append(all, items...)
			return nil
		})
		var wg sync.WaitGroup
		begin := time.Now()
		for i := range 150 {
			wg.Go(func() {
				if err := b.Do(t.Context(), i); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		slices.Sort(sizes)
		if !slices.Equal(sizes, []int{22, 64, 64}) {
			t.Errorf("batches of %v, want 64, 64 and 22", sizes)
		}
		slices.Sort(all)
		if len(slices.Compact(all)) != 150 {
			t.Errorf("%d different items were flushed, want 150", len(all))
		}
		if took := time.Since(begin); took != queue.DefaultBatchWait {
			t.Errorf("the last batch waited %s, want %s", took, queue.DefaultBatchWait)
		}
	})
}

func TestBatcherReportsTheBatchsError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := errors.New("down")
		b := queue.NewBatcher(0, 0, func(_ context.Context, items []string) error {
			if items[0] == "panic" {
				panic("bang")
			}
			return down
		})
		if err := b.Do(t.Context(), "x"); !errors.Is(err, down) {
			t.Errorf("Do returned %v, want the flush's error", err)
		}
		if err := b.Do(t.Context(), "panic"); err == nil {
			t.Error("Do returned nil after the flush panicked")
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := b.Do(ctx, "y"); !errors.Is(err, context.Canceled) {
			t.Errorf("Do returned %v, want the context's error", err)
		}
		time.Sleep(time.Second) // the batch of "y" is flushed all the same
	})
}
