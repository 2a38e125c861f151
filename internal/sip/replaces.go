package sip

import (
	"context"
	"strings"

	wire "github.com/emiago/sipgo/sip"
)

// replaced finds the call that a new one wants to take the place of (RFC 3891
// section 3): nil and 0 when it wants none, else the call or the refusal.
func (u *UA) replaced(req *wire.Request) (old *Dialog, status int, reason string) {
	hs := req.GetHeaders("Replaces")
	if len(hs) == 0 {
		return nil, 0, ""
	}
	if len(hs) > 1 {
		return nil, 400, "Several Replaces"
	}
	parts := strings.Split(hs[0].Value(), ";")
	id, early := dialogID{callID: strings.TrimSpace(parts[0])}, false
	for _, p := range parts[1:] {
		name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		switch strings.ToLower(name) {
		case "to-tag":
			id.localTag = value
		case "from-tag":
			id.remoteTag = value
		case "early-only":
			early = true
		}
	}
	u.mu.Lock()
	old = u.dialogs[id]
	u.mu.Unlock()
	switch {
	case old == nil:
		return nil, 481, "Call/Transaction Does Not Exist"
	case old.over():
		return nil, 603, "Decline"
	case early:
		return nil, 486, "Busy Here" // it is answered already
	}
	return old, 0, ""
}

// Successor returns, after Done, the call that took this one's place, or nil.
func (d *Dialog) Successor() *Dialog {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.successor
}

// replacedBy hangs the call up because next has taken its place.
func (d *Dialog) replacedBy(next *Dialog) {
	d.mu.Lock()
	d.successor = next
	d.mu.Unlock()
	d.u.spawn("replaced", func() {
		if err := d.Bye(context.Background()); err != nil {
			d.u.log.Debug("sip: BYE of a replaced call", "error", err)
		}
	})
}
