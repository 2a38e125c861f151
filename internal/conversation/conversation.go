// Package conversation carries one call's talk: it listens, decides whose turn
// it is, walks the flow and speaks. It knows words and time, not the network.
package conversation

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/callwright/callwright/internal/audio"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/flow"
	"github.com/callwright/callwright/internal/speech"
)

// Line is the outgoing sound of the call. Its methods do not block.
type Line interface {
	// Enqueue adds sound at the line's rate after what waits already.
	Enqueue(pcm []int16)
	// Cue has Conversation.Cue(text) called when all sound before it was played.
	Cue(text string)
	// Mark has Conversation.Mark(id) called when all sound before it was played.
	Mark(id int)
	// Pause stops playing within one frame and keeps what waits; Resume goes on.
	Pause()
	Resume()
	// Cut drops what waits; its cues and marks never pass.
	Cut()
	// Break ends a turn in the text that goes along with the sound.
	Break()
}

// Performer does what is not talk. Do must not block; it posts a flow.Done
// event for the node with Post when it is finished, with what went wrong as its
// text. The node may also be the name of a tool's call.
type Performer interface {
	Do(ctx context.Context, node string, do flow.Do)
	// Turn is told each turn when it is over, in order.
	Turn(t domain.Turn)
	// End is called once, when the talk is over and all was played.
	End(reason domain.EndReason)
}

// Voice speaks, and tells how: speech.Fallback is one.
type Voice interface {
	Say(ctx context.Context, voice, text string, out audio.Writer) (speech.Spoken, error)
}

// Timing holds the figures of turn-taking.
type Timing struct {
	WordsAfterSound time.Duration // how long after the caller's sound ended words are waited for
	TypedIdle       time.Duration // a typed turn ends after this long without a character
	VoiceRecent     time.Duration // text this soon after voice is a caption of it, not typed
	FalseAlarm      time.Duration // after a pause without words, the agent goes on
	ShortAlarm      time.Duration // the same, when the sound was too short for a word
	MoreWords       time.Duration // how long more words are waited for when the final ones came before the sound ended
	Wordless        time.Duration // sound that goes on for so long without a new word is no voice
	WordlessUnsure  time.Duration // the same, while no words were seen to come as they are said
	Echo            time.Duration // words this soon after a turn, without a sound of their own, may belong to it
	Listen          time.Duration // silence until the flow is told, unless the flow says otherwise
	Tail            time.Duration // between the last sound and the hang-up: text lags behind by 300 ms (RFC 4103 section 5.1)
	Filler          time.Duration // without an answer, until a filler is said; 0 is never
	Refill          time.Duration // until another one is
	GiveUp          time.Duration // until a model that has not said a word is given up; 0 is never
	Route           time.Duration // for a model to tell intents apart
}

// DefaultTiming returns the house's figures. 1.5 s of waiting for words covers
// the 99th percentile of streaming recognisers; 3 s idle is a slow typist's
// pause; 8 s of silence is what callers bear before "are you still there".
// Recognisers that tell interim words do so every few hundred milliseconds, so
// two seconds of sound without one are music, a machine or the neighbours.
// A filler after 1.5 s and an end after 8 s are what callers bear of a dead line.
func DefaultTiming() Timing {
	return Timing{
		WordsAfterSound: 1500 * time.Millisecond,
		TypedIdle:       3 * time.Second,
		VoiceRecent:     time.Second,
		FalseAlarm:      1200 * time.Millisecond,
		ShortAlarm:      400 * time.Millisecond,
		MoreWords:       700 * time.Millisecond,
		Wordless:        2 * time.Second,
		WordlessUnsure:  4 * time.Second,
		Echo:            2 * time.Second,
		Listen:          8 * time.Second,
		Tail:            400 * time.Millisecond,
		Filler:          1500 * time.Millisecond,
		Refill:          6 * time.Second,
		GiveUp:          8 * time.Second,
		Route:           1500 * time.Millisecond,
	}
}

