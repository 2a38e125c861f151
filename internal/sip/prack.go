package sip

import (
	"context"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	wire "github.com/emiago/sipgo/sip"
)

// early is the dialog of a call that is not answered yet, with one of those whom
// it rings at.
type early struct {
	d    *Dialog
	rseq uint32 // of the last reliable response
	sdp  []byte // the answer that came in one
}

// rseqOf returns the number of a reliable provisional response (RFC 3262 section
// 4), 0 when it is none.
func rseqOf(res *wire.Response) uint32 {
	if res.StatusCode <= 100 || res.StatusCode >= 200 || !supports(res, "100rel") {
		return 0
	}
	h := header(res, "RSeq")
	if h == nil {
		return 0
	}
	n, err := strconv.ParseUint(strings.TrimSpace(h.Value()), 10, 32)
	if err != nil {
		return 0
	}
	return uint32(n)
}

// confirmEarly acknowledges a reliable response with PRACK. It reports false for
// one that was heard before or overtook another, which are not to be.
func (c *outgoing) confirmEarly(res *wire.Response, rseq uint32, dst hop) bool {
	tag, _ := res.To().Params.Get("tag")
	c.mu.Lock()
	e := c.early[tag]
	if e == nil && len(c.early) < 16 {
		e = &early{d: c.newDialog(res, tag, dst)}
		c.early[tag] = e
	}
	if e == nil || e.rseq != 0 && rseq != e.rseq+1 {
		c.mu.Unlock()
		return false
	}
	e.rseq = rseq
	if e.sdp == nil {
		e.sdp = res.Body()
	}
	c.mu.Unlock()
	rack := strconv.FormatUint(uint64(rseq), 10) + " " + strconv.FormatUint(uint64(res.CSeq().SeqNo), 10) + " INVITE"
	c.u.spawn("prack", func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*c.u.give)
		defer cancel()
		if res, err := e.d.request(ctx, wire.PRACK, "", nil, wire.NewHeader("RAck", rack)); err != nil || !res.IsSuccess() {
			c.u.log.Info("sip: PRACK was not taken", "call", c.in.CallID, "error", err)
		}
	})
	return true
}

// reliable is a provisional response of ours that the caller has to confirm.
type reliable struct {
	rack  string // that confirms it
	from  hop
	acked chan struct{}
}

func (t *serverTx) earlyID() dialogID {
	return dialogID{callID: t.req.CallID().Value(), localTag: t.tag}
}

// sendReliably sends a provisional response to a caller that requires it to be
// reliable (RFC 3262 section 3), after the one before was confirmed. It is
// repeated until it is confirmed; when it never is, the call is refused.
func (in *Incoming) sendReliably(res *wire.Response) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.awaitPRACK()
	if in.rseq == 0 {
		in.rseq = rand.Uint32N(1<<30) + 1
	}
	in.rseq++
	number := strconv.FormatUint(uint64(in.rseq), 10)
	res.AppendHeader(wire.NewHeader("Require", "100rel"))
	res.AppendHeader(wire.NewHeader("RSeq", number))
	r := &reliable{
		rack: number + " " + strconv.FormatUint(uint64(in.t.req.CSeq().SeqNo), 10) + " INVITE",
		from: in.t.from, acked: make(chan struct{}),
	}
	in.u.expectPRACK(in.t, r)
	if !in.t.respond(res) {
		return in.decided()
	}
	in.last = r
	in.u.spawn("reliable response", func() { in.repeat(r) })
	return nil
}

// repeat sends the last response again until it is confirmed.
func (in *Incoming) repeat(r *reliable) {
	limit := time.NewTimer(in.u.give)
	defer limit.Stop()
	for wait := in.u.t1; ; wait *= 2 {
		again := time.NewTimer(wait)
		select {
		case <-again.C:
			in.t.again()
			continue
		case <-limit.C:
			in.t.respond(in.t.response(504, "No PRACK Came", nil))
		case <-r.acked:
		case <-in.t.final:
		case <-in.u.closing:
		}
		again.Stop()
		return
	}
}

// awaitPRACK waits until the caller has confirmed what it must before more is
// sent (RFC 3262 section 3); in.mu is held.
func (in *Incoming) awaitPRACK() {
	if in.last == nil {
		return
	}
	select {
	case <-in.last.acked:
	case <-in.t.final:
	case <-in.u.closing:
	}
}

// servePRACK confirms the response that a PRACK names.
func (u *UA) servePRACK(req *wire.Request, from hop, key string) {
	tag, _ := req.To().Params.Get("tag")
	id := dialogID{callID: req.CallID().Value(), localTag: tag}
	rack := ""
	if h := header(req, "RAck"); h != nil {
		rack = strings.Join(strings.Fields(h.Value()), " ")
	}
	u.mu.Lock()
	r := u.reliables[id]
	ours := r != nil && r.from.Addr.Addr() == from.Addr.Addr() && strings.EqualFold(r.rack, rack)
	if ours {
		delete(u.reliables, id)
	}
	u.mu.Unlock()
	switch {
	case !ours:
		u.refuse(req, from, 481, "Call/Transaction Does Not Exist")
	case len(req.Body()) > 0: // an offer: there is none to answer it yet
		close(r.acked)
		u.refuse(req, from, 488, "Not Acceptable Here")
	default:
		close(r.acked)
		t := u.openServer(req, from, key)
		t.respond(t.response(200, "OK", nil))
	}
}

func (u *UA) expectPRACK(t *serverTx, r *reliable) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.reliables[t.earlyID()] = r
}

// forgetReliable drops what an INVITE that is decided still had to be confirmed.
func (u *UA) forgetReliable(t *serverTx) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.reliables, t.earlyID())
}
