package sip

import (
	"time"

	wire "github.com/emiago/sipgo/sip"

	"github.com/callwright/callwright/internal/sip/transport"
)

const (
	// maxDatagram is the longest request that goes over UDP when the path's MTU
	// is not known (RFC 3261 section 18.1.1).
	maxDatagram = 1300
	// The peer gets this long to take a TCP connection instead; one that did not
	// is not asked again for a while.
	enlargeTimeout = time.Second
	noTCPMemory    = 10 * time.Minute
)

// fit returns the hop to send a request to. One that is too long for UDP goes
// over TCP where the peer takes it, and over UDP all the same where it does not
// (RFC 3261 section 18.1.1). Responses follow the Via; the Contact stays as it
// is, for shorter requests.
func (u *UA) fit(req *wire.Request, dst hop) hop {
	if dst.Network != transport.UDP || len(req.String()) <= maxDatagram {
		return dst
	}
	long := hop{Network: transport.TCP, Addr: dst.Addr}
	if u.noTCP.Lately(long) {
		return dst
	}
	if _, err := u.streams.Connect(long, enlargeTimeout); err != nil {
		u.log.Info("sip: a long request goes over UDP", "bytes", len(req.String()), "why", err)
		u.noTCP.Note(long, noTCPMemory)
		return dst
	}
	via := req.Via()
	via.Transport, via.Port = long.Network, u.localPort(long)
	return long
}
