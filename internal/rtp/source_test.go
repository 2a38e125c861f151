package rtp

import (
	"testing"
	"time"

	pionrtp "github.com/pion/rtp"
)

func TestSourceTakesOneStream(t *testing.T) {
	type packet struct {
		ssrc uint32
		seq  uint16
		wait time.Duration // before it comes
		want bool
	}
	const frame = 20 * time.Millisecond
	tests := []struct {
		name    string
		packets []packet
	}{
		{"in order, with losses and overtaken ones", []packet{{1, 65530, 0, true}, {1, 65531, frame, true}, {1, 4, frame, true}, {1, 2, frame, true}, {1, 5, frame, true}}},
		{"another stream between packets of the first", []packet{
			{1, 1, 0, true}, {9, 500, frame / 2, false}, {1, 2, frame / 2, true}, {9, 501, frame / 2, false}, {1, 3, frame / 2, true}, {9, 502, frame / 2, false}}},
		{"another stream when the first is silent", []packet{{1, 1, 0, true}, {9, 500, silentFor, false}, {9, 501, frame, true}, {9, 502, frame, true}, {1, 2, frame, false}}},
		{"a stream that begins anew", []packet{{1, 1, 0, true}, {1, 30000, silentFor, false}, {1, 30001, frame, true}, {1, 30002, frame, true}}},
		{"jumps that are in no sequence", []packet{{1, 1, 0, true}, {1, 30000, silentFor, false}, {1, 20000, frame, false}, {1, 10000, frame, false}, {1, 2, frame, true}}},
		{"random guesses", []packet{{1, 1, 0, true}, {7, 3, silentFor, false}, {8, 4, frame, false}, {9, 5, frame, false}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var s source
			at := time.Now()
			for i, p := range tt.packets {
				at = at.Add(p.wait)
				if got := s.accept(&pionrtp.Header{SSRC: p.ssrc, SequenceNumber: p.seq}, at); got != p.want {
					t.Errorf("packet %d (%d of %d): %v, want %v", i, p.seq, p.ssrc, got, p.want)
				}
			}
		})
	}
}

// TestLegUnderInjection has a stranger send 1,000 packets a second of loud sound
// to a leg in a call, some of it with the SSRC of the call: none is heard, and
// nothing is sent to the stranger.
func TestLegUnderInjection(t *testing.T) {
	t.Parallel()
	a, b, tapeA, _ := pair(t, nil)
	eventually(t, "packets both ways", func() bool { return a.Stats().Received > 5 && b.Stats().Received > 5 })
	stranger := newRawPeer(t, a.o.Socket.LocalAddr())
	loud := make([]byte, 160) // of µ-law: the largest negative value
	begun := time.Now()
	for i := 0; time.Since(begun) < time.Second; i++ {
		stranger.ssrc = 0x1234
		if i%2 == 0 {
			stranger.ssrc = b.out.ssrc
		}
		stranger.send(t, 0, loud)
		if i%50 == 0 {
			bye := compound{ssrc: b.out.ssrc, name: "x", bye: true}
			var raw [256]byte
			_, _ = stranger.conn.WriteToUDPAddrPort(raw[:bye.put(raw[:])], a.o.Socket.LocalAddr())
		}
		time.Sleep(time.Until(begun.Add(time.Duration(i) * time.Millisecond)))
	}
	tapeA.mu.Lock()
	for i, s := range tapeA.in {
		if s > 100 || s < -100 {
			t.Fatalf("sample %d is %d: the stranger is heard", i, s)
		}
	}
	tapeA.mu.Unlock()
	if p := stranger.read(); p != nil {
		t.Errorf("the stranger was sent %v", p.Header)
	}
	s := a.Stats()
	if s.Socket.Foreign < 300 || time.Since(s.LastAt) > time.Second {
		t.Errorf("after the attack: %+v", s)
	}
}
