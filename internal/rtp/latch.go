package rtp

import (
	"net/netip"
	"time"

	pionrtp "github.com/pion/rtp"
)

// relearnWindow is how long after an address was signalled the media may turn
// out to come from another one.
const relearnWindow = 5 * time.Second

// latch decides whose packets are believed, and so where ours go: symmetric RTP
// (RFC 4961). It begins with the address that was signalled in SDP. A peer
// behind a NAT sends from another one, so one other address can be learned
// within the window, if nothing came from the signalled one, by two packets in
// sequence (as RFC 3550 A.1 asks of a new source). If the signalled address
// speaks within the window after all, it wins.
type latch struct {
	signalled netip.AddrPort
	current   netip.AddrPort
	until     time.Time
	heard     bool // something came from the signalled address
	learned   bool // current is another one

	candidate     netip.AddrPort
	candidateSSRC uint32
	candidateNext uint16
}

// signal sets the address from SDP. The same one again keeps what was learned,
// and opens the window again if nothing was heard yet.
func (l *latch) signal(addr netip.AddrPort, now time.Time) {
	if addr != l.signalled {
		*l = latch{signalled: addr, current: addr}
	}
	if !l.heard && !l.learned {
		l.until = now.Add(relearnWindow)
	}
}

// plausible says whether a packet from an address may come to be believed. It
// is asked before the packet is decrypted.
func (l *latch) plausible(from netip.AddrPort, now time.Time) bool {
	if !l.signalled.IsValid() {
		return false
	}
	return from == l.current || !now.After(l.until) && (from == l.signalled || !l.heard && !l.learned)
}

// accept says whether a packet from an address is to be believed.
func (l *latch) accept(from netip.AddrPort, h *pionrtp.Header, now time.Time) bool {
	if !l.plausible(from, now) {
		return false
	}
	if from == l.current {
		l.heard = l.heard || from == l.signalled
		return true
	}
	if from == l.signalled {
		l.current, l.heard = from, true
		return true
	}
	if from == l.candidate && h.SSRC == l.candidateSSRC && h.SequenceNumber == l.candidateNext {
		l.current, l.learned = from, true
		return true
	}
	l.candidate, l.candidateSSRC, l.candidateNext = from, h.SSRC, h.SequenceNumber+1
	return false
}
