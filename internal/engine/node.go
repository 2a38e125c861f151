package engine

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
	"github.com/callwright/callwright/internal/sip"
)

const (
	beatEvery  = 3 * time.Second // how often a node gives a sign of life
	adoptEvery = 3 * time.Second // how often it looks for what dead ones left behind
	// fenceAfter is how long after its last sign of life a node stops to dial: well
	// before others may take over what it holds.
	fenceAfter = service.NodeLease - 5*time.Second
)

// node is this process among those that share the database. Its epoch names one
// membership: a node that was taken for dead joins again under a new one, and
// what the old one held is not its own any more.
type node struct {
	mu    sync.Mutex
	epoch domain.ID // "" before it has joined
	alive time.Time // when the last sign of life that was accepted was begun
}

// name returns the epoch for what is claimed now; "" means that nothing may be.
func (n *node) name() domain.ID {
	n.mu.Lock()
	defer n.mu.Unlock()
	if fenced(n.alive, time.Now()) {
		return ""
	}
	return n.epoch
}

// holds reports whether what was claimed under the epoch may be dialed now.
func (n *node) holds(epoch domain.ID) bool { return epoch != "" && n.name() == epoch }

// current is the epoch, fenced or not.
func (n *node) current() domain.ID {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.epoch
}

func (n *node) set(epoch domain.ID, alive time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.epoch, n.alive = epoch, alive
}

// fenced reports whether a node that was alive at alive must not dial at now. A
// machine that slept shows it on one clock or the other: the monotonic one may
// have stood still.
func fenced(alive, now time.Time) bool {
	return max(now.Sub(alive), now.Round(0).Sub(alive.Round(0))) > fenceAfter
}

// Recover makes this process a node and ends what dead ones left behind: calls
// in mid-air fail as interrupted, with their recordings made playable and their
// far ends hung up. So are those of calls that were recovered lately: whoever did
// that may be dead, too.
func (e *Engine) Recover(ctx context.Context) error {
	left := e.hangUpLeft(ctx)
	if e.o.Predecessor != "" { // nobody has to wait for its lease to run out
		if err := e.o.Service.Leave(ctx, e.o.Predecessor); err != nil {
			return err
		}
	}
	if err := e.join(ctx); err != nil {
		return err
	}
	earlier, err := e.o.Service.Interrupted(ctx)
	for _, o := range earlier {
		if !left[o.SIPCallID] {
			e.release(ctx, o)
		}
	}
	return errors.Join(err, e.adopt(ctx, left))
}

// hangUpLeft hangs up the far ends that the predecessor had, whatever the database
// knows of them, and returns their Call-IDs.
func (e *Engine) hangUpLeft(ctx context.Context) map[string]bool {
	left := map[string]bool{}
	for _, state := range e.o.Left {
		var d sip.DialogState
		if err := json.Unmarshal(state, &d); err != nil {
			continue // the process died while it was written, and before the far end was told
		}
		left[d.CallID] = true
		e.late.Go(func() { e.hangUpOrphan(ctx, service.Orphan{SIPCallID: d.CallID, Dialog: state}) })
	}
	return left
}

func (e *Engine) join(ctx context.Context) error {
	epoch, began := domain.NewID(), time.Now()
	if e.o.Remember != nil {
		if err := e.o.Remember(epoch); err != nil {
			e.log.Warn("should this process die, its calls are recovered only when its lease runs out", "err", err)
		}
	}
	if err := e.o.Service.Join(ctx, domain.Node{Epoch: epoch}); err != nil {
		return err
	}
	e.node.set(epoch, began)
	return nil
}

// beat gives one sign of life. Whoever was taken for dead joins anew.
func (e *Engine) beat(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, beatEvery)
	defer cancel()
	epoch, began := e.node.current(), time.Now()
	if epoch == "" {
		return e.join(ctx)
	}
	err := e.o.Service.Beat(ctx, epoch)
	switch {
	case err == nil:
		e.node.set(epoch, began)
	case domain.CodeOf(err) == domain.CodeNotFound:
		e.log.Error("this process was taken for dead and joins anew; calls that it was dialing are interrupted", "epoch", epoch)
		return e.join(ctx)
	}
	return err
}

// keepAlive beats until ctx is done, then leaves.
func (e *Engine) keepAlive(ctx context.Context) {
	beat := func() {
		if err := e.beat(ctx); err != nil && ctx.Err() == nil {
			e.log.Error("no sign of life reached the database; without one nothing is dialed", "err", err)
		}
	}
	if e.node.current() == "" {
		beat() // nobody had it recover, or it could not join then
	}
	every(ctx, beatEvery, beat)
	e.leave(ctx)
}

// keepAdopting recovers what dead nodes leave behind, until ctx is done.
func (e *Engine) keepAdopting(ctx context.Context) {
	every(ctx, adoptEvery, func() {
		if err := e.adopt(ctx, nil); err != nil && ctx.Err() == nil {
			e.log.Error("not everything of a dead process could be recovered yet", "err", err)
		}
	})
}

// every calls do again and again until ctx is done.
func every(ctx context.Context, wait time.Duration, do func()) {
	tick := time.NewTicker(wait)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			do()
		}
	}
}

// leave ends the membership. Nothing is held any more, or it is given up.
func (e *Engine) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), beatEvery)
	defer cancel()
	if err := e.o.Service.Leave(ctx, e.node.current()); err != nil {
		e.log.Warn("this process could not leave; others will find out", "err", err)
	}
}

// adopt ends what dead nodes left behind. The far ends of done are hung up already.
func (e *Engine) adopt(ctx context.Context, done map[string]bool) error {
	orphans, err := e.o.Service.Recover(ctx, e.node.current())
	var problems []error
	for _, o := range orphans {
		if !done[o.SIPCallID] {
			e.release(ctx, o)
		}
		if o.Call.Recording != "" {
			if err := e.o.Recordings.Repair(ctx, o.Call.Recording); err != nil {
				problems = append(problems, err)
			}
		}
	}
	return errors.Join(append(problems, err)...)
}

// release lets the far end of an orphan go, now or when it answers.
func (e *Engine) release(ctx context.Context, o service.Orphan) {
	if o.Dialog == nil {
		e.ua.Disown(o.SIPCallID)
		return
	}
	e.late.Go(func() { e.hangUpOrphan(ctx, o) })
}

func (e *Engine) hangUpOrphan(ctx context.Context, o service.Orphan) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := e.ua.ByeFrom(ctx, o.Dialog); err != nil {
		e.log.Warn("the far end of an interrupted call could not be hung up", "sipCallId", o.SIPCallID, "err", err)
	}
}

// unsent has an attempt put right whose intent may have been committed although
// nothing was sent. It is tried until the database answers.
func (e *Engine) unsent(ctx context.Context, a domain.Attempt) {
	ctx = context.WithoutCancel(ctx)
	e.late.Go(func() {
		for range 300 {
			err := e.o.Service.Unsent(ctx, a)
			if domain.CodeOf(err) != domain.CodeUnavailable {
				if err != nil {
					e.log.Error("an attempt that was not sent could not be put back", "call", a.CallID, "err", err)
				}
				return
			}
			time.Sleep(finishEvery)
		}
	})
}
