package provider

import (
	"strconv"

	"github.com/callwright/callwright/internal/speech"
)

// EspeakExec is the name of the espeak-ng program on PATH as an engine.
const EspeakExec = "espeak-ng"

// espeakVoices are some of the languages that espeak-ng reads; all are 22,050 Hz.
var espeakVoices = []speech.Voice{
	{Name: "en-us", Language: "en-US", SampleRate: 22050},
	{Name: "en-gb", Language: "en-GB", SampleRate: 22050},
	{Name: "de", Language: "de", SampleRate: 22050},
	{Name: "es", Language: "es", SampleRate: 22050},
	{Name: "fr", Language: "fr", SampleRate: 22050},
	{Name: "it", Language: "it", SampleRate: 22050},
	{Name: "nl", Language: "nl", SampleRate: 22050},
	{Name: "pl", Language: "pl", SampleRate: 22050},
	{Name: "pt-br", Language: "pt-BR", SampleRate: 22050},
	{Name: "ru", Language: "ru", SampleRate: 22050},
	{Name: "cmn", Language: "zh-CN", SampleRate: 22050},
	{Name: "hi", Language: "hi", SampleRate: 22050},
	{Name: "ar", Language: "ar", SampleRate: 22050},
}

const espeakWordsPerMinute = 175 // its own default

func init() {
	speech.RegisterTTS(EspeakExec, func(c speech.Config) (speech.TTS, error) {
		return openProgram(program{name: EspeakExec, voices: espeakVoices, args: espeakArgs, spell: printable}, "espeak-ng", c)
	})
}

// espeakArgs make espeak-ng read UTF-8 from its input, whole, and write to
// wav.
func espeakArgs(v speech.Voice, pace float64, wav string) []string {
	return []string{
		"-v", v.Name, "-s", strconv.Itoa(int(espeakWordsPerMinute * pace)),
		"-b", "1", "--stdin", "-w", wav,
	}
}
