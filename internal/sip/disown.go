package sip

import (
	"context"
	"slices"

	wire "github.com/emiago/sipgo/sip"
)

// Disown names calls that an earlier process placed and that had no answer when
// it died. Should an answer still come to this address, it is acknowledged and
// the call is hung up, so that nobody talks into a line without an owner.
func (u *UA) Disown(callIDs ...string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.disowned == nil {
		u.disowned = map[string]bool{}
	}
	for _, id := range callIDs {
		u.disowned[id] = true
	}
}

// stray takes a response that belongs to no transaction of this process.
func (u *UA) stray(res *wire.Response) {
	if !res.IsSuccess() || res.CSeq().MethodName != wire.INVITE || res.CallID() == nil {
		return
	}
	id := res.CallID().Value()
	u.mu.Lock()
	ours := u.disowned[id]
	delete(u.disowned, id) // once: the BYE ends the repetitions
	u.mu.Unlock()
	if ours {
		u.spawn("disowned", func() { u.refuseAnswer(res) })
	}
}

// refuseAnswer acknowledges an answer that nobody waits for, and hangs up. The
// dialog is made of the response alone (RFC 3261 section 12.1.2).
func (u *UA) refuseAnswer(res *wire.Response) {
	localTag, _ := res.From().Params.Get("tag")
	remoteTag, _ := res.To().Params.Get("tag")
	id := res.CallID().Value()
	routes := recordRoutes(res)
	slices.Reverse(routes)
	d := newDialog(u, DialogState{
		CallID: id, LocalTag: localTag, RemoteTag: remoteTag,
		Local:  addressValue(res.From().DisplayName, res.From().Address),
		Remote: addressValue(res.To().DisplayName, res.To().Address),
		Target: res.To().Address.String(), Routes: routes, LocalCSeq: res.CSeq().SeqNo,
	})
	d.refresh(res)
	d.confirm()
	u.keep(d)
	ctx, cancel := context.WithTimeout(context.Background(), u.give)
	defer cancel()
	if err := d.sendACK(ctx, res.CSeq().SeqNo, &d.ack); err != nil {
		u.log.Warn("sip: a disowned answer was not confirmed", "call", id, "error", err)
	}
	if err := d.Bye(ctx); err != nil {
		u.log.Warn("sip: a disowned call was not ended", "call", id, "error", err)
	}
}
