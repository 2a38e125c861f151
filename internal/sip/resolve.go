package sip

import (
	"context"
	"net"
	"net/netip"
	"strings"

	wire "github.com/emiago/sipgo/sip"

	"github.com/callwright/callwright/internal/sip/transport"
)

// hop is where a message goes next, or came from.
type hop = transport.Hop

// locate finds the next hops of a URI in the order in which they are to be
// tried. There is at least one.
func (u *UA) locate(ctx context.Context, uri *wire.Uri) ([]hop, error) {
	hops, err := u.locator.Locate(ctx, uri)
	return hops, lost(err)
}

// connect makes sure of the connection to a hop that needs one, and returns what
// is closed when it ends; nil over UDP.
func (u *UA) connect(h hop) (gone <-chan struct{}, err error) {
	if !h.Reliable() {
		return nil, nil
	}
	c, err := u.streams.Connect(h, transport.DialTimeout)
	if err != nil {
		return nil, lost(err)
	}
	return c.Gone(), nil
}

// resolve finds the first of the next hops of a URI.
func (u *UA) resolve(ctx context.Context, uri *wire.Uri) (hop, error) {
	hops, err := u.locate(ctx, uri)
	if err != nil {
		return hop{}, err
	}
	return hops[0], nil
}

// localHost returns the host that Via and Contact name towards a peer: the
// configured one, else the one that is bound, else the one that the system
// would send from.
func (u *UA) localHost(to netip.AddrPort) string {
	if u.opts.ExternalIP != "" {
		return u.opts.ExternalIP
	}
	if own := u.packets.Addr().Addr(); !own.IsUnspecified() {
		return own.String()
	}
	// Connecting a UDP socket sends nothing; it only picks a route.
	c, err := net.Dial("udp", to.String())
	if err != nil {
		return u.packets.Addr().Addr().String()
	}
	defer func() { _ = c.Close() }()
	return transport.Local(c).Addr().String()
}

// localPort returns the port that Via and Contact name towards a peer: where we
// listen for its transport, else the one that our connection to it has.
func (u *UA) localPort(dst hop) int {
	switch {
	case dst.Network == transport.TLS && u.streams.Listens(transport.TLS):
		return int(u.TLSAddr().Port())
	case dst.Reliable() && !u.streams.Listens(dst.Network):
		if c := u.streams.Find(dst); c != nil {
			return int(c.Local().Port())
		}
	}
	return int(u.packets.Addr().Port())
}

// via makes a request's own Via towards dst, asking for responses to the
// address that the request is seen to come from (RFC 3581).
func (u *UA) via(dst hop) *wire.ViaHeader {
	v := &wire.ViaHeader{
		ProtocolName: "SIP", ProtocolVersion: "2.0", Transport: dst.Network,
		Host: bracketed(u.localHost(dst.Addr)), Port: u.localPort(dst),
	}
	v.Params.Add("branch", newBranch())
	v.Params.Add("rport", "")
	return v
}

// contact names this user agent towards dst.
func (u *UA) contact(user string, dst hop) *wire.ContactHeader {
	c := &wire.ContactHeader{Address: wire.Uri{
		Scheme: "sip", User: user, Host: u.localHost(dst.Addr), Port: u.localPort(dst),
	}}
	if dst.Reliable() {
		c.Address.UriParams.Add("transport", strings.ToLower(dst.Network))
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
