package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/callwright/callwright/internal/sip"
)

// http looks at the address of the API: free, held by a Callwright server, or
// by somebody else.
func (x *examination) http(ctx context.Context) {
	l, err := net.Listen("tcp", x.HTTP)
	if err == nil {
		_ = l.Close()
		x.ok("%s is free for the API", x.HTTP)
		return
	}
	if !errors.Is(err, syscall.EADDRINUSE) {
		x.broken("choose an address of this machine with --http, like 127.0.0.1:8080", "the API cannot listen on %s (%v)", x.HTTP, err)
		return
	}
	if version, ok := runningServer(ctx, x.HTTP); ok {
		x.ok("a Callwright server %s answers on %s", version, x.HTTP)
		return
	}
	x.broken("stop what listens there, or choose another address with --http", "%s is in use by another program", x.HTTP)
}

// runningServer asks whether Callwright serves at the address.
func runningServer(ctx context.Context, address string) (version string, ok bool) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", false
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/openapi.json", nil)
	if err != nil {
		return "", false
	}
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		return "", false
	}
	defer func() { _ = res.Body.Close() }()
	var contract struct {
		Info struct{ Title, Version string }
	}
	err = json.NewDecoder(io.LimitReader(res.Body, 8<<20)).Decode(&contract)
	return contract.Info.Version, err == nil && strings.HasPrefix(contract.Info.Title, "Callwright")
}

// sip looks at the address of the user agent.
func (x *examination) sip(ctx context.Context) {
	c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(x.SIP))
	if err == nil {
		_ = c.Close()
		x.ok("%s is free for SIP", x.SIP)
		return
	}
	if !errors.Is(err, syscall.EADDRINUSE) {
		x.broken("choose an address of this machine with --sip, like 0.0.0.0:5060", "SIP cannot listen on %s (%v)", x.SIP, err)
		return
	}
	server, err := x.whoIsAt(ctx, x.SIP)
	switch {
	case err == nil && strings.HasPrefix(server, "Callwright"):
		x.ok("a Callwright server answers on %s", x.SIP)
	case err == nil:
		x.broken("stop it, or choose another port with --sip", "%s is in use by another SIP program (%s)", x.SIP, named(server))
	default:
		// Strangers get no answer from a server that drops them.
		x.warn("if that is not Callwright, stop it or choose another port with --sip", "%s is in use, by a program that does not answer OPTIONS", x.SIP)
	}
}

// whoIsAt asks with OPTIONS who answers at an address of this machine.
func (x *examination) whoIsAt(ctx context.Context, at netip.AddrPort) (server string, err error) {
	ip := at.Addr()
	if ip.IsUnspecified() {
		ip = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	ua, err := sip.New(sip.Options{Listen: netip.AddrPortFrom(ip, 0), T1: 100 * time.Millisecond})
	if err != nil {
		return "", err
	}
	defer func() { _ = ua.Close() }()
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	pong, err := ua.Ping(ctx, "sip:"+netip.AddrPortFrom(ip, at.Port()).String())
	return pong.Server, err
}

// portProbes is how many ports of the range are tried.
const portProbes = 20

// rtp looks at the ports for sound and at how many calls they and the limit of
// open files allow.
func (x *examination) rtp(context.Context) {
	lo, hi := x.Ports.Min, x.Ports.Max
	if hi == 0 {
		x.ok("the system chooses the ports for sound")
		x.files(0)
		return
	}
	pairs := (hi - lo + 1) / 2
	var taken []int
	for range portProbes {
		port := lo + 2*rand.IntN(max(pairs, 1))
		if port%2 == 1 {
			port++
		}
		c, err := net.ListenUDP("udp", &net.UDPAddr{IP: x.SIP.Addr().AsSlice(), Port: port})
		if err == nil {
			_ = c.Close()
			continue
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			x.broken("choose ports from 1024 on with --rtp-ports, like 20000-29999", "the port %d for sound cannot be used (%v)", port, err)
			return
		}
		taken = append(taken, port)
	}
	switch {
	case len(taken) > portProbes/2:
		slices.Sort(taken)
		x.broken("choose other ports with --rtp-ports", "%d of %d ports that were tried in %d-%d are in use, such as %d", len(taken), portProbes, lo, hi, taken[0])
		return
	case pairs < 20:
		x.warn("widen --rtp-ports: a call takes two ports, and four with real-time text", "the range %d-%d has room for %d calls", lo, hi, pairs)
	default:
		x.ok("UDP %d-%d has room for %d calls", lo, hi, pairs)
	}
	x.files(pairs)
}

// filesPerCall are the sockets and files of a call with recording and text.
const filesPerCall = 5

func (x *examination) files(pairs int) {
	limit, err := openFiles()
	if err != nil {
		return // not every system tells
	}
	calls := int(min(limit, 1<<30)) / filesPerCall
	if pairs > 0 {
		calls = min(calls, pairs)
	}
	if calls < 100 {
		x.warn("raise the limit of open files (ulimit -n, or LimitNOFILE= of systemd)", "this process may open %d files, enough for about %d calls at once", limit, calls)
	}
}

func named(server string) string {
	if server == "" {
		return "it does not say which"
	}
	return server
}
