package speech

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/callwright/callwright/internal/audio"
)

// EarsOptions says who hears, and who when they cannot.
type EarsOptions struct {
	Engines []STT                      // in order of preference; at least one
	Opening time.Duration              // for a stream to be opened; 5 s
	Keep    time.Duration              // of sound that another stream is told, 4 s
	OnFault func(name string, e error) // is told of each failure; nil is nobody
}

// Ears is an STT over several. Its streams open at once and go on over failures:
// a stream that breaks is opened again, by the same engine or the next, and told
// the sound since the last final words, so that what is being said is not lost.
type Ears struct {
	options EarsOptions
	health  health
}

// NewEars makes an STT over the engines.
func NewEars(o EarsOptions) *Ears {
	if o.Opening == 0 {
		o.Opening = 5 * time.Second
	}
	if o.Keep == 0 {
		o.Keep = 4 * time.Second
	}
	if o.OnFault == nil {
		o.OnFault = func(string, error) {}
	}
	return &Ears{options: o}
}

// Name is the preferred engine's.
func (e *Ears) Name() string { return e.options.Engines[0].Name() }

// Open returns a stream before any engine has opened one; it keeps the sound
// until then.
func (e *Ears) Open(ctx context.Context, f Format) (Stream, error) {
	frame := audio.FrameSize(f.SampleRate)
	if frame == 0 {
		return nil, fmt.Errorf("speech: there is no sound at %d Hz", f.SampleRate)
	}
	s := &earStream{of: e, format: f, kept: newKeeper(frame, int(e.options.Keep/audio.FrameDuration)), heard: make(chan Heard, 64)}
	ctx, s.cancel = context.WithCancel(ctx)
	go s.run(ctx)
	return s, nil
}

// earStream is one call's stream over the streams of engines.
type earStream struct {
	of     *Ears
	format Format
	cancel context.CancelFunc
	heard  chan Heard

	mu     sync.Mutex
	kept   *keeper
	now    Stream // nil while none is open
	closed bool
	err    error
}

// SampleRate is that of the format.
func (s *earStream) SampleRate() int { return s.format.SampleRate }

// WriteFrame passes a frame on, and keeps it for the case that the stream breaks.
func (s *earStream) WriteFrame(pcm []int16) error {
	if len(pcm) != audio.FrameSize(s.format.SampleRate) {
		return fmt.Errorf("speech: a frame of %d samples at %d Hz", len(pcm), s.format.SampleRate)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed
	}
	s.kept.add(pcm)
	if s.now != nil {
		_ = s.now.WriteFrame(pcm) // one that is broken ends, which run sees
	}
	return nil
}

// backoff is how long is waited before the nth stream in a row that came to
// nothing is tried again.
func backoff(n int) time.Duration {
	return min(100*time.Millisecond<<min(n, 5), 3*time.Second)
}

// run keeps a stream open until this one is closed, or no engine hears any more.
func (s *earStream) run(ctx context.Context) {
	defer close(s.heard)
	defer s.cancel()
	engines := s.of.options.Engines
	for vain := 0; ; {
		at := s.of.health.order(len(engines), -1)[0]
		worked, err := s.attend(ctx, engines[at])
		switch {
		case s.isClosed():
			return
		case ctx.Err() != nil:
			s.fail(ctx.Err())
			return
		case worked:
			vain = 0 // the same engine is asked first: connections break
			s.of.health.worked(at)
		default:
			vain++
			s.of.health.failed(at)
		}
		s.of.options.OnFault(engines[at].Name(), err)
		if vain > 2*len(engines) {
			s.fail(err)
			return
		}
		select {
		case <-time.After(backoff(vain / len(engines))):
		case <-ctx.Done():
		}
	}
}

// attend opens a stream of one engine and passes on what it hears until it ends,
// which is always an error here. It reports whether the stream was of use.
func (s *earStream) attend(ctx context.Context, engine STT) (worked bool, err error) {
	defer caught(engine.Name(), &err)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	inTime := time.AfterFunc(s.of.options.Opening, cancel)
	stream, err := engine.Open(ctx, s.format)
	if !inTime.Stop() {
		if err == nil {
			_ = stream.Close() // it is too late
		}
		return false, &Error{Engine: engine.Name(), Err: ErrLate, Retryable: true}
	}
	if err != nil {
		return false, err
	}
	began := time.Now()
	if err := s.adopt(stream); err != nil {
		return false, err
	}
	defer s.orphan()
	for h := range stream.Heard() {
		worked = true
		if h.Final {
			s.forget()
		}
		select {
		case s.heard <- h:
		case <-ctx.Done():
			return worked, ctx.Err()
		}
	}
	if err = stream.Err(); err == nil {
		err = &Error{Engine: engine.Name(), Err: errors.New("the stream ended"), Retryable: true}
	}
	return worked || time.Since(began) > restTime, err
}

// adopt makes stream the one that hears, beginning with the kept sound.
func (s *earStream) adopt(stream Stream) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errors.Join(errClosed, stream.Close())
	}
	s.now = stream
	return s.kept.each(stream.WriteFrame)
}

func (s *earStream) orphan() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now != nil {
		_ = s.now.Close() // it has ended, or is not wanted
		s.now = nil
	}
}

// stayKept is how much of the sound is kept after final words: the next may have
// begun before they came.
const stayKept = 500 * time.Millisecond

func (s *earStream) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept.forget(int(stayKept / audio.FrameDuration))
}

func (s *earStream) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

func (s *earStream) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed, s.err = true, err
}

// Heard delivers what any of the engines understood.
func (s *earStream) Heard() <-chan Heard { return s.heard }

// Err tells why the stream ended, nil when it was closed.
func (s *earStream) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

func (s *earStream) String() string { return s.of.Name() }

// Close ends the stream. Words that the engine still has are delivered.
func (s *earStream) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	if s.now == nil {
		s.cancel()
		return nil
	}
	return s.now.Close()
}

// keeper keeps the last frames of a stream, in one piece of memory.
type keeper struct {
	frame int
	pcm   []int16
	first int // the oldest frame
	n     int
}

func newKeeper(frame, frames int) *keeper {
	return &keeper{frame: frame, pcm: make([]int16, frame*max(frames, 1))}
}

func (k *keeper) most() int { return len(k.pcm) / k.frame }

func (k *keeper) at(i int) []int16 {
	i = (k.first + i) % k.most() * k.frame
	return k.pcm[i : i+k.frame]
}

func (k *keeper) add(pcm []int16) {
	if k.n == k.most() {
		k.first, k.n = (k.first+1)%k.most(), k.n-1
	}
	copy(k.at(k.n), pcm)
	k.n++
}

// forget drops all but the last frames.
func (k *keeper) forget(all int) {
	if drop := k.n - all; drop > 0 {
		k.first, k.n = (k.first+drop)%k.most(), all
	}
}

func (k *keeper) each(write func([]int16) error) error {
	for i := range k.n {
		if err := write(k.at(i)); err != nil {
			return err
		}
	}
	return nil
}
