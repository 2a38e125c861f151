package sip

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	wire "github.com/emiago/sipgo/sip"

	"github.com/callwright/callwright/internal/failpoint"
)

// Invite is a call to be placed.
type Invite struct {
	CallID      string // from NewCallID; "" makes one
	URI         string // whom to call: sip:+15551234@192.0.2.1:5060;transport=tcp
	From, To    string // numbers or SIP URIs; "" From is anonymous, "" To is the URI
	DisplayName string // of From
	Body        []byte // the offer
	Headers     map[string]string
	Username    string // for digest challenges
	Password    string
	// Server is asked before the others that the URI stands for, such as the one
	// where we are registered; the zero value is none.
	Server Server
	// OnProvisional hears 101 to 199 in order, with their SDP if any.
	OnProvisional func(status int, body []byte)
	// OnSent is called once, right before the first byte of the INVITE leaves.
	OnSent func()
	// Reoffer is asked once, when the call is refused for good, for another offer
	// than Body. One that is not nil is sent with a new INVITE of the same call.
	//
	// None of the three is called after Invite has returned.
	Reoffer func(status int) []byte
}

// Invite places a call and returns its dialog when it is answered; the ACK has
// been sent then. Canceling ctx cancels the call; an answer that crosses the
// CANCEL is acknowledged and hung up. Errors: *StatusError for a final
// response, ErrTimeout when nothing came back (ErrUnreachable too when that was
// certain at once), ErrCanceled (ErrTimeout too when nothing had come back until
// then), ErrClosed.
func (u *UA) Invite(ctx context.Context, in Invite) (*Dialog, error) {
	c, err := u.newOutgoing(ctx, in)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ErrCanceled
		}
		return nil, err
	}
	type outcome struct {
		d   *Dialog
		err error
	}
	result := make(chan outcome, 1)
	started := u.spawn("invite", func() {
		o := outcome{err: fmt.Errorf("sip: internal error while calling %s", in.URI)} // if run panics
		defer func() { result <- o }()
		o.d, o.err = c.run(ctx)
	})
	if !started {
		return nil, ErrClosed
	}
	select {
	case o := <-result:
		return o.d, o.err
	case <-ctx.Done():
	}
	// A far end that was heard of gets a moment to confirm the CANCEL. After it
	// the outcome is awaited, and an answer hung up, in the background.
	canceled := fmt.Errorf("%w: %w", ErrCanceled, ErrTimeout)
	if c.heard.Load() {
		canceled = ErrCanceled
		grace := time.NewTimer(u.t2)
		defer grace.Stop()
		select {
		case o := <-result:
			return o.d, o.err
		case <-grace.C:
		}
	}
	if c.settle() {
		return nil, canceled
	}
	o := <-result
	return o.d, o.err
}

// outgoing is one call on its way.
type outgoing struct {
	u     *UA
	in    Invite
	req   *wire.Request
	hops  []hop // that may be tried, the present one first
	auth  credentials
	heard atomic.Bool // something came back

	asking  sync.Mutex // the caller, who does not leave meanwhile
	settled bool       // the outcome has an owner: the caller, or nobody

	lengthened bool // after a 422
	sent       bool // OnSent was called

	mu     sync.Mutex
	branch string             // of the INVITE whose answer is wanted; "" when none is
	dialog *Dialog            // of the first 2xx
	forks  map[string]*Dialog // of further ones, by remote tag
	early  map[string]*early  // that sent reliable responses, by remote tag
}

