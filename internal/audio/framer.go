package audio

import "fmt"

// checkFrame says whether pcm is one frame at rate.
func checkFrame(pcm []int16, rate int) error {
	if len(pcm) != FrameSize(rate) {
		return fmt.Errorf("audio: a frame of %d samples, want %d at %d Hz", len(pcm), FrameSize(rate), rate)
	}
	return nil
}

// Framer cuts sound that comes in pieces of any size into frames for a writer.
type Framer struct {
	out   Writer
	frame []int16
	n     int
}

// NewFramer makes a framer in front of out.
func NewFramer(out Writer) *Framer {
	return &Framer{out: out, frame: make([]int16, FrameSize(out.SampleRate()))}
}

// Write takes sound at the writer's rate and passes on each frame it completes.
// After an error the sound that was not passed on is lost.
func (f *Framer) Write(pcm []int16) error {
	for len(pcm) > 0 {
		n := copy(f.frame[f.n:], pcm)
		f.n += n
		pcm = pcm[n:]
		if f.n < len(f.frame) {
			return nil
		}
		f.n = 0
		if err := f.out.WriteFrame(f.frame); err != nil {
			return err
		}
	}
	return nil
}

// Flush fills up a frame that was begun with silence and passes it on.
func (f *Framer) Flush() error {
	if f.n == 0 {
		return nil
	}
	clear(f.frame[f.n:])
	f.n = 0
	return f.out.WriteFrame(f.frame)
}
