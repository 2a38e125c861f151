package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/callwright/callwright/internal/sip/message"
)

// DialTimeout is how long a peer gets to take a connection.
const DialTimeout = 5 * time.Second

const (
	sendTimeout = 5 * time.Second
	// shakeTimeout is how long a caller may take to begin a TLS connection.
	shakeTimeout = 5 * time.Second
)

// StreamOptions say who is let in, and what becomes of what comes in.
type StreamOptions struct {
	TCP      netip.AddrPort // takes TCP connections; not valid: nobody is let in
	Security *Security      // nil: connections are made as the system believes, and nobody is let in over TLS
	// Admit decides about a connection, which was taken or made by us, and counts
	// it; Left is told when it ends. known is passed on to Left and Patience.
	Admit func(addr netip.Addr, taken bool) (known bool, err error)
	Left  func(addr netip.Addr, known bool)
	// Patience is until when a connection may be silent: since began, when a
	// message is on its way, else since now.
	Patience func(known bool, began time.Time) time.Time
	// Receive takes the text of each message, on its connection's goroutine; false
	// ends the connection. data is valid until it returns.
	Receive func(from Hop, data []byte) bool
	// Lost hears that a connection ended: what waits on it waits in vain.
	Lost func(to Hop, err error)
	// Spawn runs f on a goroutine of its own; false when it does not any more.
	Spawn  func(name string, f func()) bool
	Logger *slog.Logger
}

// Streams keeps one TCP or TLS connection per peer, taken or made.
type Streams struct {
	o        StreamOptions
	tcp, tls net.Listener // nil where nobody is let in
	closing  chan struct{}

	dials singleflight.Group
	mu    sync.Mutex
	conns map[Hop]*Stream
}

// Stream is one connection.
type Stream struct {
	conn  net.Conn
	hop   Hop // its peer; the name is whom its certificate was checked for
	taken bool
	known bool // of Admit
	gone  chan struct{}
	once  sync.Once
	write sync.Mutex
}

// Gone is closed when the connection is of no use any more.
func (c *Stream) Gone() <-chan struct{} { return c.gone }

// Local is the address of our end.
func (c *Stream) Local() netip.AddrPort { return Local(c.conn) }

// ListenStreams listens for TCP, where that is wanted, and for TLS.
func ListenStreams(o StreamOptions) (*Streams, error) {
	if o.Security == nil {
		o.Security = &Security{}
	}
	t := &Streams{o: o, closing: make(chan struct{}), conns: map[Hop]*Stream{}}
	if o.TCP.IsValid() {
		ln, err := net.Listen("tcp", o.TCP.String())
		if err != nil {
			return nil, bindError(TCP, o.TCP, err)
		}
		t.tcp = ln
	}
	if o.Security.Listen.IsValid() {
		ln, err := listenTLS(o.Security)
		if err != nil {
			t.Close()
			return nil, err
		}
		t.tls = ln
	}
	return t, nil
}

// Serve takes connections until Close.
func (t *Streams) Serve() {
	if t.tcp != nil {
		t.o.Spawn("tcp listener", func() { t.accept(t.tcp, TCP) })
	}
	if t.tls != nil {
		t.o.Spawn("tls listener", func() { t.accept(t.tls, TLS) })
	}
}

// Listens reports whether connections are taken over a network.
func (t *Streams) Listens(network string) bool {
	return network == TCP && t.tcp != nil || network == TLS && t.tls != nil
}

// TLSAddr is where TLS connections are taken; not valid when they are not.
func (t *Streams) TLSAddr() netip.AddrPort {
	if t.tls == nil {
		return netip.AddrPort{}
	}
	return addrPort(t.tls.Addr())
}

func listenTLS(secure *Security) (net.Listener, error) {
	config, err := secure.serverTLS()
	if err != nil {
		return nil, err
	}
	ln, err := net.Listen("tcp", secure.Listen.String())
	if err != nil {
		return nil, bindError(TLS, secure.Listen, err)
	}
	return tls.NewListener(ln, config), nil
}

