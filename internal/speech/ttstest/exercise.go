// Package ttstest is the suite that every engine that talks must pass.
package ttstest

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/audio"
	"github.com/callwright/callwright/internal/speech"
)

// patience is how long an engine may take to notice that it is not wanted any
// more, on a machine that is busy.
const patience = 2 * time.Second

// Exercise runs the suite on an engine.
func Exercise(t *testing.T, engine speech.TTS) {
	t.Run("names itself and its voices", func(t *testing.T) { names(t, engine) })
	t.Run("speaks at every rate", func(t *testing.T) { rates(t, engine) })
	t.Run("longer text takes longer", func(t *testing.T) { lengths(t, engine) })
	t.Run("text that is hard to read", func(t *testing.T) { hardTexts(t, engine) })
	t.Run("an unknown voice", func(t *testing.T) { unknownVoice(t, engine) })
	t.Run("stops when its context ends", func(t *testing.T) { cancels(t, engine) })
	t.Run("stops when the writer fails", func(t *testing.T) { brokenWriter(t, engine) })
	t.Run("speaks several at once", func(t *testing.T) { parallel(t, engine) })
}

// strict is a writer that takes whole frames only.
type strict struct {
	t    testing.TB
	rate int

	mu     sync.Mutex
	frames int
	loud   int // frames with something to hear
	failAt int // the frame that fails, 0 for none
	onLoud func()
}

var errBroken = errors.New("ttstest: the writer is broken")

func (s *strict) SampleRate() int { return s.rate }

func (s *strict) WriteFrame(pcm []int16) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(pcm) != audio.FrameSize(s.rate) {
		s.t.Errorf("a frame of %d samples at %d Hz", len(pcm), s.rate)
	}
	s.frames++
	for _, x := range pcm {
		if x > 500 || x < -500 {
			s.loud++
			if s.onLoud != nil {
				s.onLoud()
			}
			break
		}
	}
	if s.failAt > 0 && s.frames >= s.failAt {
		return errBroken
	}
	return nil
}

func (s *strict) String() string { return "strict" }
func (s *strict) Close() error   { s.t.Error("the engine closed the writer"); return nil }

func say(t testing.TB, engine speech.TTS, voice, text string, rate int) *strict {
	t.Helper()
	w := &strict{t: t, rate: rate}
	if err := engine.Speak(t.Context(), voice, text, w); err != nil {
		t.Errorf("speaking %.40q with voice %q: %v", text, voice, err)
	}
	return w
}

func names(t *testing.T, engine speech.TTS) {
	if engine.Name() == "" || strings.ContainsAny(engine.Name(), "/@ ") {
		t.Errorf("the name %q", engine.Name())
	}
	voices := engine.Voices()
	if len(voices) == 0 {
		t.Fatal("no voices")
	}
	for _, v := range voices {
		if v.Name == "" || v.SampleRate <= 0 || strings.ContainsAny(v.Name, "/@") {
			t.Errorf("the voice %+v", v)
		}
	}
}

func rates(t *testing.T, engine speech.TTS) {
	var first int
	for _, rate := range []int{8000, 16000, 48000} {
		w := say(t, engine, "", "Good morning.", rate)
		if w.loud < 15 || w.frames > 150 {
			t.Errorf("at %d Hz: %d frames, %d to be heard", rate, w.frames, w.loud)
		}
		if first == 0 {
			first = w.frames
		}
		if d := w.frames - first; d < -2 || d > 2 {
			t.Errorf("at %d Hz it takes %d frames, at 8000 Hz %d", rate, w.frames, first)
		}
	}
}

func lengths(t *testing.T, engine speech.TTS) {
	short := say(t, engine, "", "Yes.", 8000)
	long := say(t, engine, "", "Yes, I would like to book a table for four people on Friday evening.", 8000)
	fast := say(t, engine, "@1.5", "Yes, I would like to book a table for four people on Friday evening.", 8000)
	if short.frames*3 > long.frames {
		t.Errorf("one word takes %d frames, fourteen take %d", short.frames, long.frames)
	}
	if long.frames < 100 || long.frames > 350 {
		t.Errorf("fourteen words take %d frames", long.frames)
	}
	if fast.frames*100 > long.frames*85 {
		t.Errorf("one and a half times as fast it takes %d frames instead of %d", fast.frames, long.frames)
	}
}

