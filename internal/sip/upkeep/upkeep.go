// Package upkeep keeps the ways to carriers up: it stays registered with servers,
// and watches whether they are there.
package upkeep

import (
	"context"
	"log/slog"
	"runtime/debug"
	"strings"
	"time"

	"github.com/callwright/callwright/internal/sip"
)

const (
	defaultBeat = 30 * time.Second
	maxMisses   = 3 // silences in a row that mean that nobody is there
)

// life is one goroutine that can be ended.
type life struct {
	stop context.CancelFunc
	done chan struct{}
}

// begin runs f until end, or until the user agent is closed, which ends its
// context.
func begin(u *sip.UA, log *slog.Logger, f func(context.Context)) *life {
	ctx, cancel := context.WithCancel(context.Background())
	l := &life{stop: cancel, done: make(chan struct{})}
	go func() {
		select {
		case <-u.Closed():
			cancel()
		case <-ctx.Done():
		}
	}()
	go func() {
		defer close(l.done)
		defer cancel()
		defer func() {
			if p := recover(); p != nil {
				log.Error("sip: panic", "where", "upkeep", "panic", p, "stack", string(debug.Stack()))
			}
		}()
		f(ctx)
	}()
	return l
}

func (l *life) end() {
	l.stop()
	<-l.done
}

// rest waits for d or ctx.
func rest(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// bare is the text of an unreachable error without what it is one of.
func bare(err error) string {
	return strings.TrimPrefix(err.Error(), sip.ErrTimeout.Error()+": "+sip.ErrUnreachable.Error()+": ")
}
