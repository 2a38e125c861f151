package speechtest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/callwright/callwright/internal/audio"
	"github.com/callwright/callwright/internal/speech"
)

// Line is one thing that a Script hears.
type Line struct {
	At    time.Duration // when so much sound has been written to the stream
	Text  string
	Final bool
}

// Script is an STT that hears its lines, whatever sound it gets. Its clock is the
// sound: no time passes without frames.
type Script struct {
	Lines   []Line
	OpenErr error // returned by Open, when not nil

	mu      sync.Mutex
	streams []*ScriptStream
}

// Name is "script".
func (s *Script) Name() string { return "script" }

// Open starts a stream that hears the lines from the first on.
func (s *Script) Open(ctx context.Context, f speech.Format) (speech.Stream, error) {
	if s.OpenErr != nil {
		return nil, s.OpenErr
	}
	stream := &ScriptStream{format: f, lines: s.Lines, heard: make(chan speech.Heard, 256)}
	stream.stop = context.AfterFunc(ctx, func() { stream.end(ctx.Err()) })
	s.mu.Lock()
	defer s.mu.Unlock()
	s.streams = append(s.streams, stream)
	return stream, nil
}

// Streams lists the streams that were opened, in order.
func (s *Script) Streams() []*ScriptStream {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*ScriptStream(nil), s.streams...)
}

// ScriptStream is a stream of a Script.
type ScriptStream struct {
	format speech.Format
	stop   func() bool

	mu     sync.Mutex
	lines  []Line
	frames int
	heard  chan speech.Heard
	ended  bool
	err    error
}

// ErrFull says that nobody reads what a stream heard.
var ErrFull = errors.New("speechtest: more was heard than is read")

// SampleRate is that of the format.
func (s *ScriptStream) SampleRate() int { return s.format.SampleRate }

// WriteFrame lets 20 ms pass.
func (s *ScriptStream) WriteFrame(pcm []int16) error {
	if len(pcm) != audio.FrameSize(s.format.SampleRate) {
		return fmt.Errorf("speechtest: a frame of %d samples at %d Hz", len(pcm), s.format.SampleRate)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.frames++
	now := time.Duration(s.frames) * audio.FrameDuration
	for len(s.lines) > 0 && s.lines[0].At <= now {
		line := s.lines[0]
		s.lines = s.lines[1:]
		if err := s.hear(speech.Heard{Text: line.Text, Final: line.Final}); err != nil {
			return err
		}
	}
	return nil
}

// Hear makes the stream hear something now.
func (s *ScriptStream) Hear(text string, final bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hear(speech.Heard{Text: text, Final: final})
}

// Fail ends the stream as a broken engine would.
func (s *ScriptStream) Fail(err error) { s.end(err) }

func (s *ScriptStream) hear(h speech.Heard) error {
	if s.ended {
		return nil
	}
	select {
	case s.heard <- h:
		return nil
	default:
		return ErrFull
	}
}

// Heard delivers the lines.
func (s *ScriptStream) Heard() <-chan speech.Heard { return s.heard }

// Err tells why the stream ended, nil when it was closed.
func (s *ScriptStream) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

func (s *ScriptStream) String() string { return "script" }

// Close ends the stream.
func (s *ScriptStream) Close() error {
	s.stop()
	s.end(nil)
	return nil
}

func (s *ScriptStream) end(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return
	}
	s.ended, s.err = true, err
	close(s.heard)
}
