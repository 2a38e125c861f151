// Package carrier holds the carriers that Callwright brings, one a file.
package carrier

import (
	"context"
	"fmt"
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
	at := strings.Trim(t.Host, "[]")
	switch {
	case t.Port != 0:
		at = net.JoinHostPort(at, strconv.Itoa(t.Port))
	case strings.Contains(at, ":"):
		at = "[" + at + "]" // IPv6
	}
	uri := fmt.Sprintf("sip:%s@%s", number, at)
	if t.Transport != "" && t.Transport != "udp" {
		uri += ";transport=" + t.Transport
	}
	return trunk.Route{URI: uri, Username: t.Username, Password: t.Password}, nil
}

// Close does nothing: the peer is somebody else's.
func (SIP) Close() error { return nil }

var _ trunk.Carrier = SIP{}
