// Package guard decides, before anything is parsed, who is heard on a SIP port,
// how often, and over how many connections; and it keeps what a server of digest
// authentication has to remember (RFC 7616).
package guard

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Admission says what is done with what a source sends on its own account.
// Answers to our own requests, and requests within a call from the far end of
// that call, need none.
type Admission int

// What a source may be.
const (
	Serve  Admission = iota // a known peer, such as a trunk: served, at the rate of peers
	Guest                   // anybody else who is served, at the rate of strangers
	Refuse                  // requests are answered 403, at the rate of strangers
	Drop                    // nothing is answered: there seems to be no SIP here
)

// Limits bound what sources can make the user agent do. Rates are messages per
// second with a burst of twice as many; more is dropped before it is read. The
// zero value of each field is its default.
type Limits struct {
	PeerRate       int           // of one known peer; 5,000
	StrangerRate   int           // of one other source; 50
	StrangersRate  int           // of all others together; 1,000
	Sources        int           // whose rate is remembered; 10,000
	Conns          int           // connections that others than known peers have open; 256
	ConnsPerSource int           // of these, from one source; 16
	PeerConns      int           // connections of known peers, and to them; 512
	IdleTimeout    time.Duration // of a known peer's connection; 5 minutes. Others have a tenth
	MessageTimeout time.Duration // from a message's first byte to its last; 10 s
	AuthFailures   int           // wrong passwords within AuthWindow that ban a source; 20
	AuthWindow     time.Duration // and for how long; 10 minutes
}

func (l Limits) withDefaults() Limits {
	for _, f := range []struct {
		at    *int
		value int
	}{
		{&l.PeerRate, 5000}, {&l.StrangerRate, 50}, {&l.StrangersRate, 1000}, {&l.Sources, 10000},
		{&l.Conns, 256}, {&l.ConnsPerSource, 16}, {&l.PeerConns, 512}, {&l.AuthFailures, 20},
	} {
		if *f.at <= 0 {
			*f.at = f.value
		}
	}
	for _, f := range []struct {
		at    *time.Duration
		value time.Duration
	}{
		{&l.IdleTimeout, 5 * time.Minute}, {&l.MessageTimeout, 10 * time.Second}, {&l.AuthWindow, 10 * time.Minute},
	} {
		if *f.at <= 0 {
			*f.at = f.value
		}
	}
	return l
}

// Guard decides, before anything is parsed, what is done with a packet.
type Guard struct {
	admit  func(netip.Addr) Admission // nil serves all
	limits Limits

	mu        sync.Mutex
	peers     meters
	strangers meters
	everyone  *rate.Limiter // of the strangers together
	talking   map[netip.Addr]int
	offenders map[netip.Addr]*offender
	open      openConns
}

// offender is a source that sent wrong passwords.
type offender struct {
	since    time.Time // of the first failure that counts
	failures int
	banned   time.Time // until then
}

// New makes a guard. admit says what a source is; it must answer at once. nil
// serves all.
func New(admit func(netip.Addr) Admission, l Limits) *Guard {
	l = l.withDefaults()
	return &Guard{
		admit: admit, limits: l,
		peers: newMeters(l.PeerRate, l.Sources), strangers: newMeters(l.StrangerRate, l.Sources),
		everyone: rate.NewLimiter(rate.Limit(l.StrangersRate), 2*l.StrangersRate),
		talking:  map[netip.Addr]int{}, offenders: map[netip.Addr]*offender{},
		open: newOpenConns(l),
	}
}

// Class returns what a source is on its own account, without counting anything.
func (g *Guard) Class(addr netip.Addr, now time.Time) Admission {
	a := Serve
	if g.admit != nil {
		if a = g.admit(addr); a == Serve {
			return a // a known peer is not locked out by whoever borrows its address
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if o := g.offenders[SourceOf(addr)]; o != nil && now.Before(o.banned) {
		return Drop
	}
	return a
}

// Take counts a packet of a source and returns what is done with it. The far
// end of a call is heard like a known peer; that it stays within its calls is
// checked when the packet was read.
func (g *Guard) Take(addr netip.Addr, now time.Time) Admission {
	a := Serve
	if !g.Talks(addr) {
		a = g.Class(addr, now)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case a == Drop:
	case a == Serve && !g.peers.of(addr).AllowN(now, 1),
		a != Serve && !g.strangers.of(SourceOf(addr)).AllowN(now, 1),
		a != Serve && !g.everyone.AllowN(now, 1):
		return Drop
	}
	return a
}

// Knows reports whether a source is a known peer.
func (g *Guard) Knows(addr netip.Addr) bool { return g.admit != nil && g.admit(addr) == Serve }

// Talks reports whether there is a call with a far end at addr.
func (g *Guard) Talks(addr netip.Addr) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.talking[addr] > 0
}

// Failed counts a wrong password. Enough of them ban the source.
func (g *Guard) Failed(addr netip.Addr, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	key := SourceOf(addr)
	o := g.offenders[key]
	if o == nil || now.Sub(o.since) > g.limits.AuthWindow {
		if o == nil && len(g.offenders) >= g.limits.Sources {
			g.pardon(now)
		}
		o = &offender{since: now}
		g.offenders[key] = o
	}
	if o.failures++; o.failures >= g.limits.AuthFailures {
		o.banned = now.Add(g.limits.AuthWindow)
	}
}

// pardon forgets offenders whose time is over; when there are none, any one.
func (g *Guard) pardon(now time.Time) {
	var last netip.Addr
	before := len(g.offenders)
	for key, o := range g.offenders {
		last = key
		if now.After(o.banned) && now.Sub(o.since) > g.limits.AuthWindow {
			delete(g.offenders, key)
		}
	}
	if len(g.offenders) == before {
		delete(g.offenders, last)
	}
}

// Talk notes that calls with a far end at addr began, or with by < 0 ended.
func (g *Guard) Talk(addr netip.Addr, by int) {
	if !addr.IsValid() {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.talking[addr] += by; g.talking[addr] <= 0 {
		delete(g.talking, addr)
	}
}

// SourceOf is what counts as one source: an IPv4 address, or the /64 that one
// subscriber has of IPv6.
func SourceOf(addr netip.Addr) netip.Addr {
	if addr = addr.Unmap(); addr.Is4() {
		return addr
	}
	p, err := addr.Prefix(64)
	if err != nil {
		return addr // it has a zone, and is link-local
	}
	return p.Addr()
}

// meters measure the rates of sources.
type meters struct {
	perSecond int
	by        *recent[netip.Addr, *rate.Limiter]
}

func newMeters(perSecond, most int) meters {
	return meters{perSecond, newRecent[netip.Addr, *rate.Limiter](most)}
}

func (m *meters) of(addr netip.Addr) *rate.Limiter {
	limiter, ok := m.by.get(addr)
	if !ok {
		limiter = rate.NewLimiter(rate.Limit(m.perSecond), 2*m.perSecond)
		m.by.put(addr, limiter)
	}
	return limiter
}
