package speech_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callwright/callwright/internal/audio"
	"github.com/callwright/callwright/internal/speech"
	"github.com/callwright/callwright/internal/speech/speechtest"
)

func newCache(t *testing.T, o speech.CacheOptions) *speech.Cache {
	t.Helper()
	c, err := speech.NewCache(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// spoken is the sound of text by engine.
func spoken(t *testing.T, engine speech.TTS, voice, text string) []int16 {
	t.Helper()
	b := audio.NewBuffer(lineRate)
	if err := engine.Speak(t.Context(), voice, text, b); err != nil {
		t.Errorf("speaking %q: %v", text, err)
	}
	return b.PCM
}

func TestCacheSpeaksOnce(t *testing.T) {
	tone := &speechtest.Tone{}
	cached := newCache(t, speech.CacheOptions{}).Wrap(tone)
	want := spoken(t, tone, "", "Good morning.")
	for range 3 {
		if got := spoken(t, cached, "", "Good morning."); !slices.Equal(got, want) {
			t.Fatalf("%d samples, want the engine's %d", len(got), len(want))
		}
	}
	spoken(t, cached, "low", "Good morning.")
	if err := cached.Speak(t.Context(), "", "Good morning.", audio.NewBuffer(16000)); err != nil {
		t.Error(err)
	}
	// Alone, at first, in the other voice, at the other rate.
	if got := len(tone.Texts()); got != 4 {
		t.Errorf("the engine spoke %d times, want 4", got)
	}
	if other := newCache(t, speech.CacheOptions{}).Wrap(&speechtest.Tone{ID: "other"}); other.Name() != "other" || len(other.Voices()) != 2 {
		t.Error("name and voices are not the engine's")
	}
}

func TestCacheSharesOneSynthesis(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tone := &speechtest.Tone{Delay: time.Second}
		cache := newCache(t, speech.CacheOptions{})
		cached := cache.Wrap(tone)
		var group sync.WaitGroup
		for i := range 20 {
			group.Go(func() {
				time.Sleep(time.Duration(i) * 40 * time.Millisecond)
				if got := spoken(t, cached, "", "We all want this."); len(got) != 4*lineRate/10 {
					t.Errorf("%d samples", len(got))
				}
			})
		}
		// Who leaves does not take the sound from the others.
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		if err := cached.Speak(ctx, "", "We all want this.", audio.NewBuffer(lineRate)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the one who left got %v", err)
		}
		group.Wait()
		if got := len(tone.Texts()); got != 1 {
			t.Errorf("the engine spoke %d times", got)
		}
		if s := cache.Stats(); s.Misses != 1 || s.Hits != 20 || s.Entries != 1 || s.Bytes != 2*4*lineRate/10 {
			t.Errorf("stats %+v", s)
		}
	})
}

func TestCacheStopsWhatNobodyWants(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tone := &speechtest.Tone{Hang: true, Frames: 2}
		cached := newCache(t, speech.CacheOptions{}).Wrap(tone)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		b := audio.NewBuffer(lineRate)
		if err := cached.Speak(ctx, "", "Nobody hears this.", b); !errors.Is(err, context.DeadlineExceeded) || len(b.PCM) != 320 {
			t.Errorf("error %v after %d samples", err, len(b.PCM))
		}
		synctest.Wait() // the engine has returned, or the bubble would deadlock
		tone.Hang = false
		if got := spoken(t, cached, "", "Nobody hears this."); len(got) != 3*lineRate/10 {
			t.Errorf("half a sound was kept: %d samples", len(got))
		}
	})
}

func TestCacheKeepsNoFailure(t *testing.T) {
	broken := errors.New("broken")
	tone := &speechtest.Tone{Err: broken, Frames: 3}
	cached := newCache(t, speech.CacheOptions{}).Wrap(tone)
	b := audio.NewBuffer(lineRate)
	if err := cached.Speak(t.Context(), "", "Half of it.", b); !errors.Is(err, broken) || len(b.PCM) != 480 {
		t.Errorf("error %v after %d samples, want broken after 480", err, len(b.PCM))
	}
	tone.Err = nil
	if got := spoken(t, cached, "", "Half of it."); len(got) != 3*lineRate/10 {
		t.Errorf("%d samples after the engine was mended", len(got))
	}
	if err := newCache(t, speech.CacheOptions{}).Wrap(panicking{}).Speak(t.Context(), "", "x", b); err == nil {
		t.Error("a panic of the engine is no error")
	}
}

