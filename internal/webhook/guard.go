package webhook

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// Bounds of connections, beside the timeout of each request.
const (
	maxHeaderBytes    = 64 << 10
	idleConnections   = 512
	idleConnectionAge = 60 * time.Second
)

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
	if domain.Within(g.allow, addr) {
		return nil
	}
	if g.only {
		return fmt.Errorf("plain http to %s is not allowed: use https, or list the address in webhook-allow", addr)
	}
	if !domain.PublicAddr(addr) {
		return fmt.Errorf("the address %s is not public: list it in webhook-allow if the receiver is yours", addr)
	}
	return nil
}

// NewClient makes an HTTP client for addresses that strangers chose: it
// connects to public addresses by https, and to those in allow by https or
// http; it uses no proxy and follows no redirect. Each request ends after
// timeout. Callers bound what they read of an answer.
func NewClient(allow []netip.Prefix, timeout time.Duration) *http.Client {
	return &http.Client{
		Timeout: timeout,
		Transport: byScheme{
			https: transport(guard{allow: allow}, nil),
			http:  transport(guard{allow: allow, only: true}, nil),
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// transport makes connections that g lets through; names is nil for the
// system's resolver.
func transport(g guard, names *net.Resolver) *http.Transport {
	dialer := &net.Dialer{Control: g.control, Resolver: names}
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
