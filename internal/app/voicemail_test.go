package app_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/audio"
	"github.com/callwright/callwright/internal/audio/audiotest"
	"github.com/callwright/callwright/internal/callee"
)

// TestVoicemail has an answering machine take a call: the message is left after
// the beep and not before, whole.
func TestVoicemail(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var heard []string
	h, from := sandbox(t, setup{callee: func(r callee.Report) {
		mu.Lock()
		defer mu.Unlock()
		heard = r.Heard
	}})
	const message = "This is Ava with a message for Casey. Please call us back today."
	agent := h.agent(nil, ask("n", "Hello, how many people are you?", "number", "bye"), map[string]any{"id": "vm", "type": "voicemail", "text": message}, bye("Goodbye."))
	got := h.ended(h.place(agent, from, "+15001110003"))
	h.wants(got, "completed", "voicemail")
	said := words(got, "agent")
	if len(said) == 0 || said[len(said)-1] != message {
		t.Errorf("the agent said %q, want the message at the end", said)
	}
	left, right := h.recording(got)
	beepEnd := 0
	for i := 0; i+160 <= len(left); i += 160 {
		if audio.Level(left[i:i+160]) > 1000 && audiotest.Strength(left[i:i+160], 8000, 1000) > 0.9 {
			beepEnd = i + 160
		}
	}
	if beepEnd == 0 {
		t.Fatal("the machine did not beep")
	}
	began := got.Turns[len(got.Turns)-1].StartMs
	if ended := audio.Duration(beepEnd, 8000).Milliseconds(); began < ended-60 || began > ended+700 {
		t.Errorf("the beep ended after %d ms, the message began after %d", ended, began)
	}
	onset := slices.IndexFunc(right[beepEnd:], func(s int16) bool { return s > 500 || s < -500 })
	if wait := audio.Duration(onset, 8000); onset < 0 || wait > 700*time.Millisecond {
		t.Errorf("the message began %v after the beep", wait)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(heard) == 0 || !strings.HasPrefix(message, strings.TrimSpace(heard[len(heard)-1])) || len(heard[len(heard)-1]) < len(message)/2 {
		t.Errorf("the machine heard %q, want the message as far as it came before the hang-up", strings.Join(heard, " | "))
	}
}
