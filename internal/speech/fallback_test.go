package speech_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callwright/callwright/internal/audio"
	"github.com/callwright/callwright/internal/speech"
	"github.com/callwright/callwright/internal/speech/speechtest"
)

var errBroken = errors.New("broken")

const oneSecond = "one two three four five six seven eight nine ten" // of Tone

func TestFallback(t *testing.T) {
	good := func() *speechtest.Tone { return &speechtest.Tone{ID: "good"} }
	late := func() *speechtest.Tone { return &speechtest.Tone{ID: "late"} }
	for name, c := range map[string]struct {
		engines []speech.TTS
		late    speech.TTS
		voice   string

		spoke   string
		note    string // a part of it
		err     error
		samples int
		took    time.Duration
	}{
		"the first speaks": {
			engines: []speech.TTS{good(), &speechtest.Tone{ID: "second"}}, late: late(),
			spoke: "good/high", samples: lineRate,
		},
		"the first fails": {
			engines: []speech.TTS{&speechtest.Tone{ID: "bad", Err: errBroken}, good()}, late: late(),
			spoke: "good/high", note: "bad failed", samples: lineRate,
		},
		"the first panics": {
			engines: []speech.TTS{panicking{}, good()},
			spoke:   "good/high", note: "panicking failed", samples: lineRate,
		},
		"the first fails after it was heard": {
			engines: []speech.TTS{&speechtest.Tone{ID: "bad", Err: errBroken, Frames: 5}, good()}, late: late(),
			spoke: "bad/high", err: errBroken, samples: 5 * 160,
		},
		"the first is late": {
			engines: []speech.TTS{&speechtest.Tone{ID: "slow", Delay: time.Minute}}, late: late(),
			spoke: "late/high", note: "slow was late", samples: lineRate, took: 500 * time.Millisecond,
		},
		"a slow one is better than none": {
			engines: []speech.TTS{&speechtest.Tone{ID: "slow", Delay: 2 * time.Second}},
			spoke:   "slow/high", samples: lineRate, took: 2 * time.Second,
		},
		"it stops in the middle": {
			engines: []speech.TTS{&speechtest.Tone{ID: "stuck", Hang: true, Frames: 10}, good()}, late: late(),
			spoke: "stuck/high", err: speech.ErrStalled, samples: 10 * 160, took: 5 * time.Second,
		},
		"all fail": {
			engines: []speech.TTS{&speechtest.Tone{ID: "a", Err: errBroken}, &speechtest.Tone{ID: "b", Err: errBroken}}, late: late(),
			spoke: "late/high", note: "a failed; b failed", samples: lineRate,
		},
		"all fail and nobody is left": {
			engines: []speech.TTS{&speechtest.Tone{ID: "a", Err: errBroken}, &speechtest.Tone{ID: "b", Err: errBroken}},
			err:     errBroken,
		},
		"the second has the voice": {
			engines: []speech.TTS{good(), &speechtest.Tone{ID: "second"}}, voice: "second/low",
			spoke: "second/low", samples: lineRate,
		},
		"nobody has the voice": {
			engines: []speech.TTS{good()}, voice: "acme/anna",
			spoke: "good/high", note: `"acme/anna"`, samples: lineRate,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := speech.NewFallback(speech.FallbackOptions{Engines: c.engines, Late: c.late})
				b := audio.NewBuffer(lineRate)
				start := time.Now()
				spoken, err := f.Say(t.Context(), c.voice, oneSecond, b)
				if !errors.Is(err, c.err) {
					t.Errorf("error %v, want %v", err, c.err)
				}
				if spoken.Voice != c.spoke || !strings.Contains(spoken.Note, c.note) || (c.note == "") != (spoken.Note == "") {
					t.Errorf("spoke %q with the note %q, want %q and %q", spoken.Voice, spoken.Note, c.spoke, c.note)
				}
				if len(b.PCM) != c.samples {
					t.Errorf("%d samples, want %d", len(b.PCM), c.samples)
				}
				if took := time.Since(start); took != c.took {
					t.Errorf("it took %v, want %v", took, c.took)
				}
			})
		})
	}
}

func TestFallbackStopsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := speech.NewFallback(speech.FallbackOptions{
			Engines: []speech.TTS{&speechtest.Tone{Hang: true, Frames: 1}}, Late: &speechtest.Tone{},
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if err := f.Speak(ctx, "", oneSecond, audio.NewBuffer(lineRate)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		if took := time.Since(start); took != time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

func TestFallbackOverNothing(t *testing.T) {
	f := speech.NewFallback(speech.FallbackOptions{})
	if err := f.Speak(t.Context(), "", "Hello.", audio.NewBuffer(lineRate)); err == nil || f.Name() == "" || len(f.Voices()) != 0 {
		t.Errorf("error %v, name %q", err, f.Name())
	}
	f = speech.NewFallback(speech.FallbackOptions{Engines: []speech.TTS{&speechtest.Tone{ID: "a"}, &speechtest.Tone{ID: "b"}}})
	if len(f.Voices()) != 2 || f.Name() != "a" {
		t.Errorf("voices %v", f.Voices())
	}
}

// remoteTone is a Tone that is reached over the network.
type remoteTone struct{ *speechtest.Tone }

func (remoteTone) Remote() bool { return true }

// A remote voice has more time, the one of this machine speaks when it does not
// come, and for a while it is not waited for again.
func TestFallbackFromARemoteVoice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		far := &speechtest.Tone{ID: "far", Delay: time.Second}
		cache := newCache(t, speech.CacheOptions{})
		f := speech.NewFallback(speech.FallbackOptions{
			Engines: []speech.TTS{cache.Wrap(remoteTone{far}), &speechtest.Tone{ID: "near", Delay: 100 * time.Millisecond}}, Late: &speechtest.Tone{ID: "late"},
		})
		for i, c := range []struct {
			delay, wait, took time.Duration
			voice, note       string
		}{
			{delay: time.Second, took: time.Second, voice: "far/high"},
			{delay: time.Minute, took: 1600 * time.Millisecond, voice: "near/high", note: "far was late"},
			{delay: time.Minute, took: 100 * time.Millisecond, voice: "near/high", note: "far failed a moment ago"},
			{delay: time.Second, wait: 31 * time.Second, took: time.Second, voice: "far/high"},
		} {
			time.Sleep(c.wait)
			synctest.Wait() // the voice that was given up has seen its delay
			far.Delay = c.delay
			start := time.Now()
			spoken, err := f.Say(t.Context(), "", strings.Repeat("word ", i+1), audio.NewBuffer(lineRate))
			if took := time.Since(start); err != nil || spoken.Voice != c.voice || spoken.Note != c.note || took != c.took {
				t.Errorf("text %d: %+v, %v after %s", i, spoken, err, took)
			}
		}
	})
}
