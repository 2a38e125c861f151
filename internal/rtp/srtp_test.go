package rtp

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/audio"
	"github.com/callwright/callwright/internal/audio/audiotest"
	pionrtp "github.com/pion/rtp"
)

// key makes a key that is told from others by its first byte.
func key(b byte) []byte {
	k := make([]byte, KeySize)
	for i := range k {
		k[i] = b + byte(i)
	}
	return k
}

// mirrored are the keys of two sides.
func mirrored(suite string) (a, b *Keys) {
	return &Keys{Suite: suite, Send: key(1), Receive: key(101)}, &Keys{Suite: suite, Send: key(101), Receive: key(1)}
}

func TestSecuredLegsHearEachOther(t *testing.T) {
	for _, suite := range []string{SuiteSHA80, SuiteSHA32} {
		t.Run(suite, func(t *testing.T) {
			t.Parallel()
			ka, kb := mirrored(suite)
			texts := make(chan string, 9)
			a, b, tapeA, tapeB := pair(t, func(a, b *Options) {
				a.Keys, b.Keys = ka, kb
				a.Text.Keys, b.Text.Keys = &Keys{suite, key(50), key(60)}, &Keys{suite, key(60), key(50)}
				b.OnText = func(s string) { texts <- s }
			})
			a.Playout().Enqueue(audio.Sine(8000, 440, 8000, 4*time.Second))
			b.Playout().Enqueue(audio.Sine(8000, 1000, 8000, 4*time.Second))
			hears := func(r *tape, hz float64) bool {
				pcm := r.heard(4000)
				return len(pcm) == 4000 && audiotest.Strength(pcm, 8000, hz) > 0.95
			}
			eventually(t, "a clear tone each way", func() bool { return hears(tapeA, 1000) && hears(tapeB, 440) })
			// The same keys again, as after hold, go on: no packet is refused.
			if err := a.SetKeys(ka, nil); err != nil {
				t.Fatal(err)
			}
			a.SendText("hello")
			if got := <-texts; got != "h" && got != "hello" {
				t.Errorf("text %q", got)
			}
			// A new key of one side is taken.
			if err := a.SetKeys(&Keys{suite, key(7), key(101)}, nil); err != nil {
				t.Fatal(err)
			}
			if err := b.SetKeys(&Keys{suite, key(101), key(7)}, nil); err != nil {
				t.Fatal(err)
			}
			n := b.Stats().Received
			eventually(t, "packets with the new key", func() bool { return b.Stats().Received > n+10 })
			if s := b.Stats(); s.Socket.Unauthentic > 5 || s.Lost > 5 {
				t.Errorf("stats %+v", s)
			}
		})
	}
}

// TestSecuredLegSendsNothingInTheClear reads a leg's packets as a stranger and as
// the peer.
func TestSecuredLegSendsNothingInTheClear(t *testing.T) {
	socket := newTestSocket(t)
	peer := newRawPeer(t, socket.LocalAddr())
	ours, theirs := mirrored(SuiteSHA80)
	leg := startLeg(t, Options{
		Pacer: newTestPacer(t), Socket: socket, Remote: peer.addr(), Codec: audio.PCMU, Keys: ours, Control: &ControlOptions{Mux: true},
	})
	open, err := newOpener(theirs.Suite, theirs.Receive)
	if err != nil {
		t.Fatal(err)
	}
	silence := bytes.Repeat([]byte{0xff}, 160)
	for range 10 {
		p := peer.read()
		if p == nil || len(p.Payload) != 170 || bytes.Contains(p.Payload, silence[:8]) {
			t.Fatalf("sent %v", p)
		}
		raw, err := p.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		plain, err := open.open(raw, &p.Header)
		if err != nil || !bytes.Equal(plain[12:], silence) {
			t.Fatalf("decrypted %x, %v", plain, err)
		}
	}
	// What comes in the clear, or with another key, is not heard and ends nothing.
	for i := range 20 {
		peer.send(t, 0, silence)
		if i == 0 {
			eventually(t, "a refused packet", func() bool { return leg.Stats().Socket.Unauthentic > 0 })
		}
	}
	eventually(t, "20 refused packets", func() bool { return leg.Stats().Socket.Unauthentic == 20 })
	if s := leg.Stats(); s.Received != 0 || len(socket.open.Load().known) != 0 {
		t.Errorf("stats %+v", s)
	}
	if leg.SetKeys(&Keys{Suite: "AES_256", Send: key(1), Receive: key(1)}, nil) == nil || leg.SetKeys(&Keys{Suite: SuiteSHA80, Send: []byte{1}}, nil) == nil {
		t.Error("a suite and a key that there are not were taken")
	}
}

func TestReplayedPacketsAreRefused(t *testing.T) {
	s := deafSocket(fuzzPeer)
	ours, theirs := mirrored(SuiteSHA80)
	if err := s.SetKeys(*ours); err != nil {
		t.Fatal(err)
	}
	seal, err := newSealer(theirs.Suite, theirs.Send)
	if err != nil {
		t.Fatal(err)
	}
	var packets [][]byte
	for i := range 10 {
		p := pionrtp.Packet{Header: pionrtp.Header{Version: 2, SSRC: 5, SequenceNumber: uint16(65530 + i)}, Payload: []byte{1, 2, 3}}
		raw, err := p.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		sealed, err := seal.rtp(raw)
		if err != nil {
			t.Fatal(err)
		}
		packets = append(packets, slices.Clone(sealed))
	}
	take := func(raw []byte) bool {
		p := Packet{At: time.Now()}
		return s.take(&p, copy(p.buf[:], raw), fuzzPeer) && bytes.Equal(p.Payload, []byte{1, 2, 3})
	}
	for round, want := range []bool{true, false} {
		for i, raw := range packets {
			if take(raw) != want {
				t.Errorf("round %d: packet %d taken: %v", round, i, !want)
			}
		}
		if err := s.SetKeys(*ours); err != nil { // the same keys again do not forget
			t.Fatal(err)
		}
	}
	// Forged packets of ever new sources leave nothing behind.
	for ssrc := range uint32(1000) {
		forged := slices.Clone(packets[0])
		forged[8], forged[9], forged[10] = byte(ssrc), byte(ssrc>>8), 77
		if take(forged) {
			t.Fatal("a forged packet was taken")
		}
	}
	if known := s.open.Load().known; !slices.Equal(known, []uint32{5}) {
		t.Errorf("sources %v are remembered", known)
	}
}

func BenchmarkSecuredPacket(b *testing.B) {
	seal, err := newSealer(SuiteSHA80, key(1))
	if err != nil {
		b.Fatal(err)
	}
	open, err := newOpener(SuiteSHA80, key(1))
	if err != nil {
		b.Fatal(err)
	}
	h := pionrtp.Header{Version: 2, SSRC: 1}
	raw := make([]byte, 172)
	b.ReportAllocs()
	for b.Loop() {
		h.SequenceNumber++
		if _, err := h.MarshalTo(raw); err != nil {
			b.Fatal(err)
		}
		sealed, err := seal.rtp(raw)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := open.open(sealed, &h); err != nil {
			b.Fatal(err)
		}
	}
}
