package rtp

import (
	"time"

	pionrtp "github.com/pion/rtp"
)

const (
	ringSamples = 1 << 13 // a second of sound; a power of two so that timestamps wrap
	ringMask    = ringSamples - 1

	behindFor  = 100 * time.Millisecond // packets late for so long belong to a new clock
	shrinkOver = 30 * perMillisecond    // delay above target that is taken out
	growUnder  = 10 * perMillisecond    // delay below target that is made up
	hardDelay  = maxDelay + 60*perMillisecond
	quietLevel = 150 // mean of samples under which a frame may be left out or repeated
)

// JitterBuffer puts sound that came in packets back into an even stream. It
// works on samples by RTP timestamp, so packets may have any length, come in
// any order, twice, or not at all. It waits 60 ms at first and then, between
// 20 and 200 ms, as long as the network asks for; it changes the delay where
// nothing is to be heard. It is a pure object and not safe for use by several
// goroutines at once.
type JitterBuffer struct {
	ring [ringSamples]int16
	have [ringSamples]bool

	anchored bool
	ssrc     uint32
	next     uint32 // timestamp of the sample to be played next
	popAt    time.Time
	depth    int // samples that the fastest packet waits
	delays   delayEstimate
	behind   time.Time // since when all packets were late
	skipped  bool      // the last Pop left out a frame
	conceal  concealer

	late, duplicates, concealed uint64
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
	if len(pcm) == 0 || len(pcm) > ringSamples/2 {
		return
	}
	if !j.anchored || h.SSRC != j.ssrc {
		j.ssrc = h.SSRC
		j.anchor(h.Timestamp, at)
	}
	lead := int(int32(h.Timestamp - j.next))
	gone := lead+len(pcm) <= 0
	if lead+len(pcm) > ringSamples || gone && (h.Marker || j.behindFor(at) >= behindFor) {
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
	skip := max(-lead, 0)
	fresh := false
	for i := skip; i < len(pcm); i++ {
		at := (timestamp + uint32(i)) & ringMask
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
		j.conceal.run = concealSamples // there is nothing yet to go on with
	}
	j.delays.forget(timestamp, at)
	j.have = [ringSamples]bool{}
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

// sincePop is how many samples of the frame popped last have been played.
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
		start, have := i, j.have[(j.next+uint32(i))&ringMask]
		for ; i < len(dst); i++ {
			at := (j.next + uint32(i)) & ringMask
			if j.have[at] != have {
				break
			}
			dst[i], j.have[at] = j.ring[at], false
		}
		if have {
			j.conceal.real(dst[start:i])
			heard = true
		} else {
			gap = gap || j.conceal.run < concealSamples
			j.conceal.fill(dst[start:i])
		}
	}
	if gap {
		j.concealed++
	}
	j.next += uint32(len(dst))
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
			j.depth += len(dst)
			return true
		}
	case j.depth > target+shrinkOver && !skipped:
		if j.mayBeLeftOut(len(dst)) {
			for i := range len(dst) {
				j.have[(j.next+uint32(i))&ringMask] = false
			}
			j.next += uint32(len(dst))
			j.depth -= len(dst)
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
		if at := (j.next + uint32(i)) & ringMask; j.have[at] {
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
	return j.quiet(n) && (j.whole(n) || j.conceal.run >= concealSamples)
}

// whole reports whether the next n samples are all there.
func (j *JitterBuffer) whole(n int) bool {
	for i := range n {
		if !j.have[(j.next+uint32(i))&ringMask] {
			return false
		}
	}
	return true
}
