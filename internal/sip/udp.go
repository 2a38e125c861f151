package sip

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// hop is where a message goes next, or came from.
type hop struct {
	network string // "UDP", "TCP" or "TLS", as in a Via
	addr    netip.AddrPort
	name    string // over TLS, whom the peer's certificate must name; "" for one that connected to us
}

// is reports whether both are the same peer.
func (h hop) is(other hop) bool {
	return h.network == other.network && h.addr == other.addr && (h.name == other.name || h.name == "" || other.name == "")
}

func (h hop) reliable() bool { return h.network == "TCP" || h.network == "TLS" }

type udpSocket struct {
	conn *net.UDPConn
	addr netip.AddrPort // as bound
}

func listenUDP(at netip.AddrPort) (*udpSocket, error) {
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(at))
	if err != nil {
		return nil, bindError("UDP", at, err)
	}
	// Signalling comes in bursts; room for them costs nothing. The kernel may
	// grant less.
	_ = conn.SetReadBuffer(1 << 20)
	watchUnreachable(conn)
	return &udpSocket{conn: conn, addr: localAddr(conn)}, nil
}

// localAddr is the address that a UDP socket is bound to.
func localAddr(conn net.Conn) netip.AddrPort {
	a, ok := conn.LocalAddr().(*net.UDPAddr)
	if !ok {
		return netip.AddrPort{} // no UDP socket
	}
	at := a.AddrPort()
	return netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
}

func bindError(network string, at netip.AddrPort, err error) error {
	advice := "choose an address of this machine"
	if errors.Is(err, syscall.EADDRINUSE) {
		advice = "stop the program that uses it, or choose another port"
	}
	return fmt.Errorf("sip: cannot listen on %s %s: %w (%s)", network, at, err, advice)
}

// send writes a request to its hop.
func (u *UA) send(to hop, data []byte) error {
	if to.reliable() {
		return u.streams.send(to, data, true)
	}
	return u.sendUDP(to, data)
}

// reply writes a response to where its request came from. One that is lost is
// asked for again by the request's retransmission, so there is no error.
func (u *UA) reply(to hop, data []byte) {
	var err error
	if to.reliable() {
		err = u.streams.send(to, data, false)
	} else {
		err = u.sendUDP(to, data)
	}
	if err != nil {
		u.log.Debug("sip: response not sent", "error", err)
	}
}

func (u *UA) sendUDP(to hop, data []byte) error {
	_, err := u.udp.conn.WriteToUDPAddrPort(data, to.addr)
	if err != nil && !errors.Is(err, net.ErrClosed) {
		// The kernel reports the ICMP error of an earlier packet on the next
		// call, whatever its address: hand it to whom it concerns, then try again.
		u.drainUnreachable()
		_, err = u.udp.conn.WriteToUDPAddrPort(data, to.addr)
	}
	if err != nil {
		return fmt.Errorf("sip: send to %s: %w", to.addr, err)
	}
	return nil
}

func (u *UA) readUDP() {
	buf := make([]byte, 64<<10)
	for {
		n, src, err := u.udp.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			select {
			case <-u.closing:
				return
			default:
			}
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if u.drainUnreachable() == 0 {
				u.log.Warn("sip: read failed", "error", err)
				time.Sleep(10 * time.Millisecond) // an error that stays must not spin
			}
			continue
		}
		from := hop{network: "UDP", addr: netip.AddrPortFrom(src.Addr().Unmap(), src.Port())}
		u.receive(from, buf[:n])
	}
}

// drainUnreachable hands queued ICMP errors to the requests that they answer
// and returns how many there were.
func (u *UA) drainUnreachable() int {
	lost := readUnreachable(u.udp.conn)
	for _, addr := range lost {
		u.failClients(hop{network: "UDP", addr: addr}, unreachable("%s refused the packet; nobody listens there", addr))
	}
	return len(lost)
}
