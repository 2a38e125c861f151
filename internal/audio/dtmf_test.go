package audio

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// detect returns the keys in pcm, pushed in frames of 20 ms.
func detect(rate int, pcm []int16) string {
	d, keys := NewDTMFDetector(rate), ""
	for frame := range slices.Chunk(pcm, FrameSize(rate)) {
		if key, found := d.Push(frame); found {
			keys += string(key)
		}
	}
	return keys
}

// pair is two tones of d, with their frequencies off by a share.
func pair(rate int, low, high, lowAmp, highAmp, off float64, d time.Duration) []int16 {
	a, b := Sine(rate, low*(1+off), lowAmp, d), Sine(rate, high*(1+off), highAmp, d)
	for i := range a {
		a[i] += b[i]
	}
	return a
}

func TestDTMFDetectorKnowsEveryKey(t *testing.T) {
	const keys = "1234567890*#ABCD5554"
	for _, rate := range []int{8000, 16000} {
		for _, tone := range []time.Duration{45 * time.Millisecond, 100 * time.Millisecond, time.Second} {
			pcm := Silence(rate, 33*time.Millisecond)
			for _, key := range keys {
				sound, err := DTMF(rate, key, tone)
				if err != nil {
					t.Fatal(err)
				}
				pcm = slices.Concat(pcm, sound, Silence(rate, 50*time.Millisecond))
			}
			if got := detect(rate, pcm); got != keys {
				t.Errorf("%v at %d Hz: %s, want %s", tone, rate, got, keys)
			}
		}
	}
}

func TestDTMFDetectorFiguresOfQ24(t *testing.T) {
	const d = 80 * time.Millisecond
	noise := func(pcm []int16, amplitude int) []int16 {
		r := rand.New(rand.NewPCG(1, 2))
		for i := range pcm {
			pcm[i] += int16(r.IntN(2*amplitude+1) - amplitude)
		}
		return pcm
	}
	gap := pair(8000, 770, 1336, 6000, 6000, 0, 200*time.Millisecond)
	clear(gap[800:860]) // 7.5 ms
	tests := []struct {
		name string
		pcm  []int16
		want string
	}{
		{"1.5 % too high", pair(8000, 770, 1336, 6000, 6000, 0.015, d), "5"},
		{"1.5 % too low", pair(8000, 770, 1336, 6000, 6000, -0.015, d), "5"},
		{"too short", pair(8000, 770, 1336, 6000, 6000, 0, 20*time.Millisecond), ""},
		{"quiet", pair(8000, 770, 1336, 160, 160, 0, d), "5"},
		{"too quiet", pair(8000, 770, 1336, 30, 30, 0, d), ""},
		{"high tone 6 dB above", pair(8000, 770, 1336, 3000, 6000, 0, d), "5"},
		{"low tone 3 dB above", pair(8000, 770, 1336, 6000, 4300, 0, d), "5"},
		{"high tone 12 dB above", pair(8000, 770, 1336, 2000, 8000, 0, d), ""},
		{"low tone 8 dB above", pair(8000, 770, 1336, 8000, 3200, 0, d), ""},
		{"one tone", Sine(8000, 770, 8000, d), ""},
		{"two tones of one group", pair(8000, 697, 941, 6000, 6000, 0, d), ""},
		{"dial tone", pair(8000, 350, 440, 6000, 6000, 0, d), ""},
		{"a break in the tone", gap, "5"},
		{"with noise 20 dB below", noise(pair(8000, 770, 1336, 6000, 6000, 0, d), 1000), "5"},
		{"noise", noise(Silence(8000, 20*time.Second), 8000), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := detect(8000, append(tt.pcm, Silence(8000, 100*time.Millisecond)...)); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

// TestDTMFDetectorAfterCodecs has keys go through each codec.
func TestDTMFDetectorAfterCodecs(t *testing.T) {
	for _, codec := range []Codec{PCMU, PCMA, G722} {
		sound, err := DTMF(codec.SampleRate, '7', 60*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		sound = append(sound, Silence(codec.SampleRate, 60*time.Millisecond)...)
		payload, back := make([]byte, len(sound)), make([]int16, len(sound))
		n := codec.NewEncoder().Encode(payload, sound)
		n = codec.NewDecoder().Decode(back, payload[:n])
		if got := detect(codec.SampleRate, back[:n]); got != "7" {
			t.Errorf("%s: %q", codec.Name, got)
		}
	}
}

func TestDTMFDetectorDoesNotAllocate(t *testing.T) {
	d, pcm := NewDTMFDetector(8000), Sine(8000, 770, 8000, FrameDuration)
	if a := testing.AllocsPerRun(100, func() { d.Push(pcm) }); a != 0 {
		t.Errorf("%v allocations", a)
	}
}
