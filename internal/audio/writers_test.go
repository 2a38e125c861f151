package audio_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/audio"
	"github.com/callwright/callwright/internal/audio/audiotest"
)

func TestFramer(t *testing.T) {
	sink := &strict{Buffer: audio.NewBuffer(8000), t: t}
	f := audio.NewFramer(sink)
	in := audio.Sine(8000, 440, 5000, 137*time.Millisecond) // not whole frames
	rest := in
	for i := 0; len(rest) > 0; i++ {
		n := min([]int{1, 7, 160, 161, 320}[i%5], len(rest))
		if err := f.Write(rest[:n]); err != nil {
			t.Fatal(err)
		}
		rest = rest[n:]
	}
	if err := f.Flush(); err != nil {
		t.Fatal(err)
	}
	if len(sink.PCM) != 7*160 || !slices.Equal(sink.PCM[:len(in)], in) {
		t.Errorf("%d samples came through, or others", len(sink.PCM))
	}
	if audio.Level(sink.PCM[len(in):]) != 0 {
		t.Error("the last frame is not filled up with silence")
	}
	if err := f.Flush(); err != nil || len(sink.PCM) != 7*160 {
		t.Error("a second flush wrote something")
	}
}

func TestTee(t *testing.T) {
	a, b := audio.NewBuffer(8000), audio.NewBuffer(8000)
	w, err := audio.Tee(a, failing{a}, b)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.WriteFrame(make([]int16, 160)); !errors.Is(err, errBroken) {
		t.Errorf("err = %v", err)
	}
	if len(b.PCM) != 160 {
		t.Error("a broken writer kept the frame from the next")
	}
	if got := w.String(); got != "tee(buffer, broken, buffer)" {
		t.Errorf("String() = %q", got)
	}
	if _, err := audio.Tee(a, audio.NewBuffer(16000)); err == nil {
		t.Error("two rates were joined")
	}
	if _, err := audio.Tee(); err == nil {
		t.Error("a tee of nothing was made")
	}
}

var errBroken = errors.New("broken")

type failing struct{ *audio.Buffer }

func (failing) WriteFrame([]int16) error { return errBroken }
func (failing) String() string           { return "broken" }

func TestMixSaturates(t *testing.T) {
	dst := []int16{30000, -30000, 5, 7}
	audio.Mix(dst, []int16{30000, -30000, 6})
	if want := []int16{32767, -32768, 11, 7}; !slices.Equal(dst, want) {
		t.Errorf("mixed %v, want %v", dst, want)
	}
	audio.Gain(dst, 2)
	if want := []int16{32767, -32768, 22, 14}; !slices.Equal(dst, want) {
		t.Errorf("doubled %v, want %v", dst, want)
	}
	ramp := []int16{1000, 1000, 1000, 1000}
	audio.Fade(ramp, 1, 0)
	if want := []int16{1000, 750, 500, 250}; !slices.Equal(ramp, want) {
		t.Errorf("faded %v, want %v", ramp, want)
	}
}

func TestDTMFHasItsTwoTones(t *testing.T) {
	keys := map[rune][2]float64{'1': {697, 1209}, '5': {770, 1336}, '#': {941, 1477}, 'D': {941, 1633}, '0': {941, 1336}}
	for key, hz := range keys {
		pcm, err := audio.DTMF(8000, key, 100*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		low, high := audiotest.Strength(pcm, 8000, hz[0]), audiotest.Strength(pcm, 8000, hz[1])
		if low < 0.4 || high < 0.4 {
			t.Errorf("%c: strengths %.2f and %.2f", key, low, high)
		}
	}
	if _, err := audio.DTMF(8000, 'x', time.Second); err == nil {
		t.Error("x is no key")
	}
}

func TestToneJoinsAndNoiseIsQuiet(t *testing.T) {
	tone, whole := audio.NewTone(8000, 9000, 440), audio.Sine(8000, 440, 9000, 100*time.Millisecond)
	joined := make([]int16, len(whole))
	tone.Fill(joined[:123])
	tone.Fill(joined[123:])
	if !slices.Equal(joined, whole) {
		t.Error("blocks of a tone do not join")
	}
	noise := audio.Noise{Amplitude: 10}
	pcm := make([]int16, 8000)
	noise.Fill(pcm)
	if slices.Max(pcm) > 10 || slices.Min(pcm) < -10 || audio.Level(pcm) < 4 {
		t.Errorf("noise from %d to %d, level %.1f", slices.Min(pcm), slices.Max(pcm), audio.Level(pcm))
	}
	(&audio.Noise{}).Fill(pcm)
	if audio.Level(pcm) != 0 || audio.Level(audio.Silence(8000, time.Second)) != 0 {
		t.Error("silence is not silent")
	}
}

func TestBufferDuration(t *testing.T) {
	b := audio.NewBuffer(16000)
	_ = b.WriteFrame(make([]int16, 320))
	if b.Duration() != audio.FrameDuration || audio.Samples(time.Second, 8000) != 8000 || audio.Duration(1, 0) != 0 {
		t.Errorf("duration %v", b.Duration())
	}
}
