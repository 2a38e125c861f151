package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/callwright/callwright/internal/carrier"
	"github.com/callwright/callwright/internal/sip"
	"github.com/callwright/callwright/internal/sip/upkeep"
)

// resolve finds out where the trunk's server is.
func (t *trunkCheck) resolve(ctx context.Context) {
	route, err := carrier.SIP{}.Route(ctx, t.Trunk, t.Username)
	if err != nil {
		t.problem = err
		return
	}
	t.uri = route.Server
	host := strings.Trim(t.Host, "[]")
	if ip, err := netip.ParseAddr(host); err == nil {
		t.addrs = []netip.Addr{ip.Unmap()}
		return
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	for _, ip := range addrs {
		t.addrs = append(t.addrs, ip.Unmap())
	}
	if err == nil || t.service(ctx, host) {
		return
	}
	t.problem = err
}

// service reports whether the host's name has SRV records, which need no
// address of its own (RFC 3263 section 4.2).
func (t *trunkCheck) service(ctx context.Context, host string) bool {
	service, network := "sip", t.Transport
	if network == "tls" {
		service, network = "sips", "tcp"
	}
	_, found, err := net.DefaultResolver.LookupSRV(ctx, service, network, host)
	if err != nil {
		return false
	}
	for _, srv := range found {
		addrs, _ := net.DefaultResolver.LookupNetIP(ctx, "ip", srv.Target)
		for _, ip := range addrs {
			t.addrs = append(t.addrs, ip.Unmap())
		}
	}
	return len(t.addrs) > 0
}

// atOnce is how many trunks are asked at the same time.
const atOnce = 16

// trunks asks each trunk's server whether it is there and whether it takes our
// password, from a port of our own: a server that is running is not disturbed.
func (x *examination) trunks(ctx context.Context, list []trunkCheck) {
	if len(list) == 0 {
		x.ok("there is no SIP trunk in live mode")
		return
	}
	ua, err := sip.New(sip.Options{Listen: netip.AddrPortFrom(x.SIP.Addr(), 0), ExternalIP: x.ExternalIP, TLS: x.TLS, T1: 100 * time.Millisecond})
	if err != nil {
		x.broken("choose an address of this machine with --sip", "no trunk can be asked (%v)", err)
		return
	}
	defer func() { _ = ua.Close() }()
	ctx, cancel := context.WithTimeout(ctx, 4*patience)
	defer cancel()
	reports := make([][]Finding, len(list))
	var group sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	for i := range list {
		group.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			own := &examination{Options: x.Options, area: x.area, found: func(f Finding) { reports[i] = append(reports[i], f) }}
			own.trunk(ctx, ua, &list[i])
		})
	}
	group.Wait()
	for _, r := range reports {
		for _, f := range r {
			x.found(f)
		}
	}
}

// trunk looks at one trunk.
func (x *examination) trunk(ctx context.Context, ua *sip.UA, t *trunkCheck) {
	if t.problem != nil {
		x.broken("correct host with PATCH /api/v1/trunks/"+string(t.ID)+", or the name server of this machine",
			"trunk %s: the name %s cannot be resolved (%v)", t.title(), t.Host, t.problem)
		return
	}
	if t.numbers == 0 {
		x.warn("create one with POST /api/v1/phone-numbers", "trunk %s has no phone number: nobody calls over it", t.title())
	}
	if t.Register && t.Username != "" {
		x.registers(ctx, ua, t) // some servers answer nobody who does not
		return
	}
	if pong, ok := x.answers(ctx, ua, t); ok {
		x.seen(t, pong)
	}
}

// answers asks with OPTIONS.
func (x *examination) answers(ctx context.Context, ua *sip.UA, t *trunkCheck) (sip.Pong, bool) {
	pong, err := ua.Ping(ctx, t.uri)
	if err != nil {
		x.broken(t.unanswered(err), "trunk %s at %s does not answer: %s", t.title(), t.uri, reachError(err))
		return pong, false
	}
	who := ""
	if pong.Server != "" {
		who = fmt.Sprintf(" (%s)", pong.Server)
	}
	if pong.Status == 403 || pong.Status == 401 || pong.Status == 407 {
		x.ok("trunk %s%s is there; it answers OPTIONS with %d, as many do that want to know who asks", t.title(), who, pong.Status)
	} else {
		x.ok("trunk %s%s answers after %v", t.title(), who, pong.RTT.Round(100*time.Microsecond))
	}
	return pong, true
}

// seen compares the address that the trunk sees with the one that it is told.
func (x *examination) seen(t *trunkCheck, pong sip.Pong) {
	if !pong.Seen.IsValid() {
		return
	}
	seen := pong.Seen.Addr().Unmap()
	told, err := netip.ParseAddr(x.ExternalIP)
	if err != nil && len(t.addrs) > 0 {
		told = x.source(t.addrs[0])
	}
	if told = told.Unmap(); !told.IsValid() || told == seen {
		return
	}
	x.warn(fmt.Sprintf("start with --external-ip %s and forward UDP %d and the ports for sound from there to this machine", seen, x.SIP.Port()),
		"trunk %s sees us at %s, but is told %s: something translates addresses between us, and calls may be without sound", t.title(), seen, told)
}

// unanswered says what usually helps when nothing came back.
func (t *trunkCheck) unanswered(err error) string {
	text := err.Error()
	switch {
	case strings.Contains(text, "certificate"), strings.Contains(text, "x509"):
		return "name the authority that vouches for the trunk with --tls-ca, or correct host to the name in its certificate"
	case strings.Contains(text, "refused"):
		return "correct host, port and transport: nobody listens there"
	case strings.Contains(text, "first record does not look like a TLS handshake"):
		return "the server does not speak TLS on this port; use transport tcp or udp, or port 5061"
	case t.Transport == "udp":
		return "ask the carrier to admit this machine's address, let the firewall pass UDP " + strconv.Itoa(t.Port) + ", or try transport tcp"
	}
	return "ask the carrier to admit this machine's address, and let the firewall pass TCP " + strconv.Itoa(t.Port)
}

// registers tries the password.
func (x *examination) registers(ctx context.Context, ua *sip.UA, t *trunkCheck) {
	err := upkeep.Registration{UA: ua, Server: t.uri, User: t.Username, Password: t.Password}.Check(ctx)
	if err != nil {
		x.broken("correct username and password with PATCH /api/v1/trunks/"+string(t.ID), "trunk %s does not let us register as %s: %v", t.title(), t.Username, err)
		return
	}
	x.ok("trunk %s takes the password of %s", t.title(), t.Username)
	if pong, err := ua.Ping(ctx, t.uri); err == nil {
		x.seen(t, pong)
	}
}

// reachError is why nothing came back, for people.
func reachError(err error) string {
	switch {
	case errors.Is(err, sip.ErrUnreachable):
		return strings.TrimPrefix(err.Error(), sip.ErrTimeout.Error()+": "+sip.ErrUnreachable.Error()+": ")
	case errors.Is(err, sip.ErrTimeout), errors.Is(err, context.DeadlineExceeded):
		return "no answer to OPTIONS"
	}
	return err.Error()
}
