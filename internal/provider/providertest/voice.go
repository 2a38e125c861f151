package providertest

import (
	"math"
	"net/http"
	"strings"
	"sync"
	"time"
)

// VoiceRate is the rate of a Voice's sound in hertz, as OpenAI's raw sound has it.
const VoiceRate = 24000

// Voice is a TTS in OpenAI's protocol that hums: 60 ms for each letter, so that
// longer texts take longer, at the pace that is asked for.
type Voice struct {
	First time.Duration // before the first sound
	Each  time.Duration // before each 100 ms of sound after it
	Keep  bool          // texts, for Texts

	mu    sync.Mutex
	texts []string
}

// letterTime is how long a letter sounds.
const letterTime = 60 * time.Millisecond

// Texts lists what was to be spoken, if it is kept.
func (v *Voice) Texts() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return append([]string(nil), v.texts...)
}

// ServeHTTP answers one request.
func (v *Voice) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		Input, Voice string
		Speed        float64
	}
	if err := readJSON(r, &asked); err != nil {
		http.Error(w, `{"error":{"message":"no JSON"}}`, http.StatusBadRequest)
		return
	}
	if v.Keep {
		v.mu.Lock()
		v.texts = append(v.texts, asked.Input)
		v.mu.Unlock()
	}
	if !pause(r.Context(), v.First) {
		return
	}
	w.Header().Set("Content-Type", "audio/pcm")
	out := http.NewResponseController(w)
	for i, chunk := 0, Hum(asked.Input, asked.Speed); len(chunk) > 0; i++ {
		if i > 0 && !pause(r.Context(), v.Each) {
			return
		}
		n := min(len(chunk), 2*VoiceRate/10)
		if _, err := w.Write(chunk[:n]); err != nil || out.Flush() != nil {
			return
		}
		chunk = chunk[n:]
	}
}

// oneSecond of a hum at 24 kHz: 150 Hz and two of its harmonics, swelling ten
// times a second as syllables do. Its period is a whole second.
var oneSecond = sync.OnceValue(func() []byte {
	out := make([]byte, 2*VoiceRate)
	for i := range VoiceRate {
		t := float64(i) / VoiceRate
		wave := math.Sin(2*math.Pi*150*t) + 0.5*math.Sin(2*math.Pi*450*t) + 0.3*math.Sin(2*math.Pi*900*t)
		s := int16(6000 * wave * (0.6 + 0.4*math.Sin(2*math.Pi*10*t)))
		out[2*i], out[2*i+1] = byte(s), byte(uint16(s)>>8)
	}
	return out
})

// Hum is the sound of a text: 16-bit little-endian samples at VoiceRate. A pace
// of 0 is 1.
func Hum(text string, pace float64) []byte {
	if pace <= 0 {
		pace = 1
	}
	letters := len(strings.Fields(text))*2 + len(strings.ReplaceAll(text, " ", ""))
	samples := int(float64(letters) * letterTime.Seconds() * VoiceRate / pace)
	out := make([]byte, 0, 2*samples)
	for len(out) < 2*samples {
		out = append(out, oneSecond()[:min(2*VoiceRate, 2*samples-len(out))]...)
	}
	return out
}
