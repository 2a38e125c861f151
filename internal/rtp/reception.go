package rtp

import (
	"math"
	"time"

	pionrtp "github.com/pion/rtp"
)

// reception keeps the counts of RFC 3550 for one incoming stream: packets
// expected and lost (A.1, A.3) and interarrival jitter (A.8).
type reception struct {
	started  bool
	ssrc     uint32
	base     int64 // extended sequence number of the first packet
	highest  int64
	received int64
	earlier  int64 // lost of streams that this one replaced

	expectedBefore, receivedBefore int64 // at the last report

	epoch   time.Time
	transit int32
	jitter  float64 // timestamp units
}

func (r *reception) observe(h *pionrtp.Header, at time.Time) {
	delta := int64(int16(h.SequenceNumber - uint16(r.highest)))
	if !r.started || h.SSRC != r.ssrc || delta > maxDropout || delta < -maxDropout {
		*r = reception{
			started: true, ssrc: h.SSRC, earlier: r.lost(), jitter: r.jitter, epoch: at,
			base: int64(h.SequenceNumber), highest: int64(h.SequenceNumber), received: 1,
		}
		r.transit = -int32(h.Timestamp)
		return
	}
	r.received++
	r.highest = max(r.highest, r.highest+delta)
	transit := int32(uint32(audioSamples(at.Sub(r.epoch))) - h.Timestamp)
	d := math.Abs(float64(transit - r.transit))
	r.transit = transit
	if d < clockRate { // a jump of the timestamp is not jitter
		r.jitter += (d - r.jitter) / 16
	}
}

func (r *reception) lost() int64 {
	if !r.started {
		return r.earlier
	}
	return r.earlier + max(r.highest-r.base+1-r.received, 0)
}

// report is a report block about the stream, and begins the span of the next
// (RFC 3550 A.3).
func (r *reception) report() reportBlock {
	expected := r.highest - r.base + 1
	span, got := expected-r.expectedBefore, r.received-r.receivedBefore
	r.expectedBefore, r.receivedBefore = expected, r.received
	b := reportBlock{
		ssrc: r.ssrc, lost: int32(min(r.lost(), math.MaxInt32)), highest: uint32(r.highest), jitter: uint32(r.jitter),
	}
	if missing := span - got; span > 0 && missing > 0 {
		b.fraction = uint8(min(missing<<8/span, 255))
	}
	return b
}

// audioSamples is how many timestamp units pass in d.
func audioSamples(d time.Duration) int64 { return int64(d / (time.Second / clockRate)) }

// unitsTime is how long n timestamp units last.
func unitsTime(n float64) time.Duration { return time.Duration(n * float64(time.Second) / clockRate) }