// newOutgoing makes the INVITE (RFC 3261 section 8.1.1).
func (u *UA) newOutgoing(ctx context.Context, in Invite) (*outgoing, error) {
	if in.CallID == "" {
		in.CallID = NewCallID()
	}
	var target wire.Uri
	if err := wire.ParseUri(in.URI, &target); err != nil {
		return nil, fmt.Errorf("sip: cannot call %q: %w", in.URI, err)
	}
	hops, err := u.locate(ctx, &target)
	if err != nil {
		return nil, err
	}
	if in.Server.Addr.IsValid() {
		hops = append([]hop{in.Server}, slices.DeleteFunc(hops, func(h hop) bool { return h == in.Server })...)
	}
	from, err := address(in.From, u.localHost(hops[0].Addr))
	if err != nil {
		return nil, fmt.Errorf("sip: From: %w", err)
	}
	to, err := address(in.To, bracketed(target.Host))
	if err != nil {
		return nil, fmt.Errorf("sip: To: %w", err)
	}
	if in.To == "" {
		to = wire.Uri{Scheme: target.Scheme, User: target.User, Host: target.Host}
	}
	headers, err := extraHeaders(in)
	if err != nil {
		return nil, err
	}
	req := wire.NewRequest(wire.INVITE, target)
	f := &wire.FromHeader{DisplayName: in.DisplayName, Address: from}
	f.Params.Add("tag", newTag())
	req.AppendHeader(f)
	req.AppendHeader(&wire.ToHeader{Address: to})
	id, forwards := wire.CallIDHeader(in.CallID), wire.MaxForwardsHeader(70)
	req.AppendHeader(&id)
	req.AppendHeader(&wire.CSeqHeader{SeqNo: 1, MethodName: wire.INVITE})
	req.AppendHeader(&forwards)
	req.AppendHeader(wire.NewHeader("Allow", allow))
	extensions := supported
	if len(in.Body) == 0 { // a reliable response would bring an offer
		extensions = strings.TrimSuffix(extensions, ", 100rel")
	}
	req.AppendHeader(wire.NewHeader("Supported", extensions))
	for _, h := range u.timerAsk(0) {
		req.AppendHeader(h)
	}
	req.AppendHeader(wire.NewHeader("User-Agent", u.opts.UserAgent))
	for _, h := range headers {
		req.AppendHeader(h)
	}
	if len(in.Body) > 0 {
		req.AppendHeader(wire.NewHeader("Content-Type", "application/sdp"))
	}
	req.SetBody(in.Body)
	return &outgoing{
		u: u, in: in, req: req, hops: hops, forks: map[string]*Dialog{}, early: map[string]*early{},
		auth: credentials{username: in.Username, password: in.Password},
	}, nil
}

// address makes a URI of a number or a URI.
func address(text, host string) (wire.Uri, error) {
	var uri wire.Uri
	if strings.ContainsFunc(text, unprintable) || strings.ContainsAny(text, "<> \"") {
		return uri, fmt.Errorf("%q is neither a number nor a URI", text)
	}
	if lower := strings.ToLower(text); strings.HasPrefix(lower, "sip:") || strings.HasPrefix(lower, "sips:") || strings.HasPrefix(lower, "tel:") {
		err := wire.ParseUri(text, &uri)
		return uri, err
	}
	if strings.ContainsAny(text, "@;?:/") {
		return uri, fmt.Errorf("%q is neither a number nor a URI", text)
	}
	if text == "" {
		return wire.Uri{Scheme: "sip", User: "anonymous", Host: "anonymous.invalid"}, nil
	}
	return wire.Uri{Scheme: "sip", User: text, Host: host}, nil
}

