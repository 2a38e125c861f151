package rtp

import (
	"net/netip"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/audio"
	"github.com/pion/rtcp"
)

// deafSocket is a socket without a network that believes one address.
func deafSocket(from netip.AddrPort) *Socket {
	s := &Socket{local: from}
	s.SetRemote(from)
	return s
}

var fuzzPeer = netip.AddrPortFrom(loopback, 4000)

// FuzzRTP takes any bytes through the whole way in: socket, codec, jitter buffer.
func FuzzRTP(f *testing.F) {
	f.Add([]byte{0x80, 0, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4, 0xff})
	f.Add([]byte{0x80, 9, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4, 0xff, 0x12})
	f.Add([]byte{0xb0, 0, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4, 0xbe, 0xde, 0, 1, 0x10, 1, 2, 3, 0xff, 1})
	f.Add([]byte{0x80, 101, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4, 5, 0x8a, 3, 32})
	f.Add([]byte{0x80, 13, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4})
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, rate := range []int{8000, 16000} {
			l := &Leg{o: Options{EventInPT: 101}, in: inStream{buffer: NewJitterBuffer(rate), voices: newVoices(rate)}}
			s := deafSocket(fuzzPeer)
			p := Packet{At: time.Now()}
			n := copy(p.buf[:], raw)
			if !s.take(&p, n, fuzzPeer) {
				return
			}
			if len(p.Payload) > n-headerSize {
				t.Fatalf("%d bytes of payload out of %d", len(p.Payload), n)
			}
			l.arrive(&p)
			pcm := make([]int16, audio.FrameSize(rate))
			for range 5 {
				p.At = p.At.Add(audio.FrameDuration)
				l.in.buffer.Pop(pcm, p.At)
			}
		}
	})
}

// FuzzSRTP takes any bytes for protected packets: none is authentic, none leaves
// a trace.
func FuzzSRTP(f *testing.F) {
	f.Add([]byte{0x80, 0, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4, 0xff})
	f.Add([]byte{0x81, 201, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4, 0xff, 0x80, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
	f.Add([]byte{0xff, 0x7f, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4, 0xbe, 0xde, 0xff, 0xff})
	s := deafSocket(fuzzPeer)
	s.control = &control{}
	if err := s.SetKeys(Keys{Suite: SuiteSHA80, Send: make([]byte, KeySize), Receive: make([]byte, KeySize)}); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		p := Packet{At: time.Now()}
		n := copy(p.buf[:], raw)
		if s.take(&p, n, fuzzPeer) || len(s.open.Load().known) != 0 || s.control.peer != (peerReport{}) {
			t.Errorf("%x was believed", raw)
		}
	})
}

// FuzzRTCP reads any bytes as a compound packet, and holds what is taken from it
// against another implementation.
func FuzzRTCP(f *testing.F) {
	full := compound{ssrc: 7, sender: true, ntp: 1, heard: true, block: reportBlock{ssrc: 9, lost: -3}, name: "abcd", bye: true}
	var buf [256]byte
	f.Add(buf[:full.put(buf[:])], uint32(9))
	f.Add([]byte{0x80, 201, 0, 1, 1, 2, 3, 4}, uint32(0))
	f.Add([]byte{0x9f, 200, 0, 6, 1, 2, 3, 4, 5, 6, 7, 8, 9}, uint32(1))
	f.Fuzz(func(t *testing.T, raw []byte, ours uint32) {
		got, ok := parseControl(raw, ours)
		if !ok {
			return
		}
		packets, err := rtcp.Unmarshal(raw)
		if err != nil {
			return // it looks into packets that are passed over here
		}
		for _, p := range packets {
			var blocks []rtcp.ReceptionReport
			switch p := p.(type) {
			case *rtcp.SenderReport:
				blocks = p.Reports
			case *rtcp.ReceiverReport:
				blocks = p.Reports
			}
			for _, b := range blocks {
				if b.SSRC == ours && !got.hasBlock {
					t.Errorf("a block about %d was not found in %x", ours, raw)
				}
			}
		}
	})
}
