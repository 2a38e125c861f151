package app

import (
	"path/filepath"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/provider"
	"github.com/callwright/callwright/internal/speech"
)

// openVoices opens every voice of this machine, or those that were brought,
// behind one cache, the best first; late speaks when none of them can.
func (a *App) openVoices() (voices []speech.TTS, late speech.TTS, err error) {
	cache, err := speech.NewCache(speech.CacheOptions{Dir: filepath.Join(a.o.Config.Data, "cache", "speech")})
	if err != nil {
		return nil, nil, err
	}
	late, err = speech.OpenTTS(provider.Placeholder, speech.Config{})
	if err != nil {
		return nil, nil, err
	}
	engines := a.o.Voices
	if len(engines) == 0 {
		engines = provider.OfflineTTS(speech.Config{})
	}
	for _, e := range engines {
		if e.Name() != provider.Placeholder {
			voices = append(voices, cache.Wrap(e))
		}
	}
	if len(voices) == 0 {
		a.log.Warn("this machine has no voice: calls murmur without words; install flite or espeak-ng, or build with npm present")
		voices = append(voices, late)
	}
	a.voice = speech.FullName(voices[0], "")
	return voices, late, nil
}

// Voice names the voice that speaks when an agent asks for none.
func (a *App) Voice() string { return a.voice }

// sandboxVoice is how the simulated phone sounds: a little quicker than the
// agent, as people are.
func sandboxVoice(speech.TTS) string { return "@1.2" }

// model returns what thinks in a mode, or nil. In test mode that needs no
// service and costs nothing.
func model(m domain.Mode) speech.LLM {
	if m != domain.Test {
		return nil
	}
	return provider.NewSandboxModel()
}
