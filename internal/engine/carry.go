package engine

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/callwright/callwright/internal/conversation"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/failpoint"
	"github.com/callwright/callwright/internal/sdp"
	"github.com/callwright/callwright/internal/service"
	"github.com/callwright/callwright/internal/sip"
)

// finishEvery is how often a finish that the database refused is tried again.
const finishEvery = time.Second

// carry takes one claimed attempt through to its end. It is a goroutine of its
// own; whatever breaks in it ends this call alone.
func (e *Engine) carry(ctx context.Context, claimed service.Claimed) {
	a, dial, err := claimed.Attempt, claimed.Dial, claimed.Err
	e.o.Observer.WorkClaimed("attempts", time.Since(a.NextAt))
	if err != nil {
		e.log.Error("an attempt cannot be dialed", "call", a.CallID, "err", err)
		if domain.CodeOf(err) == domain.CodeUnavailable {
			return // its lease will bring it back
		}
		e.finish(ctx, service.Verdict{Call: a.CallID, Attempt: a, Reason: domain.EndConfiguration, EndedAt: time.Now(),
			Notes: []string{err.Error()}})
		return
	}
	if !e.door.enter() {
		e.postpone(ctx, a, time.Now().Add(fullFor)) // or for the next start
		return
	}
	defer e.door.leave()
	if wait := e.rates.book(dial.Trunk, time.Now()); wait > 0 {
		e.postpone(ctx, a, time.Now().Add(wait))
		return
	}
	e.run(ctx, &call{dial: dial}, (*call).place)
}

// run has way carry a call to its end; whatever breaks in it ends this call
// alone.
func (e *Engine) run(ctx context.Context, c *call, way func(*call)) {
	c.engine, c.log = e, e.log.With("call", c.dial.Call.ID)
	c.ctx, c.cancel = context.WithCancelCause(ctx)
	defer c.cancel(nil)
	defer func() {
		if r := recover(); r != nil {
			c.log.Error("a call broke", "panic", r, "stack", string(debug.Stack()))
			c.end(domain.EndInternal)
			c.leave()
			c.finish(domain.EndInternal)
		}
	}()
	way(c)
}

func (e *Engine) postpone(ctx context.Context, a domain.Attempt, until time.Time) {
	if err := e.o.Service.Postpone(ctx, a, until); err != nil {
		e.log.Warn("an attempt waits for its lease to run out", "call", a.CallID, "err", err)
	}
}

// finish writes a verdict down, also when ctx is done: the call is over then.
// While the database is unavailable the verdict is kept in memory and tried
// again.
func (e *Engine) finish(ctx context.Context, v service.Verdict) {
	ctx = context.WithoutCancel(ctx)
	err := e.o.Service.FinishCall(ctx, v)
	if err == nil {
		failpoint.Hit(failpoint.AfterFinish)
		return
	}
	e.log.Error("the end of a call could not be written yet", "call", v.Call, "err", err)
	e.late.Go(func() {
		for range 300 {
			time.Sleep(finishEvery)
			if err := e.o.Service.FinishCall(ctx, v); err == nil {
				return
			}
		}
		e.log.Error("the end of a call was given up; the next start will call it interrupted", "call", v.Call)
	})
}

// call is one call from its claim to its end. It belongs to one goroutine,
// except for what is said otherwise.
type call struct {
	engine *Engine
	dial   *service.Dial
	log    interface {
		Error(string, ...any)
		Warn(string, ...any)
		Debug(string, ...any)
	}
	ctx    context.Context
	cancel context.CancelCauseFunc
	voice  voice
	media  *media
	dialog *sip.Dialog
	talk   *conversation.Conversation
	live   *liveCall
	work   sync.WaitGroup // goroutines of the talk
	notes  []string
	retry  time.Duration // how long the far end that refused us asked not to be called again

	incoming *sip.Incoming // nil for a call that we placed
	commands chan command
	moving   sync.Mutex  // held while the call is put on hold, taken back or handed over
	holding  bool        // we hold the far end; under moving
	handed   atomic.Bool // the caller is with whom it was handed over to

	agreed *sdp.Agreed // what our answer to its offer came to; nil when the offer was ours
}

// ended is the cause with which a call's context is canceled.
type ended struct{ reason domain.EndReason }

func (e ended) Error() string { return "the call ended: " + string(e.reason) }

// end ends the call for reason. It may be called from any goroutine, at any
// time; the first reason counts.
func (c *call) end(reason domain.EndReason) { c.cancel(ended{reason}) }

// ending is the reason for which the call was ended from elsewhere; false when
// it was not.
func (c *call) ending() (domain.EndReason, bool) {
	var why ended
	ok := errors.As(context.Cause(c.ctx), &why)
	return why.reason, ok
}

