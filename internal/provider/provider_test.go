package provider_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/audio"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/provider"
	"github.com/callwright/callwright/internal/speech"
	"github.com/callwright/callwright/internal/speech/ttstest"
)

// Every voice that needs no service passes the suite. A bare clone has no flite
// built in; the programs are packages of the system.
func TestOfflineEngines(t *testing.T) {
	for _, name := range []string{provider.Flite, provider.FliteExec, provider.EspeakExec, provider.Placeholder} {
		t.Run(name, func(t *testing.T) {
			engine, err := speech.OpenTTS(name, speech.Config{})
			if domain.CodeOf(err) == domain.CodeUnavailable {
				missing(t, err)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			ttstest.Exercise(t, engine)
		})
	}
}

// What is put before an engine keeps its promises.
func TestWrappersPassTheSuite(t *testing.T) {
	cache, err := speech.NewCache(speech.CacheOptions{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	cached := cache.Wrap(open(t, provider.Placeholder, speech.Config{}))
	t.Run("cache", func(t *testing.T) { ttstest.Exercise(t, cached) })
}

// sound is what engine makes of text, at 8 kHz.
func sound(t *testing.T, engine speech.TTS, voice, text string) *audio.Buffer {
	t.Helper()
	b := audio.NewBuffer(8000)
	if err := engine.Speak(t.Context(), voice, text, b); err != nil {
		t.Fatal(err)
	}
	return b
}

func open(t *testing.T, name string, c speech.Config) speech.TTS {
	t.Helper()
	engine, err := speech.OpenTTS(name, c)
	if err != nil {
		t.Fatal(err)
	}
	return engine
}

// Every offline voice is speech to the default detector, starts at once, and is
// not too slow.
func TestOfflineVoicesAreSpeech(t *testing.T) {
	for _, engine := range provider.OfflineTTS(speech.Config{}) {
		t.Run(engine.Name(), func(t *testing.T) {
			b := sound(t, engine, "", "I would like to book a table please.")
			if d := b.Duration(); d < time.Second || d > 2500*time.Millisecond {
				t.Errorf("eight words take %v", d)
			}
			vad, err := speech.NewVAD(8000)
			if err != nil {
				t.Fatal(err)
			}
			ends := speech.NewEndpointer(8000, speech.EndpointOptions{})
			var edges []speech.Edge
			line := append(audio.Silence(8000, 2*time.Second), b.PCM...)
			line = append(line, audio.Silence(8000, time.Second)...)
			for frame := range slices.Chunk(line, 160) {
				if edge, known := ends.Push(vad.Push(frame)); known {
					edges = append(edges, edge)
				}
			}
			if len(edges) != 2 {
				t.Fatalf("edges %+v, want one start and one end", edges)
			}
			begin, end := edges[0].At-16000, edges[1].At-16000
			if begin < -160 || begin > 8000/5 || end < int64(len(b.PCM))*6/10 {
				t.Errorf("of %d samples those from %d to %d are heard as speech", len(b.PCM), begin, end)
			}
		})
	}
}

func TestDefaultTTS(t *testing.T) {
	engine, err := provider.DefaultTTS(speech.Config{Voice: "no such voice"})
	if err != nil {
		t.Fatal(err)
	}
	if all := provider.OfflineTTS(speech.Config{}); all[0].Name() != engine.Name() {
		t.Errorf("the default is %s, the best is %s", engine.Name(), all[0].Name())
	}
	t.Setenv("PATH", t.TempDir())
	for _, name := range []string{provider.FliteExec, provider.EspeakExec} {
		if _, err := speech.OpenTTS(name, speech.Config{}); domain.CodeOf(err) != domain.CodeUnavailable {
			t.Errorf("%s without its program: %v, want CodeUnavailable", name, err)
		}
	}
	all := provider.OfflineTTS(speech.Config{})
	if last := all[len(all)-1]; last.Name() != provider.Placeholder || len(all) > 2 {
		t.Errorf("on a bare machine %d engines are there, the last is %s", len(all), last.Name())
	}
}

func TestConfiguredVoiceAndRate(t *testing.T) {
	const text = "One two three four five six seven eight."
	for _, name := range []string{provider.FliteExec, provider.EspeakExec} {
		plain, err := speech.OpenTTS(name, speech.Config{})
		if domain.CodeOf(err) == domain.CodeUnavailable {
			missing(t, err)
			continue
		}
		second := plain.Voices()[1].Name
		if got := open(t, name, speech.Config{Voice: second}).Voices(); got[0].Name != second || len(got) != len(plain.Voices()) {
			t.Errorf("%s with the voice %s: %v", name, second, got)
		}
		if _, err := speech.OpenTTS(name, speech.Config{Voice: "nobody"}); domain.CodeOf(err) != domain.CodeInvalid {
			t.Errorf("%s with an unknown voice: %v", name, err)
		}
		fast := open(t, name, speech.Config{Rate: 1.5})
		if a, b := sound(t, plain, "", text).Duration(), sound(t, fast, "", text).Duration(); b > a*8/10 {
			t.Errorf("%s: %v at one and a half times the pace, %v at its own", name, b, a)
		}
		if a, b := sound(t, plain, "@1.5", text).Duration(), sound(t, fast, "", text).Duration(); a != b {
			t.Errorf("%s: the voice's pace makes %v, the engine's %v", name, a, b)
		}
	}
}

// install puts a program called name alone on PATH.
func install(t *testing.T, name, script string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	t.Setenv("TMPDIR", dir)
	return dir
}

func TestProgramThatHangsIsKilled(t *testing.T) {
	dir := install(t, "espeak-ng", "exec /bin/sleep 60\n")
	engine := open(t, provider.EspeakExec, speech.Config{})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	start := time.Now()
	if err := engine.Speak(ctx, "", "Hello.", audio.NewBuffer(8000)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("it took %v", took)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "callwright-*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %q, %v", left, err)
	}
}

func TestProgramThatFails(t *testing.T) {
	for name, script := range map[string]string{
		"an exit code": "echo no such voice >&2; exit 3\n",
		"no file":      "exit 0\n",
		"no sound":     "for f; do last=$f; done; echo nonsense > \"$last\"\n",
	} {
		t.Run(name, func(t *testing.T) {
			install(t, "espeak-ng", script)
			err := open(t, provider.EspeakExec, speech.Config{}).Speak(t.Context(), "", "Hello.", audio.NewBuffer(8000))
			if !speech.Retryable(err) {
				t.Errorf("error %v, want one that another engine may do better on", err)
			}
		})
	}
}

// The words reach the program by its input alone: arguments can be seen by every
// user of the machine.
func TestProgramGetsTextByInput(t *testing.T) {
	dir := install(t, "espeak-ng", `/bin/cat > "$TMPDIR/input"; echo "$@" > "$TMPDIR/args"; exit 1`+"\n")
	const text = `Say "$(id)" and 'ü' -- now`
	if err := open(t, provider.EspeakExec, speech.Config{}).Speak(t.Context(), "de@1.2", text, audio.NewBuffer(8000)); err == nil {
		t.Error("no error")
	}
	for file, want := range map[string]string{"input": text + "\n", "args": "-v de -s 210"} {
		got, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil || !strings.HasPrefix(string(got), want) || file == "args" && strings.Contains(string(got), "Say") {
			t.Errorf("%s: %q (%v), want %q", file, got, err, want)
		}
	}
}

// A script that a voice cannot read is for another engine.
func TestUnreadableScript(t *testing.T) {
	for _, name := range []string{provider.Flite, provider.FliteExec} {
		engine, err := speech.OpenTTS(name, speech.Config{})
		if err != nil {
			missing(t, err)
			continue
		}
		if err := engine.Speak(t.Context(), "", "你好，世界", audio.NewBuffer(8000)); !speech.Retryable(err) {
			t.Errorf("%s: error %v, want a retryable one", name, err)
		}
	}
}
