package store

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store/row"
)

// Fate of a write: it is either run or given up by its caller, never both.
const (
	waiting int32 = iota
	started
	abandoned
)

// write is one closure on its way through the writer.
type write struct {
	ctx     context.Context //nolint:containedctx // crosses to the writer's goroutine with the closure
	fn      func(ctx context.Context, s *domain.Stores) error
	fate    atomic.Int32
	touched map[string]bool
	err     error
	done    chan error // buffered: the writer never waits for a caller
}

const (
	background = int(domain.LaneBackground) // the last lane
	laneCount  = background + 1
	// backgroundEvery is the share of the background lane: one write of so many.
	backgroundEvery = 10
)

// withinWrite marks the context of a closure, to find one that waits for itself.
type withinWrite struct{}

// lanes queue writes by urgency.
type lanes struct {
	mu     sync.Mutex
	filled sync.Cond
	queues [laneCount][]*write
	others int // writes of other lanes since the last one of the background
	closed bool
}

func newLanes() *lanes {
	l := &lanes{}
	l.filled.L = &l.mu
	return l
}

// submit queues fn and waits for its outcome. Once fn was started, its outcome
// is returned even when ctx is done.
func (l *lanes) submit(ctx context.Context, lane domain.Lane, fn func(ctx context.Context, s *domain.Stores) error) error {
	if ctx.Value(withinWrite{}) != nil {
		return domain.Errorf(domain.CodeInternal, "InTx was called within InTx: the inner one would wait for the outer one for ever")
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	mine := &write{ctx: ctx, fn: fn, done: make(chan error, 1)}
	if !l.push(lane, mine) {
		return domain.Unavailable(row.RetryAfter, nil, "The database is closed: this process is stopping")
	}
	select {
	case err := <-mine.done:
		return err
	case <-ctx.Done():
		if mine.fate.CompareAndSwap(waiting, abandoned) {
			return ctx.Err()
		}
		return <-mine.done
	}
}

// push adds w and reports false when the lanes are closed.
func (l *lanes) push(lane domain.Lane, w *write) bool {
	at := min(max(int(lane), 0), laneCount-1)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.queues[at] = append(l.queues[at], w)
	l.filled.Broadcast()
	return true
}

// wait blocks until something is queued; false means closed and empty.
func (l *lanes) wait() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.next(background) < 0 {
		if l.closed {
			return false
		}
		l.filled.Wait()
	}
	return true
}

// take waits for the next write of the lanes up to last and marks it as
// started; nil means closed and empty.
func (l *lanes) take(last int) *write {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		if w := l.first(last); w != nil {
			return w
		}
		if l.closed {
			return nil
		}
		l.filled.Wait()
	}
}

// pop takes the next write that was not abandoned and marks it as started; nil
// when there is none.
func (l *lanes) pop() *write {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.first(background)
}

// first is pop for the lanes up to last.
func (l *lanes) first(last int) *write {
	for {
		at := l.next(last)
		if at < 0 {
			return nil
		}
		w := l.queues[at][0]
		l.queues[at][0] = nil
		l.queues[at] = l.queues[at][1:]
		if !w.fate.CompareAndSwap(waiting, started) {
			continue
		}
		l.others++
		if at == background {
			l.others = 0
		}
		return w
	}
}

// next chooses a lane up to last: the most urgent one, but the background lane
// when enough writes in a row were of others. -1 means that all are empty.
func (l *lanes) next(last int) int {
	if last == background && len(l.queues[background]) > 0 && l.others >= backgroundEvery-1 {
		return background
	}
	for at, q := range l.queues[:last+1] {
		if len(q) > 0 {
			return at
		}
	}
	return -1
}

func (l *lanes) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	l.filled.Broadcast()
}
