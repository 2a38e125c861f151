package provider

import (
	"context"
	"fmt"
	"math"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/callwright/callwright/internal/audio"
	"github.com/callwright/callwright/internal/speech"
)

// Placeholder is the name of the engine that speaks when no voice is there. It
// says so by its name: what it makes is a murmur without words.
const Placeholder = "placeholder"

func init() {
	speech.RegisterTTS(Placeholder, func(c speech.Config) (speech.TTS, error) {
		return placeholder{rate: c.Rate}, nil
	})
}

// placeholder murmurs: one syllable-like sound of a human pitch for each
// syllable of the text, so that timing, barge-in and voice detection work.
type placeholder struct{ rate float64 }

// Name is "placeholder".
func (placeholder) Name() string { return Placeholder }

// Voices lists the one voice, "murmur".
func (placeholder) Voices() []speech.Voice {
	return []speech.Voice{{Name: "murmur", SampleRate: 8000}}
}

// The murmur's timing, about that of a calm speaker.
const (
	syllable    = 170 * time.Millisecond
	betweenWord = 40 * time.Millisecond
)

// Speak murmurs text, a syllable at a time.
func (p placeholder) Speak(ctx context.Context, voice, text string, out audio.Writer) error {
	if err := speech.CheckText(Placeholder, text); err != nil {
		return err
	}
	_, asked, found := speech.FindVoice(p, voice)
	if !found {
		return &speech.Error{Engine: Placeholder, Err: fmt.Errorf("there is no voice %q", voice)}
	}
	speed := 1 / pace(asked, p.rate)
	rate := out.SampleRate()
	m := murmur{rate: rate, length: audio.Samples(time.Duration(float64(syllable)*speed), rate)}
	framer := audio.NewFramer(out)
	for _, word := range strings.Fields(text) {
		for _, vowel := range syllables(word) {
			if err := writePCM(ctx, framer, m.say(vowel), rate); err != nil {
				return err
			}
		}
		if !hasSound(word) {
			continue
		}
		pause := betweenWord
		if strings.ContainsAny(word[len(word)-1:], ".!?,;:") {
			pause = pauseAfter(word)
		}
		pause = time.Duration(float64(pause) * speed)
		if err := writePCM(ctx, framer, audio.Silence(rate, pause), rate); err != nil {
			return err
		}
	}
	return framer.Flush()
}

// syllables returns the vowel of each syllable of a word: a run of vowels is one,
// a digit is one, a word without vowels is one.
func syllables(word string) []rune {
	var out []rune
	inVowel := false
	for _, r := range strings.ToLower(word) {
		switch {
		case unicode.IsDigit(r):
			out = append(out, 'a')
			inVowel = false
		case strings.ContainsRune("aeiouyäöüáéíóúàèìòù", r):
			if !inVowel {
				out = append(out, r)
			}
			inVowel = true
		default:
			inVowel = false
			if r > 0x2e80 && unicode.IsLetter(r) { // East Asian writing: a character, a syllable
				out = append(out, 'a')
			}
		}
	}
	if len(out) > 1 && strings.HasSuffix(strings.ToLower(strings.TrimRight(word, ".,;:!?")), "e") {
		out = out[:len(out)-1] // a final e is mostly silent
	}
	if len(out) == 0 && hasSound(word) {
		out = append(out, 'e')
	}
	return out
}

// formants are the two strongest resonances of a vowel in hertz (after Peterson
// and Barney, 1952).
func formants(vowel rune) (f1, f2 float64) {
	switch vowel {
	case 'i', 'y', 'í', 'ì', 'ü':
		return 300, 2300
	case 'e', 'é', 'è', 'ä', 'ö':
		return 530, 1850
	case 'o', 'ó', 'ò':
		return 570, 850
	case 'u', 'ú', 'ù':
		return 330, 900
	}
	return 730, 1100
}

// murmur is how syllables are sung.
type murmur struct{ rate, length int } // hertz, samples

// sung are the syllables that were sung, by murmur and vowel. Whoever speaks late
// does so because the machine is short of time, so no syllable is made twice.
var sung struct {
	sync.Mutex
	sounds map[sungKey][]int16
}

type sungKey struct {
	murmur
	f1 float64 // tells the vowels apart
}

const maxSung = 100 // of 5 vowels at the paces and rates in use

// say returns the sound of a syllable, which must not be changed.
func (m murmur) say(vowel rune) []int16 {
	f1, f2 := formants(vowel)
	key := sungKey{m, f1}
	sung.Lock()
	defer sung.Unlock()
	if pcm, found := sung.sounds[key]; found {
		return pcm
	}
	if sung.sounds == nil || len(sung.sounds) >= maxSung {
		sung.sounds = map[sungKey][]int16{}
	}
	pcm := m.sing(f1, f2)
	sung.sounds[key] = pcm
	return pcm
}

// sing makes a syllable whose pitch falls a little.
func (m murmur) sing(f1, f2 float64) []int16 {
	const (
		highPitch, lowPitch = 150.0, 115.0
		band                = 3400.0 // of a telephone
		loudness            = 9000.0
	)
	var strength [32]float64
	rate, phase := float64(m.rate), 0.0
	pcm := make([]int16, m.length)
	for i := range pcm {
		t := float64(i) / float64(m.length)
		pitch := highPitch + (lowPitch-highPitch)*t
		if i%(m.rate/200) == 0 {
			glide := 1 + 0.15*math.Sin(math.Pi*t) // the mouth moves: a steady sound is a tone
			for h := range strength {
				strength[h] = resonance(pitch*float64(h+1), f1*glide, f2*glide)
			}
		}
		phase = math.Mod(phase+2*math.Pi*pitch/rate, 2*math.Pi)
		var x float64
		for h := range strength {
			if pitch*float64(h+1) < band {
				x += strength[h] * math.Sin(phase*float64(h+1))
			}
		}
		envelope := math.Sqrt(math.Sin(math.Pi * t))
		pcm[i] = int16(max(-32000, min(32000, loudness*envelope*x)))
	}
	return pcm
}

// resonance is how strong a harmonic is between two formants, with the fall of
// 6 dB an octave that a voice has at the lips.
func resonance(hz, f1, f2 float64) float64 {
	peak := func(f, width float64) float64 {
		d := (hz - f) / width
		return 1 / (1 + d*d)
	}
	return (peak(f1, 90) + 0.5*peak(f2, 120) + 0.02) * math.Min(1, 300/hz)
}