// Options are what a conversation needs.
type Options struct {
	Graph     *flow.Graph
	Vars      map[string]any
	Line      Line
	Performer Performer
	Voice     Voice
	VoiceName string     // what Voice is asked for; "" is its default
	Rate      int        // hertz of the line
	Ear       bool       // words of the caller can be understood at all
	LLM       speech.LLM // nil when no model thinks
	Router    speech.LLM // tells intents apart; nil is LLM
	Fillers   []string   // said in turn when an answer takes long
	OptOutKey string     // pressed while nothing listens for keys, it ends the call with a turn of domain.NoteOptOut; "" is none
	OptedOut  string     // said then
	Timing    Timing
	Zone      *time.Location // in which "tomorrow" is meant; nil is UTC
	Logger    *slog.Logger
}

// Conversation is one call's talk. Its methods may be called from any
// goroutine; none of them blocks.
type Conversation struct {
	o     Options
	inbox chan any
	done  chan struct{}

	// What is below belongs to Run's goroutine.
	state    State
	flow     flow.State
	began    time.Time
	listen   *flow.Listen
	wait     time.Duration // a flow.Wait that begins when all was played
	speaker  *speaker
	thinking *thinking // the model's answer under way

	utterance  *utterance   // the one that text is added to
	utterances int          // how many there were
	waiting    []*utterance // given to the line and not played to the end

	caller   hearing
	last     heardTurn
	prompt   bool      // words come while they are said
	voiceAt  time.Time // when the caller's voice was last known to sound
	voiced   bool      // the caller's voice sounds now
	paused   bool
	ending   domain.EndReason
	sequence int
	answer   *waterfall // of the answer that is being made and has no utterance yet
	timers   timers
	held     Holding // why the talk stands still, 0 when it does not
	missed   []any   // messages that came meanwhile
	after    func()  // waits for the agent's words
	dialogue []speech.Message
	digits   string
	keyAt    time.Time // when the last key was pressed

	tools      map[string]*toolCall // what the performer does for the model, by the name it has there
	toolCalls  int
	deferred   []*toolCall // wait for the end of the agent's speech
	owing      bool        // the agent has something to answer
	filled     bool        // a filler was the last it said
	fillers    int         // how many were taken from the list
	lastFiller string

	mu       sync.Mutex
	line     []passed // cues and marks that passed and are not booked yet
	captured map[string]any
	notes    []string
	lost     int // events that did not fit into the inbox
}

// hearing is the caller's turn as it grows.
type hearing struct {
	text    string // finals so far
	interim string
	started time.Time
	ended   time.Time // when the sound ended
	decided time.Time // when that was known
	final   bool
	finalAt time.Time // when the newest final words came
	typed   bool
}

// heardTurn is the caller's turn that was handed to the flow last.
type heardTurn struct {
	words string
	final bool // they were final
	at    time.Time
	sound bool // there was a sound since
}

func (h *hearing) words() string {
	if h.interim == "" {
		return h.text
	}
	if h.text == "" {
		return h.interim
	}
	return h.text + " " + h.interim
}

// New makes a conversation; Run starts it.
func New(o Options) *Conversation {
	if o.Timing == (Timing{}) {
		o.Timing = DefaultTiming()
	}
	if o.Timing.Route <= 0 {
		o.Timing.Route = DefaultTiming().Route
	}
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.LLM != nil {
		o.LLM = timedLLM{o.LLM}
	}
	c := &Conversation{o: o, inbox: make(chan any, 512), done: make(chan struct{}), state: Idle}
	c.speaker = newSpeaker(c)
	return c
}

// Answered tells when the far end answered: the times of turns are counted from
// there. It is called before Run, which else counts from its own beginning.
func (c *Conversation) Answered(at time.Time) { c.began = at }

