package speech

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// MaxText is the longest text in bytes that an engine is asked to speak at
// once: about a quarter of an hour of speech.
const MaxText = 16 << 10

// ErrTooLong is behind the error for a text of more than MaxText bytes.
var ErrTooLong = errors.New("the text is too long to be spoken at once")

// CheckText returns an Error of engine for a text over MaxText, else nil.
func CheckText(engine, text string) error {
	if len(text) <= MaxText {
		return nil
	}
	return &Error{Engine: engine, Err: fmt.Errorf("%w: %d bytes, at most %d", ErrTooLong, len(text), MaxText)}
}

// The paces that a voice can be asked for.
const (
	MinPace = 0.5
	MaxPace = 2.0
)

// VoiceName is the parsed form of "engine/name@pace". Every part may be absent.
type VoiceName struct {
	Engine string
	Name   string
	Pace   float64 // 1 is the voice's own pace; 0 when not given
}

// ParseVoice takes a voice apart: "flite/kal@1.2", "kal", "flite/", "kal@1.2".
// A pace that is no number or out of bounds is left a part of the name.
func ParseVoice(s string) VoiceName {
	var v VoiceName
	if engine, rest, found := strings.Cut(s, "/"); found {
		v.Engine, s = engine, rest
	}
	if i := strings.LastIndexByte(s, '@'); i >= 0 {
		if pace, err := strconv.ParseFloat(s[i+1:], 64); err == nil && pace >= MinPace && pace <= MaxPace {
			v.Pace, s = pace, s[:i]
		}
	}
	v.Name = s
	return v
}

// String joins the parts again.
func (v VoiceName) String() string {
	s := v.Name
	if v.Engine != "" {
		s = v.Engine + "/" + s
	}
	if v.Pace != 0 {
		s += "@" + strconv.FormatFloat(v.Pace, 'g', -1, 64)
	}
	return s
}

// FindVoice returns the voice of engine that name asks for, "" being the
// default. An engine's name before a slash is not looked at, a pace is.
func FindVoice(engine TTS, name string) (Voice, float64, bool) {
	voices := engine.Voices()
	asked := ParseVoice(name)
	if asked.Name == "" && len(voices) > 0 {
		return voices[0], asked.Pace, true
	}
	i := slices.IndexFunc(voices, func(v Voice) bool { return strings.EqualFold(v.Name, asked.Name) })
	if i < 0 {
		return Voice{}, asked.Pace, false
	}
	return voices[i], asked.Pace, true
}

// FullName names an engine and the voice that it speaks with when asked for
// name: "flite/kal". That is what a call's record says.
func FullName(engine TTS, name string) string {
	v, pace, found := FindVoice(engine, name)
	if !found {
		v, _, _ = FindVoice(engine, "")
	}
	return VoiceName{Engine: engine.Name(), Name: v.Name, Pace: pace}.String()
}

// Pick chooses among engines, the first being the default, the one that has the
// voice a client asked for, and returns it with the voice to ask it for. When
// none has it, the default speaks and note says so for the call's record.
func Pick(engines []TTS, wanted string) (engine TTS, voice, note string) {
	if len(engines) == 0 {
		return nil, "", "no engine that talks is configured"
	}
	asked := ParseVoice(wanted)
	for _, e := range engines {
		if asked.Engine != "" && !strings.EqualFold(asked.Engine, e.Name()) {
			continue
		}
		if _, _, found := FindVoice(e, wanted); found {
			return e, VoiceName{Name: asked.Name, Pace: asked.Pace}.String(), ""
		}
	}
	engine = engines[0]
	voice = VoiceName{Pace: asked.Pace}.String()
	return engine, voice, fmt.Sprintf("no engine has the voice %q; %s spoke instead", wanted, FullName(engine, voice))
}