// panicking is an engine with a fault.
type panicking struct{}

func (panicking) Name() string           { return "panicking" }
func (panicking) Voices() []speech.Voice { return []speech.Voice{{Name: "x", SampleRate: 8000}} }
func (panicking) Speak(context.Context, string, string, audio.Writer) error {
	panic("a fault of the engine")
}

func TestCacheDropsTheOldest(t *testing.T) {
	tone := &speechtest.Tone{}
	one := int64(2 * lineRate / 10) // a word
	cache := newCache(t, speech.CacheOptions{Bytes: 4 * one})
	cached := cache.Wrap(tone)
	for _, text := range []string{"a", "b", "c", "d", "a", "e", "a", "f"} {
		spoken(t, cached, "", text)
	}
	if s := cache.Stats(); s.Bytes > 4*one || s.Entries != 4 {
		t.Errorf("stats %+v, at most %d bytes", s, 4*one)
	}
	if got, want := tone.Texts(), []string{"a", "b", "c", "d", "e", "f"}; !slices.Equal(got, want) {
		t.Errorf("spoken were %q, want %q", got, want)
	}
	spoken(t, cached, "", "b")
	spoken(t, cached, "", "much too long to be kept")
	spoken(t, cached, "", "much too long to be kept")
	if got := len(tone.Texts()); got != 9 {
		t.Errorf("the engine spoke %d times, want 9", got)
	}
}

func TestPrepareKeepsOnDisk(t *testing.T) {
	dir := t.TempDir()
	tone := &speechtest.Tone{}
	texts := []string{"Welcome.", "Please hold the line.", "Welcome."}
	prepare := func(c *speech.Cached, keep bool) {
		t.Helper()
		if err := c.Prepare(t.Context(), speech.Preparation{SampleRate: lineRate, Texts: texts, Keep: keep}); err != nil {
			t.Fatal(err)
		}
	}
	files := func() []string {
		t.Helper()
		found, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	cached := newCache(t, speech.CacheOptions{Dir: dir}).Wrap(tone)
	prepare(cached, false)
	if got := files(); len(got) != 0 {
		t.Errorf("on disk without being asked: %q", got)
	}
	prepare(cached, true)
	if got := files(); len(got) != 2 {
		t.Errorf("on disk: %q, want two", got)
	}
	spoken(t, cached, "", "Hello Jane.")
	if got := files(); len(got) != 2 {
		t.Errorf("what was only spoken is on disk: %q", got)
	}

	again := newCache(t, speech.CacheOptions{Dir: dir})
	if got, want := spoken(t, again.Wrap(tone), "", "Welcome."), spoken(t, &speechtest.Tone{}, "", "Welcome."); !slices.Equal(got, want) {
		t.Errorf("from disk come %d samples, want %d", len(got), len(want))
	}
	if s := again.Stats(); s.DiskHits != 1 || s.Misses != 0 || s.DiskFault != "" {
		t.Errorf("stats %+v", s)
	}
	for _, path := range files() {
		if err := os.Truncate(path, 9); err != nil {
			t.Fatal(err)
		}
	}
	damaged := newCache(t, speech.CacheOptions{Dir: dir})
	if got := spoken(t, damaged.Wrap(tone), "", "Welcome."); len(got) != lineRate/10 {
		t.Errorf("with a damaged file %d samples", len(got))
	}
	if s := damaged.Stats(); s.Misses != 1 || s.DiskFault == "" {
		t.Errorf("a damaged file: stats %+v", s)
	}
}

func TestDiskCacheIsBounded(t *testing.T) {
	dir := t.TempDir()
	file := int64(2*lineRate/10 + 8)
	cached := newCache(t, speech.CacheOptions{Dir: dir, DiskBytes: 5 * file}).Wrap(&speechtest.Tone{})
	for _, text := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		if err := cached.Prepare(t.Context(), speech.Preparation{SampleRate: lineRate, Texts: []string{text}, Keep: true}); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) > 5 || len(entries) < 3 {
		t.Errorf("%d files, at most 5 may be there (%v)", len(entries), err)
	}
	if _, err := speech.NewCache(speech.CacheOptions{Dir: filepath.Join(dir, entries[0].Name())}); err == nil {
		t.Error("a file is accepted as the directory")
	}
}
