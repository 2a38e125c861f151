package speech

import (
	"math"

	"github.com/callwright/callwright/internal/audio"
	"github.com/callwright/callwright/internal/domain"
)

// vadRate is the rate at which the detector looks at sound. Higher ones are
// brought down to it: the telephone band has all that is needed.
const vadRate = 8000

// bandEdges are the first bins of the detector's bands, 250 to 3,400 Hz, about
// as wide as the ear's; mains hum lies below them.
var bandEdges = [...]int{8, 10, 12, 15, 18, 22, 26, 31, 37, 44, 52, 62, 74, 90, 109}

const bandCount = len(bandEdges) - 1

const (
	quietRMS      = 55  // sound in the band below this (-55 dBFS) is not speech
	priorNoiseRMS = 60  // what is taken for noise before any was measured
	speechScore   = 1.0 // likelihood score at which energy alone says one half
	gammaLimit    = 30  // one loud band must not outvote the others
	voiceDecay    = 0.93
	steadyOctaves = 0.3 // 0.9 dB: bands that move less from frame to frame are a tone
	steadyFrames  = 2
	narrowShare   = 0.985 // of the power, within 125 Hz of the peak: a tone
)

// SpectralVAD is the default VAD. A frame is speech as far as its bands stand
// out of a tracked noise floor (the likelihood ratio of Sohn, Kim and Sung,
// 1999, over minimum statistics, Martin 2001), as a pitch was heard not long
// ago, and as its spectrum moves. So noise that starts suddenly, dial tones,
// keys and hum are told from speech. It allocates nothing per frame.
type SpectralVAD struct {
	decimate int // samples of the input that make one at vadRate

	highPass filter
	signal   [fftSize]float32 // the newest 32 ms
	work     [fftHalf]complex64
	power    [binCount]float32
	pitch    pitchMeter
	floor    noiseFloor

	bands  [bandCount]float32
	before [bandCount]float32
	steady int
	voiced float32
	score  float32
}

// NewVAD returns the default detector for frames at rate: 8,000 hertz or a
// whole multiple of it. Another rate is CodeInvalid.
func NewVAD(rate int) (*SpectralVAD, error) {
	if rate < vadRate || rate%vadRate != 0 {
		return nil, domain.Invalid("sampleRate", "voice detection needs a multiple of %d Hz, not %d", vadRate, rate)
	}
	v := &SpectralVAD{decimate: rate / vadRate}
	v.Reset()
	return v, nil
}

// Reset forgets all that was heard.
func (v *SpectralVAD) Reset() {
	*v = SpectralVAD{decimate: v.decimate}
	v.floor.reset()
}

// Push takes one frame and reports the probability, 0 to 1, that it is speech.
func (v *SpectralVAD) Push(pcm []int16) float32 {
	fresh := v.take(pcm)
	if fresh == 0 {
		return 0
	}
	spectrum.power(&v.signal, &v.work, &v.power)
	v.before = v.bands
	total := v.measure()
	v.trackSteady()
	tone := v.steady >= steadyFrames || v.narrow()
	// The floor learns from all that is heard: its minima lie between words.
	score := v.floor.score(&v.bands)
	v.floor.learn(&v.bands)
	v.score = 0.3*v.score + 0.7*score
	v.voiced *= voiceDecay
	if total < quietRMS*quietRMS {
		v.score = 0
		return 0
	}
	if score > speechScore/2 && !tone {
		v.voiced = max(v.voiced, v.pitch.strength())
	}
	p := v.score / (v.score + speechScore)
	p *= min(1, max(0.2, (v.voiced-0.3)*5))
	if tone {
		p *= 0.2
	}
	return p
}

// take shifts a frame into the signal and returns how many samples that made at
// vadRate.
func (v *SpectralVAD) take(pcm []int16) int {
	n := min(len(pcm)/v.decimate, fftSize)
	copy(v.signal[:], v.signal[n:])
	for i := range n {
		var sum int32
		for _, s := range pcm[i*v.decimate : (i+1)*v.decimate] {
			sum += int32(s)
		}
		x := v.highPass.pass(float32(sum) / float32(v.decimate))
		v.signal[fftSize-n+i] = x
		v.pitch.push(x)
	}
	return n
}

