package trillet

import (
	"cmp"
	"strings"

	"github.com/callwright/callwright/internal/domain"
)

// usual is the word for a voice, a provider or a model that was not chosen: the
// server's default.
const usual = "default"

// Voice is who speaks.
type Voice struct {
	Provider string `json:"provider" doc:"The engine; default when none was chosen."`
	VoiceID  string `json:"voiceId"`
}

// TTSModel is a voice with its language; other members are kept.
type TTSModel struct {
	Voice
	Language string `json:"language"`
}

// voiceOf reads a voice as agents store it: "provider/voice", "voice" or "".
func voiceOf(stored string) Voice {
	provider, id, found := strings.Cut(stored, "/")
	if !found {
		provider, id = "", stored
	}
	return Voice{Provider: cmp.Or(provider, usual), VoiceID: cmp.Or(id, usual)}
}

// stored is v as agents store it.
func (v Voice) stored() string {
	id := v.VoiceID
	if id == usual {
		id = ""
	}
	if v.Provider == "" || v.Provider == usual {
		return id
	}
	return v.Provider + "/" + id
}

// over is v with what a client sent under the name field. A new provider without
// a voice speaks with its default.
func (v Voice) over(field string, sent map[string]any) (Voice, error) {
	provider, err := textMember(field, "provider", sent)
	if err != nil {
		return v, err
	}
	id, err := textMember(field, "voiceId", sent)
	if err != nil {
		return v, err
	}
	if provider != nil && *provider != v.Provider {
		v = Voice{Provider: cmp.Or(*provider, usual), VoiceID: usual}
	}
	if id != nil {
		v.VoiceID = cmp.Or(*id, usual)
	}
	return v, nil
}

// textMember takes a text out of an object that was sent; null is like absent.
func textMember(field, name string, sent map[string]any) (*string, error) {
	value, there := sent[name]
	if !there || value == nil {
		return nil, nil
	}
	s, ok := value.(string)
	if !ok {
		return nil, domain.Invalid(field+"."+name, "%s.%s must be a string", field, name)
	}
	return &s, nil
}
