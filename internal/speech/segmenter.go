package speech

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/callwright/callwright/internal/audio"
)

// Transcriber is an engine that understands whole utterances, not streams.
type Transcriber interface {
	Name() string
	// Transcribe returns the words of one utterance, "" when there are none.
	Transcribe(ctx context.Context, pcm []int16, f Format) (string, error)
}

// SegmenterOptions tunes a Segmenter. The zero value of a field is its default.
type SegmenterOptions struct {
	Silence time.Duration // that ends an utterance; 400 ms
	Longest time.Duration // an utterance is cut after this long; 30 s
	Lead    time.Duration // of sound before an utterance that is sent with it; 300 ms
}

// Segmenter makes an STT of an engine that understands whole utterances: voice
// detection cuts them out of the stream. It hears finals only.
type Segmenter struct {
	engine  Transcriber
	options SegmenterOptions
}

// NewSegmenter makes a segmenter before an engine.
func NewSegmenter(engine Transcriber, o SegmenterOptions) *Segmenter {
	if o.Silence == 0 {
		o.Silence = 400 * time.Millisecond
	}
	if o.Longest == 0 {
		o.Longest = 30 * time.Second
	}
	if o.Lead == 0 {
		o.Lead = 300 * time.Millisecond
	}
	return &Segmenter{engine: engine, options: o}
}

// Name is the engine's.
func (s *Segmenter) Name() string { return s.engine.Name() }

// utterancesWaiting is how many utterances of a call may wait for an engine that
// is slower than the caller speaks.
const utterancesWaiting = 4

// Open starts a stream. The engine is not asked before there is an utterance.
func (s *Segmenter) Open(ctx context.Context, f Format) (Stream, error) {
	vad, err := NewVAD(f.SampleRate)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	stream := &segments{
		of: s, format: f, ctx: ctx, cancel: cancel, vad: vad,
		ends:  NewEndpointer(f.SampleRate, EndpointOptions{Silence: s.options.Silence}),
		lead:  audio.Samples(s.options.Lead, f.SampleRate),
		most:  audio.Samples(s.options.Longest, f.SampleRate),
		work:  make(chan []int16, utterancesWaiting),
		heard: make(chan Heard, 64),
	}
	go stream.transcribe()
	return stream, nil
}

// errClosed is why a stream ends that its owner closed.
var errClosed = errors.New("speech: the stream was closed")

// segments is one call's stream of utterances.
type segments struct {
	of     *Segmenter
	format Format
	ctx    context.Context // lives as long as the stream, which Open's context bounds
	cancel context.CancelCauseFunc
	heard  chan Heard
	work   chan []int16

	mu     sync.Mutex
	vad    *SpectralVAD
	ends   *Endpointer
	lead   int
	most   int
	pcm    []int16 // the utterance so far, or what was before it
	closed bool
	err    error
}

// SampleRate is that of the format.
func (s *segments) SampleRate() int { return s.format.SampleRate }

// WriteFrame looks for the end of an utterance, and hands it to the engine. It
// does not wait for it.
func (s *segments) WriteFrame(pcm []int16) error {
	if len(pcm) != audio.FrameSize(s.format.SampleRate) {
		return fmt.Errorf("speech: a frame of %d samples at %d Hz", len(pcm), s.format.SampleRate)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed
	}
	s.pcm = append(s.pcm, pcm...)
	edge, found := s.ends.Push(s.vad.Push(pcm))
	switch {
	case found && edge.Kind == SpeechEnd, s.ends.Speaking() && len(s.pcm) >= s.most:
		s.hand()
	case !s.ends.Speaking() && len(s.pcm) > 2*s.lead:
		s.pcm = s.pcm[:copy(s.pcm, s.pcm[len(s.pcm)-s.lead:])]
	}
	return nil
}

// hand gives the utterance to the engine. When too many wait already, the engine
// has failed.
func (s *segments) hand() {
	select {
	case s.work <- s.pcm:
	default:
		s.cancel(&Error{Engine: s.of.Name(), Err: errors.New("it cannot keep up with what is said"), Retryable: true})
	}
	s.pcm = nil
}

// transcribe asks the engine for each utterance, in order.
func (s *segments) transcribe() {
	defer close(s.heard)
	defer s.cancel(nil)
	for {
		var pcm []int16
		var open bool
		select {
		case <-s.ctx.Done():
			s.fail(context.Cause(s.ctx))
			return
		case pcm, open = <-s.work:
			if !open {
				return
			}
		}
		text, err := s.of.engine.Transcribe(s.ctx, pcm, s.format)
		if err != nil {
			if s.ctx.Err() != nil {
				err = context.Cause(s.ctx)
			}
			s.fail(err)
			return
		}
		if text == "" {
			continue
		}
		select {
		case s.heard <- Heard{Text: text, Final: true}:
		case <-s.ctx.Done():
			s.fail(context.Cause(s.ctx))
			return
		}
	}
}

func (s *segments) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.closed, s.err = true, err
	}
}

// Heard delivers the words of each utterance.
func (s *segments) Heard() <-chan Heard { return s.heard }

// Err tells why the stream ended, nil when it was closed.
func (s *segments) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

func (s *segments) String() string { return s.of.Name() }

// Close ends the stream; what the engine is asked now is given up.
func (s *segments) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel(errClosed)
	return nil
}
