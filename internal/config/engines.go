package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/knadh/koanf/parsers/yaml"

	"github.com/callwright/callwright/internal/domain"
)

// Engine is what an operator says about one engine that thinks, hears or talks.
type Engine struct {
	Engine  string         `json:"engine"`  // openai, anthropic, deepgram …
	Name    string         `json:"name"`    // what agents and records call it; "" is the engine's own
	URL     string         `json:"url"`     // "" is the vendor's own address
	Key     string         `json:"key"`     // or $NAME, which is read from the environment
	Model   string         `json:"model"`   // "" is the engine's default, where it has one
	Voice   string         `json:"voice"`   // the default voice
	Pace    float64        `json:"pace"`    // of speech; 1 is the voice's own
	Options map[string]any `json:"options"` // what only this engine knows
}

// Engines reads the setting of a sense, "llm", "stt" or "tts": a list of engines,
// the preferred first. On the command line and in the environment it is written
// as in the file, on one line. Errors show nothing of it: there may be keys in it.
func (c *Config) Engines(sense string) ([]Engine, error) {
	text := map[string]string{"llm": c.LLM, "stt": c.STT, "tts": c.TTS}[sense]
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	wrong := func(format string, args ...any) error {
		return domain.Invalid(sense, "--%s is wrong: %s", sense, fmt.Sprintf(format, args...))
	}
	parsed, err := yaml.Parser().Unmarshal([]byte("list: " + text))
	if err != nil {
		return nil, wrong("it is no list of engines; write it like [{engine: openai, model: gpt-4o-mini}]")
	}
	raw, err := json.Marshal(parsed["list"])
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	var list []Engine
	if err := decoder.Decode(&list); err != nil {
		return nil, wrong("it is no list of engines (%s); each has the keys engine, name, url, key, model, voice, pace and options",
			strings.TrimPrefix(err.Error(), "json: "))
	}
	for i := range list {
		if list[i].Engine == "" {
			return nil, wrong("engine %d of the list does not say which it is; write it like engine: openai", i+1)
		}
		if why := list[i].findKey(); why != "" {
			return nil, wrong("%s", why)
		}
	}
	return list, nil
}

// vendorKeys are the variables in which vendors' own tools look for a key. They
// count for the vendor's own address only: no key goes to somebody else.
var vendorKeys = map[string]string{
	"openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY", "deepgram": "DEEPGRAM_API_KEY", "elevenlabs": "ELEVENLABS_API_KEY",
}

var variableKey = regexp.MustCompile(`^\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?$`)

// findKey reads a key from the environment where it is said to be, and returns
// what is wrong with that, or "".
func (e *Engine) findKey() string {
	if m := variableKey.FindStringSubmatch(e.Key); m != nil {
		if e.Key = os.Getenv(m[1]); e.Key == "" {
			return fmt.Sprintf("the key of %s is to be read from the variable %s, which is not set", e.Engine, m[1])
		}
		return ""
	}
	if variable, own := vendorKeys[e.Engine]; own && e.Key == "" && e.URL == "" {
		if e.Key = os.Getenv(variable); e.Key == "" {
			return fmt.Sprintf("%s needs a key: set its key in %s, or the variable %s", e.Engine, File, variable)
		}
	}
	return ""
}

// Settings are the options as the engine reads them.
func (e *Engine) Settings() map[string]string {
	out := make(map[string]string, len(e.Options))
	for name, value := range e.Options {
		if list, many := value.([]any); many {
			words := make([]string, len(list))
			for i, v := range list {
				words[i] = fmt.Sprint(v)
			}
			value = strings.Join(words, ",")
		}
		out[name] = fmt.Sprint(value)
	}
	return out
}
