package rtp

import (
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	pionrtp "github.com/pion/rtp"
)

func TestNewPortsChecksTheRange(t *testing.T) {
	for _, r := range []PortRange{{Min: 0, Max: 5}, {Min: 9, Max: 8}, {Min: 7, Max: 7}, {Min: 1, Max: 70000}, {Min: -2, Max: 4}} {
		if _, err := NewPorts(r); err == nil {
			t.Errorf("%v was taken for a range", r)
		}
	}
}

// freeRange finds a range of even ports that nobody uses now.
func freeRange(t *testing.T, evens int) PortRange {
	t.Helper()
	for low := 21000; low < 60000; low += 2 * evens {
		free := true
		for port := low; port < low+2*evens && free; port += 2 {
			conn, err := listen(loopback, port)
			if free = err == nil; free {
				_ = conn.Close()
			}
		}
		if free {
			return PortRange{Min: low, Max: low + 2*evens - 1}
		}
	}
	t.Fatal("no free ports on this machine")
	return PortRange{}
}

func TestPortsAreEvenAndRestAfterUse(t *testing.T) {
	in := freeRange(t, 3)
	ports, err := NewPorts(in)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[uint16]bool{}
	var sockets []*Socket
	for range 3 {
		s, err := ports.Listen(loopback)
		if err != nil {
			t.Fatal(err)
		}
		sockets = append(sockets, s)
		port := s.LocalAddr().Port()
		if port%2 != 0 || int(port) < in.Min || int(port) > in.Max || seen[port] {
			t.Errorf("port %d of %v", port, in)
		}
		seen[port] = true
	}
	if _, err := ports.Listen(loopback); !errors.Is(err, ErrNoPort) {
		t.Errorf("a fourth port of three: %v", err)
	}
	for _, s := range sockets {
		_ = s.Close()
		_ = s.Close()
	}
	if _, err := ports.Listen(loopback); !errors.Is(err, ErrNoPort) {
		t.Errorf("a closed port did not rest: %v", err)
	}
	ports.mu.Lock() // as if the rest were over
	for port := range ports.used {
		ports.used[port] = time.Now().Add(-time.Millisecond)
	}
	ports.mu.Unlock()
	s, err := ports.Listen(loopback)
	if err != nil {
		t.Fatalf("after the rest: %v", err)
	}
	_ = s.Close()
}

func TestPortsPassOverWhatOthersUse(t *testing.T) {
	in := freeRange(t, 2)
	taken, err := listen(loopback, in.Min)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	ports, err := NewPorts(in)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ports.Listen(loopback)
	if err != nil || int(s.LocalAddr().Port()) != in.Min+2 {
		t.Fatalf("%v, %v", s, err)
	}
	_ = s.Close()
	if _, err := ports.Listen(netip.MustParseAddr("203.0.113.1")); err == nil || errors.Is(err, ErrNoPort) {
		t.Errorf("an address that is not ours: %v", err)
	}
}

func TestEphemeralPortIsEven(t *testing.T) {
	for range 10 {
		if s := newTestSocket(t); s.LocalAddr().Port()%2 != 0 {
			t.Fatalf("port %d", s.LocalAddr().Port())
		}
	}
	ports, _ := NewPorts(PortRange{})
	if s, err := ports.Listen(netip.IPv6Loopback()); err == nil { // where there is IPv6
		s.SetRemote(s.LocalAddr())
		if err := s.Write([]byte("x")); err != nil {
			t.Errorf("IPv6: %v", err)
		}
		_ = s.Close()
	}
}

