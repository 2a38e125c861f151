package store

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// Bounds of a Buffer.
const (
	bufferSize  = 10_000
	bufferEvery = 100 * time.Millisecond
	bufferBatch = 256 // writes in one transaction
)

type bufferedWrite = func(ctx context.Context, s *domain.Stores) error

// Buffer takes writes that nobody waits for and commits them in order, every
// 100 ms. While the database is unavailable it keeps them, 10,000 at most.
type Buffer struct {
	store domain.Store
	log   *slog.Logger
	kick  chan struct{}
	stop  context.CancelFunc
	ended chan struct{}

	mu       sync.Mutex
	writes   []bufferedWrite // the first ones may be in flight
	put      uint64          // how many were ever put
	done     uint64          // how many of these were committed or dropped
	progress chan struct{}   // closed and renewed when done moves
	full     bool            // said so in the log
}

var _ domain.Buffer = (*Buffer)(nil)

// NewBuffer makes a buffer before store and starts it.
func NewBuffer(store domain.Store, log *slog.Logger) *Buffer {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	ctx, stop := context.WithCancel(context.Background())
	b := &Buffer{
		store: store, log: log, kick: make(chan struct{}, 1), stop: stop,
		ended: make(chan struct{}), progress: make(chan struct{}),
	}
	go b.run(ctx)
	return b
}

// Put adds a write.
func (b *Buffer) Put(fn func(ctx context.Context, s *domain.Stores) error) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.writes) >= bufferSize {
		if !b.full {
			b.log.Error("the write buffer is full: the database is too slow or down, and details of calls are being lost", "writes", len(b.writes))
		}
		b.full = true
		return false
	}
	b.writes = append(b.writes, fn)
	b.put++
	return true
}

// Flush waits for what was put.
func (b *Buffer) Flush(ctx context.Context) error {
	b.mu.Lock()
	goal := b.put
	b.mu.Unlock()
	for {
		b.mu.Lock()
		reached, progress := b.done >= goal, b.progress
		b.mu.Unlock()
		if reached {
			return nil
		}
		select {
		case b.kick <- struct{}{}:
		default:
		}
		select {
		case <-progress:
		case <-ctx.Done():
			return ctx.Err()
		case <-b.ended:
			return domain.Unavailable(0, nil, "The write buffer is closed")
		}
	}
}

// Close flushes until ctx is done, then stops the buffer. What could not be
// written is lost, and the error says so.
func (b *Buffer) Close(ctx context.Context) error {
	err := b.Flush(ctx)
	b.stop()
	<-b.ended
	return err
}

func (b *Buffer) run(ctx context.Context) {
	defer close(b.ended)
	tick := time.NewTicker(bufferEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-b.kick:
		}
		for b.flushBatch(ctx) {
		}
	}
}

// flushBatch commits the oldest writes and reports whether there may be more to
// commit at once.
func (b *Buffer) flushBatch(ctx context.Context) bool {
	b.mu.Lock()
	batch := slices.Clone(b.writes[:min(len(b.writes), bufferBatch)])
	b.mu.Unlock()
	if len(batch) == 0 {
		return false
	}
	err := b.commit(ctx, batch...)
	if err == nil {
		b.forget(len(batch))
		return true
	}
	if postponed(err) {
		return false // the next tick tries again
	}
	// One of them is at fault. Alone, the others are spared and it drops out.
	for _, fn := range batch {
		err := b.commit(ctx, fn)
		if postponed(err) {
			return false
		}
		if err != nil {
			b.log.Error("a buffered write failed and is dropped", "error", err)
		}
		b.forget(1)
	}
	return true
}

// postponed reports whether the database, not the write, is at fault.
func postponed(err error) bool {
	return domain.CodeOf(err) == domain.CodeUnavailable || errors.Is(err, context.Canceled)
}

func (b *Buffer) commit(ctx context.Context, batch ...bufferedWrite) error {
	return b.store.InTx(ctx, domain.LaneCall, func(ctx context.Context, s *domain.Stores) error {
		for _, fn := range batch {
			if err := fn(ctx, s); err != nil {
				return err
			}
		}
		return nil
	})
}

// forget removes the n oldest writes and wakes those who wait for them.
func (b *Buffer) forget(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.writes = slices.Delete(b.writes, 0, n)
	b.full = false
	b.done += uint64(n)
	close(b.progress)
	b.progress = make(chan struct{})
}
