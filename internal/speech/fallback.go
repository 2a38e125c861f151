package speech

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/callwright/callwright/internal/audio"
)

// FallbackOptions says who speaks, and who when they cannot.
type FallbackOptions struct {
	Engines []TTS         // in order of preference; at least one; comparable, as pointers are
	Late    TTS           // speaks when no sound came within Budget, or all failed; nil is nobody
	Budget  time.Duration // from the wish to speak to the first sound; 500 ms
	Remote  time.Duration // the same for an engine that is reached over the network; 1.5 s
	Stall   time.Duration // without a frame in the middle of a text; 5 s
}

// Fallback is a TTS over several. The first engine that has the asked voice
// speaks; when it fails before its first frame, the next does. After the first
// frame no other voice takes over: the text would be heard twice. A remote
// engine that failed is asked last for a while.
type Fallback struct {
	options FallbackOptions
	health  health
}

// isRemote tells whether an engine is reached over the network, and slower for it.
func isRemote(engine TTS) bool {
	r, ok := engine.(interface{ Remote() bool })
	return ok && r.Remote()
}

// NewFallback makes a fallback over the engines.
func NewFallback(o FallbackOptions) *Fallback {
	if o.Budget == 0 {
		o.Budget = 500 * time.Millisecond
	}
	if o.Remote == 0 {
		o.Remote = 1500 * time.Millisecond
	}
	if o.Stall == 0 {
		o.Stall = 5 * time.Second
	}
	return &Fallback{options: o}
}

// Spoken tells how a text was spoken.
type Spoken struct {
	Voice  string  // engine and voice: "flite/kal"; "" when nothing was heard
	Note   string  // for the reader of a call: why not the voice that was asked for; or ""
	Faults []error // of engines that failed, for the log
}

// Name is the preferred engine's.
func (f *Fallback) Name() string {
	if len(f.options.Engines) == 0 {
		return "none"
	}
	return f.options.Engines[0].Name()
}

// Voices are those of all engines; a name that several have is the first one's.
func (f *Fallback) Voices() []Voice {
	var all []Voice
	for _, e := range f.options.Engines {
		for _, v := range e.Voices() {
			if !slices.ContainsFunc(all, func(have Voice) bool { return have.Name == v.Name }) {
				all = append(all, v)
			}
		}
	}
	return all
}

// Speak is Say for who does not ask who spoke.
func (f *Fallback) Speak(ctx context.Context, voice, text string, out audio.Writer) error {
	_, err := f.Say(ctx, voice, text, out)
	return err
}

// Say speaks text. Its error is that of ctx, of out, of the engine that failed
// in the middle, or of the last one that was tried.
func (f *Fallback) Say(ctx context.Context, voice, text string, out audio.Writer) (Spoken, error) {
	var spoken Spoken
	preferred, _, note := Pick(f.options.Engines, voice)
	if preferred == nil && f.options.Late == nil {
		return spoken, &Error{Engine: "fallback", Err: errors.New(note)}
	}
	var notes []string
	if note != "" {
		notes = append(notes, note)
	}
	deadline := time.Now().Add(f.options.Budget)
	var last error
	order := f.order(preferred)
	if preferred != nil && order[0] != preferred {
		notes = append(notes, preferred.Name()+" failed a moment ago")
	}
	for _, engine := range order {
		asked, remote := voiceFor(engine, voice), isRemote(engine)
		until := deadline
		if remote {
			until = time.Now().Add(f.options.Remote)
		}
		heard, err := f.try(ctx, engine, asked, text, out, until)
		if heard || err == nil {
			spoken.Voice = FullName(engine, asked)
			spoken.Note = strings.Join(notes, "; ")
			return spoken, err
		}
		if ctx.Err() != nil {
			return spoken, ctx.Err()
		}
		if remote {
			f.health.failed(slices.Index(f.options.Engines, engine))
			deadline = time.Now().Add(f.options.Budget)
		}
		last = err
		spoken.Faults = append(spoken.Faults, err)
		notes = append(notes, reproach(engine.Name(), err))
	}
	return spoken, last
}

