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
	rate, size    int
	rows, columns goertzels
	filled        int // samples of the block
	power         float64
	last          rune // of the block before
	now           rune // that is sounding
}

// NewDTMFDetector makes a detector for sound of rate hertz, 8000 or a multiple.
func NewDTMFDetector(rate int) *DTMFDetector {
	d := &DTMFDetector{rate: rate, size: dtmfBlock * rate / 8000}
	d.rows.tune(lowTones, rate)
	d.columns.tune(highTones, rate)
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
		d.rows.push(pcm[:n])
		d.columns.push(pcm[:n])
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
	rows, columns, total := d.rows.take(d.size), d.columns.take(d.size), d.power
	d.power, d.filled = 0, 0
	if total < dtmfLeast*dtmfLeast*float64(d.size) {
		return 0
	}
	row, low := loudest(rows)
	column, high := loudest(columns)
	switch {
	case row < 0 || column < 0 || low+high < dtmfShare*total:
		return 0
	case high > low*dtmfTwist || low > high*dtmfReverse:
		return 0
	}
	return rune(keypad[row][column])
}

// loudest is the tone that is well above the others; −1 when none is.
func loudest(powers [4]float64) (int, float64) {
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

// goertzels measures the power at four frequencies. They run side by side, for
// each step of one waits for the step before.
type goertzels struct{ coef, s1, s2 [4]float64 }

func (g *goertzels) tune(hertz [4]float64, rate int) {
	for i, hz := range hertz {
		g.coef[i] = 2 * math.Cos(2*math.Pi*hz/float64(rate))
	}
}

func (g *goertzels) push(pcm []int16) {
	a, b, c, d := g.coef[0], g.coef[1], g.coef[2], g.coef[3]
	a1, b1, c1, d1 := g.s1[0], g.s1[1], g.s1[2], g.s1[3]
	a2, b2, c2, d2 := g.s2[0], g.s2[1], g.s2[2], g.s2[3]
	for _, s := range pcm {
		x := float64(s)
		a1, a2 = x-a2+a*a1, a1
		b1, b2 = x-b2+b*b1, b1
		c1, c2 = x-c2+c*c1, c1
		d1, d2 = x-d2+d*d1, d1
	}
	g.s1 = [4]float64{a1, b1, c1, d1}
	g.s2 = [4]float64{a2, b2, c2, d2}
}

// take returns what each tone adds to the sum of the squares of n samples, and
// begins anew.
func (g *goertzels) take(n int) (powers [4]float64) {
	for i, coef := range g.coef {
		s1, s2 := g.s1[i], g.s2[i]
		powers[i] = (s1*s1 + s2*s2 - coef*s1*s2) * 2 / float64(n)
	}
	g.s1, g.s2 = [4]float64{}, [4]float64{}
	return powers
}
