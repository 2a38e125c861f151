package conversation

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/flow"
	"github.com/callwright/callwright/internal/speech"
)

// receive handles one message on the conversation's goroutine.
func (c *Conversation) receive(ctx context.Context, m any) {
	if c.whileHeld(m) {
		return
	}
	switch m := m.(type) {
	case holding:
		c.onHold(ctx, m)
	case asked:
		c.onAsked(m.text)
	case deaf:
		c.o.Ear = false
	case soundOn:
		c.onVoice(m.at)
	case soundOff:
		c.onQuiet(ctx, m.at)
	case heard:
		c.onWords(ctx, m.h)
	case pressed:
		c.onDigit(ctx, m.key)
	case marked:
		c.onMark(ctx)
	case spoke:
		c.onMute(ctx, m.err)
	case noted:
		c.onNote(m)
	case posted:
		c.answer.end(stageRoute, stageTool)
		c.onPosted(ctx, m.e)
	case thought:
		c.onThought(ctx, m)
	case stopping:
		c.closeTurns()
		c.finish(m.reason)
	}
}

// move follows the turn table and reports whether it had an entry.
func (c *Conversation) move(in Input) bool {
	to, ok := c.state.Next(in)
	if ok && to != c.state {
		c.o.Logger.Debug("turn", "from", string(c.state), "input", string(in), "to", string(to))
		c.state = to
	}
	return ok
}

// onVoice: the caller's voice is there. What the agent is saying pauses at once;
// whether it is an interruption is for the words to tell.
func (c *Conversation) onVoice(at time.Time) {
	c.voiced, c.voiceAt, c.last.sound = true, time.Now(), true
	if c.state == Ending || c.state == Over {
		return
	}
	if c.caller.started.IsZero() {
		c.caller.started = at
	}
	if c.speaking() && !c.paused {
		c.pause()
	}
	c.timers.clear(timeListen)
	c.timers.clear(timeWords)
	c.awaitWords()
	c.move(InVoice)
}

// onQuiet: the caller's sound ended at the given time, which lies a little back.
func (c *Conversation) onQuiet(ctx context.Context, at time.Time) {
	if !c.voiced {
		return
	}
	c.voiced, c.voiceAt = false, time.Now()
	c.timers.clear(timeNoise)
	c.caller.ended, c.caller.decided = at, time.Now()
	if !c.move(InQuiet) {
		return
	}
	h, t := &c.caller, &c.o.Timing
	switch {
	case !c.o.Ear, h.final && h.finalAt.After(at.Add(-earlyFinal)) && !unfinished(h.words()):
		c.endTurn(ctx)
	case h.final:
		// The words are older than the end of the sound, or want to go on.
		c.timers.set(timeWords, min(t.MoreWords, t.WordsAfterSound))
	case !c.paused || h.words() != "":
		c.timers.set(timeWords, t.WordsAfterSound)
	case at.Sub(h.started) < shortSound:
		c.timers.set(timeWords, min(t.ShortAlarm, t.WordsAfterSound))
	default:
		c.timers.set(timeWords, min(t.FalseAlarm, t.WordsAfterSound))
	}
}

const (
	// earlyFinal is how long before the end of the sound its last words may be
	// final: the ear hears an echo or a breath a little longer than there are words.
	earlyFinal = 250 * time.Millisecond
	// shortSound is shorter than any word that would interrupt.
	shortSound = 150 * time.Millisecond
)

// awaitWords begins, anew with each word, to wait for words of a sound that
// goes on.
func (c *Conversation) awaitWords() {
	switch {
	case !c.o.Ear || !c.voiced:
	case c.prompt:
		c.timers.set(timeNoise, c.o.Timing.Wordless)
	default:
		c.timers.set(timeNoise, c.o.Timing.WordlessUnsure)
	}
}

// onNoise: there is sound and no word comes of it, or none any more. The caller
// is done, or was never talking.
func (c *Conversation) onNoise(ctx context.Context) {
	if !c.voiced {
		return
	}
	c.voiced = false // the end of the sound does not matter any more
	switch {
	case c.caller.words() == "":
		c.goOn()
	case c.caller.final:
		c.caller.ended = c.caller.finalAt
		c.endTurn(ctx)
	default:
		c.caller.ended = time.Now()
		c.move(InQuiet)
		c.timers.set(timeWords, c.o.Timing.WordsAfterSound)
	}
}

