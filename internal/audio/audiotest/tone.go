// Package audiotest finds tones in sound, so that tests can assert what was
// really heard.
package audiotest

import (
	"math"
	"math/cmplx"
)

// Strength is the share, 0 to 1, of the power of pcm that is a sine of hz
// hertz (Goertzel's algorithm). Silence has no strength at any frequency.
func Strength(pcm []int16, rate int, hz float64) float64 {
	coef := 2 * math.Cos(2*math.Pi*hz/float64(rate))
	var s1, s2, power float64
	for _, v := range pcm {
		x := float64(v)
		power += x * x
		s1, s2 = x+coef*s1-s2, s1
	}
	if power == 0 {
		return 0
	}
	tone := s1*s1 + s2*s2 - coef*s1*s2
	return min(2*tone/(power*float64(len(pcm))), 1)
}

// Dominant is the frequency in hertz with the most power in pcm, to within
// about a hertz from a tenth of a second on; 0 for silence. It looks at the
// first 2^16 samples.
func Dominant(pcm []int16, rate int) float64 {
	pcm = pcm[:min(len(pcm), 1<<16)]
	if len(pcm) < 2 {
		return 0
	}
	n := 1 << 13
	for n < 2*len(pcm) {
		n <<= 1
	}
	bins := make([]complex128, n)
	for i, s := range pcm {
		hann := 0.5 - 0.5*math.Cos(2*math.Pi*float64(i)/float64(len(pcm)-1))
		bins[i] = complex(float64(s)*hann, 0)
	}
	fft(bins)
	best, peak := 0, 0.0
	for i := 1; i < n/2; i++ {
		if p := cmplx.Abs(bins[i]); p > peak {
			best, peak = i, p
		}
	}
	return float64(best) * float64(rate) / float64(n)
}

// fft transforms x, whose length is a power of two, in place.
func fft(x []complex128) {
	n := len(x)
	if n < 2 {
		return
	}
	even, odd := make([]complex128, n/2), make([]complex128, n/2)
	for i := range even {
		even[i], odd[i] = x[2*i], x[2*i+1]
	}
	fft(even)
	fft(odd)
	for i := range even {
		t := cmplx.Rect(1, -2*math.Pi*float64(i)/float64(n)) * odd[i]
		x[i], x[i+n/2] = even[i]+t, even[i]-t
	}
}
