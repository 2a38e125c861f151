package rtp

const (
	historySamples = 2 * frameSamples
	minPeriod      = 40                  // 200 Hz
	maxPeriod      = frameSamples        // 50 Hz
	concealSamples = 60 * perMillisecond // after this a gap is silent
	seamSamples    = 5 * perMillisecond
)

// concealer fills gaps in sound: it repeats the last period of what was heard,
// softer and softer, for 60 ms, then gives silence. The idea is that of G.711
// Appendix I.
type concealer struct {
	scale   int     // samples at 8 kHz, which the constants count, to samples here
	history []int16 // the last sound that was real
	period  int
	run     int // samples concealed since then
}

func newConcealer(scale int) concealer {
	return concealer{scale: scale, history: make([]int16, scale*historySamples)}
}

// over reports whether the gap has become too long to be filled.
func (c *concealer) over() bool { return c.run >= c.scale*concealSamples }

// real notes sound that was heard. When it ends a gap its first samples are
// blended with what would have filled the gap on.
func (c *concealer) real(pcm []int16) {
	if c.run > 0 && !c.over() {
		n := min(c.scale*seamSamples, len(pcm))
		for i := range n {
			was := int(c.sample())
			c.run++
			pcm[i] = int16((was*(n-i) + int(pcm[i])*i) / n)
		}
	}
	c.run = 0
	if n := len(c.history); len(pcm) >= n {
		pcm = pcm[len(pcm)-n:]
	}
	copy(c.history, c.history[len(pcm):])
	copy(c.history[len(c.history)-len(pcm):], pcm)
}

// fill overwrites dst with the continuation of what was heard.
func (c *concealer) fill(dst []int16) {
	if c.run == 0 {
		c.period = c.findPeriod()
	}
	for i := range dst {
		dst[i] = c.sample()
		if !c.over() {
			c.run++
		}
	}
}

// sample is the next sample of the continuation.
func (c *concealer) sample() int16 {
	if c.over() || c.period == 0 {
		return 0
	}
	s := int(c.history[len(c.history)-c.period+c.run%c.period])
	whole := c.scale * concealSamples
	return int16(s * (whole - c.run) / whole)
}

// findPeriod is the lag at which the last frame resembles what was before it
// most: the greatest normalised correlation. 8 kHz are enough to find it.
func (c *concealer) findPeriod() int {
	last := c.history[len(c.history)-c.scale*frameSamples:]
	best, score := maxPeriod, 0.0
	for lag := minPeriod; lag <= maxPeriod; lag++ {
		before := c.history[len(c.history)-c.scale*(frameSamples+lag):]
		var product, energy int64
		for i := 0; i < len(last); i += c.scale {
			product += int64(last[i]) * int64(before[i])
			energy += int64(before[i]) * int64(before[i])
		}
		if product > 0 && energy > 0 {
			if s := float64(product) * float64(product) / float64(energy); s > score*1.001 {
				best, score = lag, s
			}
		}
	}
	return best * c.scale
}
