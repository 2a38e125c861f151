package storetest

import (
	"bytes"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
)

// Line is a network between the store and its server that can be cut.
type Line struct {
	listener net.Listener
	server   string
	wg       sync.WaitGroup
	deafOn   atomic.Pointer[[]byte] // what LoseAnswerTo was told

	mu    sync.Mutex
	cut   bool
	conns map[net.Conn]bool
}

// BehindLine returns a URL that leads to the database over a line.
func BehindLine(t testing.TB, at string) (string, *Line) {
	t.Helper()
	u, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	l := &Line{server: u.Host, conns: map[net.Conn]bool{}}
	if l.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	l.wg.Go(l.accept)
	t.Cleanup(func() {
		_ = l.listener.Close()
		l.Cut(true)
		l.wg.Wait()
	})
	u.Host = l.listener.Addr().String()
	return u.String(), l
}

func (l *Line) accept() {
	for {
		client, err := l.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", l.server)
		if err != nil || !l.join(client, server) {
			_ = client.Close()
			continue
		}
		var deaf atomic.Bool
		l.wg.Go(func() {
			forward(server, client, func(sent []byte) bool {
				if word := l.deafOn.Load(); word != nil && bytes.Contains(sent, *word) {
					deaf.Store(true)
				}
				return true
			})
		})
		l.wg.Go(func() { forward(client, server, func([]byte) bool { return !deaf.Load() }) })
	}
}

func (l *Line) join(conns ...net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range conns {
		if l.cut {
			_ = c.Close()
			continue
		}
		l.conns[c] = true
	}
	return !l.cut
}

// Cut cuts the line, or lets new connections through again.
func (l *Line) Cut(cut bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = cut
	if cut {
		for c := range l.conns {
			_ = c.Close()
		}
		clear(l.conns)
	}
}

// LoseAnswerTo breaks off connections on which word is sent as soon as the server
// answers: it has done what was asked, and nobody hears of it. nil ends that.
func (l *Line) LoseAnswerTo(word []byte) {
	if word == nil {
		l.deafOn.Store(nil)
		return
	}
	l.deafOn.Store(&word)
}

// forward passes on what pass lets through, until it does not.
func forward(to, from net.Conn, pass func([]byte) bool) {
	defer func() { _, _ = to.Close(), from.Close() }()
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			if !pass(buf[:n]) {
				return
			}
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
