package rtp

import (
	"time"

	pionrtp "github.com/pion/rtp"
)

const (
	ringUnits = 1 << 13 // a second of sound; a power of two so that timestamps wrap

	behindFor  = 100 * time.Millisecond // packets late for so long belong to a new clock
	shrinkOver = 30 * perMillisecond    // delay above target that is taken out
	growUnder  = 10 * perMillisecond    // delay below target that is made up
	hardDelay  = maxDelay + 60*perMillisecond
	quietLevel = 150 // mean of samples under which a frame may be left out or repeated
)

// JitterBuffer puts sound that came in packets back into an even stream. It
// works on samples by RTP timestamp of a clock of 8 kHz, so packets may have any length, come in
// any order, twice, or not at all. It waits 60 ms at first and then, between
// 20 and 200 ms, as long as the network asks for; it changes the delay where
// nothing is to be heard. It is a pure object and not safe for use by several
// goroutines at once.
type JitterBuffer struct {
	scale int // samples to a timestamp unit; all other numbers here count units
	ring  []int16
	have  []bool

	anchored bool
	ssrc     uint32
	next     uint32 // timestamp of what is to be played next
	popAt    time.Time
	depth    int // that the fastest packet waits
	delays   delayEstimate
	behind   time.Time // since when all packets were late
	skipped  bool      // the last Pop left out a frame
	conceal  concealer

	late, duplicates, concealed uint64
}

// NewJitterBuffer makes an empty buffer for sound of rate hertz: 8000 or 16000.
func NewJitterBuffer(rate int) *JitterBuffer {
	scale := min(max(rate/clockRate, 1), maxScale)
	return &JitterBuffer{
		scale: scale, ring: make([]int16, scale*ringUnits), have: make([]bool, scale*ringUnits), conceal: newConcealer(scale),
	}
}

// slot is where the i-th sample from a timestamp on is kept.
func (j *JitterBuffer) slot(timestamp uint32, i int) int {
	return (int(timestamp&(ringUnits-1))*j.scale + i) & (len(j.ring) - 1)
}

// JitterStats counts what a JitterBuffer had to cope with.
type JitterStats struct {
	Late       uint64        // packets that came after their time
	Duplicates uint64        // packets whose sound was there already
	Concealed  uint64        // frames of which a part had to be made up
	Delay      time.Duration // that sound waits for now
}

// Stats returns the counts so far.
func (j *JitterBuffer) Stats() JitterStats {
	return JitterStats{
		Late: j.late, Duplicates: j.duplicates, Concealed: j.concealed,
		Delay: time.Duration(max(j.depth, 0)) * time.Second / clockRate,
	}
}

// Push takes the decoded sound of a packet that arrived at the given time.
func (j *JitterBuffer) Push(h *pionrtp.Header, pcm []int16, at time.Time) {
	length := len(pcm) / j.scale
	if length == 0 || length > ringUnits/2 {
		return
	}
	if !j.anchored || h.SSRC != j.ssrc {
		j.ssrc = h.SSRC
		j.anchor(h.Timestamp, at)
	}
	lead := int(int32(h.Timestamp - j.next))
	gone := lead+length <= 0
	if lead+length > ringUnits || gone && (h.Marker || j.behindFor(at) >= behindFor) {
		j.anchor(h.Timestamp, at)
		lead, gone = int(int32(h.Timestamp-j.next)), false
	}
	lateness := j.delays.observe(h.Timestamp, at)
	j.depth = lead + lateness + frameSamples - j.sincePop(at)
	if gone {
		j.late++
		if j.behind.IsZero() {
			j.behind = at
		}
		return
	}
	j.behind = time.Time{}
	j.store(h.Timestamp, pcm, lead)
}

// store puts the samples that are not too late into the ring.
func (j *JitterBuffer) store(timestamp uint32, pcm []int16, lead int) {
	fresh := false
	for i := max(-lead, 0) * j.scale; i < len(pcm); i++ {
		at := j.slot(timestamp, i)
		if !j.have[at] {
			j.have[at], j.ring[at] = true, pcm[i]
			fresh = true
		}
	}
	if !fresh {
		j.duplicates++
	}
}

// anchor begins a stream: its packet with this timestamp plays after the delay.
func (j *JitterBuffer) anchor(timestamp uint32, at time.Time) {
	if !j.anchored {
		j.conceal.run = j.scale * concealSamples // there is nothing yet to go on with
	}
	j.delays.forget(timestamp, at)
	clear(j.have)
	j.anchored = true
	j.behind = time.Time{}
	j.next = timestamp - uint32(j.delays.target())
}

func (j *JitterBuffer) behindFor(at time.Time) time.Duration {
	if j.behind.IsZero() {
		return 0
	}
	return at.Sub(j.behind)
}

// sincePop is how much of the frame popped last has been played.
func (j *JitterBuffer) sincePop(at time.Time) int {
	if j.popAt.IsZero() {
		return 0
	}
	return max(min(int(audioSamples(at.Sub(j.popAt))), frameSamples), 0)
}

// Pop fills dst, one frame, with the sound that is due, made up or silent where
// there is none. It reports whether any of it was really received.
func (j *JitterBuffer) Pop(dst []int16, now time.Time) bool {
	j.popAt = now
	if !j.anchored {
		clear(dst)
		return false
	}
	if j.adapt(dst) {
		return false
	}
	heard, gap := false, false
	for i := 0; i < len(dst); {
		start, have := i, j.have[j.slot(j.next, i)]
		for ; i < len(dst); i++ {
			at := j.slot(j.next, i)
			if j.have[at] != have {
				break
			}
			dst[i], j.have[at] = j.ring[at], false
		}
		if have {
			j.conceal.real(dst[start:i])
			heard = true
		} else {
			gap = gap || !j.conceal.over()
			j.conceal.fill(dst[start:i])
		}
	}
	if gap {
		j.concealed++
	}
	j.next += uint32(len(dst) / j.scale)
	return heard
}

// adapt brings the delay nearer to its target, by one frame at most. It reports
// whether it filled dst itself.
func (j *JitterBuffer) adapt(dst []int16) bool {
	skipped := j.skipped
	j.skipped = false
	target := j.delays.target()
	switch {
	case j.depth < target-growUnder:
		if j.quiet(len(dst)) {
			j.conceal.fill(dst)
			j.depth += len(dst) / j.scale
			return true
		}
	case j.depth > target+shrinkOver && !skipped:
		if j.mayBeLeftOut(len(dst)) {
			for i := range dst {
				j.have[j.slot(j.next, i)] = false
			}
			j.next += uint32(len(dst) / j.scale)
			j.depth -= len(dst) / j.scale
			j.skipped = true
		}
	}
	return false
}

// quiet reports whether little would be heard of the next n samples. Samples
// that are not there are not heard.
func (j *JitterBuffer) quiet(n int) bool {
	sum := 0
	for i := range n {
		if at := j.slot(j.next, i); j.have[at] {
			sum += max(int(j.ring[at]), -int(j.ring[at]))
		}
	}
	return sum < quietLevel*n
}

// mayBeLeftOut reports whether nobody would miss the next n samples, or the
// delay is so long that they have to go.
func (j *JitterBuffer) mayBeLeftOut(n int) bool {
	if j.depth > hardDelay {
		return true
	}
	return j.quiet(n) && (j.whole(n) || j.conceal.over())
}

// whole reports whether the next n samples are all there.
func (j *JitterBuffer) whole(n int) bool {
	for i := range n {
		if !j.have[j.slot(j.next, i)] {
			return false
		}
	}
	return true
}
