package conversation_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callwright/callwright/internal/audio"
	"github.com/callwright/callwright/internal/conversation"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/flow"
	"github.com/callwright/callwright/internal/speech"
)

const rate = 8000

// toneTTS speaks 50 ms of sound a letter, at once.
type toneTTS struct{}

func (toneTTS) Say(_ context.Context, _, text string, out audio.Writer) (speech.Spoken, error) {
	return speech.Spoken{Voice: "tone"}, out.WriteFrame(make([]int16, len(text)*rate/20))
}

// line plays in the test's virtual time what a conversation says.
type line struct {
	mu     sync.Mutex
	talk   *conversation.Conversation
	items  []lineItem
	paused bool
	sound  []bool // for each frame played: whether there was sound
	text   strings.Builder
}

type lineItem struct {
	samples int
	cue     string
	mark    int
}

func (l *line) add(i lineItem) {
	l.mu.Lock()
	l.items = append(l.items, i)
	l.mu.Unlock()
}

func (l *line) Enqueue(pcm []int16) {
	if len(pcm) > 0 {
		l.add(lineItem{samples: len(pcm)})
	}
}
func (l *line) Cue(text string) { l.add(lineItem{cue: text}) }
func (l *line) Mark(id int)     { l.add(lineItem{mark: id}) }
func (l *line) Pause()          { l.mu.Lock(); l.paused = true; l.mu.Unlock() }
func (l *line) Resume()         { l.mu.Lock(); l.paused = false; l.mu.Unlock() }
func (l *line) Cut()            { l.mu.Lock(); l.items = nil; l.mu.Unlock() }
func (l *line) Break()          { l.mu.Lock(); l.text.WriteString("\u2028"); l.mu.Unlock() }

func (l *line) run(ctx context.Context) {
	tick := time.NewTicker(audio.FrameDuration)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			l.frame()
		}
	}
}

func (l *line) frame() {
	l.mu.Lock()
	defer l.mu.Unlock()
	room := audio.FrameSize(rate)
	sounded := false
	for len(l.items) > 0 && !l.paused {
		i := &l.items[0]
		switch {
		case i.samples > 0 && room == 0:
			l.sound = append(l.sound, sounded)
			return
		case i.samples > 0:
			n := min(room, i.samples)
			i.samples -= n
			room -= n
			sounded = true
			if i.samples > 0 {
				continue
			}
		case i.cue != "":
			l.text.WriteString(i.cue)
			l.talk.Cue(i.cue)
		default:
			l.talk.Mark(i.mark)
		}
		l.items = l.items[1:]
	}
	l.sound = append(l.sound, sounded)
}

// record is a performer that remembers.
type record struct {
	mu    sync.Mutex
	talk  *conversation.Conversation
	turns []domain.Turn
	ended domain.EndReason
	done  chan struct{}
	did   []time.Time                                                        // when something was to be done
	do    func(context.Context, *conversation.Conversation, string, flow.Do) // nil: all is done after a second
}

// Do does what is to be done.
func (r *record) Do(ctx context.Context, node string, do flow.Do) {
	r.mu.Lock()
	r.did = append(r.did, time.Now())
	r.mu.Unlock()
	if r.do != nil {
		r.do(ctx, r.talk, node, do)
		return
	}
	time.AfterFunc(time.Second, func() { r.talk.Post(flow.Event{Kind: flow.Done, Node: node, OK: true}) })
}

func (r *record) Turn(t domain.Turn)          { r.mu.Lock(); r.turns = append(r.turns, t); r.mu.Unlock() }
func (r *record) End(reason domain.EndReason) { r.ended = reason; close(r.done) }

func (r *record) said() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var b strings.Builder
	for _, t := range r.turns {
		b.WriteString(string(t.Role) + ": " + t.Text)
		if t.Interrupted {
			b.WriteString(" [cut]")
		}
		b.WriteString("\n")
	}
	return b.String()
}

