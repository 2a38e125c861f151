package doctor

import (
	"net"
	"net/netip"
	"slices"
)

// carrierGrade is the address space of carrier-grade NAT (RFC 6598).
var carrierGrade = netip.MustParsePrefix("100.64.0.0/10")

// public reports whether the whole Internet can reach ip.
func public(ip netip.Addr) bool {
	ip = ip.Unmap()
	return ip.IsValid() && ip.IsGlobalUnicast() && !ip.IsPrivate() && !carrierGrade.Contains(ip)
}

// routed is the address of this machine from which packets to peer leave.
func routed(peer netip.Addr) netip.Addr {
	// Connecting a UDP socket sends nothing; it only picks a route.
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(peer, 5060)))
	if err != nil {
		return netip.Addr{}
	}
	defer func() { _ = c.Close() }()
	at, err := netip.ParseAddrPort(c.LocalAddr().String())
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr().Unmap()
}

// own reports whether ip is an address of this machine.
func own(ip netip.Addr) bool {
	addrs, err := net.InterfaceAddrs()
	return err == nil && slices.ContainsFunc(addrs, func(a net.Addr) bool {
		n, ok := a.(*net.IPNet)
		if !ok {
			return false
		}
		at, ok := netip.AddrFromSlice(n.IP)
		return ok && at.Unmap() == ip.Unmap()
	})
}

// nat judges whether trunks can reach us where we say that we are, from the
// settings alone; what a trunk sees of us is told with the trunk.
func (x *examination) nat(trunks []trunkCheck) {
	bound := x.SIP.Addr().Unmap()
	shown := x.ExternalIP
	var external netip.Addr
	if shown != "" {
		ip, err := netip.ParseAddr(shown)
		if err != nil {
			x.broken("write it like 203.0.113.7", "--external-ip %q is not an IP address", shown)
			return
		}
		external = ip.Unmap()
	}
	outside, remote := farthest(trunks)
	switch {
	case outside == nil:
		x.ok("no trunk leads to another machine, so no address needs to be reachable")
	case bound.IsLoopback():
		x.broken("listen where the trunk can reach you: --sip 0.0.0.0:5060", "SIP listens on %s, which only this machine reaches, and trunk %s is at %s", bound, outside.title(), remote)
	case external.IsValid() && !public(external) && public(remote):
		x.broken("set --external-ip to the public address of your router or cloud machine", "--external-ip %s is a private address, and trunk %s is on the Internet", external, outside.title())
	case external.IsValid() && own(external):
		x.ok("peers are told %s, an address of this machine", external)
	case external.IsValid():
		x.ok("peers are told %s; the router must forward UDP %d and the ports for sound to this machine", external, x.SIP.Port())
	case public(remote) && !public(x.source(remote)):
		x.warn("set --external-ip to the public address and forward UDP to this machine, or be sure that the trunk corrects addresses by itself",
			"this machine is behind NAT (packets to trunk %s leave from %s) and --external-ip is not set: the far end may hear nothing", outside.title(), x.source(remote))
	default:
		x.ok("trunk %s is reached from %s, which needs no translation", outside.title(), x.source(remote))
	}
}

// source is the address from which packets to peer leave.
func (x *examination) source(peer netip.Addr) netip.Addr {
	if bound := x.SIP.Addr().Unmap(); !bound.IsUnspecified() {
		return bound
	}
	return routed(peer)
}

// farthest returns the trunk that is hardest to reach, with its address: a
// public one, else one of another machine, else none.
func farthest(trunks []trunkCheck) (*trunkCheck, netip.Addr) {
	var best *trunkCheck
	var at netip.Addr
	for i := range trunks {
		for _, ip := range trunks[i].addrs {
			if ip.IsLoopback() || best != nil && (public(at) || !public(ip)) {
				continue
			}
			best, at = &trunks[i], ip
		}
	}
	return best, at
}
