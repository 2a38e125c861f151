package engine

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/sip"
)

// Strangers says what is done with calls from addresses that no trunk names.
type Strangers string

// What can be done with them. The zero value is StrangersDrop.
const (
	StrangersDrop   Strangers = "drop"   // nothing is answered: there seems to be no SIP here
	StrangersRefuse Strangers = "refuse" // 403
	StrangersAnswer Strangers = "answer" // whoever dials one of our numbers is answered
)

// How the list of peers is kept up to date.
const (
	peersEvery  = 2 * time.Second        // the trunks are read
	peersAfresh = 200 * time.Millisecond // at most, when a caller is not found
	hostEvery   = time.Minute            // a host's name is resolved
	hostTime    = 2 * time.Second        // a resolution may take
)

// peers knows which trunks a call may have come over, by the address that it
// came from. Host names are resolved in the background.
type peers struct {
	list    func(context.Context) ([]domain.Trunk, error)
	resolve func(ctx context.Context, host, transport string) ([]netip.Addr, error)
	log     *slog.Logger
	now     atomic.Pointer[roster]
	wanted  chan struct{} // holds one when somebody was not found

	mu    sync.Mutex // one refresh at a time
	read  time.Time
	hosts map[string]*resolved
}

// resolved is what a host's name stands for.
type resolved struct {
	at    time.Time
	addrs []netip.Addr // the last that were found
}

// roster is a list of peers at one time. It never changes.
type roster struct {
	all      []domain.Trunk
	byAddr   map[netip.Addr][]int
	networks []network
	guests   bool // callers from anywhere may prove who they are
}

type network struct {
	prefix netip.Prefix
	trunk  int
}

func newPeers(list func(context.Context) ([]domain.Trunk, error), log *slog.Logger) *peers {
	p := &peers{list: list, resolve: resolveHost, log: log, wanted: make(chan struct{}, 1), hosts: map[string]*resolved{}}
	p.now.Store(&roster{})
	return p
}

// run keeps the list up to date until ctx is done.
func (p *peers) run(ctx context.Context) {
	tick := time.NewTicker(peersEvery)
	defer tick.Stop()
	for {
		p.refresh(ctx, peersAfresh)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			continue
		case <-p.wanted:
		}
		select { // many may be wanted at once
		case <-ctx.Done():
			return
		case <-time.After(peersAfresh):
		}
	}
}

// refresh reads the trunks anew unless that was done within the last age.
func (p *peers) refresh(ctx context.Context, age time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if time.Since(p.read) < age {
		return
	}
	trunks, err := p.list(ctx)
	if err != nil {
		if ctx.Err() == nil {
			p.log.Warn("the trunks could not be read; those that were known stay", "err", err)
		}
		return
	}
	p.read = time.Now()
	p.lookUp(ctx, trunks)
	r := &roster{all: trunks, byAddr: map[netip.Addr][]int{}}
	for i, t := range trunks {
		for _, addr := range p.addresses(t) {
			r.byAddr[addr] = append(r.byAddr[addr], i)
		}
		for _, text := range t.Incoming.Networks {
			if prefix, err := netip.ParsePrefix(text); err == nil {
				r.networks = append(r.networks, network{prefix, i})
			}
		}
		r.guests = r.guests || t.Incoming.Username != ""
	}
	p.now.Store(r)
}

// lookUp resolves the names whose addresses are not known or old, all at once.
func (p *peers) lookUp(ctx context.Context, trunks []domain.Trunk) {
	var work sync.WaitGroup
	named := map[string]bool{}
	for _, t := range trunks {
		if _, literal := literalHost(t.Host); literal || named[t.Host] {
			continue
		}
		named[t.Host] = true
		h := p.hosts[t.Host]
		if h == nil {
			h = &resolved{}
			p.hosts[t.Host] = h
		}
		if time.Since(h.at) < hostEvery {
			continue
		}
		h.at = time.Now()
		work.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, hostTime)
			defer cancel()
			addrs, err := p.resolve(ctx, t.Host, t.Transport)
			if err != nil {
				p.log.Warn("a trunk's host cannot be resolved; calls that come from it are not known", "trunk", t.ID, "host", t.Host, "err", err)
				return
			}
			h.addrs = addrs
		})
	}
	work.Wait()
	for host := range p.hosts {
		if !named[host] {
			delete(p.hosts, host)
		}
	}
}

// addresses returns what a trunk's host stands for.
func (p *peers) addresses(t domain.Trunk) []netip.Addr {
	if addr, literal := literalHost(t.Host); literal {
		return []netip.Addr{addr}
	}
	return p.hosts[t.Host].addrs
}

func literalHost(host string) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return addr.Unmap(), err == nil
}

// resolveHost finds all addresses of a carrier: those of its name, and of the
// servers that it names (RFC 3263 section 4).
func resolveHost(ctx context.Context, host, transport string) ([]netip.Addr, error) {
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	service, proto := "sip", transport
	if transport == "tls" {
		service, proto = "sips", "tcp"
	}
	_, servers, noServers := net.DefaultResolver.LookupSRV(ctx, service, proto, host)
	if noServers == nil {
		for _, s := range servers {
			more, failed := net.DefaultResolver.LookupNetIP(ctx, "ip", s.Target)
			if failed == nil {
				found = append(found, more...)
			}
		}
	}
	if len(found) == 0 {
		return nil, err
	}
	for i := range found {
		found[i] = found[i].Unmap()
	}
	slices.SortFunc(found, netip.Addr.Compare)
	return slices.Compact(found), nil
}

// at returns the trunks that name an address, those whose port it is first.
func (r *roster) at(from netip.AddrPort) []domain.Trunk {
	addr := from.Addr().Unmap()
	indexes := slices.Clone(r.byAddr[addr])
	for _, n := range r.networks {
		if n.prefix.Contains(addr) && !slices.Contains(indexes, n.trunk) {
			indexes = append(indexes, n.trunk)
		}
	}
	trunks := make([]domain.Trunk, len(indexes))
	for i, at := range indexes {
		trunks[i] = r.all[at]
	}
	slices.SortStableFunc(trunks, func(a, b domain.Trunk) int {
		switch port := int(from.Port()); {
		case a.Port == port && b.Port != port:
			return -1
		case a.Port != port && b.Port == port:
			return 1
		}
		return 0
	})
	return trunks
}

// admit says what is done with what comes from an address. It is asked for every
// packet, and does not wait.
func (e *Engine) admit(addr netip.Addr) sip.Admission {
	r := e.peers.now.Load()
	if len(r.at(netip.AddrPortFrom(addr, 0))) > 0 {
		return sip.Serve
	}
	select {
	case e.peers.wanted <- struct{}{}: // it may belong to a trunk that is new
	default:
	}
	switch {
	case r.guests, e.o.Strangers == StrangersAnswer:
		return sip.Guest
	case e.o.Strangers == StrangersRefuse:
		return sip.Refuse
	}
	return sip.Drop
}

// callers returns the trunks that a call from an address may have come over, and
// whether they name it.
func (p *peers) callers(from netip.AddrPort) (trunks []domain.Trunk, known bool) {
	r := p.now.Load()
	if trunks = r.at(from); len(trunks) > 0 {
		return trunks, true
	}
	return r.all, false
}

// renew has the list read anew for a caller who was not found in it: a trunk may
// have been made a moment ago. Others ask too, and it is not read for each.
func (p *peers) renew(ctx context.Context) {
	wait := time.NewTimer(peersAfresh)
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-ctx.Done():
	}
	p.refresh(ctx, peersAfresh)
}
