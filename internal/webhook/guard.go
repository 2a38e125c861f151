package webhook

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"syscall"
	"time"
)

// Bounds of connections, beside the timeout of each request.
const (
	maxHeaderBytes    = 64 << 10
	idleConnections   = 512
	idleConnectionAge = 60 * time.Second
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

// guard decides which addresses may be connected to. It sees the address that
// the name was resolved to, so that no spelling and no name server gets past it.
type guard struct {
	allow []netip.Prefix // may be connected to whatever they are
	only  bool           // and nothing else may
}

// control is net.Dialer.Control: it is called with the resolved address, after
// the socket was made and before it is connected.
func (g guard) control(_, address string, _ syscall.RawConn) error {
	target, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("cannot tell where %q is: %w", address, err)
	}
	return g.check(target.Addr())
}

// check says whether a connection to addr may be opened.
func (g guard) check(addr netip.Addr) error {
	addr = addr.WithZone("").Unmap() // ::ffff:10.0.0.1 is 10.0.0.1
	if within(g.allow, addr) {
		return nil
	}
	if g.only {
		return fmt.Errorf("plain http to %s is not allowed: use https, or list the address in webhook-allow", addr)
	}
	if !public(addr) {
		return fmt.Errorf("the address %s is not public: list it in webhook-allow if the receiver is yours", addr)
	}
	return nil
}

// public reports whether addr, which is not IPv4-mapped, can be one receiver on
// the public Internet.
func public(addr netip.Addr) bool {
	if addr.Is4() {
		return !within(refused, addr)
	}
	return global.Contains(addr) && !within(refused6, addr)
}

func within(nets []netip.Prefix, addr netip.Addr) bool {
	return slices.ContainsFunc(nets, func(n netip.Prefix) bool { return n.Contains(addr) })
}

// NewClient makes an HTTP client for addresses that strangers chose: it
// connects to public addresses by https, and to those in allow by https or
// http; it uses no proxy and follows no redirect. Each request ends after
// timeout. Callers bound what they read of an answer.
func NewClient(allow []netip.Prefix, timeout time.Duration) *http.Client {
	return &http.Client{
		Timeout: timeout,
		Transport: byScheme{
			https: transport(guard{allow: allow}),
			http:  transport(guard{allow: allow, only: true}),
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func transport(g guard) *http.Transport {
	dialer := &net.Dialer{Control: g.control}
	return &http.Transport{
		Proxy:                  nil,
		DialContext:            dialer.DialContext,
		MaxResponseHeaderBytes: maxHeaderBytes,
		MaxIdleConns:           idleConnections,
		MaxIdleConnsPerHost:    DefaultPerEndpoint,
		IdleConnTimeout:        idleConnectionAge,
		DisableCompression:     true, // an answer is read as it is, never inflated
	}
}

// byScheme keeps the two ways apart: a connection that was allowed for one is
// never used for the other.
type byScheme struct{ https, http *http.Transport }

// RoundTrip sends req over the transport of its scheme.
func (s byScheme) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme == "https" {
		return s.https.RoundTrip(req)
	}
	return s.http.RoundTrip(req) // any other scheme than http is its error
}

// CloseIdleConnections closes what is kept open for the next request.
func (s byScheme) CloseIdleConnections() {
	s.https.CloseIdleConnections()
	s.http.CloseIdleConnections()
}
