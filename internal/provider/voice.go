// Package provider joins engines that hear, talk and think to the contracts of
// package speech: one file an engine, which registers itself.
package provider

import (
	"slices"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/speech"
)

// offline are the engines that need no service, the best first.
var offline = []string{Flite, FliteExec, EspeakExec, Placeholder}

// DefaultTTS opens the best voice that this machine has without any service:
// flite as built in, flite or espeak-ng from PATH, or the placeholder, which is
// always there. The engine's Name tells which it is. A voice in c that only
// another engine has is left out.
func DefaultTTS(c speech.Config) (speech.TTS, error) {
	var last error
	for _, name := range offline {
		engine, err := speech.OpenTTS(name, c)
		if domain.CodeOf(err) == domain.CodeInvalid && c.Voice != "" {
			plain := c
			plain.Voice = ""
			engine, err = speech.OpenTTS(name, plain)
		}
		if err == nil {
			return engine, nil
		}
		last = err
	}
	return nil, last
}

// OfflineTTS opens all the voices that this machine has without any service, the
// best first. The last is the placeholder.
func OfflineTTS(c speech.Config) []speech.TTS {
	c.Voice = ""
	var engines []speech.TTS
	for _, name := range offline {
		if engine, err := speech.OpenTTS(name, c); err == nil {
			engines = append(engines, engine)
		}
	}
	return engines
}

// defaultFirst puts the configured voice at the head of an engine's list.
func defaultFirst(engine string, voices []speech.Voice, name string) ([]speech.Voice, error) {
	if name == "" {
		return voices, nil
	}
	i := slices.IndexFunc(voices, func(v speech.Voice) bool { return v.Name == name })
	if i < 0 {
		return nil, domain.Invalid("voice", "%s has no voice %q", engine, name)
	}
	return append([]speech.Voice{voices[i]}, slices.Delete(slices.Clone(voices), i, i+1)...), nil
}
