package rtp

import (
	"fmt"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/audio"
	"github.com/callwright/callwright/internal/audio/audiotest"
	pionrtp "github.com/pion/rtp"
)

func header(seq uint16) *pionrtp.Header {
	return &pionrtp.Header{Version: 2, SSRC: 3, SequenceNumber: seq, Timestamp: uint32(seq) * 160}
}

// TestLegsOfAnyRateAndCodec has legs of both rates hear each other in each codec.
func TestLegsOfAnyRateAndCodec(t *testing.T) {
	for _, codec := range []audio.Codec{audio.PCMU, audio.G722} {
		for _, rate := range []int{8000, 16000} {
			t.Run(fmt.Sprint(codec.Name, " at ", rate), func(t *testing.T) {
				t.Parallel()
				a, b, tapeA, tapeB := pair(t, func(a, b *Options) {
					a.Codec, b.Codec = codec, codec
					a.SampleRate, b.SampleRate = rate, 16000
				})
				if a.SampleRate() != rate || a.Playout().SampleRate() != rate {
					t.Errorf("leg of %d Hz, playout of %d", a.SampleRate(), a.Playout().SampleRate())
				}
				a.Playout().Enqueue(audio.Sine(rate, 440, 8000, 30*time.Second))
				b.Playout().Enqueue(audio.Sine(16000, 1000, 8000, 30*time.Second))
				hears := func(r *tape, rate int, hz float64) bool {
					pcm := r.heard(rate / 2)
					return len(pcm) == rate/2 && audiotest.Strength(pcm, rate, hz) > 0.95
				}
				eventually(t, "a clear tone each way", func() bool { return hears(tapeA, rate, 1000) && hears(tapeB, 16000, 440) })
			})
		}
	}
}

// TestCodecChangesWithoutAGap changes the codec of a stream again and again while
// a tone plays.
func TestCodecChangesWithoutAGap(t *testing.T) {
	l := &Leg{o: Options{SampleRate: 16000}, in: inStream{buffer: NewJitterBuffer(16000), voices: newVoices(16000)}}
	tone, now := audio.NewTone(16000, 8000, 440), time.Now()
	var out []int16
	frame := make([]int16, 320)
	for i := range 200 {
		codec := []audio.Codec{audio.PCMU, audio.G722, audio.PCMA, audio.G722}[i/20%4]
		if err := l.SetCodec(codec, 101, 101); err != nil {
			t.Fatal(err)
		}
		tone.Fill(frame)
		payload := make([]byte, 160)
		p := Packet{At: now, Packet: pionrtp.Packet{Header: *header(uint16(i)), Payload: payload}}
		p.PayloadType = l.voiceP
		if n := l.voice.encode(payload, frame); n != 160 || p.PayloadType != codec.PayloadType {
			t.Fatalf("%d bytes of type %d", n, p.PayloadType)
		}
		l.arrive(&p)
		l.in.buffer.Pop(frame, now)
		out = append(out, frame...)
		now = now.Add(audio.FrameDuration)
	}
	for i := 5; i < 200; i++ {
		// Where the codec changes, its filters are another few samples late.
		if s := audiotest.Strength(out[320*i:320*i+320], 16000, 440); s < 0.6 {
			t.Errorf("frame %d has the tone at %.2f", i, s)
		}
	}
	if s := l.in.buffer.Stats(); s.Concealed > 0 || s.Late > 0 {
		t.Errorf("stats %+v", s)
	}
}

// TestDynamicPayloadTypes has the two sides number a codec as they agreed.
func TestDynamicPayloadTypes(t *testing.T) {
	t.Parallel()
	wide := audio.G722
	wide.PayloadType = 97
	a, _, _, tapeB := pair(t, func(a, b *Options) { a.Codec, b.Codec = wide, wide })
	a.Playout().Enqueue(audio.Sine(16000, 5000, 8000, 5*time.Second))
	eventually(t, "a tone above 4 kHz", func() bool {
		pcm := tapeB.heard(3200)
		return len(pcm) == 3200 && audiotest.Strength(pcm, 16000, 5000) > 0.95
	})
}

