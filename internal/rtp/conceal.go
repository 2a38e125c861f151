package rtp

const (
	historySamples = 2 * frameSamples
	minPeriod      = 40                  // samples: 200 Hz
	maxPeriod      = frameSamples        // samples: 50 Hz
	concealSamples = 60 * perMillisecond // after this a gap is silent
	seamSamples    = 5 * perMillisecond
)

// concealer fills gaps in sound: it repeats the last period of what was heard,
// softer and softer, for 60 ms, then gives silence. The idea is that of G.711
// Appendix I.
type concealer struct {
	history [historySamples]int16 // the last sound that was real
	period  int
	run     int // samples concealed since then
}

// real notes sound that was heard. When it ends a gap its first samples are
// blended with what would have filled the gap on.
func (c *concealer) real(pcm []int16) {
	if c.run > 0 && c.run < concealSamples {
		n := min(seamSamples, len(pcm))
		for i := range n {
			was := int(c.sample())
			c.run++
			pcm[i] = int16((was*(n-i) + int(pcm[i])*i) / n)
		}
	}
	c.run = 0
	if len(pcm) >= historySamples {
		copy(c.history[:], pcm[len(pcm)-historySamples:])
		return
	}
	copy(c.history[:], c.history[len(pcm):])
	copy(c.history[historySamples-len(pcm):], pcm)
}

// fill overwrites dst with the continuation of what was heard.
func (c *concealer) fill(dst []int16) {
	if c.run == 0 {
		c.period = c.findPeriod()
	}
	for i := range dst {
		dst[i] = c.sample()
		if c.run < concealSamples {
			c.run++
		}
	}
}

// sample is the next sample of the continuation.
func (c *concealer) sample() int16 {
	if c.run >= concealSamples || c.period == 0 {
		return 0
	}
	s := int(c.history[historySamples-c.period+c.run%c.period])
	return int16(s * (concealSamples - c.run) / concealSamples)
}

// findPeriod is the lag at which the last frame resembles what was before it
// most: the greatest normalised correlation.
func (c *concealer) findPeriod() int {
	last := c.history[historySamples-frameSamples:]
	best, score := maxPeriod, 0.0
	for lag := minPeriod; lag <= maxPeriod; lag++ {
		before := c.history[historySamples-frameSamples-lag:]
		var product, energy int64
		for i := range last {
			product += int64(last[i]) * int64(before[i])
			energy += int64(before[i]) * int64(before[i])
		}
		if product > 0 && energy > 0 {
			if s := float64(product) * float64(product) / float64(energy); s > score*1.001 {
				best, score = lag, s
			}
		}
	}
	return best
}
