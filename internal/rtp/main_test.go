package rtp

import (
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/audio"
	pionrtp "github.com/pion/rtp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var loopback = netip.MustParseAddr("127.0.0.1")

func newTestSocket(t testing.TB) *Socket {
	t.Helper()
	ports, err := NewPorts(PortRange{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := ports.Listen(loopback)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func newTestPacer(t testing.TB) *Pacer {
	p := NewPacer()
	t.Cleanup(p.Close)
	return p
}

// startLeg starts a leg that is closed before its pacer.
func startLeg(t testing.TB, o Options) *Leg {
	t.Helper()
	l, err := NewLeg(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// tape records what a leg's Tap gives.
type tape struct {
	mu      sync.Mutex
	in, out []int16
}

func (r *tape) tap(in, out []int16) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.in, r.out = append(r.in, in...), append(r.out, out...)
}

// heard returns the last n samples that came in.
func (r *tape) heard(n int) []int16 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]int16(nil), r.in[max(len(r.in)-n, 0):]...)
}

// eventually waits for cond, long enough for a machine that is busy.
func eventually(t testing.TB, what string, cond func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if cond() {
			return
		}
	}
	t.Fatalf("%s did not happen", what)
}

// rawPeer is a plain UDP socket that speaks RTP packet by packet.
type rawPeer struct {
	conn *net.UDPConn
	to   netip.AddrPort
	seq  uint16
	ts   uint32
	ssrc uint32
}

func newRawPeer(t testing.TB, to netip.AddrPort) *rawPeer {
	t.Helper()
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(loopback, 0)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &rawPeer{conn: conn, to: to, seq: 65530, ts: 0xffffff00, ssrc: 0x1234}
}

func (p *rawPeer) addr() netip.AddrPort { return localAddr(p.conn) }

func (p *rawPeer) send(t testing.TB, pt uint8, payload []byte) {
	t.Helper()
	packet := pionrtp.Packet{
		Header:  pionrtp.Header{Version: 2, PayloadType: pt, SequenceNumber: p.seq, Timestamp: p.ts, SSRC: p.ssrc},
		Payload: payload,
	}
	p.seq++
	p.ts += uint32(len(payload))
	p.write(t, &packet)
}

func (p *rawPeer) write(t testing.TB, packet *pionrtp.Packet) {
	t.Helper()
	raw, err := packet.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.conn.WriteToUDPAddrPort(raw, p.to); err != nil {
		t.Fatal(err)
	}
}

// read returns the next packet, nil after a second without one.
func (p *rawPeer) read() *pionrtp.Packet {
	buf := make([]byte, maxPacket)
	_ = p.conn.SetReadDeadline(time.Now().Add(time.Second))
	n, _, err := p.conn.ReadFromUDPAddrPort(buf)
	if err != nil {
		return nil
	}
	var packet pionrtp.Packet
	if packet.Unmarshal(buf[:n]) != nil {
		return nil
	}
	return &packet
}

func payloadOf(codec audio.Codec, pcm []int16) []byte {
	payload := make([]byte, len(pcm))
	codec.NewEncoder().Encode(payload, pcm)
	return payload
}