// TestPacketsOfAnyLength has a peer send 10 to 60 ms in a packet.
func TestPacketsOfAnyLength(t *testing.T) {
	for _, codec := range []audio.Codec{audio.PCMA, audio.G722} {
		for _, ms := range []int{10, 30, 40, 60} {
			buffer, v := NewJitterBuffer(codec.SampleRate), newVoices(codec.SampleRate)
			pcm := audio.Sine(codec.SampleRate, 440, 8000, 2*time.Second)
			encoder, size := codec.NewEncoder(), codec.SampleRate*ms/1000
			at := time.Now()
			var out []int16
			frame := make([]int16, audio.FrameSize(codec.SampleRate))
			now := at
			for i := 0; i+size <= len(pcm); i += size {
				p := Packet{At: at}
				payload := make([]byte, size)
				p.Payload = payload[:encoder.Encode(payload, pcm[i:i+size])]
				p.Header = pionrtp.Header{PayloadType: codec.PayloadType, Timestamp: uint32(i * 8000 / codec.SampleRate), SequenceNumber: uint16(i / size)}
				buffer.Push(&p.Header, v.decode(&p), p.At)
				at = at.Add(time.Duration(ms) * time.Millisecond)
				for ; now.Before(at); now = now.Add(audio.FrameDuration) {
					buffer.Pop(frame, now)
					out = append(out, frame...)
				}
			}
			steady := out[len(out)/2:]
			if s := audiotest.Strength(steady, codec.SampleRate, 440); s < 0.95 || buffer.Stats().Late > 0 {
				t.Errorf("%s in %d ms: the tone is heard at %.2f, %+v", codec.Name, ms, s, buffer.Stats())
			}
		}
	}
}

// TestKeysAsTones has a leg whose peer knows no telephone events send and hear
// keys as sound.
func TestKeysAsTones(t *testing.T) {
	for _, codec := range []audio.Codec{audio.PCMU, audio.G722} {
		t.Run(codec.Name, func(t *testing.T) {
			t.Parallel()
			keys := make(chan rune, 9)
			a, _, _, _ := pair(t, func(a, b *Options) {
				a.Codec, b.Codec = codec, codec
				a.EventPT, b.EventPT = 0, 0
				b.OnDigit = func(key rune) { keys <- key }
			})
			if err := a.SendDigits("5#A"); err != nil {
				t.Fatal(err)
			}
			for _, want := range "5#A" {
				select {
				case got := <-keys:
					if got != want {
						t.Errorf("heard %c, want %c", got, want)
					}
				case <-time.After(8 * time.Second):
					t.Fatalf("%c was not heard", want)
				}
			}
		})
	}
}

// TestTicksDoNotAllocate runs ticks of a leg that resamples, with sound
// coming in.
func TestTicksDoNotAllocate(t *testing.T) {
	for _, codec := range []audio.Codec{audio.PCMU, audio.G722} {
		socket := newTestSocket(t)
		peer := newRawPeer(t, socket.LocalAddr())
		l := startLeg(t, Options{
			Pacer: newTestPacer(t), Socket: socket, Remote: peer.addr(), Codec: codec, SampleRate: 16000, Tap: func(_, _ []int16) {},
			Control: &ControlOptions{Mux: true},
		})
		l.o.Pacer.Remove(l)
		p := Packet{At: time.Now(), Packet: pionrtp.Packet{Header: *header(1), Payload: make([]byte, 160)}}
		p.PayloadType = codec.PayloadType
		now := time.Now()
		l.Playout().Enqueue(audio.Sine(16000, 440, 8000, 10*time.Second))
		if a := testing.AllocsPerRun(100, func() {
			p.SequenceNumber++
			p.Timestamp += 160
			p.At = now
			l.arrive(&p)
			l.Tick(now)
			l.Finish(now)
			now = now.Add(audio.FrameDuration)
		}); a != 0 {
			t.Errorf("%s: %v allocations a frame", codec.Name, a)
		}
	}
}