// measure sums the bins into bands, scaled so that all bands together are the
// mean square of the signal, and returns that.
func (v *SpectralVAD) measure() float32 {
	const scale = 2 / (0.375 * fftSize * fftSize) // 0.375 is the mean square of a Hann window
	var total float32
	for b := range v.bands {
		var sum float32
		for _, p := range v.power[bandEdges[b]:bandEdges[b+1]] {
			sum += p
		}
		v.bands[b] = sum * scale
		total += v.bands[b]
	}
	return total
}

// trackSteady counts the frames for which the strong bands have not moved.
// Speech moves always; a tone, however it is composed, does not.
func (v *SpectralVAD) trackSteady() {
	var strongest float32
	for _, e := range v.bands {
		strongest = max(strongest, e)
	}
	for b, e := range v.bands {
		if e < strongest/32 {
			continue
		}
		ratio := e / (v.before[b] + 1)
		if ratio > 1+steadyOctaves*0.77 || ratio < 1/(1+steadyOctaves*0.77) {
			v.steady = 0
			return
		}
	}
	v.steady++
}

// narrow reports whether nearly all power lies within one peak: a tone, or two
// that beat, like the ringing tone's 440 and 480 Hz (ITU-T E.180).
func (v *SpectralVAD) narrow() bool {
	const reach = 4
	peak := 0
	var total float32
	for k, p := range v.power {
		total += p
		if p > v.power[peak] {
			peak = k
		}
	}
	var within float32
	for _, p := range v.power[max(0, peak-reach):min(binCount, peak+reach+1)] {
		within += p
	}
	return within > narrowShare*total
}

// filter is a one-pole high pass at about 100 Hz.
type filter struct{ in, out float32 }

func (f *filter) pass(x float32) float32 {
	f.out = 0.925 * (f.out + x - f.in)
	f.in = x
	return f.out
}

// The noise floor remembers the minima of about two seconds in blocks.
const (
	floorBlocks      = 8
	floorBlockFrames = 12
	floorWarmUp      = audio.FramesPerSecond / 2
	floorBias        = 1.8 // the minimum of a noise's power lies below its mean
)

// noiseFloor tracks the noise in each band by minimum statistics.
type noiseFloor struct {
	smooth [bandCount]float32
	minima [floorBlocks][bandCount]float32
	noise  [bandCount]float32
	frames int
}

func (f *noiseFloor) reset() {
	*f = noiseFloor{}
	for b := range f.noise {
		f.noise[b] = priorNoiseRMS * priorNoiseRMS / float32(bandCount)
	}
}

// score is the mean over the bands of the log likelihood ratio of speech.
func (f *noiseFloor) score(bands *[bandCount]float32) float32 {
	var sum float32
	for b, e := range bands {
		gamma := min(e/f.noise[b], gammaLimit)
		if gamma > 1 {
			sum += gamma - 1 - logarithm(gamma)
		}
	}
	return sum / float32(bandCount)
}

func (f *noiseFloor) learn(bands *[bandCount]float32) {
	block := f.frames / floorBlockFrames % floorBlocks
	opens := f.frames%floorBlockFrames == 0
	for b, e := range bands {
		if f.frames == 0 {
			f.smooth[b] = e
		}
		f.smooth[b] = 0.7*f.smooth[b] + 0.3*e
		if opens || f.smooth[b] < f.minima[block][b] {
			f.minima[block][b] = f.smooth[b]
		}
	}
	f.frames++
	if f.frames < floorWarmUp {
		return
	}
	known := min((f.frames+floorBlockFrames-1)/floorBlockFrames, floorBlocks)
	for b := range f.noise {
		least := f.minima[0][b]
		for _, m := range f.minima[1:known] {
			least = min(least, m[b])
		}
		f.noise[b] = max(floorBias*least, priorNoiseRMS*priorNoiseRMS/float32(bandCount)/4)
	}
}

// logarithm is the natural logarithm.
func logarithm(x float32) float32 { return float32(math.Log(float64(x))) }