func TestLatch(t *testing.T) {
	signalled, nat, thief := netip.MustParseAddrPort("192.0.2.1:4000"), netip.MustParseAddrPort("198.51.100.1:5000"), netip.MustParseAddrPort("203.0.113.1:6000")
	type packet struct {
		from netip.AddrPort
		at   time.Duration
		ssrc uint32
		seq  uint16
		want bool
	}
	tests := []struct {
		name    string
		packets []packet
		current netip.AddrPort
	}{
		{"the signalled address is believed at once", []packet{{signalled, 0, 1, 1, true}}, signalled},
		{"and then nobody else", []packet{{signalled, 0, 1, 1, true}, {thief, 1, 1, 2, false}, {thief, 2, 1, 3, false}, {signalled, 3, 1, 4, true}}, signalled},
		{"a NAT's address is learned by two packets in sequence", []packet{{nat, 0, 1, 65535, false}, {nat, 1, 1, 0, true}, {nat, 2, 1, 1, true}}, nat},
		{"not by two that have nothing to do with each other", []packet{{nat, 0, 1, 1, false}, {nat, 1, 1, 9, false}, {nat, 2, 2, 10, false}, {thief, 3, 2, 11, false}}, signalled},
		{"and only once", []packet{{nat, 0, 1, 1, false}, {nat, 1, 1, 2, true}, {thief, 2, 1, 3, false}, {thief, 3, 1, 4, false}}, nat},
		{"not after five seconds", []packet{{nat, 6 * time.Second, 1, 1, false}, {nat, 6 * time.Second, 1, 2, false}}, signalled},
		{"the signalled address wins within them", []packet{{thief, 0, 1, 1, false}, {thief, 1, 1, 2, true}, {signalled, 2, 5, 1, true}, {thief, 3, 1, 3, false}}, signalled},
		{"a source may change its SSRC", []packet{{signalled, 0, 1, 1, true}, {signalled, 1, 7, 500, true}}, signalled},
		{"the signalled address is believed late, too", []packet{{signalled, 20 * time.Second, 1, 1, true}}, signalled},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var l latch
			start := time.Now()
			l.signal(signalled, start)
			for i, p := range tt.packets {
				h := pionrtp.Header{SSRC: p.ssrc, SequenceNumber: p.seq}
				if got := l.accept(p.from, &h, start.Add(p.at)); got != p.want {
					t.Errorf("packet %d: %v", i, got)
				}
			}
			if l.current != tt.current {
				t.Errorf("packets go to %v, want %v", l.current, tt.current)
			}
		})
	}
}

func TestLatchThroughReInvites(t *testing.T) {
	a, b, nat := netip.MustParseAddrPort("192.0.2.1:4000"), netip.MustParseAddrPort("192.0.2.1:4002"), netip.MustParseAddrPort("198.51.100.1:5000")
	var l latch
	start := time.Now()
	if l.accept(a, &pionrtp.Header{}, start) {
		t.Error("a packet was believed before any address was signalled")
	}
	l.signal(a, start)
	late := start.Add(10 * time.Second)
	l.signal(a, late) // the answer after early media says the same: the window opens again
	l.accept(nat, &pionrtp.Header{SequenceNumber: 1}, late)
	if !l.accept(nat, &pionrtp.Header{SequenceNumber: 2}, late) {
		t.Error("the window did not open again")
	}
	l.signal(a, late)
	if l.current != nat {
		t.Error("a re-INVITE with the same address forgot what was learned")
	}
	l.signal(b, late)
	if l.current != b || l.accept(nat, &pionrtp.Header{SequenceNumber: 9}, late) {
		t.Error("a new address was not taken")
	}
}

func TestSocketReadsOnlyThePeersRTP(t *testing.T) {
	s := newTestSocket(t)
	peer, stranger := newRawPeer(t, s.LocalAddr()), newRawPeer(t, s.LocalAddr())
	if err := s.Write([]byte("x")); !errors.Is(err, ErrNoRemote) {
		t.Errorf("sent to nobody: %v", err)
	}
	s.SetRemote(peer.addr())
	for _, junk := range [][]byte{{}, {0x80}, make([]byte, 40), {0x80, 200, 0, 6, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {0x9f, 0, 0, 6, 1, 2, 3, 4, 5, 6, 7, 8, 9}} {
		_, _ = peer.conn.WriteToUDPAddrPort(junk, s.LocalAddr())
	}
	peer.send(t, 0, []byte("first"))
	stranger.send(t, 0, []byte("theft"))
	stranger.send(t, 0, []byte("theft"))
	peer.send(t, 0, []byte("second"))
	var p Packet
	for _, want := range []string{"first", "second"} {
		if err := s.ReadPacket(&p); err != nil || string(p.Payload) != want {
			t.Fatalf("read %q, %v; want %q", p.Payload, err, want)
		}
	}
	if got := s.Stats(); got.Received != 2 || got.Foreign != 2 || got.Garbage != 5 || got.Unauthentic != 0 {
		t.Errorf("stats %+v", got)
	}
	allocs := testing.AllocsPerRun(50, func() {
		if s.Write(p.buf[:100]) != nil {
			t.Error("write failed")
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations a packet sent", allocs)
	}
	_ = s.Close()
	if err := s.ReadPacket(&p); !errors.Is(err, net.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}
