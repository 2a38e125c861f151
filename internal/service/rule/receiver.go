package rule

import (
	"context"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/idna"

	"github.com/callwright/callwright/internal/domain"
)

// MaxURL bounds an address that a client gives, in characters.
const MaxURL = 2048

// lookupTime is how long a name server may take while a request waits.
const lookupTime = time.Second

// Lookup resolves a name as net.Resolver.LookupNetIP does; network is "ip".
type Lookup func(ctx context.Context, network, host string) ([]netip.Addr, error)

// Receivers says which URLs may be receivers of webhooks.
type Receivers struct {
	// Allow lists networks that may be, although they are not public, and by plain
	// http.
	Allow []netip.Prefix
	// Lookup resolves a name; nil leaves names to whoever sends.
	Lookup Lookup
}

// Check checks the URL in a field: public https, or a network that the operator
// allows. A name that nobody can resolve now is let through: what it resolves to
// is checked again each time a webhook is sent.
func (r *Receivers) Check(ctx context.Context, field, raw string) error {
	if strings.TrimSpace(raw) == "" {
		return domain.Invalid(field, "%s is required", field)
	}
	if err := Text(field, raw, MaxURL); err != nil {
		return err
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Hostname() == "" || u.Opaque != "" {
		return domain.Invalid(field, "%s must be a full URL such as https://example.com/webhook", field)
	}
	if u.User != nil {
		return domain.Invalid(field, "%s must not contain a user name or password; check the signature instead", field)
	}
	if u.Scheme != "https" && u.Scheme != "http" {
		return domain.Invalid(field, "%s must begin with https://", field)
	}
	host, err := idna.Lookup.ToASCII(u.Hostname())
	if err != nil {
		if host = u.Hostname(); strings.IndexFunc(host, func(c rune) bool { return c > '~' }) >= 0 {
			return domain.Invalid(field, "%s must be a full URL such as https://example.com/webhook: its host is not a name", field)
		}
	}
	addr, literal, err := literalAddr(host)
	if err != nil {
		return domain.Invalid(field, "%s must be a full URL such as https://example.com/webhook: its host is not an address", field)
	}
	switch {
	case literal && domain.Within(r.Allow, addr):
		return nil
	case u.Scheme == "http":
		return domain.Invalid(field, "%s must begin with https://; plain http is only for networks that the operator allows (--webhook-allow)", field)
	case literal && !domain.PublicAddr(addr), !literal && r.leadsInside(ctx, host):
		return domain.Invalid(field, "%s must be publicly reachable; private addresses are only for networks that the operator allows (--webhook-allow)", field)
	}
	return nil
}

// leadsInside reports whether a name resolves to an address that may not be sent
// to.
func (r *Receivers) leadsInside(ctx context.Context, host string) bool {
	if r.Lookup == nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	addrs, err := r.Lookup(ctx, "ip", host)
	if err != nil {
		return false // the sender says so, where it can be seen
	}
	for _, addr := range addrs {
		if addr = addr.WithZone("").Unmap(); !domain.PublicAddr(addr) && !domain.Within(r.Allow, addr) {
			return true
		}
	}
	return false
}

// literalAddr returns the address that a URL's host spells out, in any of the
// forms that resolvers take: a name whose last label is a number is an IPv4
// address, or nothing (WHATWG URL section 3.5).
func literalAddr(host string) (addr netip.Addr, literal bool, err error) {
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.WithZone("").Unmap(), true, nil
	}
	labels := strings.Split(strings.TrimSuffix(host, "."), ".")
	last := labels[len(labels)-1]
	if strings.EqualFold(last, "localhost") { // RFC 6761 section 6.3
		return netip.AddrFrom4([4]byte{127, 0, 0, 1}), true, nil
	}
	if _, err := ipv4Number(last); err != nil && strings.Trim(last, "0123456789") != "" {
		return netip.Addr{}, false, nil
	}
	if len(labels) > 4 {
		return netip.Addr{}, false, strconv.ErrRange
	}
	var sum uint64
	for i, label := range labels {
		n, err := ipv4Number(label)
		shift, room := 8*(3-i), uint64(1)<<8
		if i == len(labels)-1 { // it fills what is left
			shift, room = 0, uint64(1)<<(8*(4-i))
		}
		if err != nil || n >= room {
			return netip.Addr{}, false, strconv.ErrRange
		}
		sum |= n << shift
	}
	return netip.AddrFrom4([4]byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)}), true, nil
}

// ipv4Number reads a part of an IPv4 address: decimal, octal or hexadecimal.
func ipv4Number(label string) (uint64, error) {
	base := 10
	switch lower := strings.ToLower(label); {
	case lower == "0x":
		return 0, nil
	case strings.HasPrefix(lower, "0x"):
		label, base = label[2:], 16
	case len(label) > 1 && label[0] == '0':
		base = 8
	}
	return strconv.ParseUint(label, base, 64)
}
