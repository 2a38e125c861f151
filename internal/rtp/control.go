package rtp

import (
	"encoding/hex"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"
)

// reportEvery is the time between reports, give or take a half, so that the two
// sides do not fall into step (RFC 3550 §6.2).
const reportEvery = 5 * time.Second

// control is the RTCP beside a socket's RTP: on a port of its own, or on the
// same (RFC 5761). It believes the host that the RTP of the peer is believed
// from.
type control struct {
	conn   *net.UDPConn   // nil when RTCP shares the port of RTP
	remote netip.AddrPort // as signalled (RFC 3605); not valid: the port above RTP's

	buf [maxControl]byte // of readControl

	mu      sync.Mutex
	ours    uint32 // the SSRC that we send
	peer    peerReport
	foreign uint64 // dropped: forged, malformed, unauthentic
}

// peerReport is what the peer last said.
type peerReport struct {
	heard    bool // a report about our stream came
	block    reportBlock
	rtt      time.Duration // 0: not known
	lastSR   uint32
	lastSRAt time.Time
}

// ControlOptions is how RTCP goes (RFC 3550).
type ControlOptions struct {
	Mux    bool           // on the port of RTP (RFC 5761), else on the one above
	Remote netip.AddrPort // from a=rtcp (RFC 3605); not valid is the port above that of RTP
}

// setControl opens RTCP for the stream that we send with an SSRC. When the port
// above RTP's is taken there is none: reports help, but no call needs them.
func (s *Socket) setControl(o ControlOptions, ssrc uint32) *control {
	c := &control{remote: unmap(o.Remote), ours: ssrc}
	if !o.Mux {
		conn, err := listen(s.local.Addr(), int(s.local.Port())+1)
		if err != nil {
			return nil
		}
		c.conn = conn
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.control = c
	return c
}

func (c *control) close() error {
	if c.conn == nil {
		return nil
	}
	return c.conn.Close()
}

func (s *Socket) peerReport() peerReport {
	s.mu.Lock()
	c := s.control
	s.mu.Unlock()
	if c == nil {
		return peerReport{}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.peer
}

// controlRemote is where reports go to and come from.
func (s *Socket) controlRemote() (*control, netip.AddrPort) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, at := s.control, s.latch.current
	switch {
	case c == nil || !at.IsValid() || at.Addr().IsUnspecified():
		return nil, netip.AddrPort{}
	case c.conn == nil:
		return c, at
	case c.remote.IsValid() && at == s.latch.signalled:
		return c, c.remote
	case at.Port() == 1<<16-1:
		return nil, netip.AddrPort{}
	}
	return c, netip.AddrPortFrom(at.Addr(), at.Port()+1)
}

// readControl takes one packet from the port of RTCP. False says that there will
// be no more.
func (s *Socket) readControl(c *control) bool {
	n, from, err := c.conn.ReadFromUDPAddrPort(c.buf[:])
	if err != nil {
		return false // closed; without reports a call goes on
	}
	s.takeControl(c.buf[:n], unmap(from), time.Now())
	return true
}

// takeControl takes one compound packet.
func (s *Socket) takeControl(raw []byte, from netip.AddrPort, at time.Time) {
	c, remote := s.controlRemote()
	if c == nil {
		s.garbage.Add(1)
		return
	}
	if from != remote {
		c.drop()
		return
	}
	if open := s.open.Load(); open != nil {
		plain, err := open.openControl(raw)
		if err != nil {
			s.unauthentic.Add(1)
			c.drop()
			return
		}
		raw = plain
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	heard, ok := parseControl(raw, c.ours)
	if !ok {
		c.foreign++
		return
	}
	c.peer.take(heard, at)
}

func (c *control) drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.foreign++
}

func (p *peerReport) take(h heardControl, at time.Time) {
	if h.ntp != 0 {
		p.lastSR, p.lastSRAt = middle(h.ntp), at
	}
	if !h.hasBlock {
		return
	}
	p.heard, p.block = true, h.block
	if h.block.lastSR == 0 {
		return
	}
	// RFC 3550 §6.4.1: arrival less the time of our report less the peer's delay.
	trip := int32(middle(ntpTime(at)) - h.block.lastSR - h.block.delay)
	if rtt := time.Duration(trip) * time.Second >> 16; rtt > 0 && rtt < time.Minute {
		p.rtt = rtt
	}
}

// writeControl sends a compound packet, protected when RTP is.
func (s *Socket) writeControl(packet []byte) error {
	c, remote := s.controlRemote()
	if c == nil {
		return ErrNoRemote
	}
	conn := s.conn
	if c.conn != nil {
		conn = c.conn
	}
	if seal := s.seal.Load(); seal != nil {
		var err error
		if packet, err = seal.rtcp(packet); err != nil {
			return err
		}
	}
	_, err := conn.WriteToUDPAddrPort(packet, remote)
	return err
}

// reporter sends the reports of a leg. Only ticks touch it.
type reporter struct {
	control *control // nil for none
	name    string
	next    time.Time
	packet  [256]byte
}

func newReporter(c *control, now time.Time) reporter {
	var name [12]byte
	for i := range name {
		name[i] = byte(rand.Uint32())
	}
	// A random name says nothing about who we are (RFC 7022 §4.2).
	return reporter{control: c, name: hex.EncodeToString(name[:]), next: now.Add(reportWait())}
}

func reportWait() time.Duration { return reportEvery/2 + rand.N(reportEvery) }

// report sends a report when it is time for one, and the last with a BYE.
func (l *Leg) report(now time.Time, bye bool) {
	r := &l.reports
	if r.control == nil || now.Before(r.next) && !bye {
		return
	}
	r.next = now.Add(reportWait())
	out := compound{ssrc: l.out.ssrc, name: r.name, bye: bye}
	l.mu.Lock()
	if l.stats.sent > 0 {
		out.sender, out.ntp, out.timestamp = true, ntpTime(now), l.out.timestamp
		out.packets, out.octets = uint32(l.stats.sent), uint32(l.stats.octets)
	}
	if l.in.reception.started {
		out.heard, out.block = true, l.in.reception.report()
	}
	l.mu.Unlock()
	r.control.mu.Lock()
	if peer := &r.control.peer; !peer.lastSRAt.IsZero() {
		out.block.lastSR = peer.lastSR
		out.block.delay = uint32(now.Sub(peer.lastSRAt) << 16 / time.Second)
	}
	r.control.mu.Unlock()
	n := out.put(r.packet[:])
	_ = l.o.Socket.writeControl(r.packet[:n]) // a report that is lost is followed by another
}
