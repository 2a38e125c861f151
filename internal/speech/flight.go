package speech

import (
	"context"
	"errors"
	"sync"

	"github.com/callwright/callwright/internal/audio"
)

// errAbandoned ends a synthesis that nobody waits for any more.
var errAbandoned = errors.New("speech: nobody waits for this sound any more")

// flight is one synthesis under way. The engine writes into it; any number of
// callers follow what has come so far.
type flight struct {
	ctx    context.Context // ends when the last passenger leaves
	cancel context.CancelCauseFunc
	rate   int

	passengers int // guarded by the cache's lock

	mu   sync.Mutex
	pcm  []int16 // only grows
	done bool
	err  error
	news chan struct{} // closed when there is more
}

// newFlight makes a flight that outlives the caller who started it, but keeps
// the values of its context.
func newFlight(ctx context.Context, rate int) *flight {
	f := &flight{rate: rate, news: make(chan struct{})}
	f.ctx, f.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	return f
}

func (f *flight) abandon() { f.cancel(errAbandoned) }

// SampleRate is the rate of the writer that the first caller had.
func (f *flight) SampleRate() int { return f.rate }

// WriteFrame takes a frame from the engine.
func (f *flight) WriteFrame(pcm []int16) error {
	if f.ctx.Err() != nil {
		return context.Cause(f.ctx)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pcm = append(f.pcm, pcm...)
	f.announce()
	return nil
}

func (f *flight) String() string { return "cache" }

// Close does nothing: the flight ends when the engine returns.
func (f *flight) Close() error { return nil }

func (f *flight) announce() {
	close(f.news)
	f.news = make(chan struct{})
}

// sound returns all that has come.
func (f *flight) sound() []int16 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.pcm
}

// finish tells the followers that no more comes.
func (f *flight) finish(pcm []int16, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pcm, f.err, f.done = pcm, err, true
	f.announce()
}

// follow writes the flight's sound to out as it comes.
func (f *flight) follow(ctx context.Context, out audio.Writer) error {
	written := 0
	framer := audio.NewFramer(out)
	for {
		f.mu.Lock()
		pcm, done, failure, news := f.pcm[written:], f.done, f.err, f.news
		f.mu.Unlock()
		if len(pcm) == 0 && done {
			if failure != nil {
				return failure
			}
			return framer.Flush()
		}
		if len(pcm) == 0 {
			select {
			case <-news:
				continue
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		step := min(len(pcm), audio.FrameSize(f.rate))
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := framer.Write(pcm[:step]); err != nil {
			return err
		}
		written += step
	}
}
