package upkeep

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/callwright/callwright/internal/sip"
)

// Watch says which far end is to be watched.
type Watch struct {
	UA    *sip.UA
	URI   string
	Every time.Duration // between two questions; 0 is 30 s
	First time.Duration // before the first question
	// Busy reports whether calls show that the far end is there, which is then
	// not asked; nil is never.
	Busy func() bool
	// OnChange hears each change between up and down, one after the other. It must
	// not block.
	OnChange func(WatchStatus)
	Logger   *slog.Logger // nil discards
}

// WatchStatus is what is known of a far end.
type WatchStatus struct {
	Known bool          // false until the first answer, or the third silence
	Up    bool          // it answers
	Since time.Time     // when it came to that
	RTT   time.Duration // of the last answer
	Error string        // why it is down, in words
}

// Watcher asks a far end again and again whether it is there: it is down after
// three silences, and up with one answer.
type Watcher struct {
	o    Watch
	life *life

	mu     sync.Mutex
	status WatchStatus
}

// Start begins to watch and returns at once.
func (o Watch) Start() (*Watcher, error) {
	if err := sip.Reaches(o.URI); err != nil {
		return nil, err
	}
	if o.Every <= 0 {
		o.Every = defaultBeat
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	w := &Watcher{o: o}
	w.life = begin(o.UA, o.Logger, w.run)
	return w, nil
}

// Status returns what is known of the far end.
func (w *Watcher) Status() WatchStatus {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.status
}

// Close stops watching.
func (w *Watcher) Close() { w.life.end() }

func (w *Watcher) run(ctx context.Context) {
	rest(ctx, w.o.First)
	tick := time.NewTicker(w.o.Every)
	defer tick.Stop()
	for misses := 0; ctx.Err() == nil; rested(ctx, tick) {
		if w.o.Busy != nil && w.o.Busy() {
			misses = 0
			w.note(WatchStatus{Known: true, Up: true, RTT: w.Status().RTT})
			continue
		}
		one, cancel := context.WithTimeout(ctx, w.o.Every)
		pong, err := w.o.UA.Ping(one, w.o.URI)
		cancel()
		if ctx.Err() != nil || errors.Is(err, sip.ErrClosed) {
			return
		}
		if misses++; err == nil {
			misses = 0
			w.note(WatchStatus{Known: true, Up: true, RTT: pong.RTT})
		} else if misses >= maxMisses {
			w.note(WatchStatus{Known: true, Error: silence(err)})
		}
	}
}

// rested waits for the next tick or the end.
func rested(ctx context.Context, tick *time.Ticker) {
	select {
	case <-tick.C:
	case <-ctx.Done():
	}
}

// silence says why nothing came back.
func silence(err error) string {
	if errors.Is(err, sip.ErrUnreachable) {
		return "it cannot be reached: " + bare(err)
	}
	return "it does not answer"
}

func (w *Watcher) note(s WatchStatus) {
	w.mu.Lock()
	changed := s.Known != w.status.Known || s.Up != w.status.Up
	if s.Since = time.Now(); !changed {
		s.Since = w.status.Since
	}
	w.status = s
	w.mu.Unlock()
	if changed {
		w.o.Logger.Info("sip: far end", "uri", w.o.URI, "up", s.Up, "error", s.Error)
		if w.o.OnChange != nil {
			w.o.OnChange(s)
		}
	}
}
