//go:build linux

package main

import (
	"errors"
	"net"
	"net/url"
	"sync"
)

// proxy stands between one node and its database, and can stop forwarding: the
// connections stay open, and nothing comes through, as when a network is cut.
type proxy struct {
	listener net.Listener
	to       string
	work     sync.WaitGroup

	mu    sync.Mutex
	cut   chan struct{} // not nil and open while nothing comes through
	conns map[net.Conn]bool
}

// between starts a proxy before the server that dsn names, and returns the way
// through it.
func between(dsn string) (*proxy, string, error) {
	u, err := url.Parse(dsn)
	if err != nil {
		return nil, "", err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	p := &proxy{listener: listener, to: u.Host, conns: map[net.Conn]bool{}}
	u.Host = listener.Addr().String()
	p.work.Go(p.accept)
	return p, u.String(), nil
}

func (p *proxy) accept() {
	for {
		in, err := p.listener.Accept()
		if err != nil {
			return // it is closed
		}
		out, err := net.Dial("tcp", p.to)
		if err != nil {
			_ = in.Close()
			continue
		}
		p.mu.Lock()
		p.conns[in], p.conns[out] = true, true
		p.mu.Unlock()
		p.work.Go(func() { p.forward(in, out) })
		p.work.Go(func() { p.forward(out, in) })
	}
}

func (p *proxy) forward(from, to net.Conn) {
	defer func() {
		_ = errors.Join(from.Close(), to.Close())
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.conns, from)
		delete(p.conns, to)
	}()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		p.mu.Lock()
		cut := p.cut
		p.mu.Unlock()
		if cut != nil {
			<-cut
		}
		if _, writing := to.Write(buf[:n]); err != nil || writing != nil {
			return
		}
	}
}

// sever stops forwarding, for both ways and new connections, until heal.
func (p *proxy) sever() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cut == nil {
		p.cut = make(chan struct{})
	}
}

func (p *proxy) heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cut != nil {
		close(p.cut)
		p.cut = nil
	}
}

func (p *proxy) close() error {
	err := p.listener.Close()
	p.heal()
	p.mu.Lock()
	for conn := range p.conns {
		_ = conn.Close() // what came through it no longer counts
	}
	p.mu.Unlock()
	p.work.Wait()
	return err
}
