package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/callwright/callwright/internal/audio"
	"github.com/callwright/callwright/internal/speech"
)

// hearing turns a call's sound into words with the engines of the house, the
// first that works. The pacer puts sound into a ring and never waits; what an
// engine is too slow for is lost and counted.
type hearing struct {
	engines []speech.STT
	format  speech.Format
	log     *slog.Logger
	ring    soundRing
	silence context.CancelFunc // set by run
	mu      sync.Mutex
	muted   bool
}

// listener is who is told what was heard: the call's conversation.
type listener interface {
	Heard(h speech.Heard)
	Deaf()
	Note(text string)
}

const (
	// hearingOpen is how long an engine may take to be ready. Meanwhile the ring
	// keeps the first words.
	hearingOpen = 5 * time.Second
	// hearingRounds is how often each engine is tried in one call: a connection
	// that broke may work again.
	hearingRounds = 2
)

// errHearingEnded is what a stream is charged with that ends without an error.
var errHearingEnded = errors.New("the engine ended its stream")

func newHearing(engines []speech.STT, rate int, language string, log *slog.Logger) *hearing {
	return &hearing{
		engines: engines, format: speech.Format{SampleRate: rate, Language: language}, log: log,
		ring: soundRing{wake: make(chan struct{}, 1)},
	}
}

// take keeps one frame of the caller. It is called on the pacer's goroutine.
func (h *hearing) take(pcm []int16) { h.ring.put(pcm) }

// mute ends hearing for good: the far end's own text tells the words better.
func (h *hearing) mute() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.muted = true
	if h.silence != nil {
		h.silence()
	}
}

// run passes words to the talk until ctx is done, the hearing was muted or no
// engine is left. What failed is noted with the call.
func (h *hearing) run(ctx context.Context, talk listener) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	h.mu.Lock()
	h.silence = cancel
	if h.muted {
		cancel()
	}
	h.mu.Unlock()
	defer func() {
		if lost := h.ring.lost.Load(); lost > 0 {
			talk.Note(fmt.Sprintf("%.1f s of the caller were not understood: the engine that hears was too slow",
				audio.Duration(int(lost), h.format.SampleRate).Seconds()))
		}
	}()
	for try := range hearingRounds * len(h.engines) {
		engine := h.engines[try%len(h.engines)]
		err := h.with(ctx, engine, talk)
		if ctx.Err() != nil {
			return
		}
		h.log.Warn("an engine that hears failed", "engine", engine.Name(), "err", err)
		talk.Note(engine.Name() + " failed while hearing the caller")
	}
	talk.Deaf()
	talk.Note("the caller could not be understood any more: no engine that hears is left")
}

// with hears with one engine until it fails or ctx is done.
func (h *hearing) with(ctx context.Context, engine speech.STT, talk listener) (err error) {
	defer func() {
		if r := recover(); r != nil {
			h.log.Error("an engine that hears broke", "engine", engine.Name(), "panic", r, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	late := time.AfterFunc(hearingOpen, func() { cancel(context.DeadlineExceeded) })
	stream, err := engine.Open(ctx, h.format)
	if !late.Stop() && err == nil {
		err = errors.Join(context.DeadlineExceeded, stream.Close())
	}
	if err != nil {
		return err
	}
	var feeding sync.WaitGroup
	feeding.Go(func() {
		if err := h.feed(ctx, stream); err != nil {
			cancel(err)
		}
	})
	for {
		select {
		case heard, open := <-stream.Heard():
			if open {
				talk.Heard(heard)
				continue
			}
			err = stream.Err()
			if err == nil {
				err = errHearingEnded
			}
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
		cancel(err)
		err = errors.Join(err, stream.Close())
		feeding.Wait()
		return err
	}
}

// feed gives a stream the caller's sound, frame by frame, until it takes no more
// or ctx is done.
func (h *hearing) feed(ctx context.Context, stream speech.Stream) (err error) {
	defer func() {
		if r := recover(); r != nil {
			h.log.Error("a stream that hears broke", "panic", r, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	frame := make([]int16, audio.FrameSize(h.format.SampleRate))
	for {
		for h.ring.take(frame) {
			if ctx.Err() != nil {
				return nil
			}
			if err := stream.WriteFrame(frame); err != nil {
				return err
			}
		}
		select {
		case <-h.ring.wake:
		case <-ctx.Done():
			return nil
		}
	}
}
