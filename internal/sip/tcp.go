package sip

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	wire "github.com/emiago/sipgo/sip"
)

// Bounds on connections: idle ones would otherwise use up the descriptors.
const (
	maxConns    = 512
	idleTimeout = 5 * time.Minute
	dialTimeout = 5 * time.Second
	sendTimeout = 5 * time.Second
	// shakeTimeout is how long a caller may take to begin a TLS connection.
	shakeTimeout = 5 * time.Second
)

// streams keeps one TCP or TLS connection per peer, taken or made.
type streams struct {
	u        *UA
	tcp, tls net.Listener // nil where nobody is let in

	dials singleflight.Group
	mu    sync.Mutex
	conns map[hop]*streamConn
}

type streamConn struct {
	net.Conn
	hop   hop // its peer; the name is whom its certificate was checked for
	taken bool
	gone  chan struct{} // closed when the connection is of no use any more
	once  sync.Once
	write sync.Mutex
}

// newStreams listens for TCP, where that is wanted, and for TLS.
func newStreams(u *UA, at netip.AddrPort) (*streams, error) {
	t := &streams{u: u, conns: map[hop]*streamConn{}}
	if u.opts.TCP {
		ln, err := net.Listen("tcp", at.String())
		if err != nil {
			return nil, bindError("TCP", at, err)
		}
		t.tcp = ln
	}
	if secure := u.opts.TLS; secure != nil && secure.Listen.IsValid() {
		ln, err := listenTLS(secure)
		if err != nil {
			t.close()
			return nil, err
		}
		t.tls = ln
	}
	return t, nil
}

func listenTLS(secure *TLS) (net.Listener, error) {
	config, err := secure.serverTLS()
	if err != nil {
		return nil, err
	}
	ln, err := net.Listen("tcp", secure.Listen.String())
	if err != nil {
		return nil, bindError("TLS", secure.Listen, err)
	}
	return tls.NewListener(ln, config), nil
}

func (t *streams) close() {
	for _, ln := range []net.Listener{t.tcp, t.tls} {
		if ln != nil {
			_ = ln.Close() // nothing to flush
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.conns {
		_ = c.Close() // the reader notices and goes
	}
}

// accept takes the connections of one listener.
func (t *streams) accept(ln net.Listener, network string) {
	for {
		c, err := ln.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			t.u.log.Warn("sip: accept failed", "error", err)
			time.Sleep(50 * time.Millisecond) // out of descriptors, most likely
			continue
		}
		h := hop{network: network, addr: streamAddr(c.RemoteAddr())}
		if _, err := t.adopt(c, h, true); err != nil {
			t.u.log.Warn("sip: connection refused", "peer", c.RemoteAddr(), "error", err)
			_ = c.Close() // it was never used
		}
	}
}

// streamAddr is the address of one end of a connection.
func streamAddr(a net.Addr) netip.AddrPort {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{} // no TCP connection
	}
	at := tcp.AddrPort()
	return netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
}

// adopt registers a connection and starts to read it.
func (t *streams) adopt(c net.Conn, h hop, taken bool) (*streamConn, error) {
	if !h.addr.IsValid() {
		return nil, fmt.Errorf("sip: %s is not a TCP address", c.RemoteAddr())
	}
	sc := &streamConn{Conn: c, hop: h, taken: taken, gone: make(chan struct{})}
	t.mu.Lock()
	if len(t.conns) >= maxConns {
		t.mu.Unlock()
		return nil, fmt.Errorf("sip: %d connections are open already", maxConns)
	}
	t.conns[h] = sc
	t.mu.Unlock()
	if !t.u.spawn("stream reader", func() { t.read(sc) }) {
		t.drop(sc)
		return nil, ErrClosed
	}
	return sc, nil
}

func (t *streams) drop(c *streamConn) {
	_ = c.Close() // it is of no use any more
	t.mu.Lock()
	if t.conns[c.hop] == c {
		delete(t.conns, c.hop)
	}
	t.mu.Unlock()
	c.once.Do(func() { close(c.gone) })
}

// find returns the connection to a hop, or nil. One that was made for another
// name serves too when its certificate is also for this one.
func (t *streams) find(to hop) *streamConn {
	t.mu.Lock()
	defer t.mu.Unlock()
	if c := t.conns[to]; c != nil {
		return c
	}
	if to.network != "TLS" {
		return nil
	}
	for h, c := range t.conns {
		if h.network == to.network && h.addr == to.addr && (to.name == "" || c.certifies(to.name)) {
			return c
		}
	}
	return nil
}

