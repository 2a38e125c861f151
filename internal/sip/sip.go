// Package sip is a SIP user agent (RFC 3261): it places and answers calls and
// keeps their dialogs. Messages are read and written by sipgo; transactions
// are kept here, so that each user agent has timers of its own, its goroutines
// are counted and recovered, and an unreachable peer is noticed at once.
package sip

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	wire "github.com/emiago/sipgo/sip"

	"github.com/callwright/callwright/internal/sip/transport"

	"github.com/callwright/callwright/internal/sip/guard"
)

// TLS says how connections are secured.
type TLS = transport.Security

// Resolver is what of the DNS is asked.
type Resolver = transport.Resolver

// Options say how a user agent is set up. Only Listen is needed.
type Options struct {
	Listen     netip.AddrPort  // UDP address to bind; port 0 takes any free one
	TCP        bool            // also take TCP connections, on the same port
	TLS        *TLS            // nil: peers are called over TLS, and believed as the system does
	UserAgent  string          // User-Agent and Server headers; "" is "Callwright"
	DNS        Resolver        // nil: the system's
	ExternalIP string          // the address that Via and Contact name; "" is the one that routes to the peer
	Logger     *slog.Logger    // nil discards
	OnInvite   func(*Incoming) // takes incoming calls, each on a goroutine of its own; nil answers 404
	// MaxIncoming bounds the incoming transactions that are being worked on;
	// more are answered 503 with Retry-After. 0 is 1,000.
	MaxIncoming int
	// Admit says what is done with what a source sends, before it is parsed; nil
	// serves all. It is asked for every packet: it must look its answer up, and
	// not wait. Answers to our own requests and the far ends of calls need no
	// admission; but only a source that gets Serve here, or the far end's own
	// address, may end or change a call.
	Admit  func(source netip.Addr) Admission
	Limits Limits
	Keeper Keeper // remembers the dialogs that are up; nil is nobody
	// DigestAlgorithms are what callers may prove a password by, the best first;
	// nil is SHA-256 and MD5 (RFC 8760). Some phones give up when there is one
	// that they do not know, although they know another.
	DigestAlgorithms []string
	// T1 is the estimate of a round trip from which all timers follow (RFC 3261
	// section 17.1.1.1). 0 is 500 ms.
	T1 time.Duration
	// SessionExpires is the session interval that calls ask for (RFC 4028). 0 is
	// 30 minutes; a negative one asks for none, and takes what others ask for.
	SessionExpires time.Duration
	// MinSE is the shortest interval that others may ask for. 0 is 90 seconds.
	MinSE time.Duration
}

const (
	defaultT1          = 500 * time.Millisecond
	defaultMaxIncoming = 1000
	// ringLimit is how long an incoming call may stay undecided. Proxies give up
	// after three minutes (timer C, RFC 3261 section 16.6).
	ringLimit = 200 * time.Second
)

// UA is one user agent: a socket, and the transactions and dialogs on it.
type UA struct {
	opts  Options
	log   *slog.Logger
	parse *wire.Parser

	packets *transport.Packets
	streams *transport.Streams
	locator *transport.Locator
	failed  transport.Failures // servers that did not answer
	noTCP   transport.Failures // those that take no TCP connection

	t1, t2, give time.Duration // T1, T2, 64*T1

	guard  *guard.Guard
	nonces *guard.Nonces

	slots      chan struct{} // one per incoming transaction that is being worked on
	guestSlots chan struct{} // those of strangers
	closing    chan struct{}

	mu      sync.Mutex
	closed  bool
	wg      sync.WaitGroup
	clients map[string]*clientTx
	dialogs map[dialogID]*Dialog
	// reliables are our provisional responses that wait to be confirmed, by Call-ID
	// and our tag.
	reliables map[dialogID]*reliable
	servers   serverTable
	// disowned are the Call-IDs of a dead process's unanswered calls.
	disowned map[string]bool
}

