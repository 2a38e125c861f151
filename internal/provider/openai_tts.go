package provider

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/callwright/callwright/internal/audio"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/speech"
)

func init() { speech.RegisterTTS(OpenAI, openOpenAIVoice) }

// openAIRate is the rate of raw sound (response_format pcm) in hertz.
const openAIRate = 24000

// openAIVoices are those of OpenAI's own service.
var openAIVoices = []string{"alloy", "ash", "ballad", "coral", "echo", "fable", "nova", "onyx", "sage", "shimmer", "verse"}

// openAIVoice talks over the speech API
// (https://platform.openai.com/docs/api-reference/audio/createSpeech).
type openAIVoice struct {
	service
	model        string
	instructions string
	voices       []speech.Voice
	pace         float64
	rate         int
}

func openOpenAIVoice(c speech.Config) (speech.TTS, error) {
	v := &openAIVoice{model: c.Model, instructions: c.Options["instructions"], pace: c.Rate, rate: openAIRate}
	var err error
	if v.service, err = openService(OpenAI, openAIAddress, c); err != nil {
		return nil, err
	}
	if v.model == "" {
		v.model = "gpt-4o-mini-tts"
	}
	if v.rate, err = rateOption(OpenAI, c, openAIRate); err != nil {
		return nil, err
	}
	v.voices = serviceVoices(v.rate, c, openAIVoices)
	v.name = c.Label(OpenAI)
	return v, nil
}

// rateOption reads the option rate: of the raw sound that a server sends.
func rateOption(engine string, c speech.Config, standard int) (int, error) {
	text, given := c.Options["rate"]
	if !given {
		return standard, nil
	}
	rate, err := strconv.Atoi(text)
	if err != nil || rate < 8000 || rate > 48000 {
		return 0, domain.Invalid("options.rate", "%s: the option rate is %q; write 8000 to 48000", engine, text)
	}
	return rate, nil
}

// serviceVoices lists the configured voice, those of the option voices, and the
// vendor's own.
func serviceVoices(rate int, c speech.Config, own []string) []speech.Voice {
	var out []speech.Voice
	for _, name := range slices.Concat([]string{c.Voice}, listed(c.Options["voices"]), own) {
		if name != "" && !slices.ContainsFunc(out, func(v speech.Voice) bool { return strings.EqualFold(v.Name, name) }) {
			out = append(out, speech.Voice{Name: name, SampleRate: rate})
		}
	}
	return out
}

// Name is "openai", or as configured.
func (v *openAIVoice) Name() string { return v.name }

// Voices lists the configured voice first.
func (v *openAIVoice) Voices() []speech.Voice { return v.voices }

// Speak streams the sound of text.
func (v *openAIVoice) Speak(ctx context.Context, voice, text string, out audio.Writer) error {
	found, asked, ok := speech.FindVoice(v, voice)
	if !ok {
		return v.fault(false, fmt.Errorf("there is no voice %q", voice))
	}
	return v.speakStreamed(ctx, text, v.rate, out, func(ctx context.Context, clause string) (*http.Response, error) {
		body, err := json.Marshal(struct {
			Model        string  `json:"model"`
			Input        string  `json:"input"`
			Voice        string  `json:"voice"`
			Format       string  `json:"response_format"`
			Speed        float64 `json:"speed,omitempty"`
			Instructions string  `json:"instructions,omitempty"`
		}{v.model, printable(clause), found.Name, "pcm", speedField(pace(asked, v.pace)), v.instructions})
		if err != nil {
			return nil, v.fault(false, err)
		}
		header := map[string]string{}
		if v.key != "" {
			header["Authorization"] = "Bearer " + v.key
		}
		return v.post(ctx, "audio/speech", "application/json", bytes.NewReader(body), header)
	})
}

// speedField leaves a pace out that is the voice's own.
func speedField(pace float64) float64 {
	if pace == 1 {
		return 0
	}
	return pace
}