// certifies reports whether the peer of a connection that we made is also the
// one of that name.
func (c *streamConn) certifies(name string) bool {
	secure, ok := c.Conn.(*tls.Conn)
	if !ok || c.taken {
		return false
	}
	chain := secure.ConnectionState().PeerCertificates
	return len(chain) > 0 && identifies(chain[0], name) == nil
}

// read takes messages off a connection until it ends, idles or sends what is
// not SIP. Requests that wait on it fail at once.
func (t *streams) read(c *streamConn) {
	defer t.u.failClients(c.hop, unreachable("%s closed the connection", c.hop.addr))
	defer t.drop(c)
	if secure, ok := c.Conn.(*tls.Conn); ok && c.taken && !t.shake(secure) {
		return
	}
	stream := t.u.parse.NewSIPStream()
	defer stream.Close()
	buf := make([]byte, 16<<10)
	between := true // no message has begun
	for {
		if err := c.SetReadDeadline(time.Now().Add(idleTimeout)); err != nil {
			return
		}
		n, err := c.Conn.Read(buf)
		if err != nil {
			return
		}
		if between && len(bytes.Trim(buf[:n], "\r\n")) == 0 {
			if n >= 4 { // a ping; one line end is a pong (RFC 5626 section 4.4.1)
				t.u.spawn("pong", func() { _ = t.write(c, []byte("\r\n")) }) // a lost one is asked for again
			}
			continue
		}
		err = stream.ParseSIPStream(buf[:n], func(m wire.Message) { t.u.handle(c.hop, m) })
		between = err == nil
		if err != nil && !errors.Is(err, wire.ErrParseSipPartial) {
			t.u.log.Debug("sip: connection dropped", "peer", c.hop.addr, "error", err)
			return
		}
	}
}

// shake finishes the handshake with a caller.
func (t *streams) shake(c *tls.Conn) bool {
	ctx, cancel := t.u.untilClosed(shakeTimeout)
	defer cancel()
	if err := c.HandshakeContext(ctx); err != nil {
		t.u.log.Info("sip: TLS connection refused", "peer", c.RemoteAddr(), "error", err)
		return false
	}
	return true
}

// untilClosed returns a context that ends after d, or with the user agent.
func (u *UA) untilClosed(d time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	stop := make(chan struct{})
	go func() {
		select {
		case <-u.closing:
			cancel()
		case <-stop:
		}
	}()
	return ctx, sync.OnceFunc(func() { close(stop); cancel() })
}

// send writes to the peer over its connection. When there is none, a request
// makes one; a response does not: nobody listens where its request came from.
func (t *streams) send(to hop, data []byte, request bool) error {
	c := t.find(to)
	if c == nil {
		if !request {
			return unreachable("%s closed the connection", to.addr)
		}
		var err error
		if c, err = t.connect(to, dialTimeout); err != nil {
			return err
		}
	}
	return t.write(c, data)
}

func (t *streams) write(c *streamConn, data []byte) error {
	c.write.Lock()
	defer c.write.Unlock()
	if err := c.SetWriteDeadline(time.Now().Add(sendTimeout)); err != nil {
		return unreachable("%s: %v", c.hop.addr, err)
	}
	if _, err := c.Write(data); err != nil {
		t.drop(c)
		return unreachable("%s: %v", c.hop.addr, err)
	}
	return nil
}

// connect returns the connection to a hop, making one when there is none. Many
// that want the same share it.
func (t *streams) connect(to hop, limit time.Duration) (*streamConn, error) {
	if c := t.find(to); c != nil {
		return c, nil
	}
	made, err, _ := t.dials.Do(fmt.Sprint(to), func() (any, error) {
		if c := t.find(to); c != nil {
			return c, nil
		}
		return t.dial(to, limit)
	})
	if err != nil {
		return nil, err
	}
	c, _ := made.(*streamConn)
	return c, nil
}

func (t *streams) dial(to hop, limit time.Duration) (*streamConn, error) {
	ctx, cancel := t.u.untilClosed(limit)
	defer cancel()
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", to.addr.String())
	if err != nil {
		return nil, unreachable("%s: %v", to.addr, err)
	}
	if to.network == "TLS" {
		secure := tls.Client(c, t.u.tlsOptions().clientTLS(to.name))
		if err := secure.HandshakeContext(ctx); err != nil {
			_ = c.Close() // nothing was sent on it
			return nil, unreachable("%s does not pass as %q over TLS: %v", to.addr, to.name, err)
		}
		c = secure
	}
	sc, err := t.adopt(c, to, false)
	if err != nil {
		_ = c.Close() // nothing was sent on it
	}
	return sc, err
}

func (u *UA) tlsOptions() *TLS {
	if u.opts.TLS == nil {
		return &TLS{}
	}
	return u.opts.TLS
}