const dinner = `{"nodes":[
 {"id":"hi","type":"say","text":"Hello there.","edges":[{"to":"q"}]},
 {"id":"q","type":"ask","text":"How many people are coming to the dinner tonight?","variable":"n","answer":{"type":"number"},"repeat":1,"edges":[{"to":"end"}]},
 {"id":"end","type":"end","text":"A table for {{n}} then."}]}`

// play runs one conversation in virtual time; script acts as the caller.
func play(t *testing.T, script func(c *caller)) (*record, *line) {
	t.Helper()
	return playFlow(t, dinner, nil, script)
}

// playFlow is play with a flow and a model of its own.
func playFlow(t *testing.T, source string, llm speech.LLM, script func(c *caller)) (*record, *line) {
	t.Helper()
	return playWith(t, source, conversation.Options{LLM: llm, Voice: toneTTS{}, Ear: true}, script)
}

// playWith is playFlow with what else a conversation needs.
func playWith(t *testing.T, source string, o conversation.Options, script func(c *caller)) (*record, *line) {
	t.Helper()
	r, ok := o.Performer.(*record)
	if !ok {
		r = &record{}
	}
	if o.Voice == nil {
		o.Voice = toneTTS{}
	}
	r.done = make(chan struct{})
	l := &line{}
	synctest.Test(t, func(t *testing.T) {
		g, err := flow.Parse([]byte(source))
		if err != nil {
			t.Fatal(err)
		}
		g.Route = o.Graph != nil && o.Graph.Route
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		o.Graph, o.Line, o.Performer, o.Rate = g, l, r, rate
		talk := conversation.New(o)
		l.talk, r.talk = talk, talk
		go l.run(ctx)
		go script(&caller{talk: talk, line: l})
		talk.Run(ctx)
		select {
		case <-r.done:
		default:
			t.Error("the conversation was over and nobody was told")
		}
	})
	return r, l
}

type caller struct {
	talk *conversation.Conversation
	line *line
}

// speaks is a voice of the given length whose caption comes late.
func (c *caller) speaks(text string, d time.Duration) {
	start := time.Now()
	time.Sleep(100 * time.Millisecond) // the ear needs a little to be sure
	c.talk.SoundOn(start)
	time.Sleep(d - 100*time.Millisecond)
	end := time.Now()
	if text != "" {
		c.talk.Heard(speech.Heard{Text: text[:len(text)/2]})
		time.Sleep(300 * time.Millisecond)
		c.talk.Heard(speech.Heard{Text: text, Final: true})
		time.Sleep(200 * time.Millisecond)
	} else {
		time.Sleep(500 * time.Millisecond)
	}
	c.talk.SoundOff(end)
}

func TestWholeConversation(t *testing.T) {
	r, l := play(t, func(c *caller) {
		time.Sleep(5 * time.Second)
		c.speaks("four of us", 800*time.Millisecond)
	})
	want := "agent: Hello there. How many people are coming to the dinner tonight?\ncaller: four of us\nagent: A table for 4 then.\n"
	if got := r.said(); got != want {
		t.Errorf("transcript:\n%s\nwant:\n%s", got, want)
	}
	if r.ended != domain.EndFlow {
		t.Errorf("ended for %q", r.ended)
	}
	if got := l.text.String(); strings.Join(strings.Fields(got), " ") != "Hello there. How many people are coming to the dinner tonight? A table for 4 then." || strings.Count(got, "\u2028") != 2 {
		t.Errorf("text sent: %q", got)
	}
	for i, turn := range r.turns {
		if turn.EndMs <= turn.StartMs || i > 0 && turn.StartMs < r.turns[i-1].EndMs {
			t.Errorf("turn %d lies at %d–%d", i, turn.StartMs, turn.EndMs)
		}
	}
}

