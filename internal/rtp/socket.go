package rtp

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	pionrtp "github.com/pion/rtp"
)

// ErrNoRemote says that a socket does not know yet where to send to.
var ErrNoRemote = errors.New("rtp: no remote address was set")

// Socket is a UDP socket for one RTP stream in each direction. It believes one
// remote address only: the one signalled, or, behind a NAT, the one learned.
type Socket struct {
	conn    *net.UDPConn
	local   netip.AddrPort
	release func()
	once    sync.Once

	mu      sync.Mutex
	latch   latch
	source  source
	from    netip.AddrPort // of source
	control *control       // RTCP, nil for none

	seal atomic.Pointer[sealer] // nil: packets are not protected
	open atomic.Pointer[opener]

	received, foreign, garbage, unauthentic, sent, sendErrors atomic.Uint64
}

// SocketStats counts what passed a socket.
type SocketStats struct {
	Received    uint64 // packets that were believed
	Foreign     uint64 // RTP from addresses, or of streams, that are not believed
	Garbage     uint64 // what is not RTP: STUN, DTLS, noise
	Unauthentic uint64 // packets that SRTP refused
	Sent        uint64
	SendErrors  uint64
}

// Packet is one RTP packet that came in. Its payload is valid until the packet
// is read into again.
type Packet struct {
	pionrtp.Packet
	At  time.Time // when it was read
	buf [maxPacket]byte
}

func newSocket(conn *net.UDPConn, release func()) *Socket {
	return &Socket{conn: conn, local: localAddr(conn), release: release}
}

// LocalAddr is the address the socket listens on.
func (s *Socket) LocalAddr() netip.AddrPort { return s.local }

// SetRemote sets the address that the peer signalled in SDP. The same address
// again, as in a re-INVITE for hold, keeps what was learned.
func (s *Socket) SetRemote(addr netip.AddrPort) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.latch.signal(unmap(addr), time.Now())
}

// Remote is where packets go now; invalid when nothing was signalled yet.
func (s *Socket) Remote() netip.AddrPort {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.latch.current
}

// SetKeys has all packets protected from now on, in both directions (RFC 3711).
// The same key again keeps what was counted under it, as after a re-INVITE that
// changes nothing; it never goes back to plain packets.
func (s *Socket) SetKeys(k Keys) error {
	if !s.seal.Load().is(k.Suite, k.Send) {
		seal, err := newSealer(k.Suite, k.Send)
		if err != nil {
			return err
		}
		s.seal.Store(seal)
	}
	if !s.open.Load().is(k.Suite, k.Receive) {
		open, err := newOpener(k.Suite, k.Receive)
		if err != nil {
			return err
		}
		s.open.Store(open)
	}
	return nil
}

// Secured reports whether packets are protected.
func (s *Socket) Secured() bool { return s.seal.Load() != nil }

// ReadPacket waits for the next RTP packet of the peer. RTCP goes its own way;
// everything else is counted and dropped. After Close the error is
// net.ErrClosed. One goroutine at a time may read.
func (s *Socket) ReadPacket(p *Packet) error {
	for {
		n, from, err := s.conn.ReadFromUDPAddrPort(p.buf[:])
		if err != nil {
			return err
		}
		p.At = time.Now()
		if s.take(p, n, unmap(from)) {
			s.received.Add(1)
			return nil
		}
	}
}

// take looks at n bytes in p's buffer and says whether they are RTP of the peer.
func (s *Socket) take(p *Packet, n int, from netip.AddrPort) bool {
	raw := p.buf[:n]
	if isControl(raw) {
		s.takeControl(raw, from, p.At)
		return false
	}
	if n < headerSize || raw[0]>>6 != 2 {
		s.garbage.Add(1)
		return false
	}
	s.mu.Lock()
	plausible := s.latch.plausible(from, p.At)
	s.mu.Unlock()
	if !plausible {
		s.foreign.Add(1)
		return false
	}
	if open := s.open.Load(); open != nil {
		if _, err := p.Header.Unmarshal(raw); err != nil {
			s.garbage.Add(1)
			return false
		}
		plain, err := open.open(raw, &p.Header)
		if err != nil {
			s.unauthentic.Add(1)
			return false
		}
		raw = plain
	}
	if p.Unmarshal(raw) != nil {
		s.garbage.Add(1)
		return false
	}
	if !s.believe(&p.Header, from, p.At) {
		s.foreign.Add(1)
		return false
	}
	return true
}

// believe says whether a packet is of the peer's stream.
func (s *Socket) believe(h *pionrtp.Header, from netip.AddrPort, at time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.latch.accept(from, h, at) {
		return false
	}
	if from != s.from {
		s.from, s.source = from, source{}
	}
	return s.source.accept(h, at)
}

// Write sends one packet to the remote address, without one ErrNoRemote. One
// goroutine at a time may write.
func (s *Socket) Write(packet []byte) error {
	remote := s.Remote()
	if !remote.IsValid() {
		return ErrNoRemote
	}
	if seal := s.seal.Load(); seal != nil {
		var err error
		if packet, err = seal.rtp(packet); err != nil {
			s.sendErrors.Add(1)
			return err
		}
	}
	if _, err := s.conn.WriteToUDPAddrPort(packet, remote); err != nil {
		s.sendErrors.Add(1)
		return err
	}
	s.sent.Add(1)
	return nil
}

// Stats returns the counts so far.
func (s *Socket) Stats() SocketStats {
	return SocketStats{
		Received: s.received.Load(), Foreign: s.foreign.Load(), Garbage: s.garbage.Load(), Unauthentic: s.unauthentic.Load(),
		Sent: s.sent.Load(), SendErrors: s.sendErrors.Load(),
	}
}

// Close closes the socket and lets its port rest. More calls do nothing.
func (s *Socket) Close() error {
	var err error
	s.once.Do(func() {
		err = s.conn.Close()
		s.mu.Lock()
		if s.control != nil {
			err = errors.Join(err, s.control.close())
		}
		s.mu.Unlock()
		s.release()
	})
	return err
}
