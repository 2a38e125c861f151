package sip

import (
	wire "github.com/emiago/sipgo/sip"
)

// inDialog routes a request that carries a To tag.
func (u *UA) inDialog(req *wire.Request, from hop, key string) {
	if req.Method == wire.PRACK {
		u.servePRACK(req, from, key)
		return
	}
	d := u.dialogOf(req)
	if d == nil || !d.hears(from) {
		u.refuse(req, from, 481, "Call/Transaction Does Not Exist")
		return
	}
	switch req.Method {
	case wire.BYE:
		// Served on the goroutine that reads: hanging up works under any load.
		t := u.openServer(req, from, key)
		t.respond(t.response(200, "OK", nil))
		d.end(true)
		d.confirm() // whoever hangs up will not send the ACK any more
		u.unregister(d)
		u.spawn("drop", func() { u.drop(d) })
		return
	case wire.OPTIONS:
		u.capabilities(req, from)
		return
	}
	if d.over() {
		u.refuse(req, from, 481, "Call/Transaction Does Not Exist")
		return
	}
	if !d.inOrder(req.CSeq().SeqNo) {
		u.refuse(req, from, 500, "CSeq Out Of Order")
		return
	}
	switch req.Method {
	case wire.INVITE, wire.UPDATE:
		if status, reason, headers := d.admitOffer(req); status != 0 {
			u.refuse(req, from, status, reason, headers...)
			return
		}
		if !u.work(req, from, key, d.serveOffer) && !refreshes(req) {
			d.endAnswer()
		}
	case wire.INFO:
		u.work(req, from, key, d.serveInfo)
	case wire.REFER:
		u.work(req, from, key, d.serveRefer)
	case wire.NOTIFY:
		d.serveNotify(u.openServer(req, from, key))
	}
}

// inOrder takes the CSeq of a request of the far end (RFC 3261 section 12.2.2).
func (d *Dialog) inOrder(cseq uint32) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if cseq <= d.state.RemoteCSeq {
		return false
	}
	d.state.RemoteCSeq = cseq
	return true
}

// admitOffer begins an answer, or refuses the offer while another is under way
// (RFC 3261 section 14.2, RFC 3311 section 5.2).
func (d *Dialog) admitOffer(req *wire.Request) (int, string, []wire.Header) {
	if refreshes(req) {
		return 0, "", nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.offering:
		return 491, "Request Pending", nil
	case d.answering:
		return 500, "Server Internal Error", []wire.Header{wire.NewHeader("Retry-After", "1")}
	}
	d.answering = true
	return 0, "", nil
}

func (d *Dialog) endAnswer() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.answering = false
}

// refreshes reports whether the request offers nothing and only keeps the
// dialog alive.
func refreshes(req *wire.Request) bool { return req.Method == wire.UPDATE && len(req.Body()) == 0 }

// serveOffer answers a re-INVITE or an UPDATE.
func (d *Dialog) serveOffer(t *serverTx) {
	req := t.req
	if refreshes(req) {
		d.refresh(req)
		d.accept(t, nil)
		return
	}
	if answer, ok := d.answer(req); ok {
		d.accept(t, answer)
	} else {
		t.respond(t.response(488, "Not Acceptable Here", nil))
	}
}

// answer has the owner answer an offer. The dialog is free for the next offer
// when it returns, before the far end can send one.
func (d *Dialog) answer(req *wire.Request) ([]byte, bool) {
	defer d.endAnswer()
	f := d.onReinvite.get(d)
	if f == nil {
		return nil, false
	}
	answer, err := f(req.Body())
	if err != nil {
		d.u.log.Info("sip: offer refused", "call", d.CallID(), "error", err)
		return nil, false
	}
	d.refresh(req)
	remote := req.Body()
	if len(remote) == 0 {
		remote = d.RemoteSDP() // its answer comes with the ACK
	}
	d.agreed(answer, remote)
	return answer, true
}

func (d *Dialog) accept(t *serverTx, answer []byte) {
	if t.req.IsInvite() {
		t.awaitACK(d)
	}
	res := t.response(200, "OK", answer)
	res.AppendHeader(d.u.contactFor(t.req.Recipient, t.req.To().Address.User, t.from))
	res.AppendHeader(wire.NewHeader("Allow", allow))
	res.AppendHeader(wire.NewHeader("Supported", supported))
	d.answerTimer(t.req, res)
	t.respond(res)
}

// serveInfo hands an INFO on. One without a body asks whether the dialog is
// alive (RFC 6086 section 4.2.2).
func (d *Dialog) serveInfo(t *serverTx) {
	if f := d.onInfo.get(d); f != nil && len(t.req.Body()) > 0 {
		f(contentType(t.req), t.req.Body())
	}
	t.respond(t.response(200, "OK", nil))
}
