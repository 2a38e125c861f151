package speech_test

import (
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/audio"
	"github.com/callwright/callwright/internal/audio/audiotest"
	"github.com/callwright/callwright/internal/speech"
)

const lineRate = 8000

// voices are sentences of three synthesizers as a telephone carries them:
// 8 kHz, µ-law, without a header.
var voices = []string{"kal", "slt", "espeak"}

func readVoice(t testing.TB, name string) []int16 {
	t.Helper()
	raw, err := os.ReadFile("testdata/" + name + ".ulaw")
	if err != nil {
		t.Fatal(err)
	}
	pcm := make([]int16, len(raw))
	audio.DecodeULaw(pcm, raw)
	return pcm
}

func frames(pcm []int16) [][]int16 {
	return slices.Collect(slices.Chunk(pcm[:len(pcm)/160*160], 160))
}

func rms(pcm []int16) float64 {
	var sum float64
	for _, s := range pcm {
		sum += float64(s) * float64(s)
	}
	return math.Sqrt(sum / float64(max(1, len(pcm))))
}

// scene puts a voice of the given level (RMS while it speaks) into noise.
func scene(voice []int16, level float64, lead time.Duration, noise func(i int) float64) (pcm []int16, speaks []bool) {
	var loud []int16
	for _, f := range frames(voice) {
		if rms(f) > 300 {
			loud = append(loud, f...)
		}
	}
	gain := level / rms(loud)
	silent := audio.Samples(lead, lineRate)
	clean := append(make([]int16, silent), voice...)
	clean = append(clean, make([]int16, lineRate)...)
	pcm = make([]int16, len(clean))
	for i, s := range clean {
		pcm[i] = int16(max(-32768, min(32767, float64(s)*gain+noise(i))))
	}
	for _, f := range frames(clean) {
		speaks = append(speaks, rms(f) > 300)
	}
	return pcm, speaks
}

func white(level float64) func(int) float64 {
	r := rand.New(rand.NewPCG(1, 2))
	return func(int) float64 { return r.NormFloat64() * level }
}

func hum(hz, level float64) func(int) float64 {
	return func(i int) float64 {
		var x float64
		for h := 1.0; h < 8; h++ {
			x += level / h * math.Sin(2*math.Pi*hz*h*float64(i)/lineRate)
		}
		return x
	}
}

func quiet(int) float64 { return 0 }

