package conversation

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/callwright/callwright/internal/flow"
)

// The watchdog sees to it that a caller who is owed an answer does not listen to
// a dead line: after a while the agent says a few words that mean nothing, and
// in the end gives a model up that does not answer.

// owe begins to watch: the agent has something to answer and does not speak.
func (c *Conversation) owe() {
	c.owing = true
	if c.o.Timing.Filler > 0 && !c.speaking() && c.timers.due[timeFiller].IsZero() {
		c.timers.set(timeFiller, c.o.Timing.Filler)
	}
}

// patience watches a model: without a word within d it is given up.
func (c *Conversation) patience(d time.Duration) {
	c.owe()
	if d > 0 {
		c.timers.set(timeGiveUp, d)
	}
}

// calm ends the watch: there is something to say, or nothing is owed.
func (c *Conversation) calm() {
	c.owing = false
	c.timers.clear(timeFiller)
	c.timers.clear(timeGiveUp)
}

// resumeWatch goes on watching when the agent has fallen silent and still owes
// something.
func (c *Conversation) resumeWatch() {
	c.owing = c.owing || c.thinking != nil
	wait := c.o.Timing.Filler
	if c.filled {
		wait = c.o.Timing.Refill
	}
	if c.owing && wait > 0 {
		c.timers.set(timeFiller, wait)
	}
}

// fill says a filler, unless somebody speaks. It is played and kept as what was
// said, but the model is not told: it would learn to talk like that.
func (c *Conversation) fill() {
	if !c.owing || c.speaking() || c.voiced || c.ending != "" || c.state == Listening || c.state == Waiting {
		return
	}
	if slices.ContainsFunc(c.running(), func(r *toolCall) bool { return r.do.Kind == flow.DoTransfer }) {
		return // the caller is with somebody else
	}
	text := c.nextFiller()
	if text == "" {
		return
	}
	c.filled = true
	c.utterances++
	u := &utterance{id: c.utterances, node: c.flow.Node, filler: true, given: text, words: len(strings.Fields(text)), note: "filler"}
	c.waiting = append(c.waiting, u)
	c.answer.filler()
	c.speaker.begin(u)
	c.speaker.add(u.id, text)
	c.speaker.finish(u.id)
	c.move(InSay)
}

// running are the tools whose results are awaited.
func (c *Conversation) running() []*toolCall {
	var list []*toolCall
	for _, r := range c.tools {
		list = append(list, r)
	}
	return list
}

// nextFiller is a text of the tool that is awaited, once, else the next of the
// list; never the one that was said last.
func (c *Conversation) nextFiller() string {
	for _, r := range c.running() {
		if text := r.tool.Text; text != "" && text != c.lastFiller {
			c.lastFiller = text
			return text
		}
	}
	for range c.o.Fillers {
		text := c.o.Fillers[c.fillers%len(c.o.Fillers)]
		c.fillers++
		if text != c.lastFiller || len(c.o.Fillers) == 1 {
			c.lastFiller = text
			return text
		}
	}
	return ""
}

// giveUp ends an answer that does not come.
func (c *Conversation) giveUp(ctx context.Context) {
	if c.thinking == nil {
		return
	}
	c.note(fmt.Sprintf("the model gave no answer within %s", c.o.Timing.GiveUp))
	c.o.Logger.Error("the model gave no answer", "within", c.o.Timing.GiveUp)
	c.conclude(ctx, false)
}

// fillers are said in agents' languages when an operator has set none.
//
//nolint:misspell // of English; these are other languages
var fillers = map[string][]string{
	"en": {"One moment, please.", "Let me see.", "Just a second."},
	"de": {"Einen Moment, bitte.", "Ich sehe nach.", "Einen Augenblick."},
	"es": {"Un momento, por favor.", "Déjeme ver.", "Un segundo."},
	"fr": {"Un instant, s'il vous plaît.", "Je regarde.", "Une seconde."},
	"it": {"Un momento, per favore.", "Vediamo.", "Un attimo."},
	"nl": {"Een ogenblik, alstublieft.", "Ik kijk even.", "Een moment."},
	"pt": {"Um momento, por favor.", "Deixe-me ver.", "Só um segundo."},
}

// FillersFor lists what an agent of a language (BCP 47, "" is English) says when
// it makes callers wait; none in a language that is not known.
func FillersFor(language string) []string {
	primary, _, _ := strings.Cut(strings.ToLower(language), "-")
	if primary == "" {
		primary = "en"
	}
	return fillers[primary]
}
