package speech_test

import (
	"bufio"
	"bytes"
	"math"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/speech"
)

func newSilero(t testing.TB, rate int) *speech.SileroVAD {
	t.Helper()
	v, err := speech.NewSilero(rate)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestSileroIsTheNetwork compares it with what onnxruntime 1.22 computes from the
// same model and sound: testdata/silero.txt has a line for each voice, one
// probability for each 256 samples.
func TestSileroIsTheNetwork(t *testing.T) {
	raw, err := os.ReadFile("testdata/silero.txt")
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(bytes.NewReader(raw))
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		name := strings.TrimSuffix(words[0], ".ulaw")
		v := newSilero(t, lineRate)
		pcm := readVoice(t, name)
		worst := 0.0
		for i, word := range words[1:] {
			want, err := strconv.ParseFloat(word, 64)
			if err != nil {
				t.Fatal(err)
			}
			worst = max(worst, math.Abs(float64(v.Push(pcm[i*256:][:256]))-want))
		}
		if worst > 1e-4 || len(words) < 100 {
			t.Errorf("%s: %d probabilities, the worst is off by %g", name, len(words)-1, worst)
		}
	}
}

// TestSileroAtAnyFrame hears the same whatever the frames are, and nothing of
// what was before a Reset.
func TestSileroAtAnyFrame(t *testing.T) {
	pcm := readVoice(t, "slt")[:160*80]
	probabilities := func(v speech.VAD, size int) (out []float32) {
		for f := range slices.Chunk(pcm, size) {
			out = append(out, v.Push(f))
		}
		return out
	}
	v := newSilero(t, lineRate)
	fine := probabilities(v, 32)
	v.Reset()
	for i, p := range probabilities(v, 160) {
		if want := fine[i*5+4]; p != want {
			t.Fatalf("frame %d: %v, want %v", i, p, want)
		}
	}
}

// TestSileroAtTwiceTheRate hears a wideband line as it does a narrow one.
func TestSileroAtTwiceTheRate(t *testing.T) {
	wide, narrow := newSilero(t, 2*lineRate), newSilero(t, lineRate)
	for i, f := range frames(readVoice(t, "kal")) {
		double := make([]int16, 0, 2*len(f))
		for _, s := range f {
			double = append(double, s, s)
		}
		if a, b := wide.Push(double), narrow.Push(f); a != b {
			t.Fatalf("frame %d: %v at 16 kHz, %v at 8 kHz", i, a, b)
		}
	}
}

func TestOpenVAD(t *testing.T) {
	for name, want := range map[string]speech.VAD{"": &speech.SpectralVAD{}, "spectral": &speech.SpectralVAD{}, "silero": &speech.SileroVAD{}} {
		v, err := speech.OpenVAD(name, lineRate)
		if err != nil || reflect.TypeOf(v) != reflect.TypeOf(want) {
			t.Errorf("%q: %T, %v", name, v, err)
		}
	}
	for _, c := range []struct {
		name string
		rate int
	}{{"webrtc", lineRate}, {"silero", 11025}, {"silero", 4000}, {"", 44100}} {
		if v, err := speech.OpenVAD(c.name, c.rate); v != nil || domain.CodeOf(err) != domain.CodeInvalid {
			t.Errorf("%q at %d: %v, %v", c.name, c.rate, v, err)
		}
	}
}

// TestSileroFindsUtterances tells voices from noise and tones.
func TestSileroFindsUtterances(t *testing.T) {
	for _, voice := range voices {
		pcm, _ := scene(readVoice(t, voice), 3000, 2*time.Second, white(300))
		heard, before := float32(0), float32(0)
		v := newSilero(t, lineRate)
		for i, f := range frames(pcm) {
			p := v.Push(f)
			if i < 95 {
				before = max(before, p)
			}
			heard = max(heard, p)
		}
		if heard < 0.9 || before > 0.4 {
			t.Errorf("%s: %.2f in noise alone, %.2f with a voice", voice, before, heard)
		}
	}
}

func TestSileroAllocatesNothing(t *testing.T) {
	v := newSilero(t, lineRate)
	pcm := readVoice(t, "slt")[8000:8160]
	if n := testing.AllocsPerRun(50, func() { v.Push(pcm) }); n != 0 {
		t.Errorf("%v allocations a frame", n)
	}
}

// BenchmarkSilero is one chunk of 32 ms.
func BenchmarkSilero(b *testing.B) {
	v := newSilero(b, lineRate)
	pcm := readVoice(b, "slt")[8000:8256]
	b.ReportAllocs()
	for b.Loop() {
		v.Push(pcm)
	}
}