// New binds the address at once and starts to serve. An address that is
// occupied is an error that names it.
func New(o Options) (*UA, error) {
	if o.UserAgent == "" {
		o.UserAgent = "Callwright"
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.MaxIncoming <= 0 {
		o.MaxIncoming = defaultMaxIncoming
	}
	if o.DigestAlgorithms == nil {
		o.DigestAlgorithms = []string{"SHA-256", "MD5"}
	}
	if o.T1 <= 0 {
		o.T1 = defaultT1
	}
	if o.DNS == nil {
		o.DNS = net.DefaultResolver
	}
	if o.MinSE <= 0 {
		o.MinSE = defaultMinSE
	}
	if o.SessionExpires == 0 {
		o.SessionExpires = max(defaultSessionExpires, o.MinSE)
	}
	if o.ExternalIP != "" {
		if _, err := netip.ParseAddr(o.ExternalIP); err != nil {
			return nil, fmt.Errorf("sip: external IP %q is not an IP address", o.ExternalIP)
		}
	}
	u := &UA{
		opts: o, log: o.Logger, parse: wire.NewParser(),
		t1: o.T1, t2: 8 * o.T1, give: 64 * o.T1,
		guard:      guard.New(o.Admit, o.Limits),
		nonces:     guard.NewNonces(),
		slots:      make(chan struct{}, o.MaxIncoming),
		guestSlots: make(chan struct{}, (o.MaxIncoming+3)/4),
		closing:    make(chan struct{}),
		clients:    map[string]*clientTx{},
		dialogs:    map[dialogID]*Dialog{},
		reliables:  map[dialogID]*reliable{},
		servers:    serverTable{byKey: map[string]*serverTx{}, invites: map[string]*serverTx{}},
	}
	if err := u.bind(); err != nil {
		return nil, err
	}
	u.locator = &transport.Locator{DNS: o.DNS, Own: u.packets.Addr().Addr(), Failed: &u.failed}
	u.spawn("udp reader", u.packets.Read)
	u.streams.Serve()
	return u, nil
}

// bind opens the sockets. With TCP and port 0 it looks for a port that is free
// for both.
func (u *UA) bind() error {
	for try := 0; ; try++ {
		packets, err := transport.ListenPackets(u.opts.Listen, transport.PacketOptions{
			Receive: func(from hop, data []byte) { u.receive(from, data) }, Lost: u.failClients, Logger: u.log,
		})
		if err != nil {
			return err
		}
		o := transport.StreamOptions{
			Security: u.opts.TLS, Admit: u.guard.Connects, Left: u.guard.Disconnects, Patience: u.guard.Patience,
			Receive: u.receive, Lost: u.failClients, Spawn: u.spawn, Logger: u.log,
		}
		if u.opts.TCP {
			o.TCP = packets.Addr()
		}
		streams, err := transport.ListenStreams(o)
		if err == nil {
			u.packets, u.streams = packets, streams
			return nil
		}
		_ = packets.Close() // nothing was sent or read on it yet
		if u.opts.Listen.Port() != 0 || try == 20 || !errors.Is(err, syscall.EADDRINUSE) {
			return err
		}
	}
}

// Addr returns the address that is bound, of UDP and TCP.
func (u *UA) Addr() netip.AddrPort { return u.packets.Addr() }

// TLSAddr returns the address that takes TLS connections; not valid when none
// does.
func (u *UA) TLSAddr() netip.AddrPort { return u.streams.TLSAddr() }

// Close stops at once: calls that are being set up fail with ErrClosed,
// dialogs stay as they are at the far end. Hang up before closing. Close waits
// a moment for handlers to return.
func (u *UA) Close() error {
	u.mu.Lock()
	if u.closed {
		u.mu.Unlock()
		return nil
	}
	u.closed = true
	close(u.closing)
	u.mu.Unlock()
	u.stopTransactions()
	err := u.packets.Close()
	u.streams.Close()
	done := make(chan struct{})
	go func() { u.wg.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		u.log.Warn("sip: a handler did not return after Close")
	}
	return err
}

// spawn runs f on a counted goroutine. A panic in it is logged and ends only
// f. It reports false when the user agent is closed.
func (u *UA) spawn(name string, f func()) bool {
	u.mu.Lock()
	if u.closed {
		u.mu.Unlock()
		return false
	}
	u.wg.Add(1)
	u.mu.Unlock()
	go func() {
		defer u.wg.Done()
		defer u.recovered(name)
		f()
	}()
	return true
}

// recovered, deferred, turns a panic into a log line.
func (u *UA) recovered(where string) {
	if p := recover(); p != nil {
		u.log.Error("sip: panic", "where", where, "panic", p, "stack", string(debug.Stack()))
	}
}

// NewCallID returns a fresh Call-ID: 128 random bits as text. Write it down,
// then dial with it.
func NewCallID() string { return rand.Text() }

func newTag() string { return rand.Text() }

// newBranch returns a Via branch with the magic cookie of RFC 3261 section
// 8.1.1.7. 128 random bits also keep strangers from answering our requests.
func newBranch() string { return wire.RFC3261BranchMagicCookie + rand.Text() }
