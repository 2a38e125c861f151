package provider

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/callwright/callwright/internal/speech"
)

// Deepgram is the name of the engine that understands by that service, or by
// another that speaks its protocol.
const Deepgram = "deepgram"

func init() { speech.RegisterSTT(Deepgram, openDeepgram) }

// deepgram understands over the live streaming API
// (https://developers.deepgram.com/reference/speech-to-text/listen-streaming).
type deepgram struct {
	*socketEar
	model   string
	options map[string]string
}

// openDeepgram passes every option but first and stall on in the query of the
// request: endpointing, keyterm, smart_format and so on.
func openDeepgram(c speech.Config) (speech.STT, error) {
	s, err := openService(Deepgram, "wss://api.deepgram.com/v1", c)
	if err != nil {
		return nil, err
	}
	s.name = c.Label(Deepgram)
	d := &deepgram{model: c.Model, options: c.Options}
	if d.model == "" {
		d.model = "nova-3"
	}
	d.socketEar = &socketEar{service: s, tongue: d}
	return d.socketEar, nil
}

func (d *deepgram) dial(f speech.Format) (*url.URL, http.Header) {
	query := url.Values{
		"model": {d.model}, "encoding": {"linear16"}, "sample_rate": {strconv.Itoa(f.SampleRate)}, "channels": {"1"},
		"interim_results": {"true"}, "punctuate": {"true"}, "endpointing": {"300"},
	}
	if f.Language != "" {
		query.Set("language", f.Language)
	}
	for name, value := range d.options {
		if name != "first" && name != "stall" {
			query.Set(name, value)
		}
	}
	header := http.Header{}
	if d.key != "" {
		header.Set("Authorization", "Token "+d.key)
	}
	return d.address("listen?" + query.Encode()), header
}

func (d *deepgram) hello(speech.Format) string { return "" }
func (d *deepgram) goodbye() string            { return `{"type":"CloseStream"}` }
func (d *deepgram) alive() string              { return `{"type":"KeepAlive"}` }
func (d *deepgram) listener() listener         { return &deepgramListener{} }

// deepgramListener puts utterances together: a result that is final is a part of
// one, until a result says that the speech is final too.
type deepgramListener struct{ parts []string }

// maxParts bounds an utterance; a longer one is parted.
const maxParts = 50

func (l *deepgramListener) read(message []byte) ([]speech.Heard, error) {
	var m struct {
		Type        string `json:"type"`
		IsFinal     bool   `json:"is_final"`
		SpeechFinal bool   `json:"speech_final"`
		Description string `json:"description"`
		Message     string `json:"message"`
		// An object in results, a list of indices in other messages.
		Channel json.RawMessage `json:"channel"`
	}
	if json.Unmarshal(message, &m) != nil {
		return nil, errors.New("it sent something that is not the JSON it should be")
	}
	switch m.Type {
	case "Results":
		var channel struct {
			Alternatives []struct {
				Transcript string `json:"transcript"`
			} `json:"alternatives"`
		}
		if err := json.Unmarshal(m.Channel, &channel); err != nil {
			return nil, errors.New("it sent a result without a channel")
		}
		if len(channel.Alternatives) == 0 {
			return nil, nil
		}
		return l.result(strings.TrimSpace(channel.Alternatives[0].Transcript), m.IsFinal, m.SpeechFinal), nil
	case "UtteranceEnd":
		return l.flush(), nil
	case "Error":
		return nil, fmt.Errorf("it says: %s", strings.TrimSpace(m.Description+" "+m.Message))
	}
	return nil, nil // Metadata, SpeechStarted, and what may be added
}

func (l *deepgramListener) result(text string, final, spoken bool) []speech.Heard {
	if !final {
		if text == "" {
			return nil
		}
		return []speech.Heard{{Text: strings.Join(append(l.parts[:len(l.parts):len(l.parts)], text), " ")}}
	}
	if text != "" {
		l.parts = append(l.parts, text)
	}
	if spoken || len(l.parts) >= maxParts {
		return l.flush()
	}
	if text == "" {
		return nil
	}
	return []speech.Heard{{Text: strings.Join(l.parts, " ")}}
}

// flush ends the utterance.
func (l *deepgramListener) flush() []speech.Heard {
	if len(l.parts) == 0 {
		return nil
	}
	text := strings.Join(l.parts, " ")
	l.parts = nil
	return []speech.Heard{{Text: text, Final: true}}
}
