package speech_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callwright/callwright/internal/speech"
	"github.com/callwright/callwright/internal/speech/speechtest"
)

var earFormat = speech.Format{SampleRate: lineRate}

// feed writes sound in real time.
func feed(t *testing.T, s speech.Stream, d time.Duration) {
	t.Helper()
	frame := make([]int16, 160)
	for range d / (20 * time.Millisecond) {
		time.Sleep(20 * time.Millisecond)
		if err := s.WriteFrame(frame); err != nil {
			t.Error(err)
			return
		}
	}
}

// words collects what a stream hears until it ends.
func words(s speech.Stream) func() string {
	done := make(chan string, 1)
	go func() {
		var list []string
		for h := range s.Heard() {
			if h.Final {
				h.Text += "."
			}
			list = append(list, h.Text)
		}
		done <- strings.Join(list, " ")
	}()
	return func() string { return <-done }
}

func TestEarsGoOnWhenAStreamBreaks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// The clock of a script is the sound it gets: a stream that is told the kept
		// sound hears its first line again at once.
		script := &speechtest.Script{Lines: []speechtest.Line{{At: time.Second, Text: "one"}, {At: 2 * time.Second, Text: "one two", Final: true}}}
		s, err := speech.NewEars(speech.EarsOptions{Engines: []speech.STT{script}}).Open(t.Context(), earFormat)
		if err != nil {
			t.Fatal(err)
		}
		heard := words(s)
		feed(t, s, 1500*time.Millisecond)
		script.Streams()[0].Fail(&speech.Error{Engine: "script", Err: errBroken, Retryable: true})
		feed(t, s, time.Second)
		if n := len(script.Streams()); n != 2 {
			t.Errorf("%d streams were opened", n)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if got := heard(); got != "one one one two." {
			t.Errorf("heard %q", got)
		}
		if s.Err() != nil || s.WriteFrame(make([]int16, 160)) == nil {
			t.Error("it was closed and goes on, or has an error")
		}
	})
}

func TestEarsForgetWhatIsUnderstood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		script := &speechtest.Script{Lines: []speechtest.Line{{At: time.Second, Text: "one", Final: true}}}
		s, err := speech.NewEars(speech.EarsOptions{Engines: []speech.STT{script}}).Open(t.Context(), earFormat)
		if err != nil {
			t.Fatal(err)
		}
		heard := words(s)
		feed(t, s, 1200*time.Millisecond)
		script.Streams()[0].Fail(errBroken)
		feed(t, s, 200*time.Millisecond)
		_ = s.Close()
		if got := heard(); got != "one." {
			t.Errorf("heard %q: what was understood was told again", got)
		}
	})
}

func TestEarsTakeTheNextEngine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refused := &speech.Error{Engine: "a", Err: errors.New("401")}
		second := &speechtest.Script{Lines: []speechtest.Line{{At: time.Second, Text: "hello", Final: true}}}
		var faults []string
		ears := speech.NewEars(speech.EarsOptions{
			Engines: []speech.STT{&speechtest.Script{OpenErr: refused}, deafEar{}, panicEar{}, second},
			OnFault: func(name string, err error) { faults = append(faults, name+": "+err.Error()) },
		})
		s, err := ears.Open(t.Context(), earFormat)
		if err != nil {
			t.Fatal(err)
		}
		heard := words(s)
		feed(t, s, 8*time.Second) // four of which are kept while nobody hears
		_ = s.Close()
		if got := heard(); got != "hello." {
			t.Errorf("heard %q", got)
		}
		if len(faults) != 3 || !strings.Contains(faults[1], speech.ErrLate.Error()) || !strings.Contains(faults[2], "panic") {
			t.Errorf("faults %q", faults)
		}
		// The next call does not try those that failed before the one that works.
		faults = nil
		if s, err = ears.Open(t.Context(), earFormat); err != nil {
			t.Fatal(err)
		}
		heard = words(s)
		feed(t, s, 2*time.Second)
		_ = s.Close()
		if got := heard(); got != "hello." || len(faults) > 0 {
			t.Errorf("heard %q, with the faults %q", got, faults)
		}
	})
}

func TestEarsGiveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ears := speech.NewEars(speech.EarsOptions{Engines: []speech.STT{&speechtest.Script{OpenErr: errBroken}, &speechtest.Script{OpenErr: errBroken}}})
		s, err := ears.Open(t.Context(), earFormat)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if got := words(s)(); got != "" || !errors.Is(s.Err(), errBroken) || time.Since(began) > 10*time.Second {
			t.Errorf("heard %q, ended with %v after %s", got, s.Err(), time.Since(began))
		}
		ctx, cancel := context.WithCancel(t.Context())
		if s, err = speech.NewEars(speech.EarsOptions{Engines: []speech.STT{deafEar{}}}).Open(ctx, earFormat); err != nil {
			t.Fatal(err)
		}
		cancel()
		if words(s)(); !errors.Is(s.Err(), context.Canceled) {
			t.Errorf("it ended with %v", s.Err())
		}
		if s, err = speech.NewEars(speech.EarsOptions{Engines: []speech.STT{deafEar{}}}).Open(t.Context(), earFormat); err != nil {
			t.Fatal(err)
		}
		_ = s.Close()
		if words(s)(); s.Err() != nil {
			t.Errorf("closed before it was open: %v", s.Err())
		}
	})
}

// deafEar never opens.
type deafEar struct{}

func (deafEar) Name() string { return "deaf" }
func (deafEar) Open(ctx context.Context, _ speech.Format) (speech.Stream, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

type panicEar struct{}

func (panicEar) Name() string { return "panic" }
func (panicEar) Open(context.Context, speech.Format) (speech.Stream, error) {
	panic("a fault")
}

// clerk is a Transcriber that answers with how long the utterance was.
type clerk struct {
	takes  time.Duration
	err    error
	lasted []time.Duration
}

func (c *clerk) Name() string { return "clerk" }
func (c *clerk) Transcribe(ctx context.Context, pcm []int16, _ speech.Format) (string, error) {
	c.lasted = append(c.lasted, time.Duration(len(pcm))*time.Second/lineRate)
	select {
	case <-time.After(c.takes):
	case <-ctx.Done():
		return "", ctx.Err()
	}
	if len(c.lasted) == 2 {
		return "", c.err
	}
	return "word", c.err
}

// talk writes sound to a stream.
func talk(t *testing.T, s speech.Stream, pcm []int16) {
	t.Helper()
	for _, f := range frames(pcm) {
		time.Sleep(20 * time.Millisecond)
		if err := s.WriteFrame(f); err != nil {
			return // it has ended, which is seen below
		}
	}
}

func TestSegmenter(t *testing.T) {
	voice := readVoice(t, "slt")
	pcm, _ := scene(voice, 3000, time.Second, quiet)
	synctest.Test(t, func(t *testing.T) {
		c := &clerk{takes: 300 * time.Millisecond}
		s, err := speech.NewSegmenter(c, speech.SegmenterOptions{}).Open(t.Context(), earFormat)
		if err != nil {
			t.Fatal(err)
		}
		heard := words(s)
		for range 3 { // the second has no words
			talk(t, s, pcm)
		}
		time.Sleep(time.Second)
		_ = s.Close()
		if got := heard(); got != "word. word." || s.Err() != nil {
			t.Errorf("heard %q, %v", got, s.Err())
		}
		whole := time.Duration(len(voice)) * time.Second / lineRate
		for _, d := range c.lasted {
			if d < whole/2 || d > whole+1500*time.Millisecond {
				t.Errorf("an utterance of %s was sent with %s", whole, d)
			}
		}
		if err := s.WriteFrame(make([]int16, 160)); err == nil {
			t.Error("a closed stream takes sound")
		}
	})
}

func TestSegmenterFailsWithItsEngine(t *testing.T) {
	pcm, _ := scene(readVoice(t, "slt"), 3000, time.Second, quiet)
	synctest.Test(t, func(t *testing.T) {
		for name, c := range map[string]*clerk{"broken": {err: errBroken}, "keep up": {takes: time.Hour}} {
			s, err := speech.NewSegmenter(c, speech.SegmenterOptions{Longest: time.Second}).Open(t.Context(), earFormat)
			if err != nil {
				t.Fatal(err)
			}
			heard := words(s)
			for range 4 { // cut after each second
				talk(t, s, pcm)
			}
			if got := heard(); got != "" || s.Err() == nil || !strings.Contains(s.Err().Error(), name) {
				t.Errorf("heard %q, %v", got, s.Err())
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		s, err := speech.NewSegmenter(&clerk{}, speech.SegmenterOptions{}).Open(ctx, earFormat)
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		if words(s)(); !errors.Is(s.Err(), context.Canceled) {
			t.Errorf("it ended with %v", s.Err())
		}
		if _, err := speech.NewSegmenter(&clerk{}, speech.SegmenterOptions{}).Open(t.Context(), speech.Format{SampleRate: 1}); err == nil {
			t.Error("a rate of 1 Hz is taken")
		}
	})
}
