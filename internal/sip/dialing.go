package sip

import (
	"context"
	"errors"

	wire "github.com/emiago/sipgo/sip"

	"github.com/callwright/callwright/internal/sip/transport"
)

// run tries the call's servers one after the other until one answers (RFC 3263
// section 4.3). The next is asked only when the one before did not say a word,
// or said 503: never may two of them ring.
func (c *outgoing) run(ctx context.Context) (d *Dialog, err error) {
	defer func() {
		if late := c.aim(nil); err != nil && late != nil { // it crossed the failure
			c.hangUp(late)
		}
	}()
	for {
		var silent bool
		d, silent, err = c.try(ctx)
		var status *StatusError
		switch {
		case err == nil:
			c.u.failed.Forget(c.hops[0])
			return d, nil
		case silent && errors.Is(err, ErrTimeout):
			c.u.failed.Note(c.hops[0], transport.FailureMemory)
		case errors.As(err, &status) && status.Status == 503:
			c.u.failed.Note(c.hops[0], max(status.RetryAfter, transport.FailureMemory))
		default:
			return nil, err
		}
		if len(c.hops) == 1 || ctx.Err() != nil {
			return nil, err
		}
		c.u.log.Info("sip: trying the next server", "call", c.in.CallID, "failed", c.hops[0].Addr, "error", err)
		c.hops = c.hops[1:]
	}
}

// try carries the call to its first server and through challenges to its
// outcome. silent tells that not a word came back.
func (c *outgoing) try(ctx context.Context) (d *Dialog, silent bool, err error) {
	if ctx.Err() != nil {
		return nil, true, ErrCanceled
	}
	dst := c.hops[0]
	if _, err := c.u.connect(dst); err != nil {
		return nil, true, err
	}
	c.auth.tried = nil // another server, another nonce
	c.renew(c.req.Clone())
	c.req.RemoveHeader("Contact")
	c.req.AppendHeader(c.u.contactFor(c.req.Recipient, c.req.From().Address.User, dst))
	for {
		if ctx.Err() != nil {
			return nil, false, ErrCanceled
		}
		c.announce()
		x := &exchange{
			u: c.u, req: c.req, dst: dst, heard: &c.heard,
			accept:     func(res *wire.Response) bool { return c.accept(res, dst) },
			onProgress: func(res *wire.Response) { c.progress(res, dst) },
		}
		res, err := x.run(ctx)
		if err != nil {
			return nil, !x.proceeding, err
		}
		if res.IsSuccess() {
			d, err := c.answered(ctx)
			return d, false, err
		}
		if ctx.Err() != nil {
			return nil, false, ErrCanceled
		}
		next := c.req.Clone()
		again, err := c.auth.answer(next, res)
		if err != nil {
			return nil, false, err
		}
		if !again && !c.lengthen(next, res) && !c.reoffer(next, res.StatusCode) {
			return nil, false, statusError(res)
		}
		next.CSeq().SeqNo++
		c.renew(next)
	}
}

// renew makes req the INVITE whose answer is wanted, as a transaction of its
// own.
func (c *outgoing) renew(req *wire.Request) {
	via := c.u.via(c.hops[0])
	for req.RemoveHeader("Via") { // each removes one
	}
	req.PrependHeader(via)
	c.mu.Lock()
	c.req = req
	c.mu.Unlock()
	c.aim(via)
}

// aim notes whose answer is wanted, nil is nobody's, and returns the dialog of
// an answer that came already.
func (c *outgoing) aim(via *wire.ViaHeader) *Dialog {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.branch = ""
	if via != nil {
		c.branch, _ = via.Params.Get("branch")
	}
	return c.dialog
}

// announce calls OnSent, once.
func (c *outgoing) announce() {
	if c.in.OnSent != nil && !c.sent {
		c.sent = true
		c.ask(c.in.OnSent)
	}
}
