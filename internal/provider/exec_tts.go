package provider

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/callwright/callwright/internal/audio"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/speech"
)

// program is a synthesizer on this machine that reads text from its input (an
// argument could be seen by every user of the machine) and writes a WAV file.
// The file is a real one: flite goes back in it, which a pipe cannot.
type program struct {
	name   string
	path   string
	voices []speech.Voice
	rate   float64
	slots  chan struct{}
	args   func(v speech.Voice, pace float64, wav string) []string
	spell  func(clause string) string // what of the clause the program can read
}

// openProgram finds command on PATH. Without it the error is CodeUnavailable.
func openProgram(p program, command string, c speech.Config) (*program, error) {
	path, err := exec.LookPath(command)
	if err != nil {
		return nil, domain.Errorf(domain.CodeUnavailable, "there is no program %q on PATH; install it to speak with it", command)
	}
	if p.voices, err = defaultFirst(p.name, p.voices, c.Voice); err != nil {
		return nil, err
	}
	p.path, p.rate = path, c.Rate
	p.slots = make(chan struct{}, max(1, runtime.GOMAXPROCS(0)-1))
	return &p, nil
}

// Name is that under which the program is registered.
func (p *program) Name() string { return p.name }

// Voices lists some that every build of the program has.
func (p *program) Voices() []speech.Voice { return p.voices }

// Speak runs the program once for each clause.
func (p *program) Speak(ctx context.Context, voice, text string, out audio.Writer) error {
	v, asked, found := speech.FindVoice(p, voice)
	if !found {
		return &speech.Error{Engine: p.name, Err: fmt.Errorf("there is no voice %q", voice)}
	}
	return speakClauses(ctx, p.name, text, out, func(ctx context.Context, clause string) ([]int16, int, error) {
		return p.run(ctx, v, pace(asked, p.rate), p.spell(clause))
	})
}

// programTime is more than a clause ever takes: a program that hangs is killed.
const programTime = 20 * time.Second

func (p *program) run(ctx context.Context, v speech.Voice, pace float64, clause string) (pcm []int16, rate int, err error) {
	if clause == "" {
		return nil, 0, errNoSounds
	}
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	case <-ctx.Done():
		return nil, 0, ctx.Err()
	}
	dir, err := os.MkdirTemp("", "callwright-voice-")
	if err != nil {
		return nil, 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	ctx, cancel := context.WithTimeout(ctx, programTime)
	defer cancel()
	wav := filepath.Join(dir, "clause.wav")
	var complaint bytes.Buffer
	command := exec.CommandContext(ctx, p.path, p.args(v, pace, wav)...)
	command.Stdin = strings.NewReader(clause + "\n")
	command.Stderr = &complaint
	command.WaitDelay = time.Second // for the pipes, after it was killed
	if err := command.Run(); err != nil {
		said := bytes.TrimSpace(complaint.Bytes())
		return nil, 0, fmt.Errorf("%s: %w: %s", p.path, err, said[:min(len(said), 200)])
	}
	file, err := os.Open(wav)
	if err != nil {
		return nil, 0, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return readWAV(file)
}
