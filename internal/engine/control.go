package engine

import (
	"context"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// commandTime is how long a live call may take to begin with what it is told.
const commandTime = 5 * time.Second

// command is something that a live call is told to do, on a goroutine of its
// own. ctx ends with the talk.
type command struct {
	do   func(ctx context.Context) error
	done chan error // buffered: nobody may be waiting any more
}

// tellCall has an answered call do something and returns how that went.
func (l *live) tellCall(ctx context.Context, id domain.ID, do func(*call) func(context.Context) error) error {
	one, err := l.find(id)
	if err != nil {
		return err
	}
	early := domain.Errorf(domain.CodeConflict, "Call %s is not answered yet, or is ending just now", id)
	one.mu.Lock()
	c := one.call
	one.mu.Unlock()
	if c == nil {
		return early
	}
	begin := time.NewTimer(commandTime)
	defer begin.Stop()
	it := command{do: do(c), done: make(chan error, 1)}
	select {
	case c.commands <- it:
	case <-c.ctx.Done():
		return early
	case <-begin.C:
		return early
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-it.done:
		return err
	case <-c.ctx.Done():
		return early
	case <-ctx.Done():
		return ctx.Err()
	}
}

// obey makes the call known to those who want to tell it something.
func (c *call) obey() {
	c.commands = make(chan command)
	c.live.mu.Lock()
	c.live.call = c
	c.live.mu.Unlock()
}

// serve does what the call is told until it is over.
func (c *call) serve(ctx context.Context) {
	for {
		select {
		case <-c.ctx.Done():
			return
		case it := <-c.commands:
			c.work.Go(func() {
				err := error(domain.Errorf(domain.CodeInternal, "a fault of ours ended the call"))
				defer func() { it.done <- err }()
				defer c.recovered("command")
				err = it.do(ctx)
			})
		}
	}
}

// Hold puts the far end on hold, or takes it back.
func (l *live) Hold(ctx context.Context, id domain.ID, on bool) error {
	return l.tellCall(ctx, id, func(c *call) func(context.Context) error {
		return func(ctx context.Context) error { return c.hold(ctx, on) }
	})
}

// Press sends telephone keys to the far end.
func (l *live) Press(ctx context.Context, id domain.ID, keys string) error {
	return l.tellCall(ctx, id, func(c *call) func(context.Context) error {
		return func(context.Context) error { return c.press(keys) }
	})
}

func (c *call) press(keys string) error {
	if err := c.media.leg.SendDigits(keys); err != nil {
		return domain.Invalid("digits", "digits cannot be sent: %v", err)
	}
	return nil
}

// Say has the agent say a text.
func (l *live) Say(ctx context.Context, id domain.ID, text string) error {
	return l.tellCall(ctx, id, func(c *call) func(context.Context) error {
		return func(context.Context) error {
			c.talk.Say(text)
			return nil
		}
	})
}

// Transfer hands a call over. It returns when the target may be dialed; how that
// goes, the call tells.
func (l *live) Transfer(ctx context.Context, id domain.ID, t domain.Transfer) error {
	return l.tellCall(ctx, id, func(c *call) func(context.Context) error {
		return func(context.Context) error {
			run, err := c.handOver(t)
			if err != nil {
				return err
			}
			c.work.Go(func() {
				defer c.recovered("transfer")
				if err := run(); err != nil {
					c.talk.Note("the call was not handed over: " + err.Error())
					return
				}
				c.end(domain.EndTransferred)
			})
			return nil
		}
	})
}
