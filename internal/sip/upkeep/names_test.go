package upkeep

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"testing"

	"github.com/callwright/callwright/internal/sip"
)

// names is a domain name system of a test: SRV targets of "domain", in order.
type names []netip.AddrPort

func (n names) LookupSRV(_ context.Context, service, proto, name string) (string, []*net.SRV, error) {
	if name != "domain" || service != "sip" && service != "sips" {
		return "", nil, fmt.Errorf("no SRV of %s", name)
	}
	var out []*net.SRV
	for i, at := range n {
		out = append(out, &net.SRV{Target: at.Addr().String(), Port: at.Port(), Priority: uint16(i)})
	}
	return "", out, nil
}

func (n names) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

// between makes a user agent for which "domain" is at the peers, in order.
func between(t *testing.T, o sip.Options, peers ...netip.AddrPort) *sip.UA {
	t.Helper()
	o.DNS = names(peers)
	return newUA(t, o)
}
