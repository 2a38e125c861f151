// Package carrier holds the carriers that Callwright brings, one a file.
package carrier

import (
	"context"
	"net"
	"strconv"
	"strings"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/trunk"
)

// SIP reaches numbers over a SIP peer: a provider's trunk or a PBX.
type SIP struct{}

// Name returns "sip".
func (SIP) Name() string { return domain.CarrierSIP }

// Route addresses the number at the trunk's peer (RFC 3261 §19.1.1).
func (SIP) Route(_ context.Context, t domain.Trunk, number string) (trunk.Route, error) {
	if t.Host == "" {
		return trunk.Route{}, domain.Invalid("host", "trunk %s has no host; set it with PATCH /api/v1/trunks/%s", t.ID, t.ID)
	}
	at := peer(t)
	return trunk.Route{
		URI: "sip:" + number + "@" + at, Server: "sip:" + at, Username: t.Username, Password: t.Password,
	}, nil
}

// peer is host, port and parameters of the trunk's peer. A domain name with the
// usual port goes without it, so that its SRV records are asked for (RFC 3263
// §4.2).
func peer(t domain.Trunk) string {
	at := strings.Trim(t.Host, "[]")
	secure := t.Transport == "tls"
	usual := t.Port == 5060 && !secure || t.Port == 5061 && secure
	named := net.ParseIP(at) == nil && strings.Contains(at, ".")
	switch {
	case t.Port != 0 && (!usual || !named):
		at = net.JoinHostPort(at, strconv.Itoa(t.Port))
	case strings.Contains(at, ":"):
		at = "[" + at + "]" // IPv6
	}
	if t.Transport != "" && t.Transport != "udp" {
		at += ";transport=" + t.Transport
	}
	return at
}

// Close does nothing: the peer is somebody else's.
func (SIP) Close() error { return nil }

var _ trunk.Carrier = SIP{}
