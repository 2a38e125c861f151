package audio

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"testing"
	"time"
)

// g722Signal is a second made of whole numbers only: silence, a triangle wave
// that rises through both bands, loud noise, impulses.
func g722Signal() []int16 {
	pcm := make([]int16, 16000)
	state, phase := uint32(1), 0
	for i := range pcm {
		switch {
		case i < 1600: // silence
		case i < 8000:
			phase = (phase + 400 + 4*(i-1600)) % 65536
			pcm[i] = int16((max(phase, 65536-phase) - 49152) * 3 / 4)
		case i < 12000:
			state = state*1664525 + 1013904223
			pcm[i] = int16(state>>16) / 2
		case i%400 == 0:
			pcm[i] = math.MinInt16
		}
	}
	return pcm
}

func sum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// TestG722IsBitExact holds both directions against what libspandsp 0.0.6, whose
// G.722 passes the test sequences of ITU-T G.722 appendix II, makes of the same
// signal.
func TestG722IsBitExact(t *testing.T) {
	pcm := g722Signal()
	code := make([]byte, len(pcm)/2)
	if n := G722.NewEncoder().Encode(code, pcm); n != len(code) {
		t.Fatalf("encoded %d bytes", n)
	}
	if got, want := sum(code), "aa7625ebeb1f2f35b96b8a09abb9ad4d97ea2a1b0f29baaa1364ca4e8d2295a4"; got != want {
		t.Errorf("encoded %s, want %s", got, want)
	}
	back := make([]int16, len(pcm))
	if n := G722.NewDecoder().Decode(back, code); n != len(pcm) {
		t.Fatalf("decoded %d samples", n)
	}
	raw := make([]byte, 2*len(back))
	for i, s := range back {
		binary.LittleEndian.PutUint16(raw[2*i:], uint16(s))
	}
	if got, want := sum(raw), "7984b73c2cd2d698ce99b3d91a6484c226cf1016f23d0afe913adebe805c7a2a"; got != want {
		t.Errorf("decoded %s, want %s", got, want)
	}
}

func TestG722KeepsTonesOfBothBands(t *testing.T) {
	for _, hz := range []float64{300, 1000, 3000, 5000, 6500} {
		pcm := Sine(16000, hz, 10000, 400*time.Millisecond)
		code, back := make([]byte, len(pcm)/2), make([]int16, len(pcm))
		G722.NewEncoder().Encode(code, pcm)
		G722.NewDecoder().Decode(back, code)
		// 22 samples of delay: half of both filters' 24 taps each, less two.
		var signal, noise float64
		for i := 1600; i+22 < len(pcm); i++ {
			d := float64(back[i+22]) - float64(pcm[i])
			signal += float64(pcm[i]) * float64(pcm[i])
			noise += d * d
		}
		if snr := 10 * math.Log10(signal/noise); snr < 20 {
			t.Errorf("%.0f Hz: %.1f dB between tone and noise", hz, snr)
		}
	}
}

func TestG722OverloadDoesNotWrap(t *testing.T) {
	pcm := make([]int16, 3200)
	for i := range pcm {
		pcm[i] = math.MaxInt16
		if i%16 < 8 {
			pcm[i] = math.MinInt16
		}
	}
	code, back := make([]byte, len(pcm)/2), make([]int16, len(pcm))
	G722.NewEncoder().Encode(code, pcm)
	G722.NewDecoder().Decode(back, code)
	for i := 200; i+22 < len(pcm); i++ { // away from the edges of the square
		if i%8 == 4 && (back[i+22] > 0) != (pcm[i] > 0) {
			t.Fatalf("sample %d: %d became %d", i, pcm[i], back[i+22])
		}
	}
}

func TestG722Bounds(t *testing.T) {
	pcm, code := make([]int16, 321), make([]byte, 100)
	e, d := G722.NewEncoder(), G722.NewDecoder()
	if n := e.Encode(code, pcm); n != 100 {
		t.Errorf("encoded %d bytes into 100", n)
	}
	if n := e.Encode(make([]byte, 200), pcm); n != 160 {
		t.Errorf("encoded %d bytes of 321 samples", n)
	}
	if n := d.Decode(pcm[:51], code); n != 50 {
		t.Errorf("decoded %d samples into 51", n)
	}
	if a := testing.AllocsPerRun(100, func() { e.Encode(code, pcm); d.Decode(pcm, code) }); a != 0 {
		t.Errorf("%v allocations", a)
	}
}

// FuzzG722 decodes any bytes and encodes any samples: every stream is valid, and
// none leaves the bounds or drives the state apart.
func FuzzG722(f *testing.F) {
	f.Add([]byte{0, 1, 255, 128, 63, 64})
	f.Add(make([]byte, 320))
	f.Fuzz(func(t *testing.T, payload []byte) {
		d, e := newG722Decoder(), newG722Encoder()
		pcm, again := make([]int16, 2*len(payload)), make([]byte, len(payload))
		if n := d.Decode(pcm, payload); n != len(pcm) {
			t.Fatalf("%d samples of %d bytes", n, len(payload))
		}
		if n := e.Encode(again, pcm); n != len(payload) {
			t.Fatalf("%d bytes of %d samples", n, len(pcm))
		}
		for _, bands := range [][2]g722Band{d.bands, e.bands} {
			for _, b := range bands {
				if b.nb < 0 || b.nb > g722HighMax || b.det < 8 || b.det > 32767 || b.s != limit16(b.s) || b.a[1] > 12288 || b.a[1] < -12288 {
					t.Fatalf("the state left its bounds: %+v", b)
				}
			}
		}
	})
}

func BenchmarkG722Frame(b *testing.B) {
	pcm, code := Sine(16000, 440, 8000, FrameDuration), make([]byte, 160)
	e, d := G722.NewEncoder(), G722.NewDecoder()
	for b.Loop() {
		e.Encode(code, pcm)
		d.Decode(pcm, code)
	}
}
