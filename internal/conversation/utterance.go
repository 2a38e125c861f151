package conversation

import (
	"context"
	"strings"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/flow"
)

// lineBreak ends a turn in real-time text (T.140: U+2028).
const lineBreak = "\u2028"

// utterance is what the agent is saying.
type utterance struct {
	id     int
	node   string // the flow's node that speaks
	open   bool   // more text may be added
	begun  time.Time
	last   time.Time // when the last of it was played
	ended  bool      // all of it was played
	words  int       // given to the speaker
	played int       // words that have passed on the line
	given  string    // all that was given to the speaker
	text   strings.Builder
	filler bool       // means nothing, and is no part of the talk
	note   string     // how it was spoken, when not as it should
	answer *waterfall // how long it took to say the first of it, or nil
}

// passed is one cue or mark that the line has played.
type passed struct {
	text string
	mark int // −1 for a cue
	at   time.Time
}

// say adds text to the agent's utterance, beginning one if there is none. While
// the caller has the floor it waits, paused: the end of the caller's turn
// decides whether it is still wanted.
func (c *Conversation) say(text, node string) {
	if text = strings.TrimSpace(text); text == "" {
		return
	}
	c.filled = false
	c.timers.clear(timeFiller)
	floor := c.voiced || c.state == Listening || c.state == Waiting
	if c.utterance == nil || !c.utterance.open {
		c.utterances++
		u := &utterance{id: c.utterances, node: node, open: true, answer: c.answer}
		c.answer.end(stageToken, stageText)
		c.answer = nil
		c.waiting = append(c.waiting, u)
		c.utterance = u
		c.speaker.begin(u)
	}
	if floor && !c.paused {
		c.pause()
	}
	c.utterance.words += len(strings.Fields(text))
	c.utterance.given = join(c.utterance.given, text)
	c.speaker.add(c.utterance.id, text)
	if c.sequence == 0 && c.state == Idle {
		c.move(InGreet)
		return
	}
	if !floor {
		c.move(InSay)
	}
}

// hush ends the utterance: nothing more will be added to it.
func (c *Conversation) hush() {
	if c.utterance != nil && c.utterance.open {
		c.utterance.open = false
		c.speaker.finish(c.utterance.id)
	}
}

// speaking reports whether an utterance is not played to its end.
func (c *Conversation) speaking() bool { return len(c.waiting) > 0 }

// onNote: an utterance was not spoken as it should.
func (c *Conversation) onNote(m noted) {
	for _, u := range c.waiting {
		if u.id == m.id {
			u.note = m.note
		}
	}
}

// left is how many words the agent has still to say.
func (c *Conversation) left() int {
	c.follow()
	n := 0
	for _, u := range c.waiting {
		n += u.words - u.played
	}
	return n
}

// follow books what the line has played into the utterances.
func (c *Conversation) follow() {
	c.mu.Lock()
	seen := c.line
	c.line = nil
	c.mu.Unlock()
	at := 0
	for _, p := range seen {
		for at < len(c.waiting) && c.waiting[at].ended {
			at++
		}
		if at == len(c.waiting) {
			return
		}
		u := c.waiting[at]
		u.last = p.at
		switch {
		case p.mark == beginMark(u.id):
			u.begun = p.at
			u.answer.first(p.at)
		case p.mark == endMark(u.id):
			u.ended = true
		case p.mark < 0:
			u.text.WriteString(p.text)
			u.played += len(strings.Fields(p.text))
		}
	}
}

// onMark: the line has passed a mark; perhaps the end of an utterance.
func (c *Conversation) onMark(ctx context.Context) {
	c.follow()
	ended := false
	for len(c.waiting) > 0 && c.waiting[0].ended {
		c.recordAgent(c.waiting[0], false)
		c.waiting = c.waiting[1:]
		ended = true
	}
	if !ended || c.speaking() {
		return
	}
	c.utterance = nil
	c.move(InPlayed)
	c.said()
	if c.ending != "" {
		c.timers.set(timeTail, c.o.Timing.Tail)
		return
	}
	c.startWait()
	c.awaitCaller()
	c.startDeferred(ctx)
	c.resumeWatch()
	c.step(ctx, flow.Event{Kind: flow.Played})
}

// closeAgent records what was played of utterances that are being cut.
func (c *Conversation) closeAgent() {
	c.follow()
	for _, u := range c.waiting {
		if c.recordAgent(u, !u.ended) && !u.ended {
			c.o.Line.Break()
		}
	}
	c.waiting, c.utterance = nil, nil
}

func (c *Conversation) recordAgent(u *utterance, cut bool) bool {
	text := strings.TrimSpace(u.text.String())
	if text == "" {
		return false
	}
	if u.begun.IsZero() {
		u.begun = u.last
	}
	t := domain.Turn{Role: domain.RoleAgent, Latency: u.answer.latency(c.began), Text: text, NodeID: u.node, StartMs: c.sinceAnswer(u.begun),
		EndMs: c.sinceAnswer(u.last), Interrupted: cut, Note: u.note}
	if u.filler {
		c.tell(t)
	} else {
		c.record(t)
	}
	return true
}

// awaitCaller starts the silence clock when it is the caller's turn.
func (c *Conversation) awaitCaller() {
	if c.listen == nil || c.speaking() || c.voiced || c.state != Idle {
		return
	}
	wait := c.listen.Timeout
	if wait <= 0 {
		wait = c.o.Timing.Listen
	}
	c.timers.set(timeListen, wait)
}

// startWait begins the wait that was to follow the agent's words: they were
// played, or cut off.
func (c *Conversation) startWait() {
	if c.wait > 0 {
		c.timers.set(timeWait, c.wait)
		c.wait = 0
	}
}
