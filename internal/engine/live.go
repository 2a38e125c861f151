package engine

import (
	"context"
	"sync"

	"github.com/callwright/callwright/internal/domain"
)

// live is the table of calls that are under way in this process.
type live struct {
	mu    sync.Mutex
	calls map[domain.ID]*liveCall
}

// liveCall is what others may reach of a call.
type liveCall struct {
	hangup func(domain.EndReason)

	mu       sync.Mutex
	over     bool
	call     *call // nil until it was answered
	watchers map[*watcher]struct{}
}

// maxInterims is how many events may wait for a watcher before interim texts
// are left out. Turns and states always wait: a call has few of them.
const maxInterims = 64

// watcher is one who watches a call. What waits is its call's, under its mutex.
type watcher struct {
	out     chan domain.LiveEvent
	waiting []domain.LiveEvent
	over    bool
	wake    chan struct{} // holds one when something is new
}

func newLive() *live { return &live{calls: map[domain.ID]*liveCall{}} }

func (l *live) add(id domain.ID, hangup func(domain.EndReason)) *liveCall {
	c := &liveCall{hangup: hangup, watchers: map[*watcher]struct{}{}}
	l.mu.Lock()
	l.calls[id] = c
	l.mu.Unlock()
	return c
}

func (l *live) remove(id domain.ID) {
	l.mu.Lock()
	c := l.calls[id]
	delete(l.calls, id)
	l.mu.Unlock()
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over = true
	for w := range c.watchers {
		w.over = true
		w.nudge()
	}
}

func (l *live) all() []*liveCall {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]*liveCall, 0, len(l.calls))
	for _, c := range l.calls {
		out = append(out, c)
	}
	return out
}

func (l *live) find(id domain.ID) (*liveCall, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c, ok := l.calls[id]; ok {
		return c, nil
	}
	return nil, domain.Errorf(domain.CodeNotFound, "Call %s is not live", id)
}

// Hangup ends a live call for reason.
func (l *live) Hangup(_ context.Context, id domain.ID, reason domain.EndReason) error {
	c, err := l.find(id)
	if err != nil {
		return err
	}
	c.hangup(reason)
	return nil
}

// Watch streams what happens in a live call.
func (l *live) Watch(ctx context.Context, id domain.ID) (<-chan domain.LiveEvent, error) {
	c, err := l.find(id)
	if err != nil {
		return nil, err
	}
	w := &watcher{out: make(chan domain.LiveEvent), wake: make(chan struct{}, 1)}
	c.mu.Lock()
	w.over = c.over
	c.watchers[w] = struct{}{}
	c.mu.Unlock()
	go c.serve(ctx, w)
	return w.out, nil
}

// serve hands a watcher what waits for it, until the call is over and all was
// taken, or ctx is done.
func (c *liveCall) serve(ctx context.Context, w *watcher) {
	defer close(w.out)
	defer func() {
		c.mu.Lock()
		delete(c.watchers, w)
		c.mu.Unlock()
	}()
	for {
		c.mu.Lock()
		events, over := w.waiting, w.over
		w.waiting = nil
		c.mu.Unlock()
		for _, e := range events {
			select {
			case w.out <- e:
			case <-ctx.Done():
				return
			}
		}
		if over {
			return
		}
		select {
		case <-w.wake:
		case <-ctx.Done():
			return
		}
	}
}

func (w *watcher) nudge() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// tell sends e to all who watch. It does not wait for them.
func (c *liveCall) tell(e domain.LiveEvent) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for w := range c.watchers {
		interim := e.Turn == nil && e.State == ""
		if w.over || interim && len(w.waiting) >= maxInterims {
			continue
		}
		w.waiting = append(w.waiting, e)
		w.nudge()
	}
}

var _ domain.LiveCalls = (*Engine)(nil)
