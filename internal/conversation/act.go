package conversation

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/flow"
)

// step tells the flow what happened and performs what it answers.
func (c *Conversation) step(ctx context.Context, e flow.Event) {
	if c.state == Over || c.ending != "" {
		return
	}
	if e.At.IsZero() {
		e.At = time.Now()
	}
	e.At = e.At.In(c.o.Zone)
	next, acts := c.o.Graph.Step(c.flow, e)
	c.flow = next
	c.keep()
	c.act(ctx, acts, e.Kind == flow.Machine || e.Kind == flow.Beep)
}

// act performs what comes next. To a machine nobody speaks on.
func (c *Conversation) act(ctx context.Context, acts []flow.Act, machine bool) {
	if len(acts) > 0 {
		c.listen, c.after = nil, nil // the pending act is replaced
		c.timers.clear(timeListen)
		c.dropThought()
		c.calm()
		if machine && c.speaking() {
			c.interrupt()
		}
	}
	for _, a := range acts {
		c.perform(ctx, a)
	}
	c.settle(acts)
	c.hush()
	if !c.speaking() && c.state == Thinking && c.thinking == nil {
		c.move(InPlayed) // nothing to say: the caller may go on
		c.awaitCaller()
	}
	if c.ending != "" && !c.speaking() {
		c.move(InGoodbye)
		c.timers.set(timeTail, c.o.Timing.Tail)
	}
}

// settle gives up measuring an answer that the acts did not bring nearer: what
// the agent says later answers something else.
func (c *Conversation) settle(acts []flow.Act) {
	if len(acts) == 0 {
		return
	}
	switch acts[len(acts)-1].(type) {
	case flow.Think, flow.Route, flow.Do:
	default:
		c.answer = nil
	}
}

// keep copies what the flow has captured to where others may read it.
func (c *Conversation) keep() {
	captured := make(map[string]any, len(c.flow.Captured))
	for _, name := range c.flow.Captured {
		captured[name] = c.flow.Vars[name]
	}
	c.mu.Lock()
	c.captured = captured
	c.mu.Unlock()
}

func (c *Conversation) perform(ctx context.Context, act flow.Act) {
	switch a := act.(type) {
	case flow.Say:
		c.say(a.Text, a.Node)
	case flow.Listen:
		c.listen, c.digits = &a, ""
	case flow.Think:
		c.answer.begin(stageToken, stageText)
		c.think(ctx, a)
	case flow.Route:
		c.answer.begin(stageRoute)
		c.route(ctx, a)
	case flow.Do:
		c.answer.begin(stageTool)
		if a.Kind == flow.DoHTTP || a.Kind == flow.DoBook || a.Kind == flow.DoSMS {
			c.owe()
		}
		node := c.flow.Node
		do := func() { c.o.Performer.Do(ctx, node, a) }
		if a.Kind == flow.DoTransfer || a.Kind == flow.DoDigits {
			c.afterwards(do)
			return
		}
		do()
	case flow.Wait:
		if c.speaking() {
			c.wait = a.For
			return
		}
		c.timers.set(timeWait, a.For)
	case flow.Note:
		c.note(a.Text)
	case flow.End:
		c.goodbye(a.Reason)
	default:
		c.o.Logger.Error("unknown act", "act", fmt.Sprintf("%T", act))
	}
}

// note keeps something that a reader of the call should know, once.
func (c *Conversation) note(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !slices.Contains(c.notes, text) {
		c.notes = append(c.notes, text)
	}
}

// goodbye lets the agent finish its last words and then ends the call.
func (c *Conversation) goodbye(reason domain.EndReason) {
	c.ending = reason
	if reason == "" {
		c.ending = domain.EndFlow
	}
	c.timers.clear(timeListen)
	c.timers.clear(timeWords)
	c.timers.clear(timeTyped)
	c.timers.clear(timeNoise)
	c.closeCaller(strings.TrimSpace(c.caller.words()))
	c.hush()
	c.move(InGoodbye)
	if c.paused { // the caller has the floor, and is not listened to any more
		c.resume()
	}
}

// finish is the last thing a conversation does.
func (c *Conversation) finish(reason domain.EndReason) {
	if !c.move(InStop) {
		c.state = Over
	}
	c.dropThought()
	c.o.Performer.End(reason)
}
