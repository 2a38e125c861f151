// Package speechtest has engines for tests: a voice that sings a tone for each
// word and an ear that hears what a script says.
package speechtest

import (
	"context"
	"hash/fnv"
	"strings"
	"sync"
	"time"

	"github.com/callwright/callwright/internal/audio"
	"github.com/callwright/callwright/internal/speech"
)

// ToneWord is how long Tone sings for each word of a text.
const ToneWord = 100 * time.Millisecond

// Tone is a TTS that sings one tone for each text, ToneWord long for each word.
// The same text always makes the same samples. It is safe for concurrent use.
type Tone struct {
	ID    string        // its name; "tone" if empty
	Delay time.Duration // before the first frame
	Err   error         // returned after Frames frames, when not nil
	// Frames is how many frames come before Err, or before Hang.
	Frames int
	Hang   bool // stops after Frames frames until the context ends

	mu    sync.Mutex
	texts []string
}

// Name is ID.
func (t *Tone) Name() string {
	if t.ID == "" {
		return "tone"
	}
	return t.ID
}

// Voices are "high", the default, and "low".
func (t *Tone) Voices() []speech.Voice {
	return []speech.Voice{{Name: "high", SampleRate: 8000}, {Name: "low", SampleRate: 8000}}
}

// Texts lists what was asked to be spoken, in order.
func (t *Tone) Texts() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]string(nil), t.texts...)
}

// Pitch is the frequency in hertz with which a text is sung: too high for the
// beep of an answering machine.
func Pitch(voice, text string) float64 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(text)) // never fails
	hz := 2700 + float64(h.Sum32()%40)*16
	if speech.ParseVoice(voice).Name == "low" {
		hz /= 2
	}
	return hz
}

// Speak sings text.
func (t *Tone) Speak(ctx context.Context, voice, text string, out audio.Writer) error {
	t.mu.Lock()
	t.texts = append(t.texts, text)
	t.mu.Unlock()
	if t.Delay > 0 {
		select {
		case <-time.After(t.Delay):
		case <-ctx.Done():
		}
	}
	rate := out.SampleRate()
	tone := audio.NewTone(rate, 8000, Pitch(voice, text))
	frame := make([]int16, audio.FrameSize(rate))
	total := len(strings.Fields(text)) * int(ToneWord/audio.FrameDuration)
	for i := range total {
		if (t.Err != nil || t.Hang) && i >= t.Frames {
			break
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		tone.Fill(frame)
		if err := out.WriteFrame(frame); err != nil {
			return err
		}
	}
	if t.Hang {
		<-ctx.Done()
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return t.Err
}