func newVAD(t testing.TB, rate int) *speech.SpectralVAD {
	t.Helper()
	v, err := speech.NewVAD(rate)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

type edges []speech.Edge

// listen runs pcm through a detector and an endpointer.
func listen(t testing.TB, rate int, pcm []int16) edges {
	t.Helper()
	v := newVAD(t, rate)
	e := speech.NewEndpointer(rate, speech.EndpointOptions{})
	var out edges
	for f := range slices.Chunk(pcm[:len(pcm)/audio.FrameSize(rate)*audio.FrameSize(rate)], audio.FrameSize(rate)) {
		if edge, known := e.Push(v.Push(f)); known {
			out = append(out, edge)
		}
	}
	return out
}

func TestVADHearsSpeech(t *testing.T) {
	const slack = 160 * lineRate / 1000
	for _, voice := range voices {
		for _, c := range []struct {
			name  string
			level float64
			noise func(int) float64
		}{
			{"clean", 3000, quiet}, {"soft", 300, quiet}, {"loud", 9000, quiet},
			{"20 dB", 3000, white(300)}, {"10 dB", 3000, white(950)},
			{"hum of 50 Hz", 3000, hum(50, 600)},
		} {
			for _, lead := range []time.Duration{0, 100 * time.Millisecond, 3 * time.Second} {
				t.Run(voice+" "+c.name+" after "+lead.String(), func(t *testing.T) {
					pcm, speaks := scene(readVoice(t, voice), c.level, lead, c.noise)
					first := int64(slices.Index(speaks, true) * 160)
					slices.Reverse(speaks)
					last := int64(len(pcm) - slices.Index(speaks, true)*160)
					got := listen(t, lineRate, pcm)
					if len(got) != 2 || got[0].Kind != speech.SpeechStart || got[1].Kind != speech.SpeechEnd {
						t.Fatalf("edges %+v, want one start and one end", got)
					}
					if d := got[0].At - first; d < -slack || d > slack {
						t.Errorf("speech began at %d, said to at %d", first, got[0].At)
					}
					if d := got[1].At - last; d < -2*slack || d > slack {
						t.Errorf("speech ended at %d, said to at %d", last, got[1].At)
					}
				})
			}
		}
	}
}

// At 5 dB words may be lost, but speech is not, and noise is not taken for it.
func TestVADInStrongNoise(t *testing.T) {
	for _, voice := range voices {
		pcm, speaks := scene(readVoice(t, voice), 3000, 2*time.Second, white(1690))
		v := newVAD(t, lineRate)
		var hits, spoken, alarms, silent int
		for i, f := range frames(pcm) {
			heard := v.Push(f) >= 0.5
			switch {
			case speaks[i]:
				spoken++
				if heard {
					hits++
				}
			default:
				silent++
				if heard {
					alarms++
				}
			}
		}
		if hits*3 < spoken {
			t.Errorf("%s: %d of %d frames of speech were heard", voice, hits, spoken)
		}
		if alarms*20 > silent {
			t.Errorf("%s: %d of %d frames without speech were taken for it", voice, alarms, silent)
		}
	}
}

// A tune is taken for a voice at first, and no longer when nobody could sing so
// long without a consonant.
func TestMusicIsFoundOut(t *testing.T) {
	for _, level := range []float64{1000, 3000, 8000} {
		got := listen(t, lineRate, after(time.Second, audiotest.Music(lineRate, 8*time.Second, level)))
		if len(got) != 2 || got[1].Kind != speech.SpeechEnd || got[1].At-got[0].At > lineRate/2 || got[1].Known-got[0].At > 3*lineRate {
			t.Errorf("music at %.0f: edges %+v, want a start and, within 3 s, an end where it was", level, got)
		}
	}
	for _, seed := range []uint64{1, 2, 3} {
		for name, pcm := range map[string][]int16{"cough": audiotest.Cough(lineRate, 5000, seed), "clicks": audiotest.Clicks(lineRate, 2*time.Second, 8000, seed)} {
			if got := listen(t, lineRate, append(after(time.Second, pcm), make([]int16, lineRate)...)); len(got) != 0 {
				t.Errorf("%s %d: edges %+v, want none", name, seed, got)
			}
		}
	}
}

// after puts sound after a silence, as something that begins on a quiet line.
func after(lead time.Duration, pcm []int16) []int16 {
	return append(audio.Silence(lineRate, lead), pcm...)
}

func generate(d time.Duration, sample func(i int) float64) []int16 {
	pcm := make([]int16, audio.Samples(d, lineRate))
	for i := range pcm {
		pcm[i] = int16(max(-32768, min(32767, sample(i))))
	}
	return pcm
}

func TestVADIgnoresWhatIsNotSpeech(t *testing.T) {
	tones := func(hz ...float64) []int16 {
		pcm := make([]int16, 3*lineRate)
		audio.NewTone(lineRate, 6000, hz...).Fill(pcm)
		return pcm
	}
	var keys, clicks, cadence []int16
	for _, key := range "0123456789*#" {
		pcm, err := audio.DTMF(lineRate, key, 100*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		keys = append(append(keys, pcm...), audio.Silence(lineRate, 100*time.Millisecond)...)
	}
	for i := range 20 {
		click := generate(time.Duration(2+i)*time.Millisecond, white(9000))
		clicks = append(append(clicks, click...), audio.Silence(lineRate, 150*time.Millisecond)...)
	}
	for range 4 {
		cadence = append(append(cadence, tones(480, 620)[:lineRate/2]...), audio.Silence(lineRate, 500*time.Millisecond)...)
	}
	for name, pcm := range map[string][]int16{
		"silence":           make([]int16, 3*lineRate),
		"line noise":        generate(3*time.Second, white(40)),
		"noise":             generate(3*time.Second, white(1000)),
		"noise that begins": after(2*time.Second, generate(3*time.Second, white(2000))),
		"hum":               generate(3*time.Second, hum(50, 1500)),
		"sine":              after(time.Second, tones(1000)),
		"low sine":          after(time.Second, tones(300)),
		"ring tone":         after(time.Second, tones(440, 480)),
		"dial tone":         after(time.Second, tones(350, 440)),
		"busy tone":         after(time.Second, cadence),
		"keys":              after(time.Second, keys),
		"clicks":            after(time.Second, clicks),
		"one sample":        after(time.Second, append([]int16{32767}, make([]int16, lineRate)...)),
	} {
		t.Run(name, func(t *testing.T) {
			if got := listen(t, lineRate, pcm); len(got) != 0 {
				t.Errorf("edges %+v, want none", got)
			}
		})
	}
}

func TestVADRates(t *testing.T) {
	pcm, _ := scene(readVoice(t, "slt"), 3000, time.Second, quiet)
	want := listen(t, lineRate, pcm)
	for _, rate := range []int{16000, 24000, 48000} {
		wide, err := audio.ResampleAll(pcm, lineRate, rate)
		if err != nil {
			t.Fatal(err)
		}
		got := listen(t, rate, wide)
		if len(got) != len(want) {
			t.Fatalf("%d Hz: edges %+v, want %+v", rate, got, want)
		}
		for i := range got {
			if d := got[i].At*lineRate/int64(rate) - want[i].At; d < -800 || d > 800 {
				t.Errorf("%d Hz: edge %d at %d, want about %d", rate, i, got[i].At*lineRate/int64(rate), want[i].At)
			}
		}
	}
	for _, rate := range []int{0, 4000, 11025, 44100} {
		if _, err := speech.NewVAD(rate); err == nil {
			t.Errorf("%d Hz is accepted", rate)
		}
	}
}

func TestVADResetAndOddFrames(t *testing.T) {
	pcm := readVoice(t, "kal")
	v := newVAD(t, lineRate)
	run := func() (sum float32) {
		for _, f := range frames(pcm) {
			sum += v.Push(f)
		}
		return sum
	}
	first := run()
	v.Reset()
	if again := run(); again != first {
		t.Errorf("after Reset the sum of probabilities is %v, before it was %v", again, first)
	}
	v.Push(nil)
	v.Push(make([]int16, 4000))
	v.Push(make([]int16, 1))
}

func TestVADDoesNotAllocate(t *testing.T) {
	all := frames(readVoice(t, "kal"))
	v := newVAD(t, lineRate)
	e := speech.NewEndpointer(lineRate, speech.EndpointOptions{})
	i := 0
	if n := testing.AllocsPerRun(len(all)*2, func() {
		e.Push(v.Push(all[i%len(all)]))
		i++
	}); n != 0 {
		t.Errorf("%v allocations a frame", n)
	}
}

func BenchmarkVAD(b *testing.B) {
	all := frames(readVoice(b, "kal"))
	v := newVAD(b, lineRate)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		v.Push(all[i%len(all)])
	}
}
