package sip

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	wire "github.com/emiago/sipgo/sip"
)

// dialogID names a dialog on this side (RFC 3261 section 12).
type dialogID struct{ callID, localTag, remoteTag string }

// Dialog is one call that was answered, by either side.
type Dialog struct {
	u      *UA
	id     dialogID
	auth   credentials
	caller bool   // we placed the call
	cseq   uint32 // of our INVITE that was answered, when we placed it

	mu          sync.Mutex
	ends        farEnds
	state       DialogState
	remoteSDP   []byte
	onReinvite  *handler[func([]byte) ([]byte, error)]
	onInfo      *handler[func(string, []byte)]
	onAnswer    func([]byte) error
	answered    bool // the ACK of accepted brought its answer
	onRefer     *handler[func(*Referral) bool]
	localSDP    []byte     // what the far end accepted of us last
	takesUpdate bool       // the far end lists UPDATE in its Allow
	referring   *referring // our REFER whose outcome is awaited
	referred    int        // REFERs of the far end that were taken
	successor   *Dialog    // took this one's place (RFC 3891)
	offering    bool       // our re-INVITE is under way
	answering   bool       // theirs is
	accepted    *serverTx  // the INVITE that we accepted last
	ended       bool
	byRemote    bool

	born   time.Time
	done   chan struct{} // closed when it is over
	acked  chan struct{} // closed when the far end confirmed our 2xx; at once when we called
	ackOne sync.Once
	ack    ackKeeper // of the 2xx that made the dialog

	session sessionTimer
}

// register makes the dialog known to requests that come in.
func (u *UA) register(d *Dialog) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.dialogs[d.id] = d
	d.listen(true)
}

func (u *UA) unregister(d *Dialog) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.dialogs[d.id] == d {
		delete(u.dialogs, d.id)
		d.listen(false)
	}
}

// dialogOf finds the dialog that a request belongs to, or nil.
func (u *UA) dialogOf(req *wire.Request) *Dialog {
	local, _ := req.To().Params.Get("tag")
	remote, _ := req.From().Params.Get("tag")
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.dialogs[dialogID{req.CallID().Value(), local, remote}]
}

func newDialog(u *UA, s DialogState) *Dialog {
	return &Dialog{
		u: u, state: s, id: dialogID{s.CallID, s.LocalTag, s.RemoteTag},
		onReinvite: newHandler[func([]byte) ([]byte, error)](), onInfo: newHandler[func(string, []byte)](),
		onRefer: newHandler[func(*Referral) bool](),
		born:    time.Now(), done: make(chan struct{}), acked: make(chan struct{}),
	}
}

// CallID returns the Call-ID.
func (d *Dialog) CallID() string { return d.id.callID }

// RemoteSDP returns the far end's latest session description.
func (d *Dialog) RemoteSDP() []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.remoteSDP
}

// RemoteContact returns the URI that requests go to (RFC 3261 section 12.1).
func (d *Dialog) RemoteContact() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.state.Target
}

// State returns what is needed to end the dialog from another process.
func (d *Dialog) State() DialogState {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.state
	s.Routes = append([]string(nil), s.Routes...)
	return s
}

// Done is closed as soon as the dialog is over: the far end hung up, or we did.
func (d *Dialog) Done() <-chan struct{} { return d.done }

// ByRemote reports, after Done, whether it was the far end that ended it.
func (d *Dialog) ByRemote() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.byRemote
}

// OnReinvite sets what answers the far end's offers within the call: hold,
// resume, a new address. sdp is nil when the far end asks us to offer. An error
// answers 488 and leaves the session as it is; so does no function.
func (d *Dialog) OnReinvite(f func(sdp []byte) (answer []byte, err error)) {
	d.onReinvite.put(f)
}

// OnAnswer sets what takes the far end's answers to offers that it asked for by
// OnReinvite. An error leaves the session as it was.
func (d *Dialog) OnAnswer(f func(sdp []byte) error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.onAnswer = f
}

