package callee

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/callwright/callwright/internal/audio"
	"github.com/callwright/callwright/internal/rtp"
	"github.com/callwright/callwright/internal/speech"
)

// lineBreak ends a turn in T.140 text.
const lineBreak = "\u2028"

const lineRate = 8000

// talk is the simulated person's side of one call.
type talk struct {
	phone  *Phone
	leg    *rtp.Leg
	typist *typist
	lines  chan string   // turns of the agent that are complete
	onset  chan struct{} // the agent began a turn
	marks  chan int      // marks that were played
	began  time.Time     // when the call was answered

	mu     sync.Mutex
	line   string   // what the agent is saying
	heard  []string // all turns of the agent, as they were received
	said   []string
	marked int
}

func newTalk(p *Phone) *talk {
	return &talk{phone: p, lines: make(chan string, 32), onset: make(chan struct{}, 1), marks: make(chan int, 32)}
}

// onText takes a block of the agent's text.
func (t *talk) onText(block string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for {
		before, after, ended := strings.Cut(block, lineBreak)
		if t.line == "" && before != "" {
			select {
			case t.onset <- struct{}{}:
			default:
			}
		}
		t.line = rtp.ApplyT140(t.line, before)
		if !ended {
			return
		}
		if line := strings.TrimSpace(t.line); line != "" {
			t.heard = append(t.heard, line)
			select {
			case t.lines <- line:
			default:
			}
		}
		t.line, block = "", after
	}
}

// hear waits for the agent's next turn.
func (t *talk) hear(ctx context.Context) (string, bool) {
	select {
	case line := <-t.lines:
		// What was said before the last turn is over needs no answer of its own.
		for {
			select {
			case more := <-t.lines:
				line += " " + more
			default:
				t.clearOnset()
				return line, true
			}
		}
	case <-ctx.Done():
		return "", false
	}
}

func (t *talk) clearOnset() {
	select {
	case <-t.onset:
	default:
	}
}

// begins waits until the agent begins to speak, for at most d, and reports
// whether it did.
func (t *talk) begins(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-t.onset:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	return false
}

// speaking reports whether the agent is in the middle of a turn.
func (t *talk) speaking() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.line != ""
}

// wait lets time pass; it returns early when the call is over.
func (t *talk) wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// say speaks and returns when all was played; false when the call was over
// before.
func (t *talk) say(ctx context.Context, text string) bool {
	out := &sound{}
	if err := t.phone.o.TTS.Speak(ctx, t.phone.o.Voice, text, out); err != nil {
		if ctx.Err() == nil {
			t.phone.log.Error("the simulated phone has no voice", "err", err)
		}
		return false
	}
	from := 0
	play := t.leg.Playout()
	for _, w := range speech.WordTimes(text, len(out.pcm)) {
		play.Enqueue(out.pcm[from:w.End])
		play.Cue(w.Text)
		from = w.End
	}
	play.Enqueue(out.pcm[from:])
	play.Cue(lineBreak)
	t.mu.Lock()
	t.said = append(t.said, text)
	t.mu.Unlock()
	return t.played(ctx)
}

// textBuffer is for how long text is gathered before it is sent (RFC 4103
// section 5.1), and textTravel how long it may then be on its way.
const (
	textBuffer = 300 * time.Millisecond
	textTravel = 200 * time.Millisecond
)

// linger lets the captions of the last words arrive before the person hangs up.
func (t *talk) linger(ctx context.Context) {
	t.mu.Lock()
	spoke := len(t.said) > 0
	t.mu.Unlock()
	if spoke && t.typist != nil && t.typist.catchUp(ctx) {
		t.wait(ctx, textBuffer+textTravel)
	}
}

// beep plays a tone.
func (t *talk) beep(ctx context.Context, hertz float64, d time.Duration) bool {
	t.leg.Playout().Enqueue(audio.Sine(lineRate, hertz, beepLevel, d))
	return t.played(ctx)
}

// played waits until all that was enqueued has been played.
func (t *talk) played(ctx context.Context) bool {
	t.marked++
	t.leg.Playout().Mark(t.marked)
	for {
		select {
		case id := <-t.marks:
			if id == t.marked {
				return true
			}
		case <-ctx.Done():
			return false
		}
	}
}

// sound gathers what a voice says.
type sound struct{ pcm []int16 }

func (*sound) SampleRate() int { return lineRate }

func (s *sound) WriteFrame(pcm []int16) error {
	s.pcm = append(s.pcm, pcm...)
	return nil
}

func (*sound) String() string { return "sound" }
func (*sound) Close() error   { return nil }