func TestInterruptionCutsTheTranscriptToWhatWasPlayed(t *testing.T) {
	r, l := play(t, func(c *caller) {
		time.Sleep(1500 * time.Millisecond) // in the middle of the question
		c.speaks("sorry what was that", time.Second)
		time.Sleep(8 * time.Second)
		c.speaks("two", 500*time.Millisecond)
	})
	first := r.turns[0]
	if !first.Interrupted || !strings.HasPrefix("Hello there. How many people are coming to the dinner tonight?", first.Text) ||
		strings.HasSuffix(first.Text, "tonight?") || len(first.Text) < len("Hello there. How") {
		t.Fatalf("the first turn is %+v", first)
	}
	if sent, _, _ := strings.Cut(l.text.String(), "\u2028"); strings.TrimSpace(sent) != first.Text {
		t.Errorf("the far end was sent %q, the transcript says %q", sent, first.Text)
	}
	if !strings.Contains(r.said(), "caller: sorry what was that") {
		t.Errorf("transcript:\n%s", r.said())
	}
	// The voice begins at 1.5 s and is known 100 ms later: silence by 1.7 s.
	for i, sounded := range l.sound {
		if at := time.Duration(i) * audio.FrameDuration; sounded && at > 1700*time.Millisecond && at < 2500*time.Millisecond {
			t.Fatalf("the agent still speaks at %s", at)
		}
	}
}

func TestNoiseDoesNotStopTheAgentForGood(t *testing.T) {
	r, _ := play(t, func(c *caller) {
		time.Sleep(1500 * time.Millisecond)
		c.speaks("", 400*time.Millisecond)
		time.Sleep(8 * time.Second)
		c.speaks("six", 500*time.Millisecond)
	})
	want := "agent: Hello there. How many people are coming to the dinner tonight?\ncaller: six\nagent: A table for 6 then.\n"
	if got := r.said(); got != want {
		t.Errorf("transcript:\n%s\nwant:\n%s", got, want)
	}
}

func TestAcknowledgementLetsTheAgentGoOn(t *testing.T) {
	r, _ := play(t, func(c *caller) {
		time.Sleep(1200 * time.Millisecond)
		c.speaks("uh-huh", 400*time.Millisecond)
		time.Sleep(8 * time.Second)
		c.speaks("six", 500*time.Millisecond)
	})
	want := "caller: uh-huh\nagent: Hello there. How many people are coming to the dinner tonight?\ncaller: six\nagent: A table for 6 then.\n"
	if got := r.said(); got != want {
		t.Errorf("transcript:\n%s\nwant:\n%s", got, want)
	}
}

func TestSilenceIsRemindedOfAndEndsTheCall(t *testing.T) {
	r, _ := play(t, func(*caller) {})
	if got := strings.Count(r.said(), "agent: "); got < 3 {
		t.Errorf("no reminder, or no goodbye:\n%s", r.said())
	}
	if r.ended == "" || r.ended == domain.EndInternal {
		t.Errorf("ended for %q", r.ended)
	}
}

func TestTypedTurn(t *testing.T) {
	r, _ := play(t, func(c *caller) {
		time.Sleep(6 * time.Second)
		for i := range "five" {
			c.talk.Heard(speech.Heard{Text: "five"[:i+1]})
			time.Sleep(400 * time.Millisecond)
		}
		// No line break comes: the turn ends with the typist's pause.
	})
	if !strings.HasSuffix(r.said(), "caller: five\nagent: A table for 5 then.\n") {
		t.Errorf("transcript:\n%s", r.said())
	}
}

func TestStopAtAnyMoment(t *testing.T) {
	for at := range 20 {
		r, _ := play(t, func(c *caller) {
			time.Sleep(time.Duration(at) * 333 * time.Millisecond)
			c.talk.Stop(domain.EndCallerHangup)
		})
		if r.ended != domain.EndCallerHangup {
			t.Errorf("stopped after %d: ended for %q", at, r.ended)
		}
	}
}
