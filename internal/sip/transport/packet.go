package transport

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"time"
)

// Packets is one UDP socket.
type Packets struct {
	conn *net.UDPConn
	addr netip.AddrPort // as bound
	o    PacketOptions
}

// PacketOptions say what becomes of what comes in, on the goroutine that reads.
type PacketOptions struct {
	Receive func(from Hop, data []byte) // data is valid until it returns
	Lost    func(to Hop, err error)     // nobody is there, says the network
	Logger  *slog.Logger
}

// ListenPackets binds a UDP socket; port 0 takes any free one. Read serves it.
func ListenPackets(at netip.AddrPort, o PacketOptions) (*Packets, error) {
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(at))
	if err != nil {
		return nil, bindError(UDP, at, err)
	}
	// Signalling comes in bursts; room for them costs nothing. The kernel may
	// grant less.
	_ = conn.SetReadBuffer(1 << 20)
	watchUnreachable(conn)
	return &Packets{conn: conn, addr: Local(conn), o: o}, nil
}

// Addr is the address that is bound.
func (p *Packets) Addr() netip.AddrPort { return p.addr }

// Close ends Read.
func (p *Packets) Close() error { return p.conn.Close() }

// sendTries is how often a packet is sent again because of errors that may be
// those of other packets.
const sendTries = 32

// Send writes one packet.
func (p *Packets) Send(to netip.AddrPort, data []byte) error {
	_, err := p.conn.WriteToUDPAddrPort(data, to)
	for tries := 0; err != nil && !errors.Is(err, net.ErrClosed) && tries < sendTries; tries++ {
		// The kernel reports the ICMP error of an earlier packet on the next
		// call, whatever its address: hand it to whom it concerns, then try again.
		// Meanwhile others may have caused the next one.
		p.drain()
		_, err = p.conn.WriteToUDPAddrPort(data, to)
	}
	if err != nil {
		return fmt.Errorf("sip: send to %s: %w", to, err)
	}
	return nil
}

// Read takes packets until the socket is closed.
func (p *Packets) Read() {
	buf := make([]byte, 64<<10)
	for {
		n, src, err := p.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if p.drain() == 0 {
				p.o.Logger.Warn("sip: read failed", "error", err)
				time.Sleep(10 * time.Millisecond) // an error that stays must not spin
			}
			continue
		}
		from := Hop{Network: UDP, Addr: netip.AddrPortFrom(src.Addr().Unmap(), src.Port())}
		p.o.Receive(from, buf[:n])
	}
}

// drain hands queued ICMP errors to whom they concern and returns how many
// there were.
func (p *Packets) drain() int {
	lost := readUnreachable(p.conn)
	for _, addr := range lost {
		p.o.Lost(Hop{Network: UDP, Addr: addr}, unreachable("%s refused the packet; nobody listens there", addr))
	}
	return len(lost)
}
