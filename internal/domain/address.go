package domain

import (
	"net/netip"
	"slices"
)

// refused are the IPv4 networks that are not one receiver on the public
// Internet (IANA IPv4 Special-Purpose Address Registry, RFC 6890).
var refused = prefixes(
	"0.0.0.0/8",       // this network, RFC 791
	"10.0.0.0/8",      // private, RFC 1918
	"100.64.0.0/10",   // behind a carrier's NAT, RFC 6598
	"127.0.0.0/8",     // loopback
	"169.254.0.0/16",  // link-local, where clouds keep credentials, RFC 3927
	"172.16.0.0/12",   // private
	"192.0.0.0/24",    // protocol assignments, RFC 6890
	"192.0.2.0/24",    // documentation, RFC 5737
	"192.88.99.0/24",  // 6to4 relays, RFC 7526
	"192.168.0.0/16",  // private
	"198.18.0.0/15",   // benchmarks, RFC 2544
	"198.51.100.0/24", // documentation
	"203.0.113.0/24",  // documentation
	"224.0.0.0/4",     // multicast, RFC 5771
	"240.0.0.0/4",     // reserved, and broadcast, RFC 1112
)

// global is the only part of IPv6 that is assigned to receivers; refused6 are
// the parts of it that are not, or that carry an IPv4 address inside.
var (
	global   = netip.MustParsePrefix("2000::/3")
	refused6 = prefixes(
		"2001::/23",     // protocol assignments, Teredo (2001::/32) among them, RFC 2928
		"2001:db8::/32", // documentation, RFC 3849
		"2002::/16",     // 6to4, RFC 3056
		"3fff::/20",     // documentation, RFC 9637
	)
)

func prefixes(cidrs ...string) []netip.Prefix {
	nets := make([]netip.Prefix, len(cidrs))
	for i, cidr := range cidrs {
		nets[i] = netip.MustParsePrefix(cidr)
	}
	return nets
}

// PublicAddr reports whether addr can be one receiver on the public Internet. An
// IPv4 address mapped into IPv6 is taken as what it is, and zones are left out.
func PublicAddr(addr netip.Addr) bool {
	addr = addr.WithZone("").Unmap()
	if addr.Is4() {
		return !Within(refused, addr)
	}
	return global.Contains(addr) && !Within(refused6, addr)
}

// Within reports whether one of nets has addr.
func Within(nets []netip.Prefix, addr netip.Addr) bool {
	return slices.ContainsFunc(nets, func(n netip.Prefix) bool { return n.Contains(addr) })
}