// place prepares the call, writes its intent down, and dials.
func (c *call) place() {
	err := c.prepare()
	defer c.abandon()
	if domain.CodeOf(err) == domain.CodeUnavailable {
		c.log.Warn("a call waits for what it needs", "err", err)
		c.engine.postpone(c.ctx, c.dial.Attempt, time.Now().Add(time.Second))
		return
	}
	if err != nil {
		c.log.Error("a call cannot be prepared", "err", err)
		c.notes = append(c.notes, err.Error())
		c.finish(prepareReason(err))
		return
	}
	invite, err := c.invitation()
	if err != nil {
		c.notes = append(c.notes, err.Error())
		c.finish(prepareReason(err))
		return
	}
	c.dial.Attempt.SIPCallID = invite.CallID
	c.dial.Call.Notes = c.notes
	// From the commit on others may want to hang it up, before we hear of it too.
	c.live = c.engine.add(c.dial.Call.ID, c.end)
	defer c.engine.remove(c.dial.Call.ID)
	refused, err := c.engine.o.Service.CommitIntent(c.ctx, c.dial)
	switch {
	case err != nil:
		c.log.Error("the intent to dial could not be written; nothing was sent", "err", err)
		c.engine.unsent(c.ctx, c.dial.Attempt)
		return
	case refused != nil:
		c.log.Debug("not dialed now", "why", refused.Why)
		return
	}
	failpoint.Hit(failpoint.AfterIntentCommit)
	c.tell(domain.CallDialing)
	if !c.engine.rates.pass(c.ctx, c.dial.Trunk) {
		c.finish(c.reason())
		return
	}
	if !c.engine.node.holds(c.dial.Attempt.Epoch) {
		c.notes = append(c.notes, "the database was out of reach for too long; nothing was sent")
		c.finish(domain.EndInterrupted)
		return
	}
	if reason, answered := c.ring(invite); !answered {
		c.finish(reason)
		return
	}
	c.finish(c.converse())
}

func prepareReason(err error) domain.EndReason {
	if domain.CodeOf(err) == domain.CodeInternal {
		return domain.EndInternal
	}
	return domain.EndConfiguration
}

// ring sends the INVITE and waits for the answer; without one it returns why.
func (c *call) ring(invite sip.Invite) (domain.EndReason, bool) {
	ctx, cancel := context.WithTimeout(c.ctx, c.engine.o.Ring)
	defer cancel()
	invite.OnProvisional = func(status int, _ []byte) {
		defer c.recovered("ringing")
		if status >= 180 {
			c.ringing()
			failpoint.Hit(failpoint.After18x)
		}
	}
	dialog, err := c.engine.ua.Invite(ctx, invite)
	c.engine.o.Observer.SIPAnswered("INVITE", finalStatus(err))
	if err != nil {
		if why, ok := c.ending(); ok {
			return why, false
		}
		reason := reasonOf(err)
		c.retry = retryAfter(err)
		c.notes = append(c.notes, c.unanswered(reason, err))
		return reason, false
	}
	c.dialog = dialog
	return "", true
}

// unanswered says for a reader of the call why there was no answer.
func (c *call) unanswered(reason domain.EndReason, err error) string {
	if reason == domain.EndNoAnswer && errors.Is(err, sip.ErrCanceled) {
		return fmt.Sprintf("nobody answered within %s", c.engine.o.Ring)
	}
	return fmt.Sprintf("the far end did not answer: %v", err)
}

// ringing notes the first ringing. It runs on the user agent's goroutine.
func (c *call) ringing() {
	if !c.dial.Call.RingingAt.IsZero() {
		return
	}
	c.dial.Call.RingingAt = time.Now().UTC()
	c.dial.Call.State = domain.CallRinging
	c.dial.Attempt.State = domain.AttemptRinging
	c.progress()
}

func (c *call) progress() {
	c.tell(c.dial.Call.State)
	if !c.engine.o.Service.Progress(c.dial.Call, c.dial.Attempt) {
		c.log.Error("progress of a call was lost: the database is too far behind")
	}
}

func (c *call) tell(state domain.CallState) {
	c.live.tell(domain.LiveEvent{State: state})
	c.observe(state)
}

// finish writes down how the call ended.
func (c *call) finish(reason domain.EndReason) {
	v := service.Verdict{
		Call: c.dial.Call.ID, Attempt: c.dial.Attempt, Reason: reason, EndedAt: time.Now().UTC(),
		Notes: c.notes, Voice: c.dial.Call.Voice, Model: c.dial.Call.Model, RetryAfter: c.retry,
	}
	if c.talk != nil {
		v.Captured = c.talk.Captured()
		v.Notes = append(v.Notes, c.talk.Notes()...)
	}
	c.engine.finish(c.ctx, v)
	c.dial.Call.EndReason, c.dial.Call.EndedAt = reason, v.EndedAt
	if c.live != nil {
		c.tell(domain.EndedState(c.dialog != nil, reason))
	}
}
