package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// Drain says how the engine stops.
type Drain struct {
	Grace time.Duration   // how long live calls may go on after a stop was asked for
	Force <-chan struct{} // closed to hang up at once; nil is never
}

// forcedNote is what a call says that was hung up because the server stopped.
const forcedNote = "drain_forced: the server was stopped before the call had ended, and hung it up"

// ErrForced says that calls were hung up because the process was told twice to
// stop.
var ErrForced = errors.New("stopped at once: live calls were hung up")

// Draining reports whether the engine is stopping: it places and answers no
// call any more.
func (e *Engine) Draining() bool { return e.door.isShut() }

// Run carries calls until ctx is done. Then no call comes in or goes out any
// more, and those that are live get the grace to end by themselves; after it
// they are hung up and fail as interrupted.
func (e *Engine) Run(ctx context.Context, d Drain) error {
	claimed := make(chan error, 1)
	alive, leave := context.WithCancel(context.WithoutCancel(ctx))
	var beats sync.WaitGroup
	beats.Go(func() { e.keepAlive(alive) })
	adopting, stopAdopting := context.WithCancel(ctx)
	e.late.Go(func() { e.keepAdopting(adopting) })
	watching, stopWatching := context.WithCancel(context.WithoutCancel(ctx))
	e.late.Go(func() { e.peers.run(watching) })
	e.late.Go(func() { e.trunks.run(ctx) })
	go func() { claimed <- e.queue.Run(ctx) }()
	e.door.open()
	<-ctx.Done()
	err := e.drain(d)
	err = errors.Join(err, <-claimed)
	stopAdopting()
	stopWatching()
	e.late.Wait()
	leave()
	beats.Wait()
	e.pacer.Close()
	return errors.Join(err, e.ua.Close())
}

// drain waits for the calls to end, or ends them.
func (e *Engine) drain(d Drain) error {
	empty := e.door.shut()
	grace := time.NewTimer(d.Grace)
	defer grace.Stop()
	var forced error
	select {
	case <-empty:
		return nil
	case <-grace.C:
	case <-d.Force:
		forced = ErrForced
	}
	live := e.all()
	e.log.Warn("live calls are hung up: the server stops", "calls", len(live), "forced", forced != nil)
	for _, c := range live {
		c.hangup(domain.EndInterrupted)
	}
	// A call that was on its way in or out at that moment is found now.
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	late := time.NewTimer(forcedTime)
	defer late.Stop()
	for {
		select {
		case <-empty:
			return forced
		case <-again.C:
			for _, c := range e.all() {
				c.hangup(domain.EndInterrupted)
			}
		case <-late.C:
			return errors.Join(forced, fmt.Errorf("%d calls had not ended %s after they were hung up", len(e.all()), forcedTime))
		}
	}
}

// forcedTime bounds how long calls that are hung up may take to be over.
const forcedTime = 5 * time.Second
