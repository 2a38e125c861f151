package sip

import (
	"bytes"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	wire "github.com/emiago/sipgo/sip"

	"github.com/callwright/callwright/internal/sip/message"
)

// allow lists what is understood here, for Allow headers.
const allow = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, REFER, NOTIFY, PRACK"

// supported lists the extensions that are understood here, for Supported
// headers: session timers (RFC 4028), Replaces (RFC 3891), REFER without
// notifications (RFC 4488), reliable provisional responses (RFC 3262).
const supported = "timer, replaces, norefersub, 100rel"

// receive takes one message. Whatever is in it, it returns; false says that the
// source is not welcome, or sends too much.
func (u *UA) receive(from hop, data []byte) (welcome bool) {
	defer u.recovered("receive")
	if len(bytes.Trim(data, "\r\n\x00 ")) == 0 {
		return true // keep-alive (RFC 5626 section 4.4.1)
	}
	if !u.awaited(data) && u.guard.Take(from.Addr.Addr(), time.Now()) == Drop {
		return false
	}
	m, t, wrong := u.understand(data, from.Reliable())
	if wrong != nil {
		u.log.Debug("sip: message not understood", "peer", from.Addr, "error", wrong.Reason)
		u.refuseText(&t, from, wrong)
		return true
	}
	u.handle(from, m)
	return true
}

// understand parses a message. On a fault, t has what could be read of it.
func (u *UA) understand(data []byte, stream bool) (m wire.Message, t message.Text, wrong *message.Fault) {
	if t, wrong = message.Read(data); wrong != nil {
		return nil, t, wrong
	}
	if wrong = t.Check(stream); wrong != nil {
		return nil, t, wrong
	}
	m, err := u.parse.ParseSIP(t.Bytes())
	if err != nil {
		return nil, t, &message.Fault{Status: 400, Reason: "Bad Request"}
	}
	if req, ok := m.(*wire.Request); ok {
		req.Method = wire.RequestMethod(t.Method()) // methods have a case (RFC 3261 section 7.1)
	}
	for _, h := range m.GetHeaders("Via") {
		if v, ok := h.(*wire.ViaHeader); ok { // the parser takes the brackets of IPv6 off, and does not put all back
			v.Host = bracketed(v.Host)
		}
	}
	return m, t, nil
}

// handle routes one message that was understood. It runs on the goroutine that
// reads, and so must not wait.
func (u *UA) handle(from hop, m wire.Message) {
	defer u.recovered("handle")
	switch m := m.(type) {
	case *wire.Response:
		if m.Via() != nil && m.CSeq() != nil {
			u.response(m)
		}
	case *wire.Request:
		if !answerable(m) {
			return
		}
		u.stamp(m, from)
		u.request(m, from)
	}
}

// answerable reports whether the headers are there that a response copies
// (RFC 3261 section 8.2.6.2).
func answerable(m wire.Message) bool {
	return m.Via() != nil && m.From() != nil && m.To() != nil && m.CallID() != nil && m.CSeq() != nil
}

// stamp notes on the top Via where a request really came from (RFC 3261
// section 18.2.1, RFC 3581 section 4).
func (u *UA) stamp(req *wire.Request, from hop) {
	req.SetTransport(from.Network)
	req.SetSource(from.Addr.String())
	via := req.Via()
	src := from.Addr.Addr().String()
	rport, asked := via.Params.Get("rport")
	if asked && rport == "" {
		via.Params.Add("rport", strconv.Itoa(int(from.Addr.Port())))
	}
	if asked || strings.Trim(via.Host, "[]") != src {
		via.Params.Add("received", src)
	}
}

// replyHop is where the responses to a request go (RFC 3261 section 18.2.2,
// RFC 3581 section 4): always to the address that the request came from. maddr
// is ignored, for it would let a stranger aim our packets.
func replyHop(req *wire.Request, from hop) hop {
	via := req.Via()
	if from.Reliable() || via.Params.Has("rport") {
		return from
	}
	port := via.Port
	if port <= 0 || port > 65535 {
		port = 5060
	}
	return hop{Network: from.Network, Addr: netip.AddrPortFrom(from.Addr.Addr(), uint16(port))}
}

