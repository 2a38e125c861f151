//go:build !linux

package transport

import (
	"net"
	"net/netip"
)

// Elsewhere than on Linux an unconnected socket does not hear of ICMP errors;
// the timers tell.
func watchUnreachable(*net.UDPConn) {}

func readUnreachable(*net.UDPConn) []netip.AddrPort { return nil }
