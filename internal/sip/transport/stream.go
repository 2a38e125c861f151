package transport

import (
	"bytes"
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

	wire "github.com/emiago/sipgo/sip"
)

// DialTimeout is how long a peer gets to take a connection.
const DialTimeout = 5 * time.Second

// Bounds on connections: idle ones would otherwise use up the descriptors.
const (
	maxConns    = 512
	idleTimeout = 5 * time.Minute
	sendTimeout = 5 * time.Second
	// shakeTimeout is how long a caller may take to begin a TLS connection.
	shakeTimeout = 5 * time.Second
)

// StreamOptions say who is let in, and what becomes of what comes in.
type StreamOptions struct {
	TCP      netip.AddrPort // takes TCP connections; not valid: nobody is let in
	Security *Security      // nil: connections are made as the system believes, and nobody is let in over TLS
	// Receive takes each message, on its connection's goroutine.
	Receive func(from Hop, m wire.Message)
	// Lost hears that a connection ended: what waits on it waits in vain.
	Lost func(to Hop, err error)
	// Spawn runs f on a goroutine of its own; false when it does not any more.
	Spawn  func(name string, f func()) bool
	Logger *slog.Logger
}

// Streams keeps one TCP or TLS connection per peer, taken or made.
type Streams struct {
	o        StreamOptions
	parse    *wire.Parser
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
	t := &Streams{o: o, parse: wire.NewParser(), closing: make(chan struct{}), conns: map[Hop]*Stream{}}
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
			t.o.Logger.Warn("sip: connection refused", "peer", c.RemoteAddr(), "error", err)
			_ = c.Close() // it was never used
		}
	}
}

// adopt registers a connection and starts to read it.
func (t *Streams) adopt(c net.Conn, h Hop, taken bool) (*Stream, error) {
	if !h.Addr.IsValid() {
		return nil, fmt.Errorf("sip: %s is not a TCP address", c.RemoteAddr())
	}
	sc := &Stream{conn: c, hop: h, taken: taken, gone: make(chan struct{})}
	t.mu.Lock()
	if len(t.conns) >= maxConns {
		t.mu.Unlock()
		return nil, fmt.Errorf("sip: %d connections are open already", maxConns)
	}
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
	c.once.Do(func() { close(c.gone) })
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
	defer t.o.Lost(c.hop, unreachable("%s closed the connection", c.hop.Addr))
	defer t.drop(c)
	if secure, ok := c.conn.(*tls.Conn); ok && c.taken && !t.shake(secure) {
		return
	}
	stream := t.parse.NewSIPStream()
	defer stream.Close()
	buf := make([]byte, 16<<10)
	between := true // no message has begun
	for {
		if err := c.conn.SetReadDeadline(time.Now().Add(idleTimeout)); err != nil {
			return
		}
		n, err := c.conn.Read(buf)
		if err != nil {
			return
		}
		if between && len(bytes.Trim(buf[:n], "\r\n")) == 0 {
			if n >= 4 { // a ping; one line end is a pong (RFC 5626 section 4.4.1)
				t.o.Spawn("pong", func() { _ = t.write(c, []byte("\r\n")) }) // a lost one is asked for again
			}
			continue
		}
		err = stream.ParseSIPStream(buf[:n], func(m wire.Message) { t.o.Receive(c.hop, m) })
		between = err == nil
		if err != nil && !errors.Is(err, wire.ErrParseSipPartial) {
			t.o.Logger.Debug("sip: connection dropped", "peer", c.hop.Addr, "error", err)
			return
		}
	}
}

// shake finishes the handshake with a caller.
func (t *Streams) shake(c *tls.Conn) bool {
	ctx, cancel := t.untilClosed(shakeTimeout)
	defer cancel()
	if err := c.HandshakeContext(ctx); err != nil {
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
