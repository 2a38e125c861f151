package app

import (
	"path/filepath"

	"github.com/callwright/callwright/internal/provider"
	"github.com/callwright/callwright/internal/speech"
)

// voices are those who talk.
type voices struct {
	all   []speech.TTS // the best first
	late  speech.TTS   // speaks when none of them can
	phone speech.TTS   // the simulated phone's: it needs no service and costs nothing
}

// openVoices opens the configured voices and those of this machine, or those
// that were brought, behind one cache.
func (a *App) openVoices() (v voices, err error) {
	cache, err := speech.NewCache(speech.CacheOptions{Dir: filepath.Join(a.o.Config.Data, "cache", "speech")})
	if err != nil {
		return v, err
	}
	if v.late, err = speech.OpenTTS(provider.Placeholder, speech.Config{}); err != nil {
		return v, err
	}
	configured, err := engines(a.o.Config, "tts", func(name string, c speech.Config) (speech.TTS, error) {
		c.Worker = a.o.Worker
		return speech.OpenTTS(name, c)
	})
	if err != nil {
		return v, err
	}
	own := a.o.Voices
	if len(own) == 0 {
		own = provider.OfflineTTS(speech.Config{Worker: a.o.Worker})
	}
	for _, e := range append(configured, own...) {
		if e.Name() != provider.Placeholder {
			v.all = append(v.all, cache.Wrap(e))
		}
	}
	if v.phone = v.late; len(v.all) > len(configured) {
		v.phone = v.all[len(configured)]
	}
	if len(v.all) == 0 {
		a.log.Warn("this machine has no voice: calls murmur without words; install flite or espeak-ng, or build with npm present")
		v.all = []speech.TTS{v.late}
	}
	a.voice = speech.FullName(v.all[0], "")
	return v, nil
}

// Voice names the voice that speaks when an agent asks for none.
func (a *App) Voice() string { return a.voice }

// sandboxVoice is how the simulated phone sounds: a little quicker than the
// agent, as people are.
func sandboxVoice(speech.TTS) string { return "@1.2" }
