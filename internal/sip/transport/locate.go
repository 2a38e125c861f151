package transport

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	wire "github.com/emiago/sipgo/sip"
)

// Resolver is what net.Resolver offers of the DNS.
type Resolver interface {
	LookupSRV(ctx context.Context, service, proto, name string) (string, []*net.SRV, error)
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Locator finds the hosts that a URI stands for.
type Locator struct {
	DNS    Resolver
	Own    netip.Addr // that the UDP socket is bound to
	Failed *Failures  // those that are tried last
}

// Locate finds the next hops of a URI in the order in which they are to be
// tried (RFC 3263 section 4, without NAPTR): the transport that it names, else
// UDP; its port, else SRV records by priority and weight, else 5060 or 5061; all
// addresses of a name. Those that failed lately come last. There is at least
// one.
func (l *Locator) Locate(ctx context.Context, uri *wire.Uri) ([]Hop, error) {
	network, err := NetworkOf(uri)
	if err != nil {
		return nil, err
	}
	host, port := strings.Trim(uri.Host, "[]"), uri.Port
	if port < 0 || port > 65535 {
		return nil, fmt.Errorf("sip: port %d of %s is not one", port, uri.String())
	}
	if host == "" {
		return nil, fmt.Errorf("sip: %s names no host", uri.String())
	}
	name := ""
	if network == TLS {
		name = host // whom the certificate must name (RFC 5922 section 4)
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		return []Hop{{network, netip.AddrPortFrom(addr.Unmap(), defaultPort(network, port)), name}}, nil
	}
	targets := []*net.SRV{{Target: host, Port: defaultPort(network, port)}}
	if port == 0 {
		if found := l.services(ctx, network, host); len(found) > 0 {
			targets = found
		}
	}
	var hops []Hop
	for _, target := range targets {
		addrs, problem := l.DNS.LookupNetIP(ctx, "ip", target.Target)
		if problem != nil {
			err = problem
		}
		for _, a := range addrs {
			h := Hop{network, netip.AddrPortFrom(a.Unmap(), target.Port), name}
			if l.reaches(h) && !slices.Contains(hops, h) {
				hops = append(hops, h)
			}
		}
	}
	switch {
	case len(hops) > 0:
		return l.Failed.last(hops), nil
	case err != nil:
		return nil, unreachable("%v", err)
	}
	return nil, unreachable("%s has no address that %s can reach", host, l.Own)
}

// services asks for the SRV records of a domain, which come sorted by
// priority and shuffled by weight (RFC 2782).
func (l *Locator) services(ctx context.Context, network, host string) []*net.SRV {
	service, proto := "sip", strings.ToLower(network)
	if network == TLS {
		service, proto = "sips", "tcp"
	}
	_, found, err := l.DNS.LookupSRV(ctx, service, proto, host)
	if err != nil {
		return nil // there are none; the name's addresses are asked for next
	}
	return found
}

// NetworkOf returns the network that a URI asks for: UDP, TCP or TLS.
func NetworkOf(uri *wire.Uri) (string, error) {
	name := strings.ToUpper(uri.UriParams.GetOr("transport", ""))
	switch scheme := strings.ToLower(uri.Scheme); {
	case scheme == "sips" && (name == "" || name == TCP || name == TLS):
		return TLS, nil
	case scheme == "sips":
	case scheme != "sip" && scheme != "":
		return "", fmt.Errorf("sip: cannot send to %s: only sip: and sips: URIs are reached from here", uri.String())
	case name == "":
		return UDP, nil
	case name == UDP || name == TCP || name == TLS:
		return name, nil
	}
	return "", fmt.Errorf("sip: transport %q of %s is not there; use udp, tcp or tls", name, uri.String())
}

func defaultPort(network string, port int) uint16 {
	switch {
	case port != 0:
		return uint16(port)
	case network == TLS:
		return 5061
	}
	return 5060
}

// reaches reports whether a socket is there that can send to h.
func (l *Locator) reaches(h Hop) bool {
	return h.Reliable() || l.Own == netip.IPv6Unspecified() || l.Own.Is4() == h.Addr.Addr().Is4()
}
