package audio

import "math"

// Figures of ITU-T Q.24, as most networks take them.
const (
	dtmfBlock   = 102  // samples at 8 kHz: 12.75 ms, in which 78 Hz can be told apart
	dtmfLeast   = 70.0 // root of the mean square of the quietest tones: about −33 dBm0
	dtmfShare   = 0.82 // of a block's power that is in the two tones
	dtmfOver    = 6.3  // by which the tone of a group is above the others of it: 8 dB
	dtmfTwist   = 6.3  // by which the high tone may be the louder one: 8 dB
	dtmfReverse = 2.5  // and the low one: 4 dB
)

// DTMFDetector finds telephone keys that come as sound (ITU-T Q.23): tones of
// 40 ms or more, each reported once. It does not allocate.
type DTMFDetector struct {
	rate, size int
	tones      [8]goertzel // rows, then columns
	filled     int         // samples of the block
	power      float64
	last       rune // of the block before
	now        rune // that is sounding
}

// NewDTMFDetector makes a detector for sound of rate hertz, 8000 or a multiple.
func NewDTMFDetector(rate int) *DTMFDetector {
	d := &DTMFDetector{rate: rate, size: dtmfBlock * rate / 8000}
	for i := range lowTones {
		d.tones[i] = newGoertzel(lowTones[i], rate)
		d.tones[len(lowTones)+i] = newGoertzel(highTones[i], rate)
	}
	return d
}

// Push takes sound of any length up to 25 ms and returns the key that is known
// now to have begun, if one has.
func (d *DTMFDetector) Push(pcm []int16) (key rune, found bool) {
	for len(pcm) > 0 {
		if d.filled == 0 && power(pcm) < dtmfLeast*dtmfLeast*float64(len(pcm)) {
			d.hear(0) // most of the time nobody presses a key
			return key, found
		}
		n := min(len(pcm), d.size-d.filled)
		for i := range d.tones {
			d.tones[i].push(pcm[:n])
		}
		d.power += power(pcm[:n])
		pcm = pcm[n:]
		if d.filled += n; d.filled < d.size {
			break
		}
		if hit, begins := d.hear(d.block()); begins {
			key, found = hit, true
		}
	}
	return key, found
}

// hear takes what a block is and reports whether a key has begun: one that is
// heard twice, after two blocks that were not it.
func (d *DTMFDetector) hear(hit rune) (key rune, begins bool) {
	if hit == d.last && hit != d.now {
		d.now, begins = hit, hit != 0
	}
	d.last = hit
	return hit, begins
}

// power is the sum of the squares of samples.
func power(pcm []int16) float64 {
	sum := 0
	for _, s := range pcm {
		sum += int(s) * int(s)
	}
	return float64(sum)
}

// block says which key a full block is, 0 for none, and begins the next.
func (d *DTMFDetector) block() rune {
	var powers [8]float64
	for i := range d.tones {
		powers[i] = d.tones[i].take() * 2 / float64(d.size)
	}
	total := d.power
	d.power, d.filled = 0, 0
	if total < dtmfLeast*dtmfLeast*float64(d.size) {
		return 0
	}
	row, low := loudest(powers[:4])
	column, high := loudest(powers[4:])
	switch {
	case row < 0 || column < 0 || low+high < dtmfShare*total:
		return 0
	case high > low*dtmfTwist || low > high*dtmfReverse:
		return 0
	}
	return rune(keypad[row][column])
}

// loudest is the tone that is well above the others; −1 when none is.
func loudest(powers []float64) (int, float64) {
	best := 0
	for i, p := range powers {
		if p > powers[best] {
			best = i
		}
	}
	for i, p := range powers {
		if i != best && p*dtmfOver > powers[best] {
			return -1, 0
		}
	}
	return best, powers[best]
}

// goertzel measures the power at one frequency.
type goertzel struct{ coef, s1, s2 float64 }

func newGoertzel(hertz float64, rate int) goertzel {
	return goertzel{coef: 2 * math.Cos(2*math.Pi*hertz/float64(rate))}
}

func (g *goertzel) push(pcm []int16) {
	s1, s2, coef := g.s1, g.s2, g.coef
	for _, s := range pcm {
		s1, s2 = float64(s)+coef*s1-s2, s1
	}
	g.s1, g.s2 = s1, s2
}

// take returns the square of the amplitude of the block and begins anew.
func (g *goertzel) take() float64 {
	p := g.s1*g.s1 + g.s2*g.s2 - g.coef*g.s1*g.s2
	g.s1, g.s2 = 0, 0
	return p
}
