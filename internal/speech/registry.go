package speech

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/callwright/callwright/internal/domain"
)

// Config is what the operator says about one engine. Fields that an engine has
// no use for are ignored by it.
type Config struct {
	Name    string            // what users call the engine; "" is the name it registered under
	Dir     string            // directory for files that can be made again; "" is the engine's own choice
	URL     string            // where the engine is served; "" is the vendor's own address
	Key     string            // credential
	Model   string            // default model
	Voice   string            // default voice; "" is the engine's own
	Rate    float64           // default pace of speech, 1 is the voice's own; 0 means 1
	Options map[string]string // what only this engine knows
}

// Label is the configured name, or the engine's own.
func (c Config) Label(own string) string {
	if c.Name != "" {
		return c.Name
	}
	return own
}

// registry holds the factories of one sense. It is filled by init functions
// alone, so reading it needs no lock.
type registry[E any] struct {
	sense     string
	factories map[string]func(Config) (E, error)
}

var (
	sttEngines = registry[STT]{sense: "STT", factories: map[string]func(Config) (STT, error){}}
	ttsEngines = registry[TTS]{sense: "TTS", factories: map[string]func(Config) (TTS, error){}}
	llmEngines = registry[LLM]{sense: "LLM", factories: map[string]func(Config) (LLM, error){}}
)

func (r *registry[E]) register(name string, open func(Config) (E, error)) {
	if _, taken := r.factories[name]; taken {
		panic(fmt.Sprintf("speech: %s engine %q is registered twice", r.sense, name))
	}
	r.factories[name] = open
}

func (r *registry[E]) names() []string { return slices.Sorted(maps.Keys(r.factories)) }

func (r *registry[E]) open(name string, c Config) (E, error) {
	factory, found := r.factories[name]
	if !found {
		var none E
		return none, domain.Invalid(strings.ToLower(r.sense), "no %s engine is called %q; there are: %s",
			r.sense, name, strings.Join(r.names(), ", "))
	}
	return factory(c)
}

// RegisterSTT makes an engine available under name. It is called from the init
// function of the engine's file; a second engine of that name is a panic.
func RegisterSTT(name string, open func(Config) (STT, error)) { sttEngines.register(name, open) }

// RegisterTTS is RegisterSTT for engines that talk.
func RegisterTTS(name string, open func(Config) (TTS, error)) { ttsEngines.register(name, open) }

// RegisterLLM is RegisterSTT for engines that think.
func RegisterLLM(name string, open func(Config) (LLM, error)) { llmEngines.register(name, open) }

// OpenSTT makes the engine called name. An unknown name is CodeInvalid; other
// errors are the engine's and say what it lacks.
func OpenSTT(name string, c Config) (STT, error) { return sttEngines.open(name, c) }

// OpenTTS is OpenSTT for engines that talk.
func OpenTTS(name string, c Config) (TTS, error) { return ttsEngines.open(name, c) }

// OpenLLM is OpenSTT for engines that think.
func OpenLLM(name string, c Config) (LLM, error) { return llmEngines.open(name, c) }

// STTNames lists the engines that hear, sorted.
func STTNames() []string { return sttEngines.names() }

// TTSNames lists the engines that talk, sorted.
func TTSNames() []string { return ttsEngines.names() }

// LLMNames lists the engines that think, sorted.
func LLMNames() []string { return llmEngines.names() }
