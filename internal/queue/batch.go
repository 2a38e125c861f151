package queue

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"
)

// Bounds of a batch when none are given.
const (
	DefaultBatchSize = 64
	DefaultBatchWait = 3 * time.Millisecond
)

// Batcher collects items of many goroutines and stores them together, so that
// many outcomes share one commit.
type Batcher[T any] struct {
	flush func(ctx context.Context, items []T) error
	size  int
	wait  time.Duration

	mu   sync.Mutex
	open *batch[T] // the batch that still takes items, or nil
}

type batch[T any] struct {
	ctx   context.Context //nolint:containedctx // values of the first item's context, for the log
	items []T
	timer *time.Timer
	done  chan struct{}
	err   error
}

// NewBatcher makes a batcher that calls flush with at most size items (0 is
// DefaultBatchSize), at the latest wait (0 is DefaultBatchWait) after the first
// of them came. Two flushes may run at the same time.
func NewBatcher[T any](size int, wait time.Duration, flush func(ctx context.Context, items []T) error) *Batcher[T] {
	return &Batcher[T]{flush: flush, size: orDefault(size, DefaultBatchSize), wait: orDefault(wait, DefaultBatchWait)}
}

// Do adds item to the open batch and returns flush's error for that batch. When
// ctx is done first, Do returns its error and the item is still stored.
func (b *Batcher[T]) Do(ctx context.Context, item T) error {
	mine, full := b.add(ctx, item)
	if full {
		b.run(mine)
	}
	select {
	case <-mine.done:
		return mine.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// add puts item into the open batch and says whether that filled it: a full
// batch is closed and the caller's to run.
func (b *Batcher[T]) add(ctx context.Context, item T) (mine *batch[T], full bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open == nil {
		mine := &batch[T]{ctx: context.WithoutCancel(ctx), done: make(chan struct{})}
		mine.timer = time.AfterFunc(b.wait, func() {
			if b.close(mine) {
				b.run(mine)
			}
		})
		b.open = mine
	}
	mine = b.open
	mine.items = append(mine.items, item)
	if len(mine.items) < b.size {
		return mine, false
	}
	b.open = nil
	mine.timer.Stop()
	return mine, true
}

// close takes due out of the batcher; false means that it was closed before.
func (b *Batcher[T]) close(due *batch[T]) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open != due {
		return false
	}
	b.open = nil
	return true
}

func (b *Batcher[T]) run(due *batch[T]) {
	defer close(due.done)
	defer func() {
		if r := recover(); r != nil {
			due.err = fmt.Errorf("flush of a batch panicked: %v\n%s", r, debug.Stack())
		}
	}()
	due.err = b.flush(due.ctx, due.items)
}
