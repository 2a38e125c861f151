package speech_test

import (
	"slices"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/audio"
	"github.com/callwright/callwright/internal/audio/audiotest"
	"github.com/callwright/callwright/internal/speech"
)

// beeps are the places, in milliseconds, at which beeps were found to end.
func beeps(t *testing.T, rate int, pcm []int16) (out []int) {
	t.Helper()
	b, err := speech.NewBeepDetector(rate)
	if err != nil {
		t.Fatal(err)
	}
	i := 0
	for f := range slices.Chunk(pcm, audio.FrameSize(rate)) {
		i++
		if b.Push(f) {
			out = append(out, i*20)
		}
	}
	return out
}

// around puts a second of the voice before sound and a silence after it.
func around(t *testing.T, pcm []int16) []int16 {
	t.Helper()
	return slices.Concat(readVoice(t, "slt")[:lineRate], audio.Silence(lineRate, 100*time.Millisecond), pcm, audio.Silence(lineRate, time.Second))
}

func tone(level float64, d time.Duration, hz ...float64) []int16 {
	pcm := make([]int16, audio.Samples(d, lineRate))
	audio.NewTone(lineRate, level, hz...).Fill(pcm)
	return pcm
}

func TestBeep(t *testing.T) {
	for _, c := range []struct {
		name string
		pcm  []int16
		want int // milliseconds of sound before its end, 0 for no beep
	}{
		{"1 kHz", tone(8000, 400*time.Millisecond, 1000), 400},
		{"low", tone(8000, 300*time.Millisecond, 425), 300},
		{"high", tone(8000, 300*time.Millisecond, 2500), 300},
		{"soft", tone(500, 400*time.Millisecond, 1400), 400},
		{"long", tone(8000, 1400*time.Millisecond, 850), 1400},
		{"in noise", mixed(tone(8000, 400*time.Millisecond, 1000), audiotest.Noise(lineRate, time.Second, 300, 1)), 400},
		{"too short", tone(8000, 120*time.Millisecond, 1000), 0},
		{"too long", tone(8000, 2*time.Second, 1000), 0},
		{"too low", tone(8000, 400*time.Millisecond, 300), 0},
		{"too high", tone(8000, 400*time.Millisecond, 3000), 0},
		{"too soft", tone(100, 400*time.Millisecond, 1000), 0},
		{"busy", tone(4000, 500*time.Millisecond, 480, 620), 0},
		{"a key", tone(4000, 400*time.Millisecond, 770, 1336), 0},
		{"a signal of the network", slices.Concat(tone(6000, 330*time.Millisecond, 950), tone(6000, 330*time.Millisecond, 1400), tone(6000, 330*time.Millisecond, 1800)), 0},
		{"ringing", tone(4000, 2*time.Second, 440, 480), 0},
		{"music", audiotest.Music(lineRate, 4*time.Second, 3000), 0},
		{"noise", audiotest.Noise(lineRate, time.Second, 2000, 2), 0},
		{"a cough", audiotest.Cough(lineRate, 5000, 3), 0},
	} {
		got := beeps(t, lineRate, around(t, c.pcm))
		switch {
		case c.want == 0 && len(got) > 0:
			t.Errorf("%s: beeps at %v, want none", c.name, got)
		case c.want > 0 && (len(got) != 1 || got[0] < 1180+c.want || got[0] > 1280+c.want):
			t.Errorf("%s: beeps at %v, want one that ends at %d", c.name, got, 1100+c.want)
		}
	}
	for _, voice := range voices {
		if got := beeps(t, lineRate, readVoice(t, voice)); len(got) > 0 {
			t.Errorf("%s beeps at %v", voice, got)
		}
	}
	wide := make([]int16, 48000/2)
	audio.NewTone(48000, 8000, 1000).Fill(wide)
	if got := beeps(t, 48000, slices.Concat(wide, make([]int16, 48000))); len(got) != 1 {
		t.Errorf("at 48 kHz: beeps at %v, want one", got)
	}
	if _, err := speech.NewBeepDetector(11025); err == nil {
		t.Error("11,025 Hz is accepted")
	}
}

func mixed(a, b []int16) []int16 {
	audio.Mix(a, b)
	return a
}

func TestBeepDoesNotAllocate(t *testing.T) {
	b, err := speech.NewBeepDetector(lineRate)
	if err != nil {
		t.Fatal(err)
	}
	pcm := tone(8000, 20*time.Millisecond, 1000)
	if n := testing.AllocsPerRun(100, func() { b.Push(pcm) }); n != 0 {
		t.Errorf("%v allocations a frame", n)
	}
	b.Push(nil)
	b.Push(make([]int16, 4000))
}

// TestGreeting draws who speaks after the answer, a character for 100 ms: '#'
// is the far end.
func TestGreeting(t *testing.T) {
	second := func(n float64, c string) (out string) {
		for range int(n * 10) {
			out += c
		}
		return out
	}
	for _, c := range []struct {
		name, drawing string
		want          speech.Answerer
		at            time.Duration // by when it is known
	}{
		{"hello", second(1, ".") + second(0.8, "#") + second(4, "."), speech.Human, 5 * time.Second},
		{"a receptionist", second(0.5, ".") + second(4.5, "#") + second(4, "."), speech.Human, 9 * time.Second},
		{"a machine", second(1, ".") + second(9, "#"), speech.Machine, 6100 * time.Millisecond},
		{"a long answer to the agent", second(4, ".") + second(12, "#") + second(4, "."), speech.Human, 20 * time.Second},
		{"nobody", second(31, "."), speech.Human, 30 * time.Second},
		{"not known yet", second(1, ".") + second(3, "#") + second(1, "."), speech.Unsure, 0},
		{"a machine that pauses is not told by its length", second(1, ".") + second(3, "#") + second(0.8, ".") + second(4, "#"), speech.Unsure, 0},
	} {
		var g speech.Greeting
		var known time.Duration
		for i, r := range c.drawing {
			for range 5 {
				if g.Push(r == '#') != speech.Unsure && known == 0 {
					known = time.Duration(i+1) * 100 * time.Millisecond
				}
			}
		}
		if g.Verdict() != c.want || known > c.at {
			t.Errorf("%s: verdict %d after %v, want %d by %v", c.name, g.Verdict(), known, c.want, c.at)
		}
	}
	var g speech.Greeting
	g.Decide(speech.Machine)
	g.Decide(speech.Human)
	if g.Push(false) != speech.Machine {
		t.Error("what was decided is doubted again")
	}
}

func BenchmarkBeep(b *testing.B) {
	all := frames(readVoice(b, "kal"))
	d, err := speech.NewBeepDetector(lineRate)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		d.Push(all[i%len(all)])
	}
}
