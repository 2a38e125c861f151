package domain

import "net/netip"

// ParseNetwork reads a network (CIDR) or a single address, with IPv4 in its own
// form also where it was written as IPv6 (RFC 4291 section 2.5.5.2), and the bits
// behind the network's length cleared. An address with a zone is none.
func ParseNetwork(text string) (netip.Prefix, bool) {
	p, err := netip.ParsePrefix(text)
	if err != nil {
		addr, err := netip.ParseAddr(text)
		if err != nil || addr.Zone() != "" {
			return netip.Prefix{}, false
		}
		p = netip.PrefixFrom(addr, addr.BitLen())
	}
	const mapped = 96 // bits before the IPv4 address
	if p.Addr().Is4In6() {
		if p.Bits() < mapped {
			return netip.Prefix{}, false // more than IPv4, and less than IPv6
		}
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-mapped)
	}
	return p.Masked(), true
}
