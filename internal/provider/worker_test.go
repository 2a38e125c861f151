package provider_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/callwright/callwright/internal/audio"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/provider"
	"github.com/callwright/callwright/internal/speech"
)

// workerVariable makes this test program a worker.
const workerVariable = "CALLWRIGHT_TEST_WORKER"

func TestMain(m *testing.M) {
	if os.Getenv(workerVariable) != "" {
		if err := provider.ServeWorker(context.Background(), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

// openWorked opens flite in workers of a command, nil where this build has no
// flite.
func openWorked(t *testing.T, command ...string) speech.TTS {
	t.Helper()
	engine, err := speech.OpenTTS(provider.Flite, speech.Config{Worker: command})
	if domain.CodeOf(err) == domain.CodeUnavailable {
		missing(t, err)
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(provider.DismissWorkers)
	return engine
}

// TestWorker speaks as flite does here, to the sample; who hangs up need not wait
// for it, and it works on for others.
func TestWorker(t *testing.T) {
	t.Setenv(workerVariable, "1")
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	engine := openWorked(t, program)
	if engine == nil {
		return
	}
	const text = "One moment, please. I look it up."
	here := sound(t, open(t, provider.Flite, speech.Config{}), "", text)
	there := sound(t, engine, "", text)
	if len(there.PCM) == 0 || !slices.Equal(here.PCM, there.PCM) {
		t.Errorf("%d samples from a worker, %d from here, or others", len(there.PCM), len(here.PCM))
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(5*time.Millisecond, cancel)
	err = engine.Speak(ctx, "slt", "This is a long sentence that nobody will hear, for the caller has gone.", audio.NewBuffer(8000))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("spoken: %v", err)
	}
	if again := sound(t, engine, "", text); !slices.Equal(here.PCM, again.PCM) {
		t.Error("it speaks otherwise after an order that nobody waited for")
	}
}

// TestWorkerIsReplaced when it ended while nobody looked.
func TestWorkerIsReplaced(t *testing.T) {
	engine := openWorked(t, "sh", "-c", `read line; echo '{"rate":8000,"samples":2}'; printf abcd`)
	if engine == nil {
		return
	}
	for i := range 3 {
		if err := engine.Speak(t.Context(), "", "Hello.", audio.NewBuffer(8000)); err != nil {
			t.Errorf("order %d: %v", i, err)
		}
	}
}

// TestBrokenWorkers are errors that another engine may be tried after.
func TestBrokenWorkers(t *testing.T) {
	for name, command := range map[string][]string{
		"is not there":    {"/nonexistent/callwright", "worker"},
		"ends at once":    {"false"},
		"talks nonsense":  {"sh", "-c", "read line; echo hello; cat"},
		"promises much":   {"sh", "-c", `read line; echo '{"rate":8000,"samples":2000000000}'; cat`},
		"stops in sounds": {"sh", "-c", `read line; echo '{"rate":8000,"samples":1000}'; echo abc`},
		"complains":       {"sh", "-c", `read line; echo '{"error":"no voice today"}'; cat`},
	} {
		t.Run(name, func(t *testing.T) {
			engine := openWorked(t, command...)
			if engine == nil {
				return
			}
			if err := engine.Speak(t.Context(), "", "Hello.", audio.NewBuffer(8000)); !speech.Retryable(err) {
				t.Errorf("spoken: %v", err)
			}
		})
	}
}
