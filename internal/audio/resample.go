package audio

import (
	"errors"
	"fmt"
	"math"
	"sync"
)

// ErrRates says that sound cannot be brought from the one rate to the other.
var ErrRates = errors.New("audio: these sample rates cannot be converted")

const (
	zeroCrossings = 24   // of the filter's sinc, on each side, at the lower rate
	rolloff       = 0.92 // the filter's corner as a share of the lower Nyquist frequency
	kaiserBeta    = 6.5  // about 65 dB of stop band
	maxFactor     = 1024 // the largest reduced up or down factor: a bound on the filter's memory
	maxRatio      = 12   // between the two rates
)

// filter is a low-pass for one pair of rates, split into one short filter for
// each of the up positions an output sample can have between two input samples.
type filter struct {
	up, down, taps int
	phases         []float32 // up filters of taps coefficients, newest input last
	delay          int       // samples of the output by which the sound is late
}

var filters struct {
	sync.Mutex
	byRates map[[2]int]*filter
}

// filterFor returns the filter for a pair of rates, made at first use and kept.
func filterFor(from, to int) (*filter, error) {
	if from <= 0 || to <= 0 || from > maxRatio*to || to > maxRatio*from {
		return nil, fmt.Errorf("%w: %d Hz to %d Hz", ErrRates, from, to)
	}
	g := gcd(from, to)
	up, down := to/g, from/g
	if max(up, down) > maxFactor {
		return nil, fmt.Errorf("%w: %d Hz to %d Hz have too little in common", ErrRates, from, to)
	}
	filters.Lock()
	defer filters.Unlock()
	if f := filters.byRates[[2]int{up, down}]; f != nil {
		return f, nil
	}
	if filters.byRates == nil {
		filters.byRates = map[[2]int]*filter{}
	}
	f := newFilter(up, down)
	filters.byRates[[2]int{up, down}] = f
	return f, nil
}

// newFilter designs a windowed sinc at up times the input rate. Each phase is
// scaled to a sum of one, so that a constant stays what it is.
func newFilter(up, down int) *filter {
	wide := max(up, down)
	taps := (2*zeroCrossings*wide + up - 1) / up
	taps += -taps & 3 // whole groups of four, as dot reads them
	f := &filter{up: up, down: down, taps: taps, phases: make([]float32, up*taps)}
	n := taps * up
	// The centre is a whole number of output samples, so that the delay is one.
	f.delay = (n - 1) / 2 / down
	center := float64(f.delay * down)
	corner := rolloff / float64(wide)
	for p := range up {
		row, sum := f.phases[p*taps:(p+1)*taps], 0.0
		for k := range taps {
			x := float64(p+k*up) - center
			w := min(math.Abs(x)/(center+1), 1)
			h := sinc(corner*x) * bessel(kaiserBeta*math.Sqrt(1-w*w))
			row[taps-1-k] = float32(h)
			sum += h
		}
		for k := range row {
			row[k] /= float32(sum)
		}
	}
	return f
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

// bessel is I₀, the modified Bessel function of the first kind of order zero.
func bessel(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1.0; term > 1e-12*sum; k++ {
		term *= x / 2 / k
		term *= x / 2 / k
		sum += term
	}
	return sum
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// Resampler converts a stream of sound from one rate to another. It remembers
// the end of what it was given, so blocks of any size join without a seam.
type Resampler struct {
	f     *filter
	work  []float32 // taps−1 samples of the past, then the block
	pos   int       // where in the next block the next output sample's newest input is
	phase int
}

// NewResampler makes a converter. Rates that have no small ratio, or are more
// than twelve times apart, are ErrRates.
func NewResampler(from, to int) (*Resampler, error) {
	f, err := filterFor(from, to)
	if err != nil {
		return nil, err
	}
	return &Resampler{f: f, work: make([]float32, f.taps-1)}, nil
}

// Process appends the converted sound to dst and returns it. With blocks of one
// size and a dst with room it does not allocate after its first call.
func (r *Resampler) Process(dst, src []int16) []int16 {
	f := r.f
	past := f.taps - 1
	r.work = r.work[:past]
	for _, s := range src {
		r.work = append(r.work, float32(s))
	}
	pos, phase := r.pos, r.phase
	for ; pos < len(src); pos += phase / f.up {
		phase %= f.up
		coefs := f.phases[phase*f.taps : (phase+1)*f.taps]
		dst = append(dst, clip(dot(coefs, r.work[pos:pos+f.taps])))
		phase += f.down
	}
	r.pos, r.phase = pos-len(src), phase%f.up
	copy(r.work, r.work[len(r.work)-past:])
	return dst
}

// dot multiplies two rows whose length is a multiple of four. Four sums run
// side by side so that the additions need not wait for each other.
func dot(a, b []float32) float32 {
	b = b[:len(a)]
	var s0, s1, s2, s3 float32
	for i := 0; i+3 < len(a); i += 4 {
		s0 += a[i] * b[i]
		s1 += a[i+1] * b[i+1]
		s2 += a[i+2] * b[i+2]
		s3 += a[i+3] * b[i+3]
	}
	return s0 + s1 + s2 + s3
}

func clip(v float32) int16 {
	switch {
	case v >= math.MaxInt16:
		return math.MaxInt16
	case v <= math.MinInt16:
		return math.MinInt16
	case v < 0:
		return int16(v - 0.5)
	}
	return int16(v + 0.5)
}

// ResampleAll converts a whole piece of sound. The result is in step with pcm
// (the filter's delay is taken out) and as long.
func ResampleAll(pcm []int16, from, to int) ([]int16, error) {
	r, err := NewResampler(from, to)
	if err != nil {
		return nil, err
	}
	if from == to {
		return append([]int16(nil), pcm...), nil
	}
	want := (len(pcm)*to + from - 1) / from
	out := make([]int16, 0, want+2*r.f.delay)
	out = r.Process(out, pcm)
	out = r.Process(out, make([]int16, r.f.taps))
	return out[r.f.delay : r.f.delay+want], nil
}

// Resample returns a writer that takes frames at rate from and passes them on
// to out at out's rate; out itself when the rates are the same. Rates that do
// not make whole frames or cannot be converted are ErrRates.
func Resample(from int, out Writer) (Writer, error) {
	to := out.SampleRate()
	if from == to {
		return out, nil
	}
	if from%FramesPerSecond != 0 || to%FramesPerSecond != 0 {
		return nil, fmt.Errorf("%w: %d Hz to %d Hz do not make whole frames of 20 ms", ErrRates, from, to)
	}
	r, err := NewResampler(from, to)
	if err != nil {
		return nil, err
	}
	return &resampleWriter{from: from, r: r, out: out, buf: make([]int16, 0, FrameSize(to))}, nil
}

type resampleWriter struct {
	from int
	r    *Resampler
	out  Writer
	buf  []int16
}

func (w *resampleWriter) SampleRate() int { return w.from }

func (w *resampleWriter) WriteFrame(pcm []int16) error {
	if err := checkFrame(pcm, w.from); err != nil {
		return err
	}
	w.buf = w.r.Process(w.buf[:0], pcm)
	return w.out.WriteFrame(w.buf)
}

func (w *resampleWriter) String() string {
	return fmt.Sprintf("resample(%d→%d) → %s", w.from, w.out.SampleRate(), w.out)
}

func (w *resampleWriter) Close() error { return w.out.Close() }