// Run talks until the conversation is over or ctx is done. The far end is
// expected to hear from the moment Run is called.
func (c *Conversation) Run(ctx context.Context) {
	defer close(c.done)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if c.began.IsZero() {
		c.began = time.Now()
	}
	c.answer = newWaterfall(c.began, c.began)
	go c.speaker.run(ctx)
	defer func() { <-c.speaker.stopped }()
	defer cancel()
	c.timers.init()
	defer c.timers.stop()
	c.flow = c.o.Graph.Start(c.o.Vars)
	c.step(ctx, flow.Event{Kind: flow.Started})
	for c.state != Over {
		select {
		case <-ctx.Done():
			c.closeTurns()
			return
		case m := <-c.inbox:
			c.receive(ctx, m)
		case <-c.timers.C():
			c.expire(ctx)
		}
	}
}

// Captured returns the variables that the talk has set so far.
func (c *Conversation) Captured() map[string]any {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.captured
}

// Notes returns what a reader of the call should know about the talk.
func (c *Conversation) Notes() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	notes := slices.Clone(c.notes)
	if c.lost > 0 {
		notes = append(notes, fmt.Sprintf("%d events of the talk were lost: more came than could be worked on", c.lost))
	}
	return notes
}

// Note adds something that a reader of the call should know, once.
func (c *Conversation) Note(text string) { c.note(text) }

// messages to the conversation's goroutine
type (
	deaf     struct{}
	soundOn  struct{ at time.Time }
	soundOff struct{ at time.Time }
	heard    struct{ h speech.Heard }
	pressed  struct{ key string }
	marked   struct{}
	spoke    struct{ err error } // the speaker has handed everything to the line
	noted    struct {
		id   int
		note string
	}
	posted   struct{ e flow.Event }
	stopping struct{ reason domain.EndReason }
)

func (c *Conversation) post(m any) {
	select {
	case c.inbox <- m:
	default:
		c.mu.Lock()
		c.lost++
		c.mu.Unlock()
	}
}

// SoundOn tells that the caller's voice began at the given time.
func (c *Conversation) SoundOn(at time.Time) { c.post(soundOn{at}) }

// SoundOff tells that the caller's voice ended at the given time.
func (c *Conversation) SoundOff(at time.Time) { c.post(soundOff{at}) }

// Heard tells what was understood of the caller.
func (c *Conversation) Heard(h speech.Heard) { c.post(heard{h}) }

// Digit tells that the caller pressed a key.
func (c *Conversation) Digit(key string) { c.post(pressed{key}) }

// Mark tells that a mark of the line has passed. It is called on the pacer's
// goroutine.
func (c *Conversation) Mark(id int) {
	c.pass(passed{mark: id, at: time.Now()})
	c.post(marked{})
}

// Deaf tells that no words of the caller can be understood in this call.
func (c *Conversation) Deaf() { c.post(deaf{}) }

// Post delivers an event from outside: the result of a Do, an injected event.
func (c *Conversation) Post(e flow.Event) { c.post(posted{e}) }

// Stop ends the talk at once for the given reason.
func (c *Conversation) Stop(reason domain.EndReason) { c.post(stopping{reason}) }

// Cue notes that the text of a cue was played. It is called on the pacer's
// goroutine.
func (c *Conversation) Cue(text string) {
	if text != lineBreak {
		c.pass(passed{text: text, mark: -1, at: time.Now()})
	}
}

// survive, deferred, has a panic end this call alone.
func (c *Conversation) survive(who string) {
	if r := recover(); r != nil {
		c.o.Logger.Error("a talk broke", "where", who, "panic", r, "stack", string(debug.Stack()))
		c.Stop(domain.EndInternal)
	}
}

func (c *Conversation) pass(p passed) {
	c.mu.Lock()
	c.line = append(c.line, p)
	c.mu.Unlock()
}

func (c *Conversation) sinceAnswer(t time.Time) int64 { return max(t.Sub(c.began).Milliseconds(), 0) }
