package config_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/callwright/callwright/internal/config"
	"github.com/callwright/callwright/internal/domain"
)

func TestEngines(t *testing.T) {
	t.Setenv("OPENAI_API_KEY", "sk-env")
	t.Setenv("MY_KEY", "sk-mine")
	t.Setenv("ANTHROPIC_API_KEY", "")
	for text, want := range map[string][]config.Engine{
		"":                             nil,
		" ":                            nil,
		"[]":                           {},
		`[{engine: openai, model: m}]`: {{Engine: "openai", Key: "sk-env", Model: "m"}},
		`[{"engine":"openai","model":"m","key":"k","pace":1.1}]`:                  {{Engine: "openai", Key: "k", Model: "m", Pace: 1.1}},
		`[{engine: openai, url: "http://127.0.0.1:11434/v1", model: "qwen3:8b"}]`: {{Engine: "openai", URL: "http://127.0.0.1:11434/v1", Model: "qwen3:8b"}}, // no key goes to somebody else
		`[{engine: openai, url: "http://x", key: $MY_KEY}, {engine: vosk, key: "${MY_KEY}", name: n, voice: v}]`: {
			{Engine: "openai", URL: "http://x", Key: "sk-mine"}, {Engine: "vosk", Key: "sk-mine", Name: "n", Voice: "v"}},
	} {
		got, err := (&config.Config{STT: text}).Engines("stt")
		if err != nil || len(got) != len(want) || len(want) > 0 && !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for text, want := range map[string]string{
		"openai":                                    "it is no list",
		"[openai]":                                  "it is no list",
		"[{engine: openai":                          "it is no list",
		"[{engine: [a]}]":                           "it is no list",
		"[{engine: x, keys: sk-secret}]":            `unknown field "keys"`,
		"[{key: sk-secret}]":                        "does not say which it is",
		"[{engine: anthropic}]":                     "or the variable ANTHROPIC_API_KEY",
		"[{engine: x, key: $NO_SUCH_VARIABLE_X}]":   "the variable NO_SUCH_VARIABLE_X, which is not set",
		"[{engine: x, model: sk-secret, key: [1]}]": "it is no list",
	} {
		_, err := (&config.Config{LLM: text}).Engines("llm")
		if domain.CodeOf(err) != domain.CodeInvalid || !strings.Contains(err.Error(), "--llm is wrong: ") ||
			!strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "sk-secret") {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

func TestEngineSettings(t *testing.T) {
	list, err := (&config.Config{TTS: `[{engine: x, options: {rate: 16000, temperature: 0.5, smart_format: true, voices: [a, b]}}]`}).Engines("tts")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"rate": "16000", "temperature": "0.5", "smart_format": "true", "voices": "a,b"}
	if got := list[0].Settings(); !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
