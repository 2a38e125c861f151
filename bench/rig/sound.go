//go:build linux

package rig

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/net/ipv4"
)

// slots are the parts of 20 ms over which packets to the server are spread.
const (
	slots      = 4
	slotLength = frame / slots
	batch      = 256
	recvBuffer = 4 << 20 // bytes; a stall of the generator must lose nothing
)

// Sound sends and receives the RTP of all callers over one socket, with one
// goroutine that wakes every 5 ms. Packets carry the kernel's time of arrival
// (SO_TIMESTAMPNS, socket(7)), so what is measured does not depend on when this
// process looks.
type Sound struct {
	conn  *net.UDPConn
	batch *ipv4.PacketConn
	in    []ipv4.Message
	out   []ipv4.Message
	done  chan struct{}

	mu     sync.Mutex
	lines  [slots][]*Line
	byPort [1 << 16]*Line
	seen   observations
	late   time.Duration // the longest that a slot was late
}

// observations is what was seen of the agent's side since the last Take.
type observations struct {
	gaps     [gapCount]int // deviation of packet gaps from 20 ms
	packets  int
	lost     int
	greeting Spread
	response Spread
	answered func(l *Line, at time.Time)
}

// NewSound opens the socket. Run moves packets.
func NewSound(ip netip.Addr) (*Sound, error) {
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(ip, 0)))
	if err != nil {
		return nil, err
	}
	if err := errors.Join(conn.SetReadBuffer(recvBuffer), conn.SetWriteBuffer(recvBuffer), stampArrivals(conn)); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	s := &Sound{conn: conn, batch: ipv4.NewPacketConn(conn), done: make(chan struct{})}
	for range batch {
		s.in = append(s.in, ipv4.Message{Buffers: [][]byte{make([]byte, 1500)}, OOB: make([]byte, 64)})
		s.out = append(s.out, ipv4.Message{Buffers: make([][]byte, 1)})
	}
	return s, nil
}

// stampArrivals has the kernel note when each packet arrives.
func stampArrivals(conn *net.UDPConn) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(fd uintptr) {
		failed = os.NewSyscallError("setsockopt", syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_TIMESTAMPNS, 1))
	})
	return errors.Join(err, failed)
}

// Addr is where callers want their sound.
func (s *Sound) Addr() netip.AddrPort {
	if a, ok := s.conn.LocalAddr().(*net.UDPAddr); ok {
		return a.AddrPort()
	}
	return netip.AddrPort{}
}

// OnAnswer has fn called, on the sound's goroutine, when the agent begins to
// answer an utterance of a line.
func (s *Sound) OnAnswer(fn func(l *Line, at time.Time)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen.answered = fn
}

// Add begins the sound of a line.
func (s *Sound) Add(l *Line) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l.phase = 0
	for i := range s.lines {
		if len(s.lines[i]) < len(s.lines[l.phase]) {
			l.phase = i
		}
	}
	s.lines[l.phase] = append(s.lines[l.phase], l)
	s.byPort[l.remote.Port] = l
}

// Remove ends the sound of a line.
func (s *Sound) Remove(l *Line) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines[l.phase] = slices.DeleteFunc(s.lines[l.phase], func(o *Line) bool { return o == l })
	if s.byPort[l.remote.Port] == l {
		s.byPort[l.remote.Port] = nil
	}
}

// Run moves packets until ctx is done.
func (s *Sound) Run(ctx context.Context) error {
	defer close(s.done)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	next := time.Now()
	for slot := 0; ctx.Err() == nil; slot = (slot + 1) % slots {
		next = next.Add(slotLength)
		if wait := time.Until(next); wait > 0 {
			time.Sleep(wait)
		}
		if err := s.step(slot, time.Since(next)); err != nil {
			return err
		}
	}
	return nil
}

func (s *Sound) step(slot int, late time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.late = max(s.late, late)
	if err := s.send(s.lines[slot]); err != nil {
		return err
	}
	return s.receive()
}

func (s *Sound) send(lines []*Line) error {
	now := time.Now()
	for part := range slices.Chunk(lines, batch) {
		for i, l := range part {
			s.out[i].Buffers[0], s.out[i].Addr = l.next(now), l.remote
		}
		for sent := 0; sent < len(part); {
			n, err := s.batch.WriteBatch(s.out[sent:len(part)], 0)
			switch {
			case errors.Is(err, syscall.ECONNREFUSED): // of a call that is over, told by an earlier packet
			case err != nil:
				return err
			}
			sent += max(n, 1)
		}
	}
	return nil
}

func (s *Sound) receive() error {
	for {
		n, err := s.batch.ReadBatch(s.in, syscall.MSG_DONTWAIT)
		if errors.Is(err, syscall.EAGAIN) {
			return nil
		}
		if errors.Is(err, syscall.ECONNREFUSED) {
			continue
		}
		if err != nil {
			return err
		}
		for i := range s.in[:n] {
			m := &s.in[i]
			from, ok := m.Addr.(*net.UDPAddr)
			if !ok || m.N < headerSize {
				continue
			}
			s.seen.packets++
			if l := s.byPort[from.Port]; l != nil {
				l.heard(m.Buffers[0][:m.N], arrival(m.OOB[:m.NN]), &s.seen)
			}
		}
		if n < len(s.in) {
			return nil
		}
	}
}

// arrival reads the time of arrival from a control message: a timespec after a
// header of 16 bytes (cmsg(3)). Without one it is now.
func arrival(oob []byte) time.Time {
	if len(oob) < 32 || binary.NativeEndian.Uint32(oob[12:]) != syscall.SCM_TIMESTAMPNS {
		return time.Now()
	}
	return time.Unix(int64(binary.NativeEndian.Uint64(oob[16:])), int64(binary.NativeEndian.Uint64(oob[24:])))
}

// Close closes the socket, after Run.
func (s *Sound) Close() error { return s.conn.Close() }
