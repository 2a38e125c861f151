package rtp

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"
)

// ErrNoPort says that no port of the range is free.
var ErrNoPort = errors.New("rtp: no free port in the range")

// quarantine is how long a closed port rests, so that packets still on their
// way to the old call do not reach a new one.
const quarantine = 5 * time.Second

// ephemeralTries is how often the system is asked for an even port.
const ephemeralTries = 64

// PortRange is the UDP ports to use, both ends included. The zero value leaves
// the choice to the system.
type PortRange struct{ Min, Max int }

// Ports hands out sockets on even ports of a range (RFC 3550 §11), at random so
// that an attacker cannot guess them.
type Ports struct {
	in PortRange

	mu   sync.Mutex
	used map[int]time.Time // when a port may be used again; zero while it is open
}

// NewPorts checks the range, which must have an even port.
func NewPorts(in PortRange) (*Ports, error) {
	if in == (PortRange{}) {
		return &Ports{}, nil
	}
	if in.Min < 1 || in.Max > 65535 || in.Min > in.Max || in.evens() == 0 {
		return nil, fmt.Errorf("rtp: ports %d-%d are no range; give two ports from 1 to 65535 with an even one between",
			in.Min, in.Max)
	}
	return &Ports{in: in, used: map[int]time.Time{}}, nil
}

func (r PortRange) firstEven() int { return r.Min + r.Min%2 }
func (r PortRange) evens() int     { return max((r.Max-r.firstEven()+2)/2, 0) }

// Listen opens a socket on a free port of a local address. When every port is
// in use or resting the error is ErrNoPort.
func (p *Ports) Listen(ip netip.Addr) (*Socket, error) {
	if p.in == (PortRange{}) {
		return p.listenEphemeral(ip)
	}
	count := p.in.evens()
	start := rand.IntN(count)
	for i := range count {
		port := p.in.firstEven() + 2*((start+i)%count)
		if !p.take(port) {
			continue
		}
		conn, err := listen(ip, port)
		if err == nil {
			return newSocket(conn, func() { p.release(port) }), nil
		}
		p.forget(port)
		if !errors.Is(err, syscall.EADDRINUSE) {
			return nil, err
		}
	}
	return nil, fmt.Errorf("%w %d-%d on %s", ErrNoPort, p.in.Min, p.in.Max, ip)
}

// listenEphemeral asks the system until it gives an even port. The odd ones are
// kept open meanwhile, or it might give the same one again.
func (p *Ports) listenEphemeral(ip netip.Addr) (*Socket, error) {
	for range ephemeralTries {
		conn, err := listen(ip, 0)
		if err != nil {
			return nil, err
		}
		if localAddr(conn).Port()%2 == 0 {
			return newSocket(conn, func() {}), nil
		}
		defer func() { _ = conn.Close() }() // an odd port nobody knows of
	}
	return nil, fmt.Errorf("%w: the system gave no even port on %s", ErrNoPort, ip)
}

func listen(ip netip.Addr, port int) (*net.UDPConn, error) {
	network := "udp6"
	if ip.Is4() {
		network = "udp4"
	}
	return net.ListenUDP(network, net.UDPAddrFromAddrPort(netip.AddrPortFrom(ip, uint16(port))))
}

func localAddr(conn *net.UDPConn) netip.AddrPort {
	if a, ok := conn.LocalAddr().(*net.UDPAddr); ok {
		return unmap(a.AddrPort())
	}
	return netip.AddrPort{}
}

// take marks port as open unless it is open or resting.
func (p *Ports) take(port int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if until, ok := p.used[port]; ok && (until.IsZero() || time.Now().Before(until)) {
		return false
	}
	p.used[port] = time.Time{}
	return true
}

func (p *Ports) release(port int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.used[port] = time.Now().Add(quarantine)
}

func (p *Ports) forget(port int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.used, port)
}

func unmap(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}
