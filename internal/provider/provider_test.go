package provider_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/provider"
	"github.com/callwright/callwright/internal/speech"
	"github.com/callwright/callwright/internal/speech/ttstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

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
