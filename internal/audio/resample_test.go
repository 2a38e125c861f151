package audio_test

import (
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/audio"
	"github.com/callwright/callwright/internal/audio/audiotest"
)

var ratePairs = [][2]int{
	{8000, 16000}, {16000, 8000}, {8000, 48000}, {48000, 8000}, {16000, 24000}, {24000, 16000},
	{24000, 8000}, {22050, 8000}, {22050, 16000}, {44100, 8000}, {8000, 8000},
}

func TestResampleKeepsTone(t *testing.T) {
	for _, rates := range ratePairs {
		for _, hz := range []float64{300, 1000, 3000} {
			t.Run(fmt.Sprintf("%d to %d at %v Hz", rates[0], rates[1], hz), func(t *testing.T) {
				in := audio.Sine(rates[0], hz, 10000, 500*time.Millisecond)
				out, err := audio.ResampleAll(in, rates[0], rates[1])
				if err != nil {
					t.Fatal(err)
				}
				if want := rates[1] / 2; len(out) != want {
					t.Errorf("%d samples, want %d", len(out), want)
				}
				if s := audiotest.Strength(out, rates[1], hz); s < 0.99 {
					t.Errorf("strength %.4f", s)
				}
				if in, out := audio.Level(in), audio.Level(out); math.Abs(out/in-1) > 0.05 {
					t.Errorf("level went from %.0f to %.0f", in, out)
				}
				// In step: the same wave made at the other rate differs little.
				want := audio.Sine(rates[1], hz, 10000, 500*time.Millisecond)
				diff := make([]int16, 0, len(out))
				for i := len(out) / 4; i < 3*len(out)/4; i++ {
					diff = append(diff, out[i]-want[i])
				}
				if off := audio.Level(diff); off > 0.25*audio.Level(want) {
					t.Errorf("out of step: the difference is %.0f", off)
				}
			})
		}
	}
}

func TestResampleStopsWhatWouldFold(t *testing.T) {
	in := audio.Sine(16000, 5000, 10000, 500*time.Millisecond) // would fold to 3 kHz
	out, err := audio.ResampleAll(in, 16000, 8000)
	if err != nil {
		t.Fatal(err)
	}
	if l := audio.Level(out[200 : len(out)-200]); l > 20 { // −50 dB
		t.Errorf("a tone over the band is left at level %.0f", l)
	}
}

func TestResampleImpossible(t *testing.T) {
	for _, rates := range [][2]int{{0, 8000}, {8000, 0}, {-1, 8000}, {8000, 192000}, {8000, 44101}} {
		if _, err := audio.NewResampler(rates[0], rates[1]); !errors.Is(err, audio.ErrRates) {
			t.Errorf("%v: %v", rates, err)
		}
	}
	if _, err := audio.Resample(11025, audio.NewBuffer(8000)); !errors.Is(err, audio.ErrRates) {
		t.Errorf("11025 Hz has no whole frames: %v", err)
	}
}

func TestResampleWriter(t *testing.T) {
	sink := &strict{Buffer: audio.NewBuffer(16000), t: t}
	w, err := audio.Resample(22050, sink)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := w.String(), "resample(22050→16000) → buffer"; got != want {
		t.Errorf("String() = %q, want %q", got, want)
	}
	tone := audio.NewTone(22050, 8000, 700)
	frame := make([]int16, audio.FrameSize(w.SampleRate()))
	for range 50 {
		tone.Fill(frame)
		if err := w.WriteFrame(frame); err != nil {
			t.Fatal(err)
		}
	}
	if s := audiotest.Strength(sink.PCM[1000:], 16000, 700); s < 0.99 {
		t.Errorf("strength %.3f", s)
	}
	if w.WriteFrame(frame[1:]) == nil {
		t.Error("a short frame was taken")
	}
	sink.PCM = make([]int16, 0, 1<<20)
	if a := testing.AllocsPerRun(100, func() { _ = w.WriteFrame(frame) }); a != 0 {
		t.Errorf("%v allocations a frame", a)
	}
	if same, err := audio.Resample(16000, sink); err != nil || same != audio.Writer(sink) {
		t.Errorf("equal rates need no converter: %v %v", same, err)
	}
}

// strict is a buffer that takes whole frames only.
type strict struct {
	*audio.Buffer
	t *testing.T
}

func (s *strict) WriteFrame(pcm []int16) error {
	if len(pcm) != audio.FrameSize(s.SampleRate()) {
		s.t.Errorf("a frame of %d samples", len(pcm))
	}
	return s.Buffer.WriteFrame(pcm)
}

func BenchmarkResampleFrame(b *testing.B) {
	for _, rates := range [][2]int{{8000, 16000}, {16000, 8000}, {22050, 8000}} {
		b.Run(fmt.Sprintf("%d to %d", rates[0], rates[1]), func(b *testing.B) {
			r, err := audio.NewResampler(rates[0], rates[1])
			if err != nil {
				b.Fatal(err)
			}
			in, out := audio.Sine(rates[0], 440, 8000, audio.FrameDuration), []int16(nil)
			for b.Loop() {
				out = r.Process(out[:0], in)
			}
		})
	}
}