// request routes a request: to its transaction, else to its dialog, else to
// what is done with new ones.
func (u *UA) request(req *wire.Request, from hop) {
	key := serverKey(req)
	switch {
	case req.IsAck():
		if t := u.servers.get(key); t != nil {
			t.ack()
		} else if d := u.dialogOf(req); d != nil && d.hears(from) {
			d.confirmed(req)
		}
		return // an ACK is never answered
	case req.IsCancel():
		u.cancelRequest(req, from, key)
		return
	}
	if t := u.servers.get(key); t != nil {
		t.again()
		return
	}
	if u.servers.merged(req, key) {
		u.refuse(req, from, 482, "Loop Detected")
		return
	}
	if inside, _ := req.To().Params.Get("tag"); inside == "" || u.dialogOf(req) == nil {
		switch u.guard.Class(from.Addr.Addr(), time.Now()) {
		case Drop:
			return // it is the far end of another call
		case Refuse:
			u.refuse(req, from, 403, "Forbidden")
			return
		}
	}
	if status, reason, headers := refusal(req); status != 0 {
		u.refuse(req, from, status, reason, headers...)
		return
	}
	if u.tooBrief(req) {
		u.refuseBrief(req, from)
		return
	}
	if tag, _ := req.To().Params.Get("tag"); tag != "" {
		u.inDialog(req, from, key)
		return
	}
	switch req.Method {
	case wire.OPTIONS:
		u.capabilities(req, from)
	case wire.INVITE:
		u.work(req, from, key, u.serveInvite)
	default: // BYE, INFO, UPDATE, REFER, NOTIFY, PRACK: they need a dialog
		u.refuse(req, from, 481, "Call/Transaction Does Not Exist")
	}
}

// refusal checks what RFC 3261 section 8.2 asks of every request and returns
// the response that it earns, or status 0.
func refusal(req *wire.Request) (status int, reason string, headers []wire.Header) {
	if req.SipVersion != "SIP/2.0" {
		return 505, "Version Not Supported", nil
	}
	if req.CSeq().MethodName != req.Method {
		return 400, "CSeq Names Another Method", nil
	}
	switch req.Method {
	case wire.INVITE, wire.BYE, wire.OPTIONS, wire.INFO, wire.UPDATE, wire.REFER, wire.NOTIFY, wire.PRACK:
	case wire.REGISTER, wire.SUBSCRIBE, wire.MESSAGE, wire.PUBLISH:
		return 405, "Method Not Allowed", []wire.Header{wire.NewHeader("Allow", allow)}
	default:
		return 501, "Not Implemented", []wire.Header{wire.NewHeader("Allow", allow)}
	}
	if unknown := unsupported(req); unknown != "" {
		return 420, "Bad Extension", []wire.Header{wire.NewHeader("Unsupported", unknown)}
	}
	if req.Method != wire.INVITE && req.Method != wire.UPDATE || len(req.Body()) == 0 {
		return 0, "", nil
	}
	if h := req.GetHeader("Content-Encoding"); h != nil && !strings.EqualFold(h.Value(), "identity") {
		return 415, "Unsupported Media Type", []wire.Header{wire.NewHeader("Accept-Encoding", "identity")}
	}
	// Without a Content-Type the body is taken for what it can only be.
	if ct := contentType(req); ct != "" && ct != "application/sdp" {
		return 415, "Unsupported Media Type", []wire.Header{wire.NewHeader("Accept", "application/sdp")}
	}
	if !takesSDP(req) {
		return 406, "Not Acceptable", []wire.Header{wire.NewHeader("Accept", "application/sdp")}
	}
	return 0, "", nil
}

// unsupported returns the extensions that a request requires and that are not
// there, comma-separated.
func unsupported(req *wire.Request) string {
	var out []string
	for _, tag := range options(req, "Require", "Require") {
		if !slices.Contains(strings.Split(supported, ", "), tag) {
			out = append(out, tag)
		}
	}
	return strings.Join(out, ", ")
}

