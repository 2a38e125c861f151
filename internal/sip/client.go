package sip

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	wire "github.com/emiago/sipgo/sip"

	"github.com/callwright/callwright/internal/failpoint"
)

// clientTx is one outgoing transaction: what the goroutine that reads hands to
// the one that waits.
type clientTx struct {
	key   string
	dst   hop
	in    chan *wire.Response // provisional ones; a full channel drops them
	final chan *wire.Response // the first final one
	fail  chan error          // the transport failed

	// accept is asked about every 2xx to an INVITE, on the goroutine that reads,
	// so that a dialog is there before the next message. It reports whether this
	// is the first, which then goes to final.
	accept func(*wire.Response) bool

	mu    sync.Mutex
	late  func() // set after a final response that is no 2xx: what its repetition does
	timer *time.Timer
}

func clientKey(branch string, method wire.RequestMethod) string {
	return branch + "|" + string(method)
}

func (u *UA) openClient(req *wire.Request, dst hop, accept func(*wire.Response) bool) (*clientTx, error) {
	branch, _ := req.Via().Params.Get("branch")
	t := &clientTx{
		key: clientKey(branch, req.Method), dst: dst, accept: accept,
		in: make(chan *wire.Response, 16), final: make(chan *wire.Response, 1), fail: make(chan error, 1),
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.closed {
		return nil, ErrClosed
	}
	u.clients[t.key] = t
	return t, nil
}

// answered returns the final response that came before the connection broke, or
// nil: a peer may well answer and hang up.
func (t *clientTx) answered() *wire.Response {
	select {
	case res := <-t.final:
		return res
	default:
		return nil
	}
}

func (u *UA) closeClient(t *clientTx) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.clients, t.key)
}

// linger keeps an INVITE transaction for the repetitions of its final
// response (timers D and M, RFC 3261 section 17.1.1, RFC 6026).
func (u *UA) linger(t *clientTx) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.timer = time.AfterFunc(u.give, func() { u.closeClient(t) })
}

// response routes a response to its transaction (RFC 3261 section 17.1.3).
// One that belongs to none is dropped, unless it answers a disowned call.
func (u *UA) response(res *wire.Response) {
	branch, _ := res.Via().Params.Get("branch")
	u.mu.Lock()
	t := u.clients[clientKey(branch, res.CSeq().MethodName)]
	u.mu.Unlock()
	if t == nil {
		u.stray(res)
		return
	}
	t.mu.Lock()
	late := t.late
	t.mu.Unlock()
	switch {
	case late != nil:
		if res.StatusCode >= 300 {
			late()
		}
	case res.StatusCode < 200:
		select {
		case t.in <- res:
		default:
		}
	case res.IsSuccess() && t.accept != nil && !t.accept(res):
	default:
		select {
		case t.final <- res:
		default:
		}
	}
}

// failClients tells every transaction towards a hop that it cannot be reached.
func (u *UA) failClients(dst hop, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, t := range u.clients {
		if t.dst.Is(dst) {
			select {
			case t.fail <- lost(err):
			default:
			}
		}
	}
}

// stopTransactions ends all timers; calls that come in and are undecided get
// 503.
func (u *UA) stopTransactions() {
	u.mu.Lock()
	for _, t := range u.clients {
		t.mu.Lock()
		if t.timer != nil {
			t.timer.Stop()
		}
		t.mu.Unlock()
	}
	for _, d := range u.dialogs {
		d.session.stop(true)
	}
	u.mu.Unlock()
	u.servers.mu.Lock()
	all := make([]*serverTx, 0, len(u.servers.byKey))
	for _, t := range u.servers.byKey {
		all = append(all, t)
	}
	u.servers.mu.Unlock()
	for _, t := range all {
		if t.respond(t.response(503, "Service Unavailable", nil)) && t.req.IsInvite() {
			close(t.gone)
		}
		t.stop()
	}
}

// roundTrip sends a request that is no INVITE and returns its final response
// (RFC 3261 section 17.1.2).
func (u *UA) roundTrip(ctx context.Context, req *wire.Request, dst hop) (*wire.Response, error) {
	dst = u.fit(req, dst)
	t, err := u.openClient(req, dst, nil)
	if err != nil {
		return nil, err
	}
	defer u.closeClient(t)
	data := []byte(req.String())
	if err := u.send(dst, data); err != nil {
		return nil, notSent(err)
	}
	interval := u.t1
	resend, giveUp := time.NewTimer(interval), time.NewTimer(u.give)
	defer resend.Stop()
	defer giveUp.Stop()
	if dst.Reliable() {
		resend.Stop()
	}
	heard := false
	for {
		select {
		case res := <-t.final:
			return res, nil
		case <-t.in:
			heard, interval = true, u.t2
		case <-resend.C:
			if err := u.send(dst, data); err != nil {
				return nil, notSent(err)
			}
			interval = min(2*interval, u.t2)
			resend.Reset(interval)
		case err := <-t.fail:
			if res := t.answered(); res != nil {
				return res, nil
			}
			if !heard || dst.Reliable() {
				return nil, err
			}
		case <-giveUp.C:
			return nil, ErrTimeout
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-u.closing:
			return nil, ErrClosed
		}
	}
}

// exchange is one INVITE on its way.
type exchange struct {
	u          *UA
	req        *wire.Request
	dst        hop
	accept     func(*wire.Response) bool
	heard      *atomic.Bool // set when something comes back
	onProgress func(*wire.Response)

	t           *clientTx
	data        []byte
	proceeding  bool // a provisional response came
	canceled    bool // the caller gave up
	resend      *time.Timer
	giveUp      *time.Timer
	resendAfter time.Duration
}

