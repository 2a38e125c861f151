package audio

import (
	"math"
	"testing"
)

// Reference points of ITU-T G.711: the decision values' outputs.
func TestG711KnownValues(t *testing.T) {
	tests := []struct {
		name string
		got  int16
		want int16
	}{
		{"µ-law positive zero", ulawSample(0xff), 0},
		{"µ-law negative zero", ulawSample(0x7f), 0},
		{"µ-law largest", ulawSample(0x80), 32124},
		{"µ-law smallest", ulawSample(0x00), -32124},
		{"µ-law second step", ulawSample(0xfe), 8},
		{"A-law smallest positive", alawSample(0xd5), 8},
		{"A-law smallest negative", alawSample(0x55), -8},
		{"A-law largest", alawSample(0xaa), 32256},
		{"A-law smallest", alawSample(0x2a), -32256},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("%s = %d, want %d", tt.name, tt.got, tt.want)
		}
	}
	if b := ulawByte(0); b != 0xff {
		t.Errorf("µ-law of silence is %#x, want 0xff", b)
	}
	if b := alawByte(0); b != 0xd5 {
		t.Errorf("A-law of silence is %#x, want 0xd5", b)
	}
}

func TestG711EveryCodeRoundTrips(t *testing.T) {
	for i := range 256 {
		b := byte(i)
		if got := ulawByte(ulawSample(b)); got != b && b != 0x7f { // both zeros are one sample
			t.Errorf("µ-law %#x came back as %#x", b, got)
		}
		if got := alawByte(alawSample(b)); got != b {
			t.Errorf("A-law %#x came back as %#x", b, got)
		}
	}
}

func TestG711EverySampleIsNear(t *testing.T) {
	for _, codec := range []Codec{PCMU, PCMA} {
		for s := math.MinInt16; s <= math.MaxInt16; s++ {
			var b [1]byte
			var back [1]int16
			codec.NewEncoder().Encode(b[:], []int16{int16(s)})
			codec.NewDecoder().Decode(back[:], b[:])
			off := math.Abs(float64(int(back[0]) - s))
			if limit := 8 + math.Abs(float64(s))/30; off > limit && s > -32700 && s < 32700 {
				t.Fatalf("%s: %d came back as %d", codec.Name, s, back[0])
			}
		}
	}
}

func TestCodecLookup(t *testing.T) {
	for _, c := range []Codec{PCMU, PCMA, G722} {
		byName, ok := CodecByName(c.Name)
		if !ok || byName.PayloadType != c.PayloadType {
			t.Errorf("CodecByName(%q) = %v, %v", c.Name, byName.Name, ok)
		}
		byType, ok := CodecByPayloadType(c.PayloadType)
		if !ok || byType.Name != c.Name {
			t.Errorf("CodecByPayloadType(%d) = %v, %v", c.PayloadType, byType.Name, ok)
		}
	}
	if c, ok := CodecByName("pcma"); !ok || c.Name != "PCMA" {
		t.Errorf("pcma in small letters is %q, %v", c.Name, ok)
	}
	if _, ok := CodecByName("opus"); ok {
		t.Error("there is no opus")
	}
	if n := (Codec{}).NewEncoder().Encode(make([]byte, 1), make([]int16, 1)); n != 0 {
		t.Errorf("the zero codec encoded %d", n)
	}
}

func TestCodecDoesNotAllocateAndStaysInBounds(t *testing.T) {
	pcm, payload := make([]int16, 160), make([]byte, 100)
	if n := EncodeULaw(payload, pcm); n != 100 {
		t.Errorf("encoded %d into 100 bytes", n)
	}
	if n := DecodeALaw(pcm[:50], payload); n != 50 {
		t.Errorf("decoded %d into 50 samples", n)
	}
	if a := testing.AllocsPerRun(100, func() { EncodeALaw(payload, pcm); DecodeULaw(pcm, payload) }); a != 0 {
		t.Errorf("%v allocations", a)
	}
}

func BenchmarkULawFrame(b *testing.B) {
	pcm, payload := Sine(8000, 440, 8000, FrameDuration), make([]byte, 160)
	for b.Loop() {
		EncodeULaw(payload, pcm)
		DecodeULaw(pcm, payload)
	}
}
