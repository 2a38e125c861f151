package callee

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/callwright/callwright/internal/rtp"
	"github.com/callwright/callwright/internal/speech"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// typed lets a typist caption the words of a text, one each 200 ms, and returns
// what it wrote and when.
func typed(t *testing.T, seed uint64, text string) (written []string, at, played []time.Time) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		ty := newTypist(seed, func(s string) {
			if s != "" {
				written, at = append(written, s), append(at, time.Now())
			}
		})
		done := make(chan struct{})
		go func() { ty.run(ctx); close(done) }()
		for _, w := range speech.WordTimes(text, 8000) {
			ty.played(w.Text)
			played = append(played, time.Now())
			time.Sleep(200 * time.Millisecond)
		}
		ty.played(lineBreak)
		played = append(played, time.Now())
		time.Sleep(time.Second)
		cancel()
		<-done
	})
	return written, at, played
}

const sentenceSaid = "Yes, tomorrow afternoon would certainly be wonderful, naïve Zoë said quietly."

func TestCaptionsConvergeToWhatWasSaid(t *testing.T) {
	revised := 0
	for seed := range uint64(200) {
		written, _, _ := typed(t, seed, sentenceSaid)
		line := ""
		for _, w := range written {
			line = rtp.ApplyT140(line, w)
		}
		if line != sentenceSaid+lineBreak {
			t.Fatalf("seed %d: %q was understood", seed, line)
		}
		if strings.Contains(strings.Join(written, ""), "\b") {
			revised++
		}
	}
	if revised < 100 || revised == 200 {
		t.Errorf("%d of 200 sentences were revised", revised)
	}
}

func TestCaptionsAreLate(t *testing.T) {
	for seed := range uint64(50) {
		_, at, played := typed(t, seed, "a b c d e f g h") // too short to be revised
		if len(at) != len(played) {
			t.Fatalf("%d captions of %d words", len(at), len(played))
		}
		for i := range at {
			late := at[i].Sub(played[i])
			if late < captionMin || late > captionMax {
				t.Fatalf("word %d is %s late", i, late)
			}
			if i > 0 && at[i].Before(at[i-1]) {
				t.Fatalf("word %d overtakes the one before", i)
			}
		}
	}
}

func TestTheSameCallIsTypedTheSame(t *testing.T) {
	a, _, _ := typed(t, seed("call-1@host"), sentenceSaid)
	b, _, _ := typed(t, seed("call-1@host"), sentenceSaid)
	if strings.Join(a, "|") != strings.Join(b, "|") {
		t.Errorf("%q, then %q", a, b)
	}
}

func TestTypistDoesNotHoldUpTheSound(t *testing.T) {
	ty := newTypist(1, func(string) {})
	for range 10_000 { // nobody types
		ty.played("word ")
	}
}