// Close ends all connections.
func (t *Streams) Close() {
	t.mu.Lock()
	select {
	case <-t.closing:
	default:
		close(t.closing)
	}
	t.mu.Unlock()
	for _, ln := range []net.Listener{t.tcp, t.tls} {
		if ln != nil {
			_ = ln.Close() // nothing to flush
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.conns {
		_ = c.conn.Close() // the reader notices and goes
	}
}

// accept takes the connections of one listener.
func (t *Streams) accept(ln net.Listener, network string) {
	for {
		c, err := ln.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			t.o.Logger.Warn("sip: accept failed", "error", err)
			time.Sleep(50 * time.Millisecond) // out of descriptors, most likely
			continue
		}
		h := Hop{Network: network, Addr: addrPort(c.RemoteAddr())}
		if _, err := t.adopt(c, h, true); err != nil {
			t.o.Logger.Debug("sip: connection refused", "peer", c.RemoteAddr(), "error", err)
			_ = c.Close() // it was never used
		}
	}
}

// adopt registers a connection and starts to read it.
func (t *Streams) adopt(c net.Conn, h Hop, taken bool) (*Stream, error) {
	if !h.Addr.IsValid() {
		return nil, fmt.Errorf("sip: %s is not a TCP address", c.RemoteAddr())
	}
	known, err := t.o.Admit(h.Addr.Addr(), taken)
	if err != nil {
		return nil, err
	}
	sc := &Stream{conn: c, hop: h, taken: taken, known: known, gone: make(chan struct{})}
	t.mu.Lock()
	t.conns[h] = sc
	t.mu.Unlock()
	if !t.o.Spawn("stream reader", func() { t.read(sc) }) {
		t.drop(sc)
		return nil, net.ErrClosed
	}
	return sc, nil
}

func (t *Streams) drop(c *Stream) {
	_ = c.conn.Close() // it is of no use any more
	t.mu.Lock()
	if t.conns[c.hop] == c {
		delete(t.conns, c.hop)
	}
	t.mu.Unlock()
	c.once.Do(func() {
		t.o.Left(c.hop.Addr.Addr(), c.known)
		close(c.gone)
	})
}

// Find returns the connection to a hop, or nil. One that was made for another
// name serves too when its certificate is also for this one.
func (t *Streams) Find(to Hop) *Stream {
	t.mu.Lock()
	defer t.mu.Unlock()
	if c := t.conns[to]; c != nil {
		return c
	}
	if to.Network != TLS {
		return nil
	}
	for h, c := range t.conns {
		if h.Network == to.Network && h.Addr == to.Addr && (to.Name == "" || c.certifies(to.Name)) {
			return c
		}
	}
	return nil
}

// certifies reports whether the peer of a connection that we made is also the
// one of that name.
func (c *Stream) certifies(name string) bool {
	secure, ok := c.conn.(*tls.Conn)
	if !ok || c.taken {
		return false
	}
	chain := secure.ConnectionState().PeerCertificates
	return len(chain) > 0 && identifies(chain[0], name) == nil
}

// read takes messages off a connection until it ends, idles or sends what is
// not SIP. Requests that wait on it fail at once.
func (t *Streams) read(c *Stream) {
	defer func() {
		_ = c.conn.Close() // nothing more is sent on it
		// First the news, then room for another: what goes over that is not lost.
		t.o.Lost(c.hop, unreachable("%s closed the connection", c.hop.Addr))
		t.drop(c)
	}()
	if secure, ok := c.conn.(*tls.Conn); ok && c.taken && !t.shake(secure) {
		return
	}
	f := message.Framer{}
	for {
		if err := c.conn.SetReadDeadline(t.o.Patience(c.known, f.Began)); err != nil {
			return
		}
		n, err := c.conn.Read(f.Space())
		if err != nil {
			return
		}
		f.Filled(n, time.Now())
		if !t.take(c, &f) {
			return
		}
	}
}

// take hands on what a connection has brought; false ends it.
func (t *Streams) take(c *Stream, f *message.Framer) bool {
	for {
		data, what := f.Next()
		switch what {
		case message.Ping: // one line end is a pong (RFC 5626 section 4.4.1)
			if t.write(c, []byte("\r\n")) != nil {
				return false
			}
		case message.Whole:
			if !t.o.Receive(c.hop, data) {
				return false // it sends too much
			}
		case message.Broken:
			t.o.Receive(c.hop, data)
			return false // nobody knows where the next message begins
		default:
			return true
		}
	}
}

// shake finishes the handshake with a caller.
func (t *Streams) shake(c *tls.Conn) bool {
	err := c.SetDeadline(time.Now().Add(shakeTimeout))
	if err == nil {
		err = c.Handshake()
	}
	if err != nil {
		t.o.Logger.Info("sip: TLS connection refused", "peer", c.RemoteAddr(), "error", err)
		return false
	}
	return true
}

// untilClosed returns a context that ends after d, or with Close.
func (t *Streams) untilClosed(d time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	stop := make(chan struct{})
	go func() {
		select {
		case <-t.closing:
			cancel()
		case <-stop:
		}
	}()
	return ctx, sync.OnceFunc(func() { close(stop); cancel() })
}

// Send writes to the peer over its connection. When there is none, a request
// makes one; a response does not: nobody listens where its request came from.
func (t *Streams) Send(to Hop, data []byte, request bool) error {
	c := t.Find(to)
	if c == nil {
		if !request {
			return unreachable("%s closed the connection", to.Addr)
		}
		var err error
		if c, err = t.Connect(to, DialTimeout); err != nil {
			return err
		}
	}
	return t.write(c, data)
}

func (t *Streams) write(c *Stream, data []byte) error {
	c.write.Lock()
	defer c.write.Unlock()
	if err := c.conn.SetWriteDeadline(time.Now().Add(sendTimeout)); err != nil {
		return unreachable("%s: %v", c.hop.Addr, err)
	}
	if _, err := c.conn.Write(data); err != nil {
		t.drop(c)
		return unreachable("%s: %v", c.hop.Addr, err)
	}
	return nil
}

// Connect returns the connection to a hop, making one when there is none. Many
// that want the same share it.
func (t *Streams) Connect(to Hop, limit time.Duration) (*Stream, error) {
	if c := t.Find(to); c != nil {
		return c, nil
	}
	made, err, _ := t.dials.Do(fmt.Sprint(to), func() (any, error) {
		if c := t.Find(to); c != nil {
			return c, nil
		}
		return t.dial(to, limit)
	})
	if err != nil {
		return nil, err
	}
	c, _ := made.(*Stream)
	return c, nil
}

func (t *Streams) dial(to Hop, limit time.Duration) (*Stream, error) {
	ctx, cancel := t.untilClosed(limit)
	defer cancel()
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", to.Addr.String())
	if err != nil {
		return nil, unreachable("%s: %v", to.Addr, err)
	}
	if to.Network == TLS {
		secure := tls.Client(c, t.o.Security.clientTLS(to.Name))
		if err := secure.HandshakeContext(ctx); err != nil {
			_ = c.Close() // nothing was sent on it
			return nil, unreachable("%s does not pass as %q over TLS: %v", to.Addr, to.Name, err)
		}
		c = secure
	}
	sc, err := t.adopt(c, to, false)
	if err != nil {
		_ = c.Close() // nothing was sent on it
	}
	return sc, err
}
