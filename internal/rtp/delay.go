package rtp

import "time"

const (
	startDelay = 60 * perMillisecond // samples
	minDelay   = 20 * perMillisecond
	maxDelay   = 200 * perMillisecond

	delayBucket   = 10 * perMillisecond
	delayBuckets  = 24
	delayMemory   = 0.998 // weight kept from packet to packet: half is forgotten in 7 s
	delayShare    = 0.98  // of packets that are to be in time
	learnPackets  = 50    // before the estimate is trusted
	minimumWindow = 5 * time.Second
	burstGap      = 2 * time.Millisecond // packets closer together were held back together
)

// delayEstimate learns how much later than the fastest packets the others come,
// and so how long sound has to wait to be complete. It forgets, and lets the
// fastest time drift with the two clocks. What was held back and came all at
// once counts as one packet, and what no delay could have saved not at all: one
// stall must not slow down the talk that follows it.
type delayEstimate struct {
	epoch   time.Time
	seen    int
	current int32 // least transit time in this window, timestamp units
	before  int32 // and in the one before
	until   time.Time
	lastAt  time.Time
	weights [delayBuckets]float64
}

// observe takes a packet's arrival and returns how many samples later it came
// than the fastest.
func (e *delayEstimate) observe(timestamp uint32, at time.Time) int {
	if e.seen == 0 {
		e.epoch = at
	}
	transit := int32(uint32(audioSamples(at.Sub(e.epoch))) - timestamp)
	switch {
	case e.seen == 0:
		e.current, e.before = transit, transit
		e.until = at.Add(minimumWindow)
	case at.After(e.until):
		e.before, e.current = e.current, transit
		e.until = at.Add(minimumWindow)
	case transit-e.current < 0:
		e.current = transit
	}
	e.seen++
	least := e.current
	if e.before-least < 0 {
		least = e.before
	}
	late := max(int(transit-least), 0)
	burst := e.seen > 1 && at.Sub(e.lastAt) < burstGap
	e.lastAt = at
	if burst || late/delayBucket >= delayBuckets {
		return late
	}
	for i := range e.weights {
		e.weights[i] *= delayMemory
	}
	e.weights[late/delayBucket] += 1 - delayMemory
	return late
}

// target is the delay in samples at which nearly all packets are in time: their
// lateness plus one frame, because sound leaves in whole frames.
func (e *delayEstimate) target() int {
	if e.seen < learnPackets {
		return startDelay
	}
	total := 0.0
	for _, w := range e.weights {
		total += w
	}
	sum := 0.0
	for i, w := range e.weights {
		if sum += w; sum >= delayShare*total {
			return max(min((i+1)*delayBucket+frameSamples, maxDelay), minDelay)
		}
	}
	return maxDelay
}

// forget begins anew after a break in the stream's timestamps, keeping what was
// learned about the network.
func (e *delayEstimate) forget(timestamp uint32, at time.Time) {
	if e.seen == 0 {
		return
	}
	transit := int32(uint32(audioSamples(at.Sub(e.epoch))) - timestamp)
	e.current, e.before = transit, transit
	e.until = at.Add(minimumWindow)
}
