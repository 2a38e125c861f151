// Package audio carries sound through a call as chains of synchronous writers
// of 20 ms frames of 16-bit mono PCM.
package audio

import "time"

// FrameDuration is the length of one frame everywhere in the house.
const FrameDuration = 20 * time.Millisecond

// FramesPerSecond is how many frames make a second.
const FramesPerSecond = int(time.Second / FrameDuration)

// FrameSize returns the number of samples in a frame at rate hertz.
func FrameSize(rate int) int { return rate / FramesPerSecond }

// Writer takes frames. A chain of writers runs synchronously on the goroutine
// that writes into its first one: no writer blocks, allocates per frame, or
// keeps the slice after it returns.
type Writer interface {
	// SampleRate is the rate in hertz of the frames this writer takes.
	SampleRate() int
	// WriteFrame takes one frame of FrameSize(SampleRate()) samples.
	WriteFrame(pcm []int16) error
	// String prints the chain from here on: "resample(8000→16000) → vad".
	String() string
	Close() error
}

// Stage wraps a writer in another that works on the sound before it.
type Stage func(Writer) Writer