// onWords: something was understood.
func (c *Conversation) onWords(ctx context.Context, h speech.Heard) {
	if c.state == Ending || c.state == Over {
		return
	}
	text := strings.TrimSpace(h.Text)
	if c.repeats(text, h.Final) {
		return
	}
	captioned := c.voiced || time.Since(c.voiceAt) < c.o.Timing.VoiceRecent || !c.caller.ended.IsZero()
	if !captioned && text != "" {
		c.typed()
	}
	c.caller.interim, c.caller.final = text, false
	if h.Final {
		c.caller.text, c.caller.interim = join(c.caller.text, text), ""
		c.caller.final, c.caller.finalAt = c.caller.text != "", time.Now()
	} else if text != "" {
		c.prompt = true
	}
	if text != "" {
		c.awaitWords()
	}
	if c.paused && c.interrupts(c.caller.words()) {
		c.interrupt()
	}
	switch {
	case !c.caller.final || c.voiced:
	case c.state == Waiting && unfinished(c.caller.words()):
		c.timers.set(timeWords, min(c.o.Timing.MoreWords, c.o.Timing.WordsAfterSound))
	case c.state == Waiting, c.caller.typed:
		c.endTurn(ctx)
	case captioned && c.caller.ended.IsZero():
		// Final words came and no end of sound was seen: it was too short for the
		// ear, or is still on its way.
		c.timers.set(timeWords, c.o.Timing.VoiceRecent/2)
	}
}

// typed begins or goes on with a turn that has no voice.
func (c *Conversation) typed() {
	if c.caller.started.IsZero() {
		c.caller.started, c.caller.typed = time.Now(), true
	}
	if c.caller.typed {
		c.caller.ended = time.Time{}
		c.timers.clear(timeListen)
		c.timers.set(timeTyped, c.o.Timing.TypedIdle)
		if c.speaking() && !c.paused {
			c.pause()
		}
		c.move(InVoice)
	}
}

// interrupt stops the agent for good: what was not played was not said.
func (c *Conversation) interrupt() {
	c.speaker.cut()
	c.resume()
	c.closeAgent()
	c.said()
	c.startWait()
}

// pause stops the agent's sound where it is; resume goes on from there.
func (c *Conversation) pause() {
	c.o.Line.Pause()
	c.paused = true
	if c.speaking() {
		c.waiting[0].answer.begin(stageHeld)
	}
}

func (c *Conversation) resume() {
	c.o.Line.Resume()
	c.paused = false
	if c.speaking() {
		c.waiting[0].answer.end(stageHeld)
	}
}

// goOn lets the agent speak on after a false alarm.
func (c *Conversation) goOn() {
	c.caller = hearing{}
	c.timers.clear(timeTyped)
	if c.paused {
		c.resume()
		c.move(InSay)
		return
	}
	c.move(InAlarm)
	c.awaitCaller()
}

// endTurn hands the caller's turn to the flow.
func (c *Conversation) endTurn(ctx context.Context) {
	c.timers.clear(timeWords)
	c.timers.clear(timeTyped)
	words := strings.TrimSpace(c.caller.words())
	if c.o.Ear && words == "" {
		c.goOn()
		return
	}
	if c.speaking() {
		// Where no words are understood, sound alone is no reason to stop.
		if !c.o.Ear || words != "" && !c.interrupts(words) {
			c.remember(words)
			c.closeCaller(words)
			c.goOn()
			return
		}
		c.interrupt()
	}
	c.dropThought()
	c.measure()
	c.remember(words)
	c.closeCaller(words)
	if !c.move(InTurn) {
		return
	}
	c.step(ctx, flow.Event{Kind: flow.Heard, Text: words})
}

