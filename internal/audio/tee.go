package audio

import (
	"errors"
	"fmt"
	"strings"
)

// Tee returns a writer that gives each frame to all of outs, which must be of
// one rate. A writer that fails does not keep the frame from the others; the
// errors are joined.
func Tee(outs ...Writer) (Writer, error) {
	if len(outs) == 0 {
		return nil, errors.New("audio: a tee needs at least one writer")
	}
	for _, out := range outs[1:] {
		if out.SampleRate() != outs[0].SampleRate() {
			return nil, fmt.Errorf("audio: a tee of %d Hz and %d Hz; put a resampler before one",
				outs[0].SampleRate(), out.SampleRate())
		}
	}
	return tee(outs), nil
}

type tee []Writer

func (t tee) SampleRate() int { return t[0].SampleRate() }

func (t tee) WriteFrame(pcm []int16) error {
	var failed error
	for _, out := range t {
		if err := out.WriteFrame(pcm); err != nil {
			failed = errors.Join(failed, err)
		}
	}
	return failed
}

func (t tee) String() string {
	var names []string
	for _, out := range t {
		names = append(names, out.String())
	}
	return "tee(" + strings.Join(names, ", ") + ")"
}

func (t tee) Close() error {
	var failed error
	for _, out := range t {
		failed = errors.Join(failed, out.Close())
	}
	return failed
}
