package sip

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"

	wire "github.com/emiago/sipgo/sip"
)

// Reinvite offers a changed session within the call and returns the answer
// (RFC 3261 section 14.1). When both sides offer at once it waits a random
// while and tries once more. Errors: *StatusError (the session stays as it
// was), ErrPending, ErrTimeout, ErrEnded.
func (d *Dialog) Reinvite(ctx context.Context, sdp []byte) ([]byte, error) {
	answer, err := d.offer(ctx, sdp)
	var status *StatusError
	if !errors.As(err, &status) || status.Status != 491 {
		return answer, err
	}
	// The side that made the Call-ID waits 2.1 to 4 s, the other 0 to 2 s.
	wait := time.Duration(rand.Int64N(int64(2 * time.Second)))
	if d.caller {
		wait = 2100*time.Millisecond + time.Duration(rand.Int64N(int64(1900*time.Millisecond)))
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return d.offer(ctx, sdp)
	case <-d.done:
		return nil, ErrEnded
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// offer sends one re-INVITE, answering challenges.
func (d *Dialog) offer(ctx context.Context, sdp []byte) ([]byte, error) {
	if err := d.beginOffer(); err != nil {
		return nil, err
	}
	defer d.endOffer()
	auth := d.credentials()
	var added []wire.Header
	raised := false // after a 422
	for {
		req, dst, err := d.newRequest(ctx, wire.INVITE)
		if err != nil {
			return nil, err
		}
		for _, h := range append(added, d.session.headers()...) {
			req.AppendHeader(h)
		}
		req.AppendHeader(wire.NewHeader("Content-Type", "application/sdp"))
		req.SetBody(sdp)
		res, err := d.exchange(ctx, req, dst)
		if err != nil {
			return nil, err
		}
		if res.IsSuccess() {
			return res.Body(), nil
		}
		if !raised && d.session.raise(res) {
			raised = true
			continue
		}
		again, err := auth.answer(req, res)
		if err != nil {
			return nil, err
		}
		if !again {
			return nil, d.lost(statusError(res))
		}
		added = credentialHeaders(req)
	}
}

// exchange runs one re-INVITE and acknowledges its 2xx.
func (d *Dialog) exchange(ctx context.Context, req *wire.Request, dst hop) (*wire.Response, error) {
	if ctx.Err() != nil {
		return nil, ErrCanceled
	}
	var seen atomic.Bool
	var keep ackKeeper
	x := &exchange{u: d.u, req: req, dst: dst, heard: new(atomic.Bool), accept: func(*wire.Response) bool {
		if seen.CompareAndSwap(false, true) {
			return true
		}
		d.u.repeatACK(&keep)
		return false
	}}
	res, err := x.run(ctx)
	if err != nil || !res.IsSuccess() {
		return res, err
	}
	d.refresh(res)
	d.timed(res)
	d.agreed(req.Body(), res.Body())
	ack, cancel := context.WithTimeout(context.Background(), d.u.give)
	defer cancel()
	return res, d.sendACK(ack, req.CSeq().SeqNo, &keep)
}

func (d *Dialog) beginOffer() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.ended:
		return ErrEnded
	case d.offering || d.answering:
		return ErrPending
	}
	d.offering = true
	return nil
}

func (d *Dialog) endOffer() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.offering = false
}
