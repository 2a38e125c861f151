package audiotest_test

import (
	"math"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/audio"
	"github.com/callwright/callwright/internal/audio/audiotest"
)

func TestFindsTones(t *testing.T) {
	for _, hz := range []float64{100, 440, 1004, 3400} {
		pcm := audio.Sine(8000, hz, 8000, 300*time.Millisecond)
		if got := audiotest.Dominant(pcm, 8000); math.Abs(got-hz) > 1 {
			t.Errorf("dominant %.1f Hz, want %.1f", got, hz)
		}
		if s := audiotest.Strength(pcm, 8000, hz); s < 0.95 {
			t.Errorf("%v Hz: strength %.3f", hz, s)
		}
		if s := audiotest.Strength(pcm, 8000, hz+200); s > 0.01 {
			t.Errorf("%v Hz: strength %.3f beside the tone", hz, s)
		}
	}
	silence := make([]int16, 1000)
	if audiotest.Dominant(silence, 8000) != 0 || audiotest.Strength(silence, 8000, 440) != 0 || audiotest.Dominant(nil, 8000) != 0 {
		t.Error("a tone was found in silence")
	}
}
