// Package transport carries SIP messages between hosts over UDP, TCP and TLS
// (RFC 3261 section 18), and finds the hosts that a URI stands for (RFC 3263).
package transport

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
)

// Hop is where a message goes next, or came from.
type Hop struct {
	Network string // UDP, TCP or TLS, as in a Via
	Addr    netip.AddrPort
	Name    string // over TLS, whom the peer's certificate must name; "" for one that connected to us
}

// The words of Hop.Network.
const (
	UDP = "UDP"
	TCP = "TCP"
	TLS = "TLS"
)

// Reliable reports whether what is sent to the hop arrives or fails.
func (h Hop) Reliable() bool { return h.Network == TCP || h.Network == TLS }

// Is reports whether both are the same peer.
func (h Hop) Is(other Hop) bool {
	return h.Network == other.Network && h.Addr == other.Addr && (h.Name == other.Name || h.Name == "" || other.Name == "")
}

// ErrUnreachable says that the name did not resolve, the connection was refused
// or broke, or an ICMP message said that nobody is there.
var ErrUnreachable = errors.New("sip: unreachable")

func unreachable(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrUnreachable, fmt.Sprintf(format, args...))
}

func bindError(network string, at netip.AddrPort, err error) error {
	advice := "choose an address of this machine"
	if errors.Is(err, syscall.EADDRINUSE) {
		advice = "stop the program that uses it, or choose another port"
	}
	return fmt.Errorf("sip: cannot listen on %s %s: %w (%s)", network, at, err, advice)
}

// Local is the address of the near end of a connection or socket, without an
// IPv4 address being dressed up as IPv6.
func Local(c net.Conn) netip.AddrPort { return addrPort(c.LocalAddr()) }

func addrPort(a net.Addr) netip.AddrPort {
	var at netip.AddrPort
	switch a := a.(type) {
	case *net.TCPAddr:
		at = a.AddrPort()
	case *net.UDPAddr:
		at = a.AddrPort()
	}
	return netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
}
