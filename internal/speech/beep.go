package speech

import (
	"time"

	"github.com/callwright/callwright/internal/audio"
	"github.com/callwright/callwright/internal/domain"
)

// What counts as the beep of an answering machine: one steady tone of a middle
// pitch.
const (
	beepLowest  = 380  // hertz
	beepHighest = 2600 // hertz
	beepLevel   = 150  // RMS (-47 dBFS)
	beepRest    = 0.2  // of the power, what a sine does not explain
	beepShare   = 0.9  // of the power, within 94 Hz of the peak
	beepReach   = 3    // bins
)

// The shortest and longest beep, in frames: 200 ms as measured, which a beep of
// 240 ms is, and 1.5 s. Dial, ringing and fax tones are longer.
const (
	beepShortest = int(200 * time.Millisecond / audio.FrameDuration)
	beepLongest  = int(1500 * time.Millisecond / audio.FrameDuration)
	// beepAlone is for how long no tone may follow: 100 ms.
	beepAlone = int(100 * time.Millisecond / audio.FrameDuration)
)

// BeepDetector finds the beep after which an answering machine records. It is a
// pure object, fed frame by frame, and allocates nothing.
type BeepDetector struct {
	decimate int
	signal   [fftSize]float32 // the newest samples at vadRate
	work     [fftHalf]complex64
	power    [binCount]float32
	peak     int  // bin of the tone that is heard
	run      int  // frames of it
	last     int  // frames of the one before, until it is judged
	quiet    int  // frames since a tone
	tune     bool // one tone followed another at once
}

// NewBeepDetector returns a detector for frames at rate, 8,000 hertz or a whole
// multiple of it. Another rate is CodeInvalid.
func NewBeepDetector(rate int) (*BeepDetector, error) {
	if rate < vadRate || rate%vadRate != 0 {
		return nil, domain.Invalid("sampleRate", "the detection of beeps needs a multiple of %d Hz, not %d", vadRate, rate)
	}
	return &BeepDetector{decimate: rate / vadRate}, nil
}

// Push takes one frame and reports whether a beep has ended, a tenth of a second
// ago: another tone at once would have made it a signal of the network, or music.
func (b *BeepDetector) Push(pcm []int16) bool {
	peak, tone := b.tone(pcm)
	if !tone {
		return b.silent()
	}
	jumped := b.run > 0 && (peak-b.peak > 1 || b.peak-peak > 1)
	if jumped || b.run == 0 && b.quiet < beepAlone {
		b.tune = b.tune || b.last >= beepAlone || b.run >= beepAlone
		b.run = 0
	}
	b.run, b.peak, b.quiet = b.run+1, peak, 0
	return false
}

// silent takes a frame without a tone.
func (b *BeepDetector) silent() bool {
	if b.run > 0 {
		b.last, b.run = b.run, 0
	}
	b.quiet = min(b.quiet+1, beepAlone+1)
	if b.quiet != beepAlone {
		return false
	}
	found := !b.tune && b.last >= beepShortest && b.last <= beepLongest
	b.last, b.tune = 0, false
	return found
}

// tone returns the strongest bin and whether nearly all power is about it. Most
// frames need no spectrum to be told from a tone: each three samples of a sine
// lie so that the outer ones add up to the middle one times twice the cosine of
// its step.
func (b *BeepDetector) tone(pcm []int16) (peak int, alone bool) {
	n := min(len(pcm)/b.decimate, fftSize)
	copy(b.signal[:], b.signal[n:])
	var middle, across, outer float32
	for i := range n {
		var sum int32
		for _, s := range pcm[i*b.decimate : (i+1)*b.decimate] {
			sum += int32(s)
		}
		at := fftSize - n + i
		b.signal[at] = float32(sum) / float32(b.decimate)
		if at >= 2 {
			x, ends := b.signal[at-1], b.signal[at-2]+b.signal[at]
			middle += x * x
			across += x * ends
			outer += ends * ends
		}
	}
	if n == 0 || middle < beepLevel*beepLevel*float32(n) || outer-across*across/middle > beepRest*middle {
		return 0, false
	}
	spectrum.power(&b.signal, &b.work, &b.power)
	var total, within float32
	for k, p := range b.power {
		total += p
		if p > b.power[peak] {
			peak = k
		}
	}
	for _, p := range b.power[max(0, peak-beepReach):min(binCount, peak+beepReach+1)] {
		within += p
	}
	const bin = vadRate / float64(fftSize)
	hz := float64(peak) * bin
	return peak, hz >= beepLowest && hz <= beepHighest && within > beepShare*total
}
