package rtp

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/audio"
)

// player pulls frames and notes what passed in which frame.
type player struct {
	*Playout
	frame  [frameSamples]int16
	pulls  int
	passed []string
}

const fade8k = 40 // samples of a fade at 8 kHz

func newPlayer() *player {
	p := &player{}
	p.Playout = NewPlayout(8000,
		func(text string) { p.passed = append(p.passed, fmt.Sprintf("%s@%d", text, p.pulls)) },
		func(id int) { p.passed = append(p.passed, fmt.Sprintf("#%d@%d", id, p.pulls)) })
	return p
}

// pull returns the next frame after its cues were delivered.
func (p *player) pull() []int16 {
	p.pulls++
	p.Pull(p.frame[:])
	p.Fire()
	return slices.Clone(p.frame[:])
}

func constant(n int, v int16) []int16 {
	pcm := make([]int16, n)
	for i := range pcm {
		pcm[i] = v
	}
	return pcm
}

func TestPlayoutPlaysInOrderAndPassesCues(t *testing.T) {
	p := newPlayer()
	p.Cue("start")
	p.Enqueue(constant(200, 1))
	p.Cue("one")
	p.Enqueue(constant(120, 2))
	p.Mark(7)
	p.Enqueue(constant(10, 3))
	p.Cue("end")
	if got, want := p.Queued(), 330*time.Second/8000; got != want {
		t.Errorf("queued %v, want %v", got, want)
	}
	var out []int16
	for range 4 {
		out = append(out, p.pull()...)
	}
	want := slices.Concat(constant(200, 1), constant(120, 2), constant(10, 3), make([]int16, 310))
	if !slices.Equal(out, want) {
		t.Error("the sound came out changed")
	}
	// 320 samples are two whole frames: the mark passes with the second.
	if want := []string{"start@1", "one@2", "#7@2", "end@3"}; !slices.Equal(p.passed, want) {
		t.Errorf("passed %v, want %v", p.passed, want)
	}
	if !p.Idle() || p.Queued() != 0 {
		t.Error("not idle at the end")
	}
}

func TestPlayoutCutIsSilentWithinOneFrame(t *testing.T) {
	p := newPlayer()
	p.Enqueue(constant(8000, 5000))
	p.Cue("never")
	p.pull()
	p.Cut()
	if !p.Idle() || p.Queued() != 0 {
		t.Error("something is left after a cut")
	}
	frame := p.pull()
	if level := audio.Level(frame[fade8k:]); level != 0 {
		t.Errorf("still sounding after 5 ms: %.0f", level)
	}
	for i := range fade8k - 1 {
		if frame[i] < frame[i+1] || frame[i] > 5000 {
			t.Fatalf("the end does not fade: %v", frame[:fade8k])
		}
	}
	p.Enqueue(constant(160, 9))
	if frame := p.pull(); !slices.Equal(frame, constant(160, 9)) {
		t.Errorf("sound after the cut: %v", frame[:8])
	}
	if len(p.passed) > 0 {
		t.Errorf("a cue that was cut has passed: %v", p.passed)
	}
	p.Cut() // nothing was playing any more
	if frame := p.pull(); audio.Level(frame) != 0 {
		t.Error("a cut of nothing sounds")
	}
}

func TestPlayoutPauseAndResume(t *testing.T) {
	p := newPlayer()
	tone := audio.Sine(8000, 440, 9000, time.Second)
	p.Enqueue(tone)
	p.Cue("end")
	first := p.pull()
	p.Pause()
	p.Pause()
	gap := slices.Concat(p.pull(), p.pull())
	if audio.Level(gap[fade8k:]) != 0 {
		t.Error("the pause sounds")
	}
	if p.Idle() || p.Queued() != 980*time.Millisecond {
		t.Errorf("queued %v in the pause", p.Queued())
	}
	p.Resume()
	second := p.pull()
	if !slices.Equal(first, tone[:160]) || !slices.Equal(second[fade8k:], tone[160+fade8k:320]) {
		t.Error("it did not go on where it stopped")
	}
	if second[0] != 0 || audio.Level(second[:8]) > audio.Level(tone[160:168])/4 {
		t.Error("it goes on with a click")
	}
	p.Pause() // a pause nobody hears
	p.Resume()
	if third := p.pull(); !slices.Equal(third, tone[320:480]) {
		t.Error("a pause shorter than a frame was heard")
	}
	p.Pause()
	p.Cut()
	p.Enqueue(constant(160, 4))
	if frame := p.pull(); frame[159] != 4 {
		t.Error("a cut does not end the pause")
	}
}

func TestPlayoutTakesFramesOfAWriter(t *testing.T) {
	p := newPlayer()
	var w audio.Writer = p.Playout
	tone := audio.Sine(w.SampleRate(), 440, 9000, 400*time.Millisecond)
	frame := make([]int16, frameSamples)
	for i := 0; i < len(tone); i += frameSamples {
		copy(frame, tone[i:]) // the writer may use its slice again
		if err := w.WriteFrame(frame); err != nil {
			t.Fatal(err)
		}
	}
	var out []int16
	for !p.Idle() {
		out = append(out, p.pull()...)
	}
	if !slices.Equal(out, tone) {
		t.Error("the sound came out changed")
	}
	if err := w.Close(); err != nil || w.String() != "playout" {
		t.Errorf("%v %v", err, w)
	}
}

func TestPlayoutQueueStaysSmall(t *testing.T) {
	p := newPlayer()
	for range 10000 { // never empty, for minutes
		p.Enqueue(constant(160, 1))
		p.Cue("x")
		if p.pulls < 3 {
			p.Enqueue(constant(160, 1))
		}
		p.pull()
	}
	if c := cap(p.items); c > 64 {
		t.Errorf("room for %d items", c)
	}
	if a := testing.AllocsPerRun(100, func() { p.Pull(p.frame[:]); p.Fire() }); a != 0 {
		t.Errorf("%v allocations a frame", a)
	}
}

// FuzzPlayout holds the queue against its plain meaning.
func FuzzPlayout(f *testing.F) {
	f.Add([]byte{0, 200, 4, 2, 0, 50, 3, 4, 4})
	f.Fuzz(func(t *testing.T, script []byte) {
		p := newPlayer()
		queued := 0
		for i := 0; i+1 < len(script); i += 2 {
			switch script[i] % 6 {
			case 0:
				p.Enqueue(constant(int(script[i+1]), 100))
				queued += int(script[i+1])
			case 1:
				p.Mark(i)
			case 2:
				p.Cut()
				queued = 0
			case 3:
				p.Pause()
			case 4:
				p.Resume()
			case 5:
				p.pull()
				if !p.paused {
					queued = max(queued-frameSamples, 0)
				}
			}
			if p.Queued() > audio.Duration(queued+fade8k*(i+1), 8000) || p.queued < 0 {
				t.Fatalf("queued %v, expected %d samples", p.Queued(), queued)
			}
		}
		p.Resume()
		for range 200 {
			p.pull()
		}
		if !p.Idle() {
			t.Error("never idle")
		}
	})
}
