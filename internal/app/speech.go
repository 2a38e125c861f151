package app

import (
	"path/filepath"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/provider"
	"github.com/callwright/callwright/internal/speech"
)

// openVoices opens every voice of this machine behind one cache.
func (a *App) openVoices() ([]speech.TTS, error) {
	cache, err := speech.NewCache(speech.CacheOptions{Dir: filepath.Join(a.o.Config.Data, "cache", "speech")})
	if err != nil {
		return nil, err
	}
	engines := provider.OfflineTTS(speech.Config{Dir: filepath.Join(a.o.Config.Data, "cache")})
	if len(engines) == 0 {
		return nil, domain.Errorf(domain.CodeInvalid, "no voice can be opened; install flite or espeak-ng, or build with npm present")
	}
	voices := make([]speech.TTS, len(engines))
	for i, e := range engines {
		voices[i] = cache.Wrap(e)
	}
	a.voice = speech.FullName(voices[0], "")
	return voices, nil
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
