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

	mu    sync.Mutex
	latch latch

	received, foreign, garbage, sent, sendErrors atomic.Uint64
}

// SocketStats counts what passed a socket.
type SocketStats struct {
	Received   uint64 // packets that were believed
	Foreign    uint64 // RTP from addresses that are not believed
	Garbage    uint64 // what is not RTP: RTCP, STUN, noise
	Sent       uint64
	SendErrors uint64
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

// ReadPacket waits for the next RTP packet of the peer. Everything else is
// counted and dropped. After Close the error is net.ErrClosed. One goroutine at
// a time may read.
func (s *Socket) ReadPacket(p *Packet) error {
	for {
		n, from, err := s.conn.ReadFromUDPAddrPort(p.buf[:])
		if err != nil {
			return err
		}
		p.At = time.Now()
		if !parse(p.buf[:n], &p.Packet) {
			s.garbage.Add(1)
			continue
		}
		s.mu.Lock()
		ok := s.latch.accept(unmap(from), &p.Header, p.At)
		s.mu.Unlock()
		if !ok {
			s.foreign.Add(1)
			continue
		}
		s.received.Add(1)
		return nil
	}
}

// parse reads an RTP packet and says whether it is one. RTCP that came to this
// port has types 192 to 223 where RTP has marker and payload type (RFC 5761 §4).
func parse(raw []byte, p *pionrtp.Packet) bool {
	if len(raw) < headerSize || raw[0]>>6 != 2 || raw[1] >= 192 && raw[1] <= 223 {
		return false
	}
	return p.Unmarshal(raw) == nil
}

// Write sends one packet to the remote address, without one ErrNoRemote.
func (s *Socket) Write(packet []byte) error {
	remote := s.Remote()
	if !remote.IsValid() {
		return ErrNoRemote
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
		Received: s.received.Load(), Foreign: s.foreign.Load(), Garbage: s.garbage.Load(),
		Sent: s.sent.Load(), SendErrors: s.sendErrors.Load(),
	}
}

// Close closes the socket and lets its port rest. More calls do nothing.
func (s *Socket) Close() error {
	var err error
	s.once.Do(func() {
		err = s.conn.Close()
		s.release()
	})
	return err
}
