package audiotest

import (
	"math"
	"math/rand/v2"
	"time"
)

// Sound makes sound out of a function that is asked for each sample.
func Sound(rate int, d time.Duration, sample func(i int) float64) []int16 {
	pcm := make([]int16, int(d*time.Duration(rate)/time.Second))
	for i := range pcm {
		pcm[i] = int16(max(math.MinInt16, min(math.MaxInt16, sample(i))))
	}
	return pcm
}

// Noise is white noise of the given RMS. The same seed makes the same noise.
func Noise(rate int, d time.Duration, level float64, seed uint64) []int16 {
	r := rand.New(rand.NewPCG(seed, 1))
	return Sound(rate, d, func(int) float64 { return r.NormFloat64() * level })
}

// Cough is two bursts of air, the second softer, of 450 ms together: noise that
// starts at once, is darker and darker and has no pitch.
func Cough(rate int, level float64, seed uint64) []int16 {
	r := rand.New(rand.NewPCG(seed, 2))
	low := 0.0
	return Sound(rate, 450*time.Millisecond, func(i int) float64 {
		at := float64(i) / float64(rate)
		envelope := math.Exp(-at / 0.06)
		if at > 0.25 {
			envelope = 0.7 * math.Exp(-(at-0.25)/0.05)
		}
		open := 0.25 + 0.6*envelope // how much of the high part there is
		low += open * (r.NormFloat64() - low)
		return 2.5 * level * envelope * low
	})
}

// Music is a tune of chords of three notes, each with harmonics, a plucked
// beginning and a tremolo, as a hold line plays it.
func Music(rate int, d time.Duration, level float64) []int16 {
	chords := [][]float64{{262, 330, 392}, {220, 262, 330}, {349, 440, 523}, {392, 494, 587}}
	return Sound(rate, d, func(i int) float64 {
		at := float64(i) / float64(rate)
		beat := math.Mod(at, 0.5)
		sum := 0.0
		for _, hz := range chords[int(at/0.5)%len(chords)] {
			for h := 1.0; h <= 4; h++ {
				sum += math.Sin(2*math.Pi*hz*h*at) / h
			}
		}
		return level * 0.55 * sum * (0.4 + 0.6*math.Exp(-beat/0.3)) * (1 + 0.3*math.Sin(2*math.Pi*6*at)) * min(1, beat/0.005)
	})
}

// Clicks are short knocks, as of a keyboard or a bad line, three a second.
func Clicks(rate int, d time.Duration, level float64, seed uint64) []int16 {
	r := rand.New(rand.NewPCG(seed, 3))
	return Sound(rate, d, func(i int) float64 {
		at := math.Mod(float64(i)/float64(rate), 0.33)
		return r.NormFloat64() * level * math.Exp(-at/0.004)
	})
}

// Breath is a sigh of half a second: soft noise that swells and falls.
func Breath(rate int, level float64, seed uint64) []int16 {
	r := rand.New(rand.NewPCG(seed, 4))
	return Sound(rate, 500*time.Millisecond, func(i int) float64 {
		return r.NormFloat64() * level * math.Sin(math.Pi*float64(i)/float64(rate)/0.5)
	})
}
