package speech_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/callwright/callwright/internal/speech"
)

// play runs a drawing of frames through an endpointer: '#' is speech, '+' in
// doubt, '.' is none. It returns the edges.
func play(e *speech.Endpointer, drawing string) (out edges) {
	for _, c := range drawing {
		p := map[rune]float32{'#': 0.9, '+': 0.4, '.': 0.05}[c]
		if edge, known := e.Push(p); known {
			out = append(out, edge)
		}
	}
	return out
}

func TestEndpointer(t *testing.T) {
	short := speech.EndpointOptions{Silence: 100 * time.Millisecond}
	for name, c := range map[string]struct {
		options speech.EndpointOptions
		drawing string
		want    edges // in frames
	}{
		"nothing":                    {short, "..........", nil},
		"a click":                    {short, "..#.....##.......", nil},
		"three clicks":               {short, ".#..#..#..#..#...", nil},
		"a word":                     {short, "..#####.....", edges{{speech.SpeechStart, 2, 6}, {speech.SpeechEnd, 7, 12}}},
		"doubt does not open":        {short, "..+++++++++.", nil},
		"doubt carries on":           {short, "####++++++++.....", edges{{speech.SpeechStart, 0, 4}, {speech.SpeechEnd, 12, 17}}},
		"a pause is bridged":         {short, "####....####.....", edges{{speech.SpeechStart, 0, 4}, {speech.SpeechEnd, 12, 17}}},
		"a dip within the onset":     {short, ".##.###......", edges{{speech.SpeechStart, 1, 7}, {speech.SpeechEnd, 7, 12}}},
		"a quick onset":              {speech.EndpointOptions{Onset: time.Millisecond, Silence: 40 * time.Millisecond}, ".#..", edges{{speech.SpeechStart, 1, 2}, {speech.SpeechEnd, 2, 4}}},
		"a high threshold":           {speech.EndpointOptions{Threshold: 0.95}, "##########", nil},
		"half a second by default":   {speech.EndpointOptions{}, "####........................", edges{{speech.SpeechStart, 0, 4}}},
		"music":                      {speech.EndpointOptions{Unbroken: 200 * time.Millisecond}, "..####################..####", edges{{speech.SpeechStart, 2, 6}, {speech.SpeechEnd, 2, 12}, {speech.SpeechStart, 24, 28}}},
		"a word and then music":      {speech.EndpointOptions{Unbroken: 200 * time.Millisecond}, ".####.###########.", edges{{speech.SpeechStart, 1, 5}, {speech.SpeechEnd, 6, 16}}},
		"music without a limit":      {speech.EndpointOptions{Unbroken: -1}, "##########################", edges{{speech.SpeechStart, 0, 4}}},
		"half a second, one further": {speech.EndpointOptions{}, "####.........................", edges{{speech.SpeechStart, 0, 4}, {speech.SpeechEnd, 4, 29}}},
	} {
		t.Run(name, func(t *testing.T) {
			got := play(speech.NewEndpointer(8000, c.options), c.drawing)
			if len(got) != len(c.want) {
				t.Fatalf("edges %+v, want %+v (in frames)", got, c.want)
			}
			for i, w := range c.want {
				if got[i] != (speech.Edge{Kind: w.Kind, At: w.At * 160, Known: w.Known * 160}) {
					t.Errorf("edge %d is %+v, want %+v (in frames)", i, got[i], w)
				}
			}
		})
	}
}

func TestEndpointerSetSilenceAndReset(t *testing.T) {
	e := speech.NewEndpointer(16000, speech.EndpointOptions{})
	play(e, "#####..")
	if !e.Speaking() || e.Quiet() != 40*time.Millisecond {
		t.Fatalf("speaking %v, quiet %v; want true, 40ms", e.Speaking(), e.Quiet())
	}
	e.SetSilence(60 * time.Millisecond)
	if got := play(e, "."); len(got) != 1 || got[0].At != 5*320 {
		t.Errorf("after 60 ms of silence: %+v", got)
	}
	play(e, "#####")
	e.Reset()
	if e.Speaking() {
		t.Error("still speaking after Reset")
	}
	if got := play(e, "####"); len(got) != 1 || got[0].At != 13*320 {
		t.Errorf("the clock does not go on after Reset: %+v", got)
	}
}

// Starts and ends take turns, lie in order, and are known after they were.
func TestEndpointerInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := speech.NewEndpointer(8000, speech.EndpointOptions{
			Onset:   time.Duration(rapid.IntRange(1, 200).Draw(t, "onset")) * time.Millisecond,
			Silence: time.Duration(rapid.IntRange(1, 200).Draw(t, "silence")) * time.Millisecond,
		})
		last := speech.Edge{Kind: speech.SpeechEnd}
		for i, p := range rapid.SliceOf(rapid.Float32Range(0, 1)).Draw(t, "frames") {
			edge, known := e.Push(p)
			if !known {
				continue
			}
			if edge.Kind == last.Kind || edge.At < last.At || edge.Known != int64(i+1)*160 || edge.At >= edge.Known {
				t.Fatalf("%+v after %+v at frame %d", edge, last, i)
			}
			if e.Speaking() != (edge.Kind == speech.SpeechStart) {
				t.Fatalf("speaking is %v after %+v", e.Speaking(), edge)
			}
			last = edge
		}
	})
}
