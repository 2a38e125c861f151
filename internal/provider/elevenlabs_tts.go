package provider

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/callwright/callwright/internal/audio"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/speech"
)

// ElevenLabs is the name of the engine that talks by that service.
const ElevenLabs = "elevenlabs"

func init() { speech.RegisterTTS(ElevenLabs, openElevenLabs) }

// elevenLabsRate is that of the sound which is asked for: enough for wideband
// telephony.
const elevenLabsRate = 16000

// elevenLabs talks over the streaming text-to-speech API
// (https://elevenlabs.io/docs/api-reference/text-to-speech/stream).
type elevenLabs struct {
	service
	model  string
	ids    map[string]string // by lower-case name of the voice
	voices []speech.Voice
	pace   float64
}

// openElevenLabs reads voices as ids or as name=id, so that agents can ask for
// them by name.
func openElevenLabs(c speech.Config) (speech.TTS, error) {
	e := &elevenLabs{model: c.Model, pace: c.Rate, ids: map[string]string{}}
	var err error
	if e.service, err = openService(ElevenLabs, "https://api.elevenlabs.io/v1", c); err != nil {
		return nil, err
	}
	if e.model == "" {
		e.model = "eleven_flash_v2_5"
	}
	for _, voice := range append([]string{c.Voice}, listed(c.Options["voices"])...) {
		name, id, named := strings.Cut(voice, "=")
		if !named {
			id = name
		}
		if _, twice := e.ids[strings.ToLower(name)]; id == "" || twice {
			continue
		}
		e.ids[strings.ToLower(name)] = id
		e.voices = append(e.voices, speech.Voice{Name: name, SampleRate: elevenLabsRate})
	}
	if len(e.voices) == 0 {
		return nil, domain.Invalid("voice", "%s: no voice is configured; write its id, or a name and its id like anna=21m00Tcm4TlvDq8ikWAM", ElevenLabs)
	}
	e.name = c.Label(ElevenLabs)
	return e, nil
}

// Name is "elevenlabs", or as configured.
func (e *elevenLabs) Name() string { return e.name }

// Voices lists those that are configured.
func (e *elevenLabs) Voices() []speech.Voice { return e.voices }

// The paces that the service knows.
const (
	elevenLabsSlowest = 0.7
	elevenLabsFastest = 1.2
)

// Speak streams the sound of text.
func (e *elevenLabs) Speak(ctx context.Context, voice, text string, out audio.Writer) error {
	found, asked, ok := speech.FindVoice(e, voice)
	if !ok {
		return e.fault(false, fmt.Errorf("there is no voice %q", voice))
	}
	id := e.ids[strings.ToLower(found.Name)]
	return e.speakStreamed(ctx, text, elevenLabsRate, out, func(ctx context.Context, clause string) (*http.Response, error) {
		type settings struct {
			Speed float64 `json:"speed"`
		}
		request := struct {
			Text     string    `json:"text"`
			Model    string    `json:"model_id"`
			Settings *settings `json:"voice_settings,omitempty"`
		}{Text: printable(clause), Model: e.model}
		if p := pace(asked, e.pace); p != 1 {
			request.Settings = &settings{min(max(p, elevenLabsSlowest), elevenLabsFastest)}
		}
		body, err := json.Marshal(request)
		if err != nil {
			return nil, e.fault(false, err)
		}
		return e.post(ctx, "text-to-speech/"+url.PathEscape(id)+"/stream?output_format=pcm_16000", "application/json",
			bytes.NewReader(body), map[string]string{"xi-api-key": e.key})
	})
}
