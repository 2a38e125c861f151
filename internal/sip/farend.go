package sip

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"

	wire "github.com/emiago/sipgo/sip"

	"github.com/callwright/callwright/internal/sip/message"
)

// farEnds are the addresses that the far end of a dialog is known to use: the
// one that the call came from or went to, those that our requests go to, and
// what its Contact names. Whoever else knows the dialog's tags has read them
// somewhere. RFC 3261 leaves the source of a request within a dialog open;
// a proxy that sends such requests from another address than it set the call up
// with has to be a known peer (Options.Admit).
type farEnds struct {
	addrs  []netip.Addr
	listed bool // the guard knows them
}

// maxFarEnds bounds what changing Contacts add; the first is always kept.
const maxFarEnds = 8

// expect notes an address of the far end.
func (d *Dialog) expect(addr netip.Addr) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !addr.IsValid() || slices.Contains(d.ends.addrs, addr) {
		return
	}
	if len(d.ends.addrs) == maxFarEnds {
		if d.ends.listed {
			d.u.guard.Talk(d.ends.addrs[1], -1)
		}
		d.ends.addrs = slices.Delete(d.ends.addrs, 1, 2)
	}
	d.ends.addrs = append(d.ends.addrs, addr)
	if d.ends.listed {
		d.u.guard.Talk(addr, 1)
	}
}

// listen has the guard let the far end's packets in, or no longer.
func (d *Dialog) listen(on bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ends.listed == on {
		return
	}
	d.ends.listed = on
	by := 1
	if !on {
		by = -1
	}
	for _, addr := range d.ends.addrs {
		d.u.guard.Talk(addr, by)
	}
}

// hears reports whether a request within the dialog is taken from there: from
// the far end, or from a known peer.
func (d *Dialog) hears(from hop) bool {
	addr := from.Addr.Addr()
	d.mu.Lock()
	ours := slices.Contains(d.ends.addrs, addr)
	d.mu.Unlock()
	if !ours && !d.u.guard.Knows(addr) {
		d.u.log.Warn("sip: request within a call from a stranger", "call", d.CallID(), "peer", from.Addr)
		return false
	}
	return true
}

// literal returns the address that a URI's host is, not valid when it is a
// name.
func literal(host string) netip.Addr {
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	if err != nil {
		return netip.Addr{}
	}
	return addr.Unmap()
}

// sent are the methods of our requests.
var sent = []wire.RequestMethod{
	wire.INVITE, wire.BYE, wire.CANCEL, wire.OPTIONS, wire.REGISTER, wire.INFO,
	wire.UPDATE, wire.REFER, wire.NOTIFY, wire.PRACK, wire.MESSAGE, wire.SUBSCRIBE,
}

// awaited reports whether a packet is an answer to a request of ours that is
// under way. It is only looked at, not parsed: the first branch in it is that of
// the top Via, and ours cannot be guessed.
func (u *UA) awaited(data []byte) bool {
	if !bytes.HasPrefix(data, []byte("SIP/2.0 ")) {
		return false
	}
	at := bytes.Index(data, []byte(wire.RFC3261BranchMagicCookie))
	if at < 0 {
		return false
	}
	rest := data[at:]
	n := 0
	for n < len(rest) && n < 64 && message.TokenByte(rest[n]) {
		n++
	}
	branch := string(rest[:n])
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, method := range sent {
		if u.clients[clientKey(branch, method)] != nil {
			return true
		}
	}
	return false
}
