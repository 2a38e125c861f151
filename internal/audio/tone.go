package audio

import (
	"fmt"
	"math"
	"time"
)

// Tone makes a sum of sines without end. Its blocks join without a seam.
type Tone struct {
	rate      int
	amplitude float64
	hz        []float64
	n         int
}

// NewTone makes a generator of the given frequencies, each with an amplitude
// between 0 and 32767; their sum saturates.
func NewTone(rate int, amplitude float64, hz ...float64) *Tone {
	return &Tone{rate: rate, amplitude: amplitude, hz: hz}
}

// Fill overwrites dst with the next samples.
func (t *Tone) Fill(dst []int16) {
	for i := range dst {
		sum := 0.0
		for _, hz := range t.hz {
			_, turns := math.Modf(hz * float64(t.n) / float64(t.rate))
			sum += math.Sin(2 * math.Pi * turns)
		}
		dst[i] = clip(float32(sum * t.amplitude))
		t.n++
	}
}

// Sine returns a sine wave of length d.
func Sine(rate int, hz, amplitude float64, d time.Duration) []int16 {
	pcm := make([]int16, Samples(d, rate))
	NewTone(rate, amplitude, hz).Fill(pcm)
	return pcm
}

// Silence returns silence of length d.
func Silence(rate int, d time.Duration) []int16 { return make([]int16, Samples(d, rate)) }

// keypad has the keys where the low (row) and high (column) tones of ITU-T Q.23
// meet.
var keypad = [4]string{"123A", "456B", "789C", "*0#D"}

var (
	lowTones  = [4]float64{697, 770, 852, 941}
	highTones = [4]float64{1209, 1336, 1477, 1633}
)

const (
	dtmfAmplitude = 8000 // each of the two tones: about −12 dBm0
	rampSamples   = 40   // each edge is ramped over this many samples against clicks
)

// DTMF returns the pair of tones of a telephone key (0-9 * # A-D, ITU-T Q.23)
// of length d. Another key is an error.
func DTMF(rate int, key rune, d time.Duration) ([]int16, error) {
	for row, keys := range keypad {
		for column, k := range keys {
			if k != key {
				continue
			}
			pcm := make([]int16, Samples(d, rate))
			NewTone(rate, dtmfAmplitude, lowTones[row], highTones[column]).Fill(pcm)
			ramp := min(rampSamples, len(pcm)/2)
			Fade(pcm[:ramp], 0, 1)
			Fade(pcm[len(pcm)-ramp:], 1, 0)
			return pcm, nil
		}
	}
	return nil, fmt.Errorf("audio: %q is not a telephone key; keys are 0-9 * # A-D", key)
}

// Noise makes quiet white noise, so that a silent line does not sound dead. The
// zero value is silence.
type Noise struct {
	Amplitude int // the largest sample; 10 is barely heard
	state     uint32
}

// Fill overwrites dst with the next samples.
func (n *Noise) Fill(dst []int16) {
	span := uint32(2*max(n.Amplitude, 0) + 1)
	for i := range dst {
		n.state = n.state*1664525 + 1013904223
		dst[i] = saturate(int(n.state>>16%span) - max(n.Amplitude, 0))
	}
}