// extraHeaders checks what the caller adds, so that no value can begin a
// header of its own.
func extraHeaders(in Invite) ([]wire.Header, error) {
	if strings.ContainsFunc(in.DisplayName, unprintable) || strings.ContainsAny(in.DisplayName, `"\`) {
		return nil, fmt.Errorf("sip: display name %q has a quote, backslash or control character", in.DisplayName)
	}
	if strings.ContainsFunc(in.CallID, func(r rune) bool { return unprintable(r) || r == ' ' }) {
		return nil, fmt.Errorf("sip: Call-ID %q has a space or control character", in.CallID)
	}
	names := make([]string, 0, len(in.Headers))
	for name, value := range in.Headers {
		if name == "" || strings.ContainsFunc(name, func(r rune) bool { return unprintable(r) || r > 126 || strings.ContainsRune(" :\t", r) }) ||
			strings.ContainsFunc(value, unprintable) {
			return nil, fmt.Errorf("sip: header %q is not well-formed", name)
		}
		names = append(names, name)
	}
	slices.Sort(names)
	headers := make([]wire.Header, 0, len(names))
	for _, name := range names {
		headers = append(headers, wire.NewHeader(name, in.Headers[name]))
	}
	return headers, nil
}

func unprintable(r rune) bool { return r < ' ' || r == 127 }

// reoffer puts another offer into the next INVITE, if there is one.
func (c *outgoing) reoffer(next *wire.Request, status int) bool {
	ask := c.in.Reoffer
	if ask == nil {
		return false
	}
	c.in.Reoffer = nil
	var body []byte
	c.ask(func() { body = ask(status) })
	if body == nil {
		return false
	}
	next.SetBody(body)
	c.auth.tried = nil // a challenge of the new INVITE is answered
	return true
}

// lengthen asks for the session interval that a 422 wants, once (RFC 4028
// section 7.3).
func (c *outgoing) lengthen(req *wire.Request, res *wire.Response) bool {
	least := minSEOf(res)
	if res.StatusCode != 422 || least == 0 || c.lengthened {
		return false
	}
	c.lengthened = true
	req.RemoveHeader("Session-Expires")
	req.RemoveHeader("Min-SE")
	for _, h := range c.u.timerAsk(least) {
		req.AppendHeader(h)
	}
	return true
}

func (c *outgoing) progress(res *wire.Response, dst hop) {
	if rseq := rseqOf(res); rseq != 0 && !c.confirmEarly(res, rseq, dst) {
		return
	}
	defer c.u.recovered("OnProvisional")
	if c.in.OnProvisional != nil {
		c.ask(func() { c.in.OnProvisional(res.StatusCode, res.Body()) })
	}
}

// ask runs a function of the caller's, unless the caller has left.
func (c *outgoing) ask(run func()) {
	c.asking.Lock()
	defer c.asking.Unlock()
	if !c.settled {
		run()
	}
}

// settle gives the outcome an owner; false when it has one.
func (c *outgoing) settle() bool {
	c.asking.Lock()
	defer c.asking.Unlock()
	first := !c.settled
	c.settled = true
	return first
}

// accept takes every 2xx on the goroutine that reads: the first makes the
// dialog, so that a BYE right behind it finds one; a repeated one is
// acknowledged again; one of another fork is acknowledged and hung up
// (RFC 3261 section 13.2.2.4).
func (c *outgoing) accept(res *wire.Response, dst hop) bool {
	tag := ""
	if to := res.To(); to != nil {
		tag, _ = to.Params.Get("tag")
	}
	branch, _ := res.Via().Params.Get("branch")
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dialog == nil && branch == c.branch {
		c.dialog = c.newDialog(res, tag, dst)
		c.u.register(c.dialog)
		return true
	}
	if c.dialog != nil && tag == c.dialog.id.remoteTag {
		c.u.repeatACK(&c.dialog.ack)
		return false
	}
	if fork := c.forks[tag]; fork != nil {
		c.u.repeatACK(&fork.ack)
		return false
	}
	if len(c.forks) < 16 {
		fork := c.newDialog(res, tag, dst)
		c.forks[tag] = fork
		c.u.spawn("fork", func() { c.hangUp(fork) })
	}
	return false
}

func (c *outgoing) newDialog(res *wire.Response, remoteTag string, dst hop) *Dialog {
	localTag, _ := c.req.From().Params.Get("tag")
	routes := recordRoutes(res)
	slices.Reverse(routes) // RFC 3261 section 12.1.2
	d := newDialog(c.u, DialogState{
		CallID: c.in.CallID, LocalTag: localTag, RemoteTag: remoteTag,
		Local:  addressValue(c.req.From().DisplayName, c.req.From().Address),
		Remote: addressValue(c.req.To().DisplayName, c.req.To().Address),
		Target: c.req.Recipient.String(), Routes: routes,
		LocalCSeq: res.CSeq().SeqNo, Transport: dst.Network, ServerName: dst.Name,
	})
	d.expect(dst.Addr.Addr())
	d.refresh(res)
	d.cseq = res.CSeq().SeqNo
	d.localSDP, d.remoteSDP = c.in.Body, res.Body()
	if e := c.early[remoteTag]; e != nil {
		d.state.LocalCSeq += crashGap // past the PRACKs, which may be under way yet
		if len(d.remoteSDP) == 0 {
			d.remoteSDP = e.sdp
		}
	}
	if res.IsSuccess() {
		d.timed(res)
	}
	d.auth = credentials{username: c.in.Username, password: c.in.Password}
	d.caller = true
	d.confirm()
	return d
}

// answered acknowledges the answer and hands the dialog to the caller, or
// hangs up when the caller has gone.
func (c *outgoing) answered(ctx context.Context) (*Dialog, error) {
	c.mu.Lock()
	d := c.dialog
	c.mu.Unlock()
	if ctx.Err() != nil || !c.settle() {
		c.hangUp(d)
		return nil, ErrCanceled
	}
	failpoint.Hit(failpoint.After2xxBeforeACK)
	if err := c.ack(d); err != nil {
		_ = d.Bye(ctx) // the call cannot be confirmed, nor then ended; the far end gives up by itself
		return nil, err
	}
	failpoint.Hit(failpoint.AfterACK)
	return d, nil
}

// ack acknowledges with its own time limit: the call is answered, and that the
// caller's ctx ends now must not leave the far end without an ACK.
func (c *outgoing) ack(d *Dialog) error {
	c.u.keep(d)
	ctx, cancel := context.WithTimeout(context.Background(), c.u.give)
	defer cancel()
	return d.sendACK(ctx, d.cseq, &d.ack)
}

// hangUp confirms an answer that nobody wants and ends it.
func (c *outgoing) hangUp(d *Dialog) {
	if err := c.ack(d); err != nil {
		c.u.log.Warn("sip: answer not confirmed", "call", c.in.CallID, "error", err)
	}
	if err := d.Bye(context.Background()); err != nil {
		c.u.log.Warn("sip: unwanted answer not ended", "call", c.in.CallID, "error", err)
	}
}
