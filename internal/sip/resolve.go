package sip

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"

	wire "github.com/emiago/sipgo/sip"
)

// resolve finds the next hop of a URI (RFC 3263, without NAPTR): the transport
// it names, else UDP; its port, else SRV, else 5060.
func (u *UA) resolve(ctx context.Context, uri *wire.Uri) (hop, error) {
	network, err := transportOf(uri)
	if err != nil {
		return hop{}, err
	}
	host, port := strings.Trim(uri.Host, "[]"), uri.Port
	if port < 0 || port > 65535 {
		return hop{}, fmt.Errorf("sip: port %d of %s is not one", port, uri.String())
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		return hop{network, netip.AddrPortFrom(addr.Unmap(), defaultPort(port))}, nil
	}
	if host == "" {
		return hop{}, fmt.Errorf("sip: %s names no host", uri.String())
	}
	if port == 0 {
		_, found, err := net.DefaultResolver.LookupSRV(ctx, "sip", strings.ToLower(network), host)
		if err == nil && len(found) > 0 {
			host, port = found[0].Target, int(found[0].Port)
		}
	}
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return hop{}, unreachable("%v", err)
	}
	for _, a := range addrs {
		if u.sameFamily(a.Unmap()) {
			return hop{network, netip.AddrPortFrom(a.Unmap(), defaultPort(port))}, nil
		}
	}
	return hop{}, unreachable("%s has no address that %s can reach", host, u.udp.addr)
}

func transportOf(uri *wire.Uri) (string, error) {
	switch strings.ToLower(uri.Scheme) {
	case "sip", "":
	default:
		return "", fmt.Errorf("sip: cannot send to %s: only sip: URIs are reached from here", uri.String())
	}
	switch name := strings.ToUpper(uri.UriParams.GetOr("transport", "udp")); name {
	case "UDP", "TCP":
		return name, nil
	default:
		return "", fmt.Errorf("sip: transport %q of %s is not there; use udp or tcp", name, uri.String())
	}
}

func defaultPort(port int) uint16 {
	if port == 0 {
		return 5060
	}
	return uint16(port)
}

// sameFamily reports whether the socket can send to a.
func (u *UA) sameFamily(a netip.Addr) bool {
	own := u.udp.addr.Addr()
	return own == netip.IPv6Unspecified() || own.Is4() == a.Is4()
}

// localHost returns the host that Via and Contact name towards a peer: the
// configured one, else the one that is bound, else the one that the system
// would send from.
func (u *UA) localHost(to netip.AddrPort) string {
	if u.opts.ExternalIP != "" {
		return u.opts.ExternalIP
	}
	if own := u.udp.addr.Addr(); !own.IsUnspecified() {
		return own.String()
	}
	// Connecting a UDP socket sends nothing; it only picks a route.
	c, err := net.Dial("udp", to.String())
	if err != nil {
		return u.udp.addr.Addr().String()
	}
	defer func() { _ = c.Close() }()
	return localAddr(c).Addr().String()
}

// via makes a request's own Via towards dst, asking for responses to the
// address that the request is seen to come from (RFC 3581).
func (u *UA) via(dst hop) *wire.ViaHeader {
	v := &wire.ViaHeader{
		ProtocolName: "SIP", ProtocolVersion: "2.0", Transport: dst.network,
		Host: bracketed(u.localHost(dst.addr)), Port: int(u.udp.addr.Port()),
	}
	v.Params.Add("branch", newBranch())
	v.Params.Add("rport", "")
	return v
}

// contact names this user agent towards dst.
func (u *UA) contact(user string, dst hop) *wire.ContactHeader {
	c := &wire.ContactHeader{Address: wire.Uri{
		Scheme: "sip", User: user, Host: u.localHost(dst.addr), Port: int(u.udp.addr.Port()),
	}}
	if dst.reliable() {
		c.Address.UriParams.Add("transport", strings.ToLower(dst.network))
	}
	return c
}

func bracketed(host string) string {
	if strings.Contains(host, ":") && !strings.HasPrefix(host, "[") {
		return "[" + host + "]"
	}
	return host
}
