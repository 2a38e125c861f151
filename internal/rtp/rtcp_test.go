package rtp

import (
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/audio"
	"github.com/pion/rtcp"
)

// TestReportsAreReadByOthers holds what is written against another reader.
func TestReportsAreReadByOthers(t *testing.T) {
	block := reportBlock{ssrc: 9, fraction: 12, lost: -7, highest: 0x1_0005, jitter: 33, lastSR: 44, delay: 55}
	theirs := rtcp.ReceptionReport{SSRC: 9, FractionLost: 12, TotalLost: 0xfffff9, LastSequenceNumber: 0x1_0005, Jitter: 33, LastSenderReport: 44, Delay: 55}
	for _, name := range []string{"", "a", "ab", "abc", "abcd", "0123456789abcdef01234567"} {
		for _, sender := range []bool{true, false} {
			for _, bye := range []bool{true, false} {
				c := compound{ssrc: 7, sender: sender, ntp: 1 << 40, timestamp: 160, packets: 3, octets: 480, heard: true, block: block, name: name, bye: bye}
				var buf [256]byte
				for i := range buf {
					buf[i] = 0xee
				}
				packets, err := rtcp.Unmarshal(buf[:c.put(buf[:])])
				if err != nil {
					t.Fatalf("%+v: %v", c, err)
				}
				var blocks []rtcp.ReceptionReport
				switch p := packets[0].(type) {
				case *rtcp.SenderReport:
					blocks = p.Reports
					if !sender || p.SSRC != 7 || p.NTPTime != 1<<40 || p.RTPTime != 160 || p.PacketCount != 3 || p.OctetCount != 480 {
						t.Errorf("sender report %+v", p)
					}
				case *rtcp.ReceiverReport:
					blocks = p.Reports
				}
				if !reflect.DeepEqual(blocks, []rtcp.ReceptionReport{theirs}) {
					t.Errorf("blocks %+v", blocks)
				}
				d, ok := packets[1].(*rtcp.SourceDescription)
				if !ok || len(d.Chunks) != 1 || d.Chunks[0].Source != 7 || d.Chunks[0].Items[0].Text != name {
					t.Errorf("description %+v of %q", packets[1], name)
				}
				if (len(packets) == 3) != bye {
					t.Errorf("%d packets", len(packets))
				}
				back, ok := parseControl(buf[:c.put(buf[:])], 9)
				if !ok || back.block != block || !back.hasBlock || back.sender != 7 || (back.ntp != 0) != sender {
					t.Errorf("read back %+v, %v", back, ok)
				}
			}
		}
	}
}

func TestRoundTripOfReports(t *testing.T) {
	sentAt := time.Date(2030, 1, 2, 3, 4, 5, 678e6, time.UTC)
	sr := middle(ntpTime(sentAt))
	var p peerReport
	// The peer held our report for 250 ms; its own came 330 ms after ours left.
	p.take(heardControl{hasBlock: true, block: reportBlock{lastSR: sr, delay: 1 << 16 / 4}}, sentAt.Add(330*time.Millisecond))
	if d := p.rtt - 80*time.Millisecond; d.Abs() > time.Millisecond {
		t.Errorf("round trip %v, want 80ms", p.rtt)
	}
	before := p.rtt
	p.take(heardControl{hasBlock: true, block: reportBlock{lastSR: sr, delay: 1 << 20}}, sentAt.Add(time.Second)) // it lies
	if p.rtt != before {
		t.Errorf("a round trip of less than nothing is taken as %v", p.rtt)
	}
}

func TestReceptionReport(t *testing.T) {
	var r reception
	at := time.Now()
	send := func(seqs ...uint16) {
		for _, seq := range seqs {
			at = at.Add(20 * time.Millisecond)
			r.observe(header(seq), at)
		}
	}
	send(100, 101, 102, 104)
	if b := r.report(); b.lost != 1 || b.fraction != 51 || b.highest != 104 || b.ssrc != 3 {
		t.Errorf("one of five lost: %+v", b)
	}
	send(105, 106)
	if b := r.report(); b.lost != 1 || b.fraction != 0 {
		t.Errorf("none lost since: %+v", b)
	}
}

// newWideSocket is a socket with a free port above its own.
func newWideSocket(t *testing.T) *Socket {
	t.Helper()
	for {
		s := newTestSocket(t)
		above, err := listen(loopback, int(s.LocalAddr().Port())+1)
		if err != nil {
			continue
		}
		if err := above.Close(); err != nil {
			t.Fatal(err)
		}
		return s
	}
}