// order lists the engines to try: the preferred one, the others, the late one.
func (f *Fallback) order(preferred TTS) []TTS {
	engines := f.options.Engines
	var out []TTS
	for _, i := range f.health.order(len(engines), slices.Index(engines, preferred)) {
		out = append(out, engines[i])
	}
	if f.options.Late != nil && !slices.Contains(out, f.options.Late) {
		out = append(out, f.options.Late)
	}
	return out
}

// voiceFor is what engine is asked for: the wanted voice if it has it, else its
// default at the wanted pace.
func voiceFor(engine TTS, wanted string) string {
	asked := ParseVoice(wanted)
	asked.Engine = ""
	if _, _, found := FindVoice(engine, wanted); !found {
		asked.Name = ""
	}
	return asked.String()
}

func reproach(engine string, err error) string {
	if errors.Is(err, ErrLate) {
		return engine + " was late"
	}
	return engine + " failed"
}

// try lets one engine speak and reports whether anything of it was heard. It
// does not wait for an engine that it gave up.
func (f *Fallback) try(ctx context.Context, engine TTS, voice, text string, out audio.Writer, deadline time.Time) (heard bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	g := &gate{out: out}
	done := make(chan error, 1)
	go func() {
		done <- guarded(engine, func() error { return engine.Speak(ctx, voice, text, g) })
	}()
	var patience <-chan time.Time
	if engine != f.options.Late {
		left, _ := f.wait(g, deadline)
		patience = time.After(left)
	}
	for {
		select {
		case err := <-done:
			frames, _ := g.progress()
			return frames > 0, err
		case <-ctx.Done():
			return g.shut() > 0, ctx.Err()
		case <-patience:
			left, frames := f.wait(g, deadline)
			if left <= 0 && g.shutAfter(frames) {
				return frames > 0, givenUp(engine, frames)
			}
			patience = time.After(max(left, 0))
		}
	}
}

// wait is for how long an engine may still be silent, after so many frames.
func (f *Fallback) wait(g *gate, deadline time.Time) (left time.Duration, frames int) {
	frames, newest := g.progress()
	if frames > 0 {
		return time.Until(newest.Add(f.options.Stall)), frames
	}
	if f.options.Late == nil {
		deadline = deadline.Add(f.options.Stall) // late sound is better than none
	}
	return time.Until(deadline), 0
}

func givenUp(engine TTS, frames int) error {
	why := ErrLate
	if frames > 0 {
		why = ErrStalled
	}
	return &Error{Engine: engine.Name(), Err: why, Retryable: true}
}

// errShut tells an engine that was given up that it is not heard any more.
var errShut = errors.New("speech: this voice was given up")

// gate lets frames through until it is shut.
type gate struct {
	out audio.Writer

	mu     sync.Mutex
	closed bool
	frames int
	newest time.Time
}

func (g *gate) SampleRate() int { return g.out.SampleRate() }

func (g *gate) WriteFrame(pcm []int16) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return errShut
	}
	g.frames++
	g.newest = time.Now()
	return g.out.WriteFrame(pcm)
}

func (g *gate) String() string { return g.out.String() }

// Close does nothing: the writer belongs to who asked for speech.
func (g *gate) Close() error { return nil }

// shut closes the gate and returns how many frames went through.
func (g *gate) shut() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	return g.frames
}

// shutAfter shuts the gate unless more than frames went through meanwhile.
func (g *gate) shutAfter(frames int) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = g.frames == frames
	return g.closed
}

func (g *gate) progress() (frames int, newest time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.frames, g.newest
}

// guarded runs work of an engine and makes an error of its panic: an engine's
// fault must not end calls.
func guarded(engine TTS, work func() error) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = &Error{Engine: engine.Name(), Err: fmt.Errorf("panic: %v", fault)}
		}
	}()
	return work()
}
