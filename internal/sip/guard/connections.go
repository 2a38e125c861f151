package guard

import (
	"fmt"
	"net/netip"
	"time"
)

// openConns counts connections. Those that strangers open have a share of their
// own, so that however many they hold, a known peer gets through.
type openConns struct {
	limits    Limits
	peers     int
	strangers int
	by        map[netip.Addr]int // of the strangers, by source
}

func newOpenConns(l Limits) openConns { return openConns{limits: l, by: map[netip.Addr]int{}} }

func (o *openConns) add(addr netip.Addr, known bool) error {
	if known {
		if o.peers >= o.limits.PeerConns {
			return fmt.Errorf("sip: %d connections of known peers are open already", o.peers)
		}
		o.peers++
		return nil
	}
	addr = SourceOf(addr)
	switch {
	case o.strangers >= o.limits.Conns:
		return fmt.Errorf("sip: %d connections are open already", o.strangers)
	case o.by[addr] >= o.limits.ConnsPerSource:
		return fmt.Errorf("sip: %d connections of that source are open already", o.by[addr])
	}
	o.strangers++
	o.by[addr]++
	return nil
}

func (o *openConns) remove(addr netip.Addr, known bool) {
	if known {
		o.peers--
		return
	}
	addr = SourceOf(addr)
	o.strangers--
	if o.by[addr]--; o.by[addr] <= 0 {
		delete(o.by, addr)
	}
}

// Connects decides about a connection that was taken, or made by us, and
// reports whether it counts as one of a known peer.
func (g *Guard) Connects(addr netip.Addr, taken bool) (known bool, err error) {
	known = !taken || g.Knows(addr) || g.Talks(addr)
	if !known && g.Class(addr, time.Now()) == Drop {
		return false, fmt.Errorf("sip: %s is not admitted", addr)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return known, g.open.add(addr, known)
}

// Disconnects notes that a connection ended.
func (g *Guard) Disconnects(addr netip.Addr, known bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open.remove(addr, known)
}

// Patience is until when a connection may be silent: between messages, and
// within one that began.
func (g *Guard) Patience(known bool, began time.Time) time.Time {
	switch {
	case !began.IsZero():
		return began.Add(g.limits.MessageTimeout)
	case known:
		return time.Now().Add(g.limits.IdleTimeout)
	}
	return time.Now().Add(g.limits.IdleTimeout / 10)
}