// reportNow has a leg report now.
func reportNow(l *Leg) {
	l.ticking.Lock()
	defer l.ticking.Unlock()
	l.reports.next = time.Time{}
	l.report(time.Now(), false)
}

// TestLegsReportToEachOther exchanges reports on ports of their own and on those
// of RTP, in the clear and protected.
func TestLegsReportToEachOther(t *testing.T) {
	for name, secured := range map[string]bool{"plain": false, "secured": true} {
		for _, mux := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				a, b, _, _ := pair(t, func(a, b *Options) {
					a.Socket, b.Socket = newWideSocket(t), newWideSocket(t)
					a.Remote, b.Remote = b.Socket.LocalAddr(), a.Socket.LocalAddr()
					a.Control, b.Control = &ControlOptions{Mux: mux}, &ControlOptions{Mux: mux}
					if secured {
						a.Keys, b.Keys = mirrored(SuiteSHA32)
					}
				})
				eventually(t, "sound both ways", func() bool { return a.Stats().Received > 10 && b.Stats().Received > 10 })
				eventually(t, "reports both ways", func() bool {
					reportNow(a)
					reportNow(b)
					sa, sb := a.Stats(), b.Stats()
					return sa.RTT > 0 && sb.RTT > 0 && sa.RTT < time.Second
				})
				if s := a.Stats(); s.Socket.Garbage != 0 || s.Socket.Unauthentic != 0 || s.RemoteLost != 0 {
					t.Errorf("stats %+v", s)
				}
			})
		}
	}
}

// TestForgedReportsAreDropped sends reports from elsewhere, and a BYE from the
// peer itself, to a leg in a call.
func TestForgedReportsAreDropped(t *testing.T) {
	socket := newTestSocket(t)
	peer, stranger := newRawPeer(t, socket.LocalAddr()), newRawPeer(t, socket.LocalAddr())
	leg := startLeg(t, Options{Pacer: newTestPacer(t), Socket: socket, Remote: peer.addr(), Codec: audio.PCMU, Control: &ControlOptions{Mux: true}})
	var buf [256]byte
	write := func(from *rawPeer, lost int32) {
		c := compound{ssrc: 1, heard: true, block: reportBlock{ssrc: leg.out.ssrc, lost: lost}, name: "x", bye: true}
		if _, err := from.conn.WriteToUDPAddrPort(buf[:c.put(buf[:])], socket.LocalAddr()); err != nil {
			t.Fatal(err)
		}
	}
	dropped := func() uint64 {
		c := leg.reports.control
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.foreign
	}
	for range 10 {
		write(stranger, 99)
	}
	eventually(t, "ten drops", func() bool { return dropped() == 10 })
	if s := leg.Stats(); s.RemoteLost != 0 {
		t.Errorf("a stranger's report was taken: %+v", s)
	}
	write(peer, 5)
	eventually(t, "the peer's report", func() bool { return leg.Stats().RemoteLost == 5 })
	_, _ = peer.conn.WriteToUDPAddrPort([]byte{0x81, 201, 0, 9, 0, 0, 0, 1}, socket.LocalAddr()) // too short for what it says
	eventually(t, "one drop more", func() bool { return dropped() == 11 })
	peer.send(t, 0, make([]byte, 160)) // its BYE ended nothing
	eventually(t, "sound after the BYE", func() bool { return leg.Stats().Received == 1 })
	if p := peer.read(); p == nil {
		t.Error("nothing is sent any more")
	}
}

// TestReportsGoWhereTheyWereAsked has a peer with its RTCP on a port of its own.
func TestReportsGoWhereTheyWereAsked(t *testing.T) {
	socket := newWideSocket(t)
	peer, control := newRawPeer(t, socket.LocalAddr()), newRawPeer(t, netip.AddrPort{})
	leg := startLeg(t, Options{
		Pacer: newTestPacer(t), Socket: socket, Remote: peer.addr(), Codec: audio.PCMU, Control: &ControlOptions{Remote: control.addr()},
	})
	reportNow(leg)
	buf := make([]byte, 300)
	_ = control.conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	_, from, err := control.conn.ReadFromUDPAddrPort(buf)
	if err != nil || from.Port() != socket.LocalAddr().Port()+1 {
		t.Fatalf("from %v, %v", from, err)
	}
	if err := leg.Close(); err != nil {
		t.Fatal(err)
	}
	n, _, err := control.conn.ReadFromUDPAddrPort(buf)
	if err != nil {
		t.Fatal(err)
	}
	packets, err := rtcp.Unmarshal(buf[:n])
	if err != nil || len(packets) != 3 {
		t.Errorf("the last report is %v, %v", packets, err)
	}
}
