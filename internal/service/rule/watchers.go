package rule

import (
	"context"
	"sync"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// How many may watch at once, in a process and of one workspace.
const (
	maxWatchers          = 256
	maxWorkspaceWatchers = 64
)

// Watchers counts who watches calls and campaigns as they happen, and ends that
// when the process stops. NewWatchers makes one.
type Watchers struct {
	mu   sync.Mutex
	all  int
	of   map[domain.ID]int
	gone chan struct{} // closed when the process stops
	once sync.Once
}

// NewWatchers returns a Watchers without anybody in it.
func NewWatchers() *Watchers {
	return &Watchers{of: make(map[domain.ID]int), gone: make(chan struct{})}
}

// Stop ends Wait for all who watch, and for all who come: the process stops, and
// they go on at another.
func (w *Watchers) Stop() { w.once.Do(func() { close(w.gone) }) }

// Enter gives somebody of a workspace a place, until Leave; when there is none,
// the error is CodeUnavailable.
func (w *Watchers) Enter(workspace domain.ID) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.all >= maxWatchers || w.of[workspace] >= maxWorkspaceWatchers {
		return domain.Unavailable(5*time.Second, nil, "too many calls and campaigns are being watched at once; read them instead, or come back later")
	}
	w.all++
	w.of[workspace]++
	return nil
}

// Leave gives a place back.
func (w *Watchers) Leave(workspace domain.ID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all--
	if w.of[workspace]--; w.of[workspace] == 0 {
		delete(w.of, workspace)
	}
}

// Wait waits until it is time to look again. An error says that there is no use
// in it: ctx is done, or the process stops (CodeUnavailable).
func (w *Watchers) Wait(ctx context.Context, pause time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-w.gone:
		return domain.Unavailable(time.Second, nil, "this process is stopping; go on at another")
	case <-time.After(pause):
		return nil
	}
}