// options returns the option tags of all headers of that name, in lower case.
func options(m wire.Message, name, compact string) []string {
	hs := m.GetHeaders(name)
	if len(hs) == 0 {
		hs = m.GetHeaders(compact)
	}
	var out []string
	for _, h := range hs {
		for _, tag := range strings.Split(h.Value(), ",") {
			if tag = strings.ToLower(strings.TrimSpace(tag)); tag != "" {
				out = append(out, tag)
			}
		}
	}
	return out
}

// supports reports whether the sender understands an extension.
func supports(m wire.Message, tag string) bool {
	return slices.Contains(options(m, "Supported", "k"), tag) || slices.Contains(options(m, "Require", "Require"), tag)
}

// either returns the first header of that name or of its compact form, or nil.
func either(m wire.Message, name, compact string) wire.Header {
	if h := header(m, name); h != nil {
		return h
	}
	return header(m, compact)
}

// header returns the first header of that name, or nil.
func header(m wire.Message, name string) wire.Header {
	if hs := m.GetHeaders(name); len(hs) > 0 {
		return hs[0]
	}
	return nil
}

// contentType returns the media type of the body in lower case, without its
// parameters; "" when there is none.
func contentType(m wire.Message) string {
	h := header(m, "Content-Type")
	if h == nil {
		return ""
	}
	kind, _, _ := strings.Cut(h.Value(), ";")
	return strings.ToLower(strings.TrimSpace(kind))
}

// work runs f for a new transaction on a goroutine of its own; when too many
// are being worked on, the request is refused without keeping state. It reports
// whether f runs.
func (u *UA) work(req *wire.Request, from hop, key string, f func(*serverTx)) bool {
	slots := u.slotsFor(from)
	select {
	case slots <- struct{}{}:
	default:
		u.refuse(req, from, 503, "Service Unavailable", wire.NewHeader("Retry-After", "5"))
		return false
	}
	t := u.openServer(req, from, key)
	started := u.spawn("request", func() {
		defer func() { <-slots }()
		done := false
		defer func() {
			if !done { // f panicked, which spawn recovers and logs
				t.fail()
			}
		}()
		f(t)
		done = true
	})
	if !started {
		<-slots
	}
	return started
}

// slotsFor returns the places that a source's transactions take. Where there
// are known peers, others have a quarter for themselves.
func (u *UA) slotsFor(from hop) chan struct{} {
	addr := from.Addr.Addr()
	if u.opts.Admit == nil || u.guard.Knows(addr) || u.guard.Talks(addr) {
		return u.slots
	}
	return u.guestSlots
}

// refuse answers without a transaction. A retransmission gets the same answer
// again; the tag is made from the request, so that it stays the same too
// (RFC 3261 section 8.2.7).
func (u *UA) refuse(req *wire.Request, from hop, status int, reason string, headers ...wire.Header) {
	res := wire.NewResponseFromRequest(req, status, reason, nil)
	res.SipVersion = "SIP/2.0"
	if was, _ := req.To().Params.Get("tag"); was == "" {
		res.To().Params.Add("tag", statelessTag(req))
	}
	for _, h := range headers {
		res.AppendHeader(h)
	}
	res.AppendHeader(wire.NewHeader("Server", u.opts.UserAgent))
	u.reply(replyHop(req, from), []byte(res.String()))
}

// capabilities says what is understood here (RFC 3261 section 11.2).
func (u *UA) capabilities(req *wire.Request, from hop) {
	u.refuse(req, from, 200, "OK", wire.NewHeader("Allow", allow),
		wire.NewHeader("Supported", supported), wire.NewHeader("Accept", "application/sdp"), wire.NewHeader("Accept-Encoding", "identity"))
}

// cancelRequest answers a CANCEL and ends the INVITE that it names, if that is
// still undecided (RFC 3261 section 9.2).
func (u *UA) cancelRequest(req *wire.Request, from hop, key string) {
	t := u.servers.get(key)
	if t == nil || t.req.Method != wire.INVITE || t.from.Addr.Addr() != from.Addr.Addr() && !u.guard.Knows(from.Addr.Addr()) {
		u.refuse(req, from, 481, "Call/Transaction Does Not Exist")
		return
	}
	res := wire.NewResponseFromRequest(req, 200, "OK", nil)
	res.To().Params.Add("tag", t.tag)
	u.reply(replyHop(req, from), []byte(res.String()))
	t.cancel()
}
