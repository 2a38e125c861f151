package provider

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/speech"
)

// Vosk is the name of the engine that understands by a server of one's own that
// speaks the protocol of vosk-server.
const Vosk = "vosk"

func init() { speech.RegisterSTT(Vosk, openVosk) }

// vosk understands over a WebSocket (https://alphacephei.com/vosk/server): the
// rate in a first message, sound as binary messages, {"partial"} for what is
// under way and {"text"} for an utterance that is complete.
type vosk struct{ *socketEar }

func openVosk(c speech.Config) (speech.STT, error) {
	if c.URL == "" {
		return nil, domain.Invalid("url", "%s: no url is configured; write where the server is, like ws://127.0.0.1:2700", Vosk)
	}
	s, err := openService(Vosk, "", c)
	if err != nil {
		return nil, err
	}
	s.name = c.Label(Vosk)
	v := &vosk{}
	v.socketEar = &socketEar{service: s, tongue: v}
	return v.socketEar, nil
}

func (v *vosk) dial(speech.Format) (*url.URL, http.Header) {
	header := http.Header{}
	if v.key != "" {
		header.Set("Authorization", "Bearer "+v.key)
	}
	return v.base, header
}

func (v *vosk) hello(f speech.Format) string {
	return fmt.Sprintf(`{"config":{"sample_rate":%d}}`, f.SampleRate)
}
func (v *vosk) goodbye() string    { return `{"eof":1}` }
func (v *vosk) alive() string      { return "" }
func (v *vosk) listener() listener { return voskListener{} }

type voskListener struct{}

func (voskListener) read(message []byte) ([]speech.Heard, error) {
	var m struct {
		Partial string  `json:"partial"`
		Text    *string `json:"text"`
	}
	if json.Unmarshal(message, &m) != nil {
		return nil, errors.New("it sent something that is not the JSON it should be")
	}
	switch {
	case m.Text != nil && strings.TrimSpace(*m.Text) != "":
		return []speech.Heard{{Text: strings.TrimSpace(*m.Text), Final: true}}, nil
	case strings.TrimSpace(m.Partial) != "":
		return []speech.Heard{{Text: strings.TrimSpace(m.Partial)}}, nil
	}
	return nil, nil
}
