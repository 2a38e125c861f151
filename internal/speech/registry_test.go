package speech_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/speech"
	"github.com/callwright/callwright/internal/speech/speechtest"
)

var errNoKey = errors.New("there is no key")

func TestMain(m *testing.M) {
	speech.RegisterTTS("test-tone", func(c speech.Config) (speech.TTS, error) {
		if c.Key == "" {
			return nil, errNoKey
		}
		return &speechtest.Tone{ID: c.Voice}, nil
	})
	speech.RegisterSTT("test-script", func(speech.Config) (speech.STT, error) { return &speechtest.Script{}, nil })
	speech.RegisterLLM("test-none", func(speech.Config) (speech.LLM, error) { return nil, errNoKey })
	goleak.VerifyTestMain(m)
}

func TestRegistry(t *testing.T) {
	engine, err := speech.OpenTTS("test-tone", speech.Config{Key: "k", Voice: "a"})
	if err != nil || engine.Name() != "a" {
		t.Errorf("OpenTTS: %v, %v", engine, err)
	}
	if _, err := speech.OpenTTS("test-tone", speech.Config{}); !errors.Is(err, errNoKey) {
		t.Errorf("the factory's error is lost: %v", err)
	}
	if _, err := speech.OpenSTT("test-script", speech.Config{}); err != nil {
		t.Error(err)
	}
	_, err = speech.OpenLLM("nobody", speech.Config{})
	if domain.CodeOf(err) != domain.CodeInvalid || !strings.Contains(err.Error(), "test-none") {
		t.Errorf("an unknown engine: %v; want CodeInvalid naming those there are", err)
	}
	for _, names := range [][]string{speech.TTSNames(), speech.STTNames(), speech.LLMNames()} {
		if len(names) != 1 || !slices.IsSorted(names) {
			t.Errorf("names %q", names)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("a second engine of one name is accepted")
		}
	}()
	speech.RegisterTTS("test-tone", nil)
}

func TestParseVoice(t *testing.T) {
	for in, want := range map[string]speech.VoiceName{
		"":                {},
		"kal":             {Name: "kal"},
		"flite/kal":       {Engine: "flite", Name: "kal"},
		"flite/kal@1.2":   {Engine: "flite", Name: "kal", Pace: 1.2},
		"@1.5":            {Pace: 1.5},
		"flite/":          {Engine: "flite"},
		"a@b.example":     {Name: "a@b.example"},
		"kal@9":           {Name: "kal@9"},
		"kal@NaN":         {Name: "kal@NaN"},
		"acme/group/anna": {Engine: "acme", Name: "group/anna"},
	} {
		got := speech.ParseVoice(in)
		if got != want {
			t.Errorf("ParseVoice(%q) = %+v, want %+v", in, got, want)
		}
		if got.String() != in {
			t.Errorf("%q comes back as %q", in, got)
		}
	}
}

func TestPick(t *testing.T) {
	first, second := &speechtest.Tone{ID: "first"}, &speechtest.Tone{ID: "second"}
	engines := []speech.TTS{first, second}
	for wanted, want := range map[string]struct {
		engine      speech.TTS
		voice, full string
		noted       bool
	}{
		"":               {first, "", "first/high", false},
		"low":            {first, "low", "first/low", false},
		"second/low":     {second, "low", "second/low", false},
		"Second/":        {second, "", "second/high", false},
		"second/low@1.2": {second, "low@1.2", "second/low@1.2", false},
		"alloy":          {first, "", "first/high", true},
		"third/low":      {first, "", "first/high", true},
		"alloy@1.5":      {first, "@1.5", "first/high@1.5", true},
	} {
		engine, voice, note := speech.Pick(engines, wanted)
		if engine != want.engine || voice != want.voice || (note != "") != want.noted {
			t.Errorf("Pick(%q) = %s, %q, %q", wanted, engine.Name(), voice, note)
		}
		if full := speech.FullName(engine, voice); full != want.full {
			t.Errorf("Pick(%q) speaks as %q, want %q", wanted, full, want.full)
		}
	}
	if engine, _, note := speech.Pick(nil, "kal"); engine != nil || note == "" {
		t.Error("an engine was picked out of none")
	}
}

func TestErrorSaysWhetherToRetry(t *testing.T) {
	for _, retry := range []bool{true, false} {
		err := error(&speech.Error{Engine: "acme", Err: errNoKey, Retryable: retry})
		if speech.Retryable(err) != retry || !errors.Is(err, errNoKey) || err.Error() != "acme: there is no key" {
			t.Errorf("%v: retryable %v", err, speech.Retryable(err))
		}
	}
	if speech.Retryable(errNoKey) {
		t.Error("an error of another kind is retryable")
	}
}