func hardTexts(t *testing.T, engine speech.TTS) {
	for _, text := range []string{"", " ", "\n\t", "...", "🙂", "—"} {
		if w := say(t, engine, "", text, 8000); w.loud > 0 {
			t.Errorf("%q makes %d frames to be heard", text, w.loud)
		}
	}
	for _, text := range []string{
		"Café, naïve, “quoted” – it’s 3.5 €", "-voice slt", "--help", "a\x00b\x07c", "\xff\xfe broken",
		"$(touch /tmp/x) `id` | cat", "<speak>tag</speak>", "Call +1 (555) 010-4477 🙂 now", "&&", "A",
	} {
		say(t, engine, "", text, 8000)
	}
	if w := say(t, engine, "", strings.Repeat("One two three. ", 40), 8000); w.loud < 500 {
		t.Errorf("forty sentences make %d frames to be heard", w.loud)
	}
	w := &strict{t: t, rate: 8000}
	err := engine.Speak(t.Context(), "", strings.Repeat("No end. ", 8<<10), w)
	if !errors.Is(err, speech.ErrTooLong) || speech.Retryable(err) || w.frames > 0 {
		t.Errorf("64 kB of text: error %v after %d frames, want ErrTooLong and none", err, w.frames)
	}
}

func unknownVoice(t *testing.T, engine speech.TTS) {
	w := &strict{t: t, rate: 8000}
	err := engine.Speak(t.Context(), "no such voice", "Hello.", w)
	if err == nil || w.frames > 0 {
		t.Errorf("error %v after %d frames, want an error and none", err, w.frames)
	}
}

func cancels(t *testing.T, engine speech.TTS) {
	text := strings.Repeat("This is a sentence of some length, and there are many. ", 200)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w := &strict{t: t, rate: 8000}
	if err := engine.Speak(ctx, "", text, w); !errors.Is(err, context.Canceled) || w.frames > 0 {
		t.Errorf("canceled before it spoke: error %v after %d frames", err, w.frames)
	}
	ctx, cancel = context.WithCancel(t.Context())
	defer cancel()
	var canceledAt time.Time
	var framesThen int
	w = &strict{t: t, rate: 8000}
	w.onLoud = func() {
		if canceledAt.IsZero() {
			canceledAt, framesThen = time.Now(), w.frames
			cancel()
		}
	}
	err := engine.Speak(ctx, "", text, w)
	if !errors.Is(err, context.Canceled) || canceledAt.IsZero() {
		t.Fatalf("canceled while it spoke: error %v", err)
	}
	if after := time.Since(canceledAt); after > patience {
		t.Errorf("it noticed after %v that it was canceled", after)
	}
	if w.frames > framesThen+1 {
		t.Errorf("%d frames came after it was canceled", w.frames-framesThen)
	}
}

func brokenWriter(t *testing.T, engine speech.TTS) {
	w := &strict{t: t, rate: 8000, failAt: 3}
	err := engine.Speak(t.Context(), "", "This cannot be heard by anyone.", w)
	if !errors.Is(err, errBroken) || w.frames != 3 {
		t.Errorf("error %v after %d frames, want the writer's after 3", err, w.frames)
	}
}

func parallel(t *testing.T, engine speech.TTS) {
	want := say(t, engine, "", "We all speak at once.", 8000).frames
	var group sync.WaitGroup
	for range 6 {
		group.Go(func() {
			if got := say(t, engine, "", "We all speak at once.", 8000).frames; got != want {
				t.Errorf("%d frames beside others, %d alone", got, want)
			}
		})
	}
	group.Wait()
}
