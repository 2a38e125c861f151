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
	watchers map[chan domain.LiveEvent]struct{}
}

func newLive() *live { return &live{calls: map[domain.ID]*liveCall{}} }

func (l *live) add(id domain.ID, hangup func(domain.EndReason)) *liveCall {
	c := &liveCall{hangup: hangup, watchers: map[chan domain.LiveEvent]struct{}{}}
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
	for w := range c.watchers {
		close(w)
	}
	c.watchers = nil
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
	w := make(chan domain.LiveEvent, 64)
	c.mu.Lock()
	if c.watchers == nil {
		close(w)
		c.mu.Unlock()
		return w, nil
	}
	c.watchers[w] = struct{}{}
	c.mu.Unlock()
	context.AfterFunc(ctx, func() { c.leave(w) })
	return w, nil
}

func (c *liveCall) leave(w chan domain.LiveEvent) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, there := c.watchers[w]; there {
		delete(c.watchers, w)
		close(w)
	}
}

// tell sends e to all who watch; a full watcher loses it.
func (c *liveCall) tell(e domain.LiveEvent) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for w := range c.watchers {
		select {
		case w <- e:
		default:
		}
	}
}

var _ domain.LiveCalls = (*live)(nil)
