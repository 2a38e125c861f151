// Package sip is a SIP user agent (RFC 3261): it places and answers calls and
// keeps their dialogs. Messages are read and written by sipgo; transactions
// are kept here, so that each user agent has timers of its own, its goroutines
// are counted and recovered, and an unreachable peer is noticed at once.
package sip

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"runtime/debug"
	"sync"
	"time"

	wire "github.com/emiago/sipgo/sip"
)

// Options say how a user agent is set up. Only Listen is needed.
type Options struct {
	Listen     netip.AddrPort  // UDP address to bind; port 0 takes any free one
	TCP        bool            // also take TCP connections, on the same port
	TLS        *TLS            // nil: peers are called over TLS, and believed as the system does
	UserAgent  string          // User-Agent and Server headers; "" is "Callwright"
	ExternalIP string          // the address that Via and Contact name; "" is the one that routes to the peer
	Logger     *slog.Logger    // nil discards
	OnInvite   func(*Incoming) // takes incoming calls, each on a goroutine of its own; nil answers 404
	// MaxIncoming bounds the incoming transactions that are being worked on;
	// more are answered 503 with Retry-After. 0 is 1,000.
	MaxIncoming int
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
	udp   *udpSocket
	parse *wire.Parser
	dns   resolver

	streams *streams
	failed  failures // servers that did not answer
	noTCP   failures // those that take no TCP connection

	t1, t2, give time.Duration // T1, T2, 64*T1

	slots   chan struct{} // one per incoming transaction that is being worked on
	closing chan struct{}

	mu      sync.Mutex
	closed  bool
	wg      sync.WaitGroup
	clients map[string]*clientTx
	dialogs map[dialogID]*Dialog
	servers serverTable
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
	if o.T1 <= 0 {
		o.T1 = defaultT1
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
		opts: o, log: o.Logger, parse: wire.NewParser(), dns: net.DefaultResolver,
		t1: o.T1, t2: 8 * o.T1, give: 64 * o.T1,
		slots:   make(chan struct{}, o.MaxIncoming),
		closing: make(chan struct{}),
		clients: map[string]*clientTx{},
		dialogs: map[dialogID]*Dialog{},
		servers: serverTable{byKey: map[string]*serverTx{}},
	}
	if err := u.bind(); err != nil {
		return nil, err
	}
	u.spawn("udp reader", u.readUDP)
	if ln := u.streams.tcp; ln != nil {
		u.spawn("tcp listener", func() { u.streams.accept(ln, "TCP") })
	}
	if ln := u.streams.tls; ln != nil {
		u.spawn("tls listener", func() { u.streams.accept(ln, "TLS") })
	}
	return u, nil
}

// bind opens the sockets. With TCP and port 0 it looks for a port that is free
// for both.
func (u *UA) bind() error {
	for try := 0; ; try++ {
		sock, err := listenUDP(u.opts.Listen)
		if err != nil {
			return err
		}
		streams, err := newStreams(u, sock.addr)
		if err == nil {
			u.udp, u.streams = sock, streams
			return nil
		}
		_ = sock.conn.Close() // nothing was sent or read on it yet
		if u.opts.Listen.Port() != 0 || try == 20 {
			return err
		}
	}
}

// Addr returns the address that is bound, of UDP and TCP.
func (u *UA) Addr() netip.AddrPort { return u.udp.addr }

// TLSAddr returns the address that takes TLS connections; not valid when none
// does.
func (u *UA) TLSAddr() netip.AddrPort {
	if u.streams.tls == nil {
		return netip.AddrPort{}
	}
	return streamAddr(u.streams.tls.Addr())
}

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
	err := u.udp.conn.Close()
	u.streams.close()
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
