package audio

import "time"

// Buffer is a writer that keeps all the sound it gets. It is not safe for use
// by several goroutines at once.
type Buffer struct {
	PCM  []int16
	rate int
}

// NewBuffer makes an empty buffer for sound of rate hertz.
func NewBuffer(rate int) *Buffer { return &Buffer{rate: rate} }

// SampleRate is the rate given to NewBuffer.
func (b *Buffer) SampleRate() int { return b.rate }

// WriteFrame appends pcm, which may be of any length.
func (b *Buffer) WriteFrame(pcm []int16) error {
	b.PCM = append(b.PCM, pcm...)
	return nil
}

// Duration is how long the sound lasts.
func (b *Buffer) Duration() time.Duration { return Duration(len(b.PCM), b.rate) }

func (b *Buffer) String() string { return "buffer" }

// Close does nothing.
func (b *Buffer) Close() error { return nil }

// Duration is how long a number of samples lasts at rate hertz.
func Duration(samples, rate int) time.Duration {
	if rate <= 0 {
		return 0
	}
	return time.Duration(samples) * time.Second / time.Duration(rate)
}

// Samples is how many samples at rate hertz last for d, rounded down.
func Samples(d time.Duration, rate int) int {
	return int(d * time.Duration(rate) / time.Second)
}