// OnInfo sets what takes INFO requests, such as application/dtmf-relay. The
// content type is in lower case without parameters, "" when there was none.
func (d *Dialog) OnInfo(f func(contentType string, body []byte)) {
	d.onInfo.put(f)
}

// end marks the dialog as over. It reports false when it was already.
func (d *Dialog) end(byRemote bool) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended {
		return false
	}
	d.ended, d.byRemote = true, byRemote
	close(d.done)
	d.session.stop(true)
	return true
}

func (d *Dialog) over() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.ended
}

// Bye hangs up. Done fires at once; the BYE is sent, repeated and answered
// behind it, for at most 64*T1. Bye returns when the far end answered, nobody
// did, or ctx is done; the BYE goes on then. Hanging up twice is no error.
func (d *Dialog) Bye(ctx context.Context) error {
	if !d.end(false) {
		return nil
	}
	result := make(chan error, 1)
	if !d.u.spawn("bye", func() { result <- d.bye() }) {
		return ErrClosed
	}
	select {
	case err := <-result:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (d *Dialog) bye() error {
	// A crossing BYE of the far end still finds the dialog.
	defer d.u.unregister(d)
	// The called side waits for the ACK (RFC 3261 section 15), which the
	// retransmission of the 2xx bounds.
	wait := time.NewTimer(d.u.give)
	defer wait.Stop()
	select {
	case <-d.acked:
	case <-wait.C:
	case <-d.u.closing:
		return ErrClosed
	}
	// A bound on the whole, for several challenges could follow each other.
	ctx, cancel := context.WithTimeout(context.Background(), 2*d.u.give)
	defer cancel()
	res, err := d.request(ctx, wire.BYE, "", nil)
	if !errors.Is(err, ErrClosed) { // else the next process tries again
		d.u.drop(d)
	}
	if err != nil {
		return err
	}
	if res.IsSuccess() || res.StatusCode == 481 || res.StatusCode == 408 {
		return nil
	}
	return statusError(res)
}

// Info sends an INFO request (RFC 6086), for instance a digit as
// application/dtmf-relay.
func (d *Dialog) Info(ctx context.Context, contentType string, body []byte) error {
	if d.over() {
		return ErrEnded
	}
	res, err := d.request(ctx, wire.INFO, contentType, body)
	if err != nil {
		return err
	}
	if !res.IsSuccess() {
		return d.lost(statusError(res))
	}
	return nil
}

// lost ends the dialog when the far end does not know it any more (RFC 3261
// section 12.2.1.2), and returns err.
func (d *Dialog) lost(err error) error {
	var status *StatusError
	if errors.As(err, &status) && (status.Status == 481 || status.Status == 408) && d.end(true) {
		d.u.unregister(d)
		d.u.drop(d)
	}
	return err
}

// request sends a request within the dialog and answers challenges.
func (d *Dialog) request(ctx context.Context, method wire.RequestMethod, contentType string, body []byte, headers ...wire.Header) (*wire.Response, error) {
	auth := d.credentials()
	var added []wire.Header
	for {
		req, dst, err := d.newRequest(ctx, method)
		if err != nil {
			return nil, err
		}
		for _, h := range append(added, headers...) {
			req.AppendHeader(h)
		}
		if contentType != "" {
			req.AppendHeader(wire.NewHeader("Content-Type", contentType))
		}
		req.SetBody(body)
		res, err := d.u.roundTrip(ctx, req, dst)
		if err != nil {
			return nil, err
		}
		again, err := auth.answer(req, res)
		if err != nil {
			return nil, err
		}
		if !again {
			return res, nil
		}
		added = credentialHeaders(req)
	}
}

func (d *Dialog) credentials() *credentials {
	return &credentials{username: d.auth.username, password: d.auth.password}
}

// newRequest makes the next request of the dialog (RFC 3261 section 12.2.1.1).
func (d *Dialog) newRequest(ctx context.Context, method wire.RequestMethod) (*wire.Request, hop, error) {
	d.mu.Lock()
	d.state.LocalCSeq++
	s := d.state
	d.mu.Unlock()
	req, dst, err := d.u.build(ctx, s, method, s.LocalCSeq)
	d.expect(dst.Addr.Addr())
	return req, dst, err
}

// ackKeeper holds the ACK of one 2xx, for when that 2xx comes again (RFC 3261
// section 13.2.2.4).
type ackKeeper struct {
	mu  sync.Mutex
	raw []byte
	to  hop
}

// sendACK acknowledges a 2xx to our INVITE with the given CSeq.
func (d *Dialog) sendACK(ctx context.Context, cseq uint32, keep *ackKeeper) error {
	req, dst, err := d.u.build(ctx, d.State(), wire.ACK, cseq)
	if err != nil {
		return err
	}
	req.SetBody(nil)
	raw := []byte(req.String())
	keep.mu.Lock()
	keep.raw, keep.to = raw, dst
	keep.mu.Unlock()
	return d.u.send(dst, raw)
}

// repeatACK sends the ACK again, if it was sent yet.
func (u *UA) repeatACK(keep *ackKeeper) {
	keep.mu.Lock()
	raw, dst := keep.raw, keep.to
	keep.mu.Unlock()
	if raw != nil {
		u.sendQuietly(dst, raw)
	}
}

// sendQuietly sends what the far end asks for again should it be lost. It may
// be called on the goroutine that reads, which must not wait for a connection.
func (u *UA) sendQuietly(dst hop, raw []byte) {
	send := func() {
		if err := u.send(dst, raw); err != nil {
			u.log.Debug("sip: ACK not sent", "error", err)
		}
	}
	if dst.Reliable() {
		u.spawn("ack", send)
		return
	}
	send()
}

// confirmed takes the ACK of a 2xx of ours.
func (d *Dialog) confirmed(req *wire.Request) {
	d.mu.Lock()
	t := d.accepted
	ours := t != nil && t.req.CSeq().SeqNo == req.CSeq().SeqNo
	var heard func([]byte) error
	if ours && !d.answered && len(t.req.Body()) == 0 && len(req.Body()) > 0 {
		// We offered in the 200 (RFC 3261 section 13.2.1).
		d.answered, d.remoteSDP, heard = true, req.Body(), d.onAnswer
	}
	d.mu.Unlock()
	if heard != nil {
		d.u.spawn("answer", func() {
			if err := heard(req.Body()); err != nil {
				d.u.log.Info("sip: answer not taken", "call", d.CallID(), "error", err)
			}
		})
	}
	if ours {
		t.ack()
	}
}

// Confirmed is closed when the far end has acknowledged our 200, or never will;
// at once when we placed the call.
func (d *Dialog) Confirmed() <-chan struct{} { return d.acked }

func (d *Dialog) confirm() { d.ackOne.Do(func() { close(d.acked) }) }

// agreed notes the descriptions that an offer and its answer left in force.
func (d *Dialog) agreed(local, remote []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.localSDP, d.remoteSDP = local, remote
}

// refresh takes a new remote target from a Contact (RFC 3261 section 12.2),
// and what the far end understands.
func (d *Dialog) refresh(m wire.Message) {
	if methods := options(m, "Allow", "Allow"); len(methods) > 0 {
		d.mu.Lock()
		d.takesUpdate = slices.Contains(methods, "update")
		d.mu.Unlock()
	}
	if c, ok := header(m, "Contact").(*wire.ContactHeader); ok && !c.Address.Wildcard && c.Address.Host != "" {
		d.mu.Lock()
		d.state.Target = c.Address.String()
		d.mu.Unlock()
		d.expect(literal(c.Address.Host))
	}
}
