package speech

import "math"

// The spectrum is taken over 256 samples at 8 kHz: 32 ms, bins of 31.25 Hz.
const (
	fftSize  = 256
	fftHalf  = fftSize / 2
	fftBits  = 7 // of fftHalf
	binCount = fftHalf + 1
)

var spectrum = newSpectrumTable()

// spectrumTable holds the constants of the transform, shared by all calls.
type spectrumTable struct {
	twiddle [fftHalf]complex64 // exp(-2πi k/fftSize)
	reverse [fftHalf]uint8
	window  [fftSize]float32 // Hann
}

func newSpectrumTable() *spectrumTable {
	t := &spectrumTable{}
	for i := range t.twiddle {
		sin, cos := math.Sincos(-2 * math.Pi * float64(i) / fftSize)
		t.twiddle[i] = complex(float32(cos), float32(sin))
	}
	for i := range t.reverse {
		r := 0
		for bit := range fftBits {
			r |= i >> bit & 1 << (fftBits - 1 - bit)
		}
		t.reverse[i] = uint8(r)
	}
	for i := range t.window {
		t.window[i] = float32(0.5 - 0.5*math.Cos(2*math.Pi*float64(i)/fftSize))
	}
	return t
}

// power writes the power of each bin of the windowed signal to out. The real
// signal is packed into a complex one of half the length; work is scratch.
func (t *spectrumTable) power(signal *[fftSize]float32, work *[fftHalf]complex64, out *[binCount]float32) {
	for i := range work {
		work[t.reverse[i]] = complex(signal[2*i]*t.window[2*i], signal[2*i+1]*t.window[2*i+1])
	}
	t.transform(work)
	for k := range out {
		a, b := work[k%fftHalf], work[(fftHalf-k)%fftHalf]
		b = complex(real(b), -imag(b))
		even, odd := a+b, a-b // twice the transforms of the even and odd samples
		var w complex64 = -1  // exp(-πi), the bin at half the rate
		if k < fftHalf {
			w = t.twiddle[k]
		}
		odd *= w
		x := even + complex(imag(odd), -real(odd)) // even - i·odd
		out[k] = 0.25 * (real(x)*real(x) + imag(x)*imag(x))
	}
}

// transform is the radix-2 transform of x, in place; x is in bit-reversed order.
func (t *spectrumTable) transform(x *[fftHalf]complex64) {
	for half, step := 1, fftHalf; half < fftHalf; half, step = half*2, step/2 {
		for start := 0; start < fftHalf; start += 2 * half {
			for k := range half {
				v := x[start+k+half] * t.twiddle[k*step]
				u := x[start+k]
				x[start+k], x[start+k+half] = u+v, u-v
			}
		}
	}
}