// measure starts to measure the answer to the caller's turn, which ends now.
func (c *Conversation) measure() {
	now := time.Now()
	h := &c.caller
	if h.typed || h.decided.IsZero() || h.decided.Before(h.ended) {
		c.answer = newWaterfall(h.ended, now)
		return
	}
	c.answer = newWaterfall(h.ended, h.decided)
	c.answer.words()
}

// onDigit collects keys while the flow listens for them, and passes others on.
func (c *Conversation) onDigit(ctx context.Context, key string) {
	if c.state == Ending || c.state == Over {
		return
	}
	if c.speaking() {
		c.interrupt()
		c.move(InVoice)
	}
	c.timers.clear(timeListen)
	if c.optsOut(key) {
		c.optOut(ctx, key)
		return
	}
	rule := c.digitRule()
	if rule == nil {
		c.move(InTurn) // and back, if it means nothing to the flow: the caller's silence counts again
		c.step(ctx, flow.Event{Kind: flow.Digit, Text: key})
		return
	}
	if rule.Terminator != "" && strings.Contains(rule.Terminator, key) {
		c.endDigits(ctx)
		return
	}
	c.digits += key
	if rule.Max > 0 && len(c.digits) >= rule.Max {
		c.endDigits(ctx)
		return
	}
	wait := rule.Timeout
	if wait <= 0 {
		wait = 3 * time.Second
	}
	c.timers.set(timeDigits, wait)
}

func (c *Conversation) digitRule() *flow.DigitRule {
	if c.listen == nil {
		return nil
	}
	return c.listen.Digits
}

func (c *Conversation) endDigits(ctx context.Context) {
	c.timers.clear(timeDigits)
	keys := c.digits
	c.digits = ""
	c.answer = newWaterfall(time.Time{}, time.Now())
	c.move(InTurn)
	c.step(ctx, flow.Event{Kind: flow.Digit, Text: keys})
}

// onMute: the voice failed. The call cannot go on talking with it.
func (c *Conversation) onMute(_ context.Context, err error) {
	if errors.Is(err, context.Canceled) {
		return
	}
	c.o.Logger.Error("the voice failed", "err", err)
	c.closeTurns()
	c.finish(domain.EndInternal)
}

// expire handles the timers that ran out.
func (c *Conversation) expire(ctx context.Context) {
	for _, k := range c.timers.expired() {
		switch k {
		case timeWords, timeTyped:
			c.endTurn(ctx)
		case timeDigits:
			c.endDigits(ctx)
		case timeListen:
			if c.move(InSilence) {
				c.step(ctx, flow.Event{Kind: flow.Silence})
			}
		case timeNoise:
			c.onNoise(ctx)
		case timeWait:
			c.step(ctx, flow.Event{Kind: flow.Timer, Node: c.flow.Node})
		case timeFiller:
			c.fill()
		case timeGiveUp:
			c.giveUp(ctx)
		case timeTail:
			c.finish(c.ending)
		}
	}
}

// closeCaller records the caller's turn.
func (c *Conversation) closeCaller(words string) {
	h := c.caller
	c.caller = hearing{}
	if words == "" {
		return
	}
	if h.started.IsZero() {
		h.started = time.Now()
	}
	if h.ended.Before(h.started) {
		h.ended = time.Now()
	}
	c.record(domain.Turn{Role: domain.RoleCaller, Text: words, NodeID: c.flow.Node,
		StartMs: c.sinceAnswer(h.started), EndMs: c.sinceAnswer(h.ended)})
}

// closeTurns records what was under way when the call ends.
func (c *Conversation) closeTurns() {
	c.speaker.cut()
	c.closeAgent()
	c.closeCaller(strings.TrimSpace(c.caller.words()))
}

// record keeps a turn that is a part of the talk.
func (c *Conversation) record(t domain.Turn) {
	role := "user"
	if t.Role == domain.RoleAgent {
		role = "assistant"
	}
	c.dialogue = append(c.dialogue, speech.Message{Role: role, Text: t.Text})
	c.tell(t)
}

// tell keeps a turn for the reader of the call.
func (c *Conversation) tell(t domain.Turn) {
	c.sequence++
	t.Sequence = c.sequence
	c.o.Performer.Turn(t)
}

func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + " " + b
}
