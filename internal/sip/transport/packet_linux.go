package transport

import (
	"encoding/binary"
	"net"
	"net/netip"
	"syscall"
)

// watchUnreachable asks the kernel to keep ICMP errors of this socket, with
// the address that each packet went to (ip(7), IP_RECVERR). Without it, an
// unconnected socket hears nothing of them.
func watchUnreachable(conn *net.UDPConn) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return // then timers tell, later
	}
	_ = raw.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IP, syscall.IP_RECVERR, 1)
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IPV6, syscall.IPV6_RECVERR, 1)
	})
}

// readUnreachable empties the socket's error queue and returns the
// destinations that cannot be reached.
func readUnreachable(conn *net.UDPConn) []netip.AddrPort {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil
	}
	var lost []netip.AddrPort
	_ = raw.Control(func(fd uintptr) {
		data, oob := make([]byte, 64), make([]byte, 512)
		for range 64 {
			_, n, _, from, err := syscall.Recvmsg(int(fd), data, oob, syscall.MSG_ERRQUEUE|syscall.MSG_DONTWAIT)
			if err != nil {
				return
			}
			if addr, ok := sockaddr(from); ok && unreachableErrno(oob[:n]) {
				lost = append(lost, addr)
			}
		}
	})
	return lost
}

func sockaddr(sa syscall.Sockaddr) (netip.AddrPort, bool) {
	switch a := sa.(type) {
	case *syscall.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port)), true
	case *syscall.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(a.Addr).Unmap(), uint16(a.Port)), true
	}
	return netip.AddrPort{}, false
}

// unreachableErrno reads ee_errno, the first field of struct
// sock_extended_err.
func unreachableErrno(oob []byte) bool {
	msgs, err := syscall.ParseSocketControlMessage(oob)
	if err != nil {
		return false
	}
	for _, m := range msgs {
		if len(m.Data) < 4 {
			continue
		}
		switch syscall.Errno(binary.NativeEndian.Uint32(m.Data)) {
		case syscall.ECONNREFUSED, syscall.EHOSTUNREACH, syscall.ENETUNREACH:
			return true
		}
	}
	return false
}
