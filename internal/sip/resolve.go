package sip

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	wire "github.com/emiago/sipgo/sip"
)

// resolver is what net.Resolver offers of the DNS.
type resolver interface {
	LookupSRV(ctx context.Context, service, proto, name string) (string, []*net.SRV, error)
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// resolve finds the first of the next hops of a URI.
func (u *UA) resolve(ctx context.Context, uri *wire.Uri) (hop, error) {
	hops, err := u.locate(ctx, uri)
	if err != nil {
		return hop{}, err
	}
	return hops[0], nil
}

// locate finds the next hops of a URI in the order in which they are to be
// tried (RFC 3263 section 4, without NAPTR): the transport that it names, else
// UDP; its port, else SRV records by priority and weight, else 5060 or 5061; all
// addresses of a name. Those that failed lately come last. There is at least
// one.
func (u *UA) locate(ctx context.Context, uri *wire.Uri) ([]hop, error) {
	network, err := transportOf(uri)
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
	if network == "TLS" {
		name = host // whom the certificate must name (RFC 5922 section 4)
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		return []hop{{network, netip.AddrPortFrom(addr.Unmap(), defaultPort(network, port)), name}}, nil
	}
	targets := []*net.SRV{{Target: host, Port: defaultPort(network, port)}}
	if port == 0 {
		if found := u.servicesOf(ctx, network, host); len(found) > 0 {
			targets = found
		}
	}
	var hops []hop
	for _, target := range targets {
		addrs, problem := u.dns.LookupNetIP(ctx, "ip", target.Target)
		if problem != nil {
			err = problem
		}
		for _, a := range addrs {
			h := hop{network, netip.AddrPortFrom(a.Unmap(), target.Port), name}
			if u.canReach(h) && !slices.Contains(hops, h) {
				hops = append(hops, h)
			}
		}
	}
	switch {
	case len(hops) > 0:
		return u.failed.last(hops), nil
	case err != nil:
		return nil, unreachable("%v", err)
	}
	return nil, unreachable("%s has no address that %s can reach", host, u.udp.addr)
}

// servicesOf asks for the SRV records of a domain, which come sorted by
// priority and shuffled by weight (RFC 2782).
func (u *UA) servicesOf(ctx context.Context, network, host string) []*net.SRV {
	service, proto := "sip", strings.ToLower(network)
	if network == "TLS" {
		service, proto = "sips", "tcp"
	}
	_, found, err := u.dns.LookupSRV(ctx, service, proto, host)
	if err != nil {
		return nil // there are none; the name's addresses are asked for next
	}
	return found
}

func transportOf(uri *wire.Uri) (string, error) {
	name := strings.ToUpper(uri.UriParams.GetOr("transport", ""))
	switch scheme := strings.ToLower(uri.Scheme); {
	case scheme == "sips" && (name == "" || name == "TCP" || name == "TLS"):
		return "TLS", nil
	case scheme == "sips":
	case scheme != "sip" && scheme != "":
		return "", fmt.Errorf("sip: cannot send to %s: only sip: and sips: URIs are reached from here", uri.String())
	case name == "":
		return "UDP", nil
	case name == "UDP" || name == "TCP" || name == "TLS":
		return name, nil
	}
	return "", fmt.Errorf("sip: transport %q of %s is not there; use udp, tcp or tls", name, uri.String())
}

func defaultPort(network string, port int) uint16 {
	switch {
	case port != 0:
		return uint16(port)
	case network == "TLS":
		return 5061
	}
	return 5060
}

// canReach reports whether a socket is there that can send to h.
func (u *UA) canReach(h hop) bool {
	own := u.udp.addr.Addr()
	return h.reliable() || own == netip.IPv6Unspecified() || own.Is4() == h.addr.Addr().Is4()
}

// Failed servers are tried last for a while.
const (
	failureMemory = 5 * time.Minute
	maxFailures   = 1000
)

// failures remembers the hops that did not answer.
type failures struct {
	mu    sync.Mutex
	until map[hop]time.Time
}

func (f *failures) note(h hop, d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	if f.until == nil || len(f.until) >= maxFailures {
		f.until = map[hop]time.Time{}
	}
	f.until[h] = now.Add(d)
}

func (f *failures) forget(h hop) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.until, h)
}

func (f *failures) lately(h hop) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return time.Now().Before(f.until[h])
}

// last returns the hops in the same order but for those that failed.
func (f *failures) last(hops []hop) []hop {
	if len(hops) < 2 {
		return hops
	}
	var good, bad []hop
	for _, h := range hops {
		if f.lately(h) {
			bad = append(bad, h)
		} else {
			good = append(good, h)
		}
	}
	return append(good, bad...)
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

// localPort returns the port that Via and Contact name towards a peer: where we
// listen for its transport, else the one that our connection to it has.
func (u *UA) localPort(dst hop) int {
	switch {
	case dst.network == "TLS" && u.streams.tls != nil:
		return int(u.TLSAddr().Port())
	case dst.reliable() && (dst.network == "TLS" || u.streams.tcp == nil):
		if c := u.streams.find(dst); c != nil {
			return int(streamAddr(c.LocalAddr()).Port())
		}
	}
	return int(u.udp.addr.Port())
}

// via makes a request's own Via towards dst, asking for responses to the
// address that the request is seen to come from (RFC 3581).
func (u *UA) via(dst hop) *wire.ViaHeader {
	v := &wire.ViaHeader{
		ProtocolName: "SIP", ProtocolVersion: "2.0", Transport: dst.network,
		Host: bracketed(u.localHost(dst.addr)), Port: u.localPort(dst),
	}
	v.Params.Add("branch", newBranch())
	v.Params.Add("rport", "")
	return v
}

// contact names this user agent towards dst.
func (u *UA) contact(user string, dst hop) *wire.ContactHeader {
	c := &wire.ContactHeader{Address: wire.Uri{
		Scheme: "sip", User: user, Host: u.localHost(dst.addr), Port: u.localPort(dst),
	}}
	if dst.reliable() {
		c.Address.UriParams.Add("transport", strings.ToLower(dst.network))
	}
	return c
}

// contactFor is contact for a request to uri: who is called securely is reached
// securely (RFC 3261 section 8.1.1.8).
func (u *UA) contactFor(uri wire.Uri, user string, dst hop) *wire.ContactHeader {
	c := u.contact(user, dst)
	if strings.EqualFold(uri.Scheme, "sips") {
		c.Address.Scheme = "sips"
		c.Address.UriParams.Remove("transport")
	}
	return c
}

func bracketed(host string) string {
	if strings.Contains(host, ":") && !strings.HasPrefix(host, "[") {
		return "[" + host + "]"
	}
	return host
}
