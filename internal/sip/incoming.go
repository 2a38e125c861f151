package sip

import (
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	wire "github.com/emiago/sipgo/sip"

	"github.com/callwright/callwright/internal/sip/message"
)

// Incoming is a call that came in and waits to be answered. Undecided, it is
// refused with 480 after 200 seconds.
type Incoming struct {
	From        string         // the caller's number: the user part of From
	To          string         // the called number: the user part of To
	DisplayName string         // of the caller, or ""
	RequestURI  string         // what the request was sent to
	Target      string         // its user part
	CallID      string         //
	Source      netip.AddrPort // where the request really came from
	Body        []byte         // the offer; nil when the caller wants us to offer
	// Replaces is the call whose place this one takes when it is answered, nil
	// for none (RFC 3891): Answer hangs it up.
	Replaces *Dialog

	u  *UA
	t  *serverTx
	mu sync.Mutex // one decision at a time

	rseq uint32    // of the last reliable response
	last *reliable // response, nil when there was none
}

// serveInvite hands a new call to its taker and waits until it is decided.
func (u *UA) serveInvite(t *serverTx) {
	t.respond(t.response(100, "Trying", nil))
	if u.opts.OnInvite == nil {
		t.respond(t.response(404, "Not Found", nil))
		return
	}
	req := t.req
	old, status, reason := u.replaced(req)
	if status != 0 {
		t.respond(t.response(status, reason, nil))
		return
	}
	in := &Incoming{
		From: message.Unescaped(number(req.From().Address)), To: message.Unescaped(number(req.To().Address)),
		DisplayName: message.PlainName(req.From().DisplayName), RequestURI: req.Recipient.String(), Target: message.Unescaped(number(req.Recipient)),
		CallID: req.CallID().Value(), Source: t.from.Addr, Body: req.Body(), Replaces: old, u: u, t: t,
	}
	defer u.forgetReliable(t)
	u.opts.OnInvite(in)
	limit := time.NewTimer(ringLimit)
	defer limit.Stop()
	select {
	case <-t.final:
	case <-u.closing:
	case <-limit.C:
		t.respond(t.response(480, "Temporarily Unavailable", nil))
	}
}

// number returns the user part of a SIP URI or the number of a tel URI.
func number(uri wire.Uri) string {
	if raw := uri.Raw(); raw != "" {
		head, _, _ := strings.Cut(raw, ";")
		return head
	}
	head, _, _ := strings.Cut(uri.User, ";") // parameters of a telephone-subscriber
	return head
}

// Header returns the value of the first header of that name, or "".
func (in *Incoming) Header(name string) string {
	if h := in.t.req.GetHeader(name); h != nil {
		return h.Value()
	}
	return ""
}

// Number returns the user part of the address in the first header of that name,
// such as P-Called-Party-ID or P-Asserted-Identity, "" for none.
func (in *Incoming) Number(name string) string {
	var uri wire.Uri
	var params wire.HeaderParams
	if _, err := wire.ParseAddressValue(in.Header(name), &uri, &params); err != nil {
		return ""
	}
	return number(uri)
}

// Canceled is closed when the caller gives up before the call is decided.
func (in *Incoming) Canceled() <-chan struct{} { return in.t.gone }

// Ring tells the caller that the phone rings (180). ErrCanceled or ErrAnswered
// when the call is decided.
func (in *Incoming) Ring() error { return in.provisional(180, "Ringing", nil) }

// Progress sends early media's description (183).
func (in *Incoming) Progress(sdp []byte) error {
	return in.provisional(183, "Session Progress", sdp)
}

func (in *Incoming) provisional(status int, reason string, sdp []byte) error {
	res := in.t.response(status, reason, sdp)
	res.AppendHeader(in.contact())
	if slices.Contains(options(in.t.req, "Require", "Require"), "100rel") {
		return in.sendReliably(res)
	}
	if !in.t.respond(res) {
		return in.decided()
	}
	return nil
}

func (in *Incoming) contact() *wire.ContactHeader {
	return in.u.contactFor(in.t.req.Recipient, in.t.req.To().Address.User, in.t.from)
}

func (in *Incoming) decided() error {
	select {
	case <-in.t.gone:
		return ErrCanceled
	default:
		return ErrAnswered
	}
}

// Reject refuses the call with a status from 300 on.
func (in *Incoming) Reject(status int, reason string) error {
	res := in.t.response(status, reason, nil)
	if status == 503 || status == 480 {
		res.AppendHeader(wire.NewHeader("Retry-After", "5"))
	}
	if !in.t.respond(res) {
		return in.decided()
	}
	return nil
}

// Answer accepts the call with our session description. The 200 is repeated
// until the caller confirms it; when that never happens the dialog is ended
// with a BYE (RFC 3261 section 13.3.1.4). ErrCanceled when the caller was
// faster.
func (in *Incoming) Answer(sdp []byte) (*Dialog, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	select {
	case <-in.t.final:
		return nil, in.decided()
	default:
	}
	in.awaitPRACK()
	d := in.newDialog()
	d.localSDP = sdp
	in.u.register(d) // before the 200: a BYE may come right after it
	in.t.awaitACK(d)
	res := in.t.response(200, "OK", sdp)
	res.AppendHeader(in.contact())
	res.AppendHeader(wire.NewHeader("Allow", allow))
	res.AppendHeader(wire.NewHeader("Supported", supported))
	d.answerTimer(in.t.req, res)
	in.u.keep(d)
	if !in.t.respond(res) {
		d.session.stop(true)
		in.u.unregister(d)
		in.u.drop(d)
		return nil, in.decided()
	}
	if in.Replaces != nil {
		in.Replaces.replacedBy(d)
	}
	return d, nil
}

func (in *Incoming) newDialog() *Dialog {
	req := in.t.req
	remoteTag, _ := req.From().Params.Get("tag")
	d := newDialog(in.u, DialogState{
		CallID: in.CallID, LocalTag: in.t.tag, RemoteTag: remoteTag,
		Local:  addressValue(req.To().DisplayName, req.To().Address),
		Remote: addressValue(req.From().DisplayName, req.From().Address),
		Target: req.From().Address.String(), Routes: recordRoutes(req),
		RemoteCSeq: req.CSeq().SeqNo, Transport: in.t.from.Network, flow: in.t.from,
	})
	d.expect(in.t.from.Addr.Addr())
	d.refresh(req)
	d.remoteSDP = req.Body()
	return d
}

// awaitACK ties the transaction of an INVITE that is about to be accepted to
// its dialog.
func (t *serverTx) awaitACK(d *Dialog) {
	d.mu.Lock()
	d.accepted, d.answered = t, false
	d.mu.Unlock()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.onAck = d.confirm
	t.onNoAck = func() {
		d.u.log.Warn("sip: answer never confirmed", "call", d.CallID())
		d.confirm()
		if d.end(true) {
			d.u.spawn("unconfirmed", func() {
				if err := d.bye(); err != nil {
					d.u.log.Debug("sip: BYE of an unconfirmed call", "error", err)
				}
			})
		}
	}
}
