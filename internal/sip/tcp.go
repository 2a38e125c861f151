package sip

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	wire "github.com/emiago/sipgo/sip"
)

// Bounds on connections: idle ones would otherwise use up the descriptors.
const (
	maxConns    = 512
	idleTimeout = 5 * time.Minute
	dialTimeout = 5 * time.Second
	sendTimeout = 5 * time.Second
)

// tcpTransport keeps one connection per peer address, taken or made.
type tcpTransport struct {
	u  *UA
	ln net.Listener // nil when TCP is not listened on

	mu    sync.Mutex
	conns map[netip.AddrPort]*tcpConn
}

type tcpConn struct {
	net.Conn
	peer  netip.AddrPort
	write sync.Mutex
}

func newTCP(u *UA, at netip.AddrPort, listen bool) (*tcpTransport, error) {
	t := &tcpTransport{u: u, conns: map[netip.AddrPort]*tcpConn{}}
	if !listen {
		return t, nil
	}
	ln, err := net.Listen("tcp", at.String())
	if err != nil {
		return nil, bindError("TCP", at, err)
	}
	t.ln = ln
	return t, nil
}

func (t *tcpTransport) close() {
	if t.ln != nil {
		_ = t.ln.Close() // nothing to flush
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.conns {
		_ = c.Close() // the reader notices and goes
	}
}

func (t *tcpTransport) accept() {
	for {
		c, err := t.ln.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			t.u.log.Warn("sip: accept failed", "error", err)
			time.Sleep(50 * time.Millisecond) // out of descriptors, most likely
			continue
		}
		if _, err := t.adopt(c); err != nil {
			t.u.log.Warn("sip: connection refused", "peer", c.RemoteAddr(), "error", err)
			_ = c.Close() // it was never used
		}
	}
}

// adopt registers a connection and starts to read it.
func (t *tcpTransport) adopt(c net.Conn) (*tcpConn, error) {
	addr, ok := c.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return nil, fmt.Errorf("sip: %s is not a TCP address", c.RemoteAddr())
	}
	peer := addr.AddrPort()
	tc := &tcpConn{Conn: c, peer: netip.AddrPortFrom(peer.Addr().Unmap(), peer.Port())}
	t.mu.Lock()
	if len(t.conns) >= maxConns {
		t.mu.Unlock()
		return nil, fmt.Errorf("sip: %d connections are open already", maxConns)
	}
	t.conns[tc.peer] = tc
	t.mu.Unlock()
	if !t.u.spawn("tcp reader", func() { t.read(tc) }) {
		t.drop(tc)
		return nil, ErrClosed
	}
	return tc, nil
}

func (t *tcpTransport) drop(c *tcpConn) {
	_ = c.Close() // it is of no use any more
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.conns[c.peer] == c {
		delete(t.conns, c.peer)
	}
}

// read takes messages off a connection until it ends, idles or sends what is
// not SIP. Requests that wait on it fail at once.
func (t *tcpTransport) read(c *tcpConn) {
	defer t.u.failClients(hop{"TCP", c.peer}, unreachable("%s closed the connection", c.peer))
	defer t.drop(c)
	stream := t.u.parse.NewSIPStream()
	defer stream.Close()
	buf := make([]byte, 16<<10)
	for {
		if err := c.SetReadDeadline(time.Now().Add(idleTimeout)); err != nil {
			return
		}
		n, err := c.Conn.Read(buf)
		if err != nil {
			return
		}
		err = stream.ParseSIPStream(buf[:n], func(m wire.Message) { t.u.handle(hop{"TCP", c.peer}, m) })
		if err != nil && !errors.Is(err, wire.ErrParseSipPartial) {
			t.u.log.Debug("sip: connection dropped", "peer", c.peer, "error", err)
			return
		}
	}
}

// send writes to the peer over its connection. When there is none, a request
// makes one; a response does not: nobody listens where its request came from.
func (t *tcpTransport) send(to netip.AddrPort, data []byte, request bool) error {
	t.mu.Lock()
	c := t.conns[to]
	t.mu.Unlock()
	if c == nil {
		if !request {
			return unreachable("%s closed the connection", to)
		}
		var err error
		if c, err = t.dial(to); err != nil {
			return err
		}
	}
	c.write.Lock()
	defer c.write.Unlock()
	if err := c.SetWriteDeadline(time.Now().Add(sendTimeout)); err != nil {
		return unreachable("%s: %v", to, err)
	}
	if _, err := c.Write(data); err != nil {
		t.drop(c)
		return unreachable("%s: %v", to, err)
	}
	return nil
}

func (t *tcpTransport) dial(to netip.AddrPort) (*tcpConn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), dialTimeout)
	defer cancel()
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		select {
		case <-t.u.closing:
			cancel()
		case <-stop:
		}
	}()
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", to.String())
	if err != nil {
		return nil, unreachable("%s: %v", to, err)
	}
	tc, err := t.adopt(c)
	if err != nil {
		_ = c.Close() // nothing was sent on it
	}
	return tc, err
}
