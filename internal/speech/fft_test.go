package speech

import (
	"math"
	"math/cmplx"
	"math/rand/v2"
	"testing"
)

// The packed transform agrees with the sum that defines it.
func TestPowerIsThatOfTheFourierSum(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var signal [fftSize]float32
	for i := range signal {
		signal[i] = float32(r.NormFloat64() * 1000)
	}
	var work [fftHalf]complex64
	var got [binCount]float32
	spectrum.power(&signal, &work, &got)
	for k := range got {
		var sum complex128
		for n, x := range signal {
			sum += complex(float64(x*spectrum.window[n]), 0) * cmplx.Exp(complex(0, -2*math.Pi*float64(k*n)/fftSize))
		}
		want := real(sum)*real(sum) + imag(sum)*imag(sum)
		if d := math.Abs(float64(got[k]) - want); d > 1+want*1e-3 {
			t.Errorf("bin %d has %v, want %v", k, got[k], want)
		}
	}
}

func TestPitchStrength(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for name, c := range map[string]struct {
		sample   func(i int) float64
		min, max float32
	}{
		"silence":         {func(int) float64 { return 0 }, 0, 0},
		"noise":           {func(int) float64 { return r.NormFloat64() * 1000 }, 0, 0.5},
		"a pulse train":   {func(i int) float64 { return 8000 * float64(max(0, 1-i%64)) }, 0.9, 1.01},
		"a voice of 90":   {func(i int) float64 { return 1000 * math.Pow(math.Sin(math.Pi*90*float64(i)/vadRate), 8) }, 0.9, 1.01},
		"below any voice": {func(i int) float64 { return 1000 * math.Sin(2*math.Pi*10*float64(i)/vadRate) }, 0, 1.01},
	} {
		var m pitchMeter
		for i := range 2000 {
			m.push(float32(c.sample(i)))
		}
		if got := m.strength(); got < c.min || got > c.max {
			t.Errorf("%s: strength %v, want %v to %v", name, got, c.min, c.max)
		}
	}
}