// run sends the INVITE and returns its first final response, having
// acknowledged it when it is no 2xx (RFC 3261 section 17.1.1). When ctx is
// done it cancels and waits for the outcome.
func (x *exchange) run(ctx context.Context) (*wire.Response, error) {
	x.dst = x.u.fit(x.req, x.dst)
	t, err := x.u.openClient(x.req, x.dst, x.accept)
	if err != nil {
		return nil, err
	}
	x.t, x.data = t, []byte(x.req.String())
	res, err := x.wait(ctx)
	if err != nil {
		x.u.linger(t) // an answer may come yet
		return nil, err
	}
	if !res.IsSuccess() {
		x.acknowledge(res)
	}
	x.u.linger(t)
	return res, nil
}

func (x *exchange) wait(ctx context.Context) (*wire.Response, error) {
	if err := x.u.send(x.dst, x.data); err != nil {
		return nil, notSent(err)
	}
	failpoint.Hit(failpoint.AfterInviteSent)
	x.resendAfter = x.u.t1
	x.resend, x.giveUp = time.NewTimer(x.resendAfter), time.NewTimer(x.u.give)
	defer x.resend.Stop()
	defer x.giveUp.Stop()
	if x.dst.Reliable() {
		x.resend.Stop()
	}
	done := ctx.Done()
	for {
		select {
		case res := <-x.t.in:
			x.progress(res)
		case res := <-x.t.final:
			x.heard.Store(true)
			x.drain()
			return res, nil
		case <-x.resend.C: // timer A
			if err := x.u.send(x.dst, x.data); err != nil {
				return nil, notSent(err)
			}
			x.resendAfter *= 2
			x.resend.Reset(x.resendAfter)
		case <-x.giveUp.C: // timer B, or RFC 3261 section 9.1 after CANCEL
			if x.canceled {
				return nil, ErrCanceled
			}
			return nil, ErrTimeout
		case err := <-x.t.fail:
			x.drain() // what came before: who rang must not be followed by the next server
			if res := x.t.answered(); res != nil {
				x.heard.Store(true)
				return res, nil
			}
			if !x.proceeding || x.dst.Reliable() {
				return nil, err
			}
		case <-done:
			done, x.canceled = nil, true
			x.cancel()
		case <-x.u.closing:
			return nil, ErrClosed
		}
	}
}

// drain reports the provisional responses that came before what ended the wait.
func (x *exchange) drain() {
	for {
		select {
		case res := <-x.t.in:
			x.progress(res)
		default:
			return
		}
	}
}

func (x *exchange) progress(res *wire.Response) {
	x.heard.Store(true)
	if res.StatusCode == 100 {
		failpoint.Hit(failpoint.After100)
	}
	first := !x.proceeding
	if first {
		x.proceeding = true
		x.resend.Stop()
		x.giveUp.Stop()
	}
	if x.canceled {
		if first {
			x.cancel()
		}
		return
	}
	if x.onProgress != nil && res.StatusCode > 100 {
		x.onProgress(res)
	}
}

// cancel sends CANCEL, but not before a provisional response: it might
// overtake the INVITE (RFC 3261 section 9.1).
func (x *exchange) cancel() {
	if !x.proceeding {
		return
	}
	x.giveUp.Reset(x.u.give)
	req := wire.NewRequest(wire.CANCEL, x.req.Recipient)
	req.AppendHeader(x.req.Via().Clone())
	wire.CopyHeaders("Route", x.req, req)
	wire.CopyHeaders("Max-Forwards", x.req, req)
	wire.CopyHeaders("From", x.req, req)
	wire.CopyHeaders("To", x.req, req)
	wire.CopyHeaders("Call-ID", x.req, req)
	req.AppendHeader(&wire.CSeqHeader{SeqNo: x.req.CSeq().SeqNo, MethodName: wire.CANCEL})
	req.SetBody(nil)
	x.u.spawn("cancel", func() {
		// The INVITE's own response tells how it ended, whatever becomes of this.
		if _, err := x.u.roundTrip(context.Background(), req, x.dst); err != nil {
			x.u.log.Debug("sip: CANCEL got no answer", "error", err)
		}
	})
}

// acknowledge sends the ACK of a final response other than 2xx, again each
// time that response comes again (RFC 3261 section 17.1.1.3).
func (x *exchange) acknowledge(res *wire.Response) {
	ack := wire.NewRequest(wire.ACK, x.req.Recipient)
	ack.AppendHeader(x.req.Via().Clone())
	wire.CopyHeaders("Route", x.req, ack)
	wire.CopyHeaders("Max-Forwards", x.req, ack)
	wire.CopyHeaders("From", x.req, ack)
	if to := res.To(); to != nil {
		ack.AppendHeader(wire.HeaderClone(to))
	} else {
		wire.CopyHeaders("To", x.req, ack)
	}
	wire.CopyHeaders("Call-ID", x.req, ack)
	ack.AppendHeader(&wire.CSeqHeader{SeqNo: x.req.CSeq().SeqNo, MethodName: wire.ACK})
	ack.SetBody(nil)
	data := []byte(ack.String())
	send := func() { x.u.sendQuietly(x.dst, data) }
	x.t.mu.Lock()
	x.t.late = send
	x.t.mu.Unlock()
	send()
}
