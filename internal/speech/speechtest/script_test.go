package speechtest_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/callwright/callwright/internal/speech"
	"github.com/callwright/callwright/internal/speech/speechtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestScript(t *testing.T) {
	script := &speechtest.Script{Lines: []speechtest.Line{
		{At: 40 * time.Millisecond, Text: "yes"},
		{At: 100 * time.Millisecond, Text: "yes please", Final: true},
	}}
	stream, err := script.Open(t.Context(), speech.Format{SampleRate: 8000})
	if err != nil {
		t.Fatal(err)
	}
	write := func(frames int) {
		t.Helper()
		for range frames {
			if err := stream.WriteFrame(make([]int16, 160)); err != nil {
				t.Fatal(err)
			}
		}
	}
	write(1)
	if len(stream.Heard()) != 0 {
		t.Error("it hears too early")
	}
	write(1)
	if got := <-stream.Heard(); got != (speech.Heard{Text: "yes"}) {
		t.Errorf("heard %+v", got)
	}
	write(3)
	if got := <-stream.Heard(); got != (speech.Heard{Text: "yes please", Final: true}) {
		t.Errorf("heard %+v", got)
	}
	if err := script.Streams()[0].Hear("more", true); err != nil {
		t.Error(err)
	}
	<-stream.Heard()
	if err := stream.WriteFrame(make([]int16, 100)); err == nil {
		t.Error("a frame of the wrong size is taken")
	}
	if err := stream.Close(); err != nil || stream.Err() != nil {
		t.Errorf("closed: %v, %v", err, stream.Err())
	}
	if _, open := <-stream.Heard(); open {
		t.Error("heard after it was closed")
	}
}

func TestScriptEnds(t *testing.T) {
	broken := errors.New("broken")
	script := &speechtest.Script{}
	ctx, cancel := context.WithCancel(t.Context())
	for range 2 {
		if _, err := script.Open(ctx, speech.Format{SampleRate: 8000}); err != nil {
			t.Fatal(err)
		}
	}
	streams := script.Streams()
	streams[0].Fail(broken)
	cancel()
	for i, want := range []error{broken, context.Canceled} {
		<-streams[i].Heard()
		if err := streams[i].Err(); !errors.Is(err, want) {
			t.Errorf("stream %d ended with %v, want %v", i, err, want)
		}
		if err := streams[i].Close(); err != nil {
			t.Error(err)
		}
	}
	script.OpenErr = broken
	if _, err := script.Open(t.Context(), speech.Format{}); !errors.Is(err, broken) {
		t.Errorf("opened: %v", err)
	}
}
