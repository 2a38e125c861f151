// Package rtp carries one call's media over UDP: a Leg sends and receives
// sound, telephone events and real-time text, each in step with a 20 ms clock.
//
// The parts can be used by themselves. Socket and Ports hide how packets move
// and whom to believe; JitterBuffer, Playout, EventSender, EventReceiver,
// TextSender and TextReceiver are objects without goroutines; Pacer is the
// clock.
package rtp

import (
	"github.com/callwright/callwright/internal/audio"
)

const (
	clockRate    = 8000                              // hertz, of the timestamps of all codecs here
	frameSamples = clockRate / audio.FramesPerSecond // timestamp units in a frame: its samples at 8 kHz
	maxScale     = 2                                 // samples to a timestamp unit: 16 kHz
	maxFrame     = maxScale * frameSamples
	headerSize   = 12 // of the packets sent: no CSRC, no extension
	maxPacket    = 2048

	payloadComfortNoise = 13 // RFC 3389 §4

	perMillisecond = clockRate / 1000
)
