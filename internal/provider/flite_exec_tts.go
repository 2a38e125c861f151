package provider

import (
	"strconv"

	"github.com/callwright/callwright/internal/speech"
)

// FliteExec is the name of the flite program on PATH as an engine.
const FliteExec = "flite-exec"

func init() {
	speech.RegisterTTS(FliteExec, func(c speech.Config) (speech.TTS, error) {
		return openProgram(program{name: FliteExec, voices: fliteVoices, args: fliteArgs, spell: asciiText}, "flite", c)
	})
}

// fliteArgs make flite read a file, its input, and write to wav.
func fliteArgs(v speech.Voice, pace float64, wav string) []string {
	return []string{
		"-voice", v.Name, "--setf", "duration_stretch=" + strconv.FormatFloat(1/pace, 'f', 3, 64),
		"-f", "/dev/stdin", "-o", wav,
	}
}
