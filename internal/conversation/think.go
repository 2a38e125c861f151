package conversation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/callwright/callwright/internal/flow"
	"github.com/callwright/callwright/internal/speech"
)

// endCall is the tool by which a model ends the call. It is offered with every
// request.
const endCall = flow.ToolEndCall

var endCallTool = speech.Tool{
	Name:        endCall,
	Description: "Ends the call. Say goodbye first, in the same answer.",
	Parameters:  []byte(`{"type":"object","properties":{}}`),
}

// maxRounds is how often a model may call tools before it must answer in words.
const maxRounds = 8

// thought is a piece of what the model said, or its end.
type thought struct {
	of   *thinking
	text string
	call *speech.ToolCall // what the model wants done after the text, or nil
	note string
	done bool
	err  error
}

// thinking is one answer of the model under way. It may take several requests,
// rounds, when the model calls tools and goes on with their results.
type thinking struct {
	act    flow.Think
	node   string // the flow's node that thinks
	cancel context.CancelFunc
	queued bool // waits for tools of an answer that was cut off
	rounds int
	text   strings.Builder

	done     bool // the round's stream is over
	bye      bool // the model wants the call to end
	calls    []*toolCall
	exchange []speech.Message // calls and results of earlier rounds
}

// think lets the model answer. Its sentences are spoken as they come.
func (c *Conversation) think(ctx context.Context, a flow.Think) {
	if c.o.LLM == nil {
		c.step(ctx, flow.Event{Kind: flow.Thought, Node: c.flow.Node})
		return
	}
	t := &thinking{act: a, node: c.flow.Node, cancel: func() {}}
	c.thinking = t
	if len(c.tools) > 0 {
		// What was begun for an answer that the caller cut off will have an effect:
		// the model must know it, or it would have it done twice.
		t.queued = true
		c.owe()
		return
	}
	c.ask(ctx, t)
}

// ask sends the next request of an answer.
func (c *Conversation) ask(ctx context.Context, t *thinking) {
	ctx, cancel := context.WithCancel(context.WithValue(ctx, answerKey{}, c.answer))
	t.cancel = cancel
	t.rounds++
	t.queued, t.done, t.calls = false, false, nil
	c.answer.begin(stageToken, stageText)
	c.patience(c.o.Timing.GiveUp)
	req := c.request(t)
	go func() {
		defer cancel()
		defer func() {
			if fault := recover(); fault != nil {
				c.post(thought{of: t, done: true, err: fmt.Errorf("panic: %v", fault)})
			}
		}()
		c.stream(ctx, t, req)
	}()
}

// request is what the model is asked: the talk so far, what the agent is about
// to have said, and what tools have answered.
func (c *Conversation) request(t *thinking) speech.Request {
	req := speech.Request{System: t.act.Prompt, Messages: slices.Clone(c.dialogue)}
	for _, u := range c.waiting {
		if !u.filler {
			req.Messages = append(req.Messages, speech.Message{Role: "assistant", Text: u.given})
		}
	}
	req.Messages = append(req.Messages, t.exchange...)
	if t.rounds <= maxRounds {
		for i := range t.act.Tools {
			if tool := &t.act.Tools[i]; tool.Name != endCall {
				req.Tools = append(req.Tools, speech.Tool{Name: tool.Name, Description: tool.Description, Parameters: tool.Schema()})
			}
		}
	}
	req.Tools = append(req.Tools, endCallTool)
	return req
}

// stream posts the answer as it comes, a sentence at a time.
func (c *Conversation) stream(ctx context.Context, t *thinking, req speech.Request) {
	var split speech.Splitter
	for chunk, err := range c.o.LLM.Chat(ctx, req) {
		if err != nil {
			c.post(thought{of: t, text: split.Flush(), done: true, err: err})
			return
		}
		said := strings.Join(split.Push(chunk.Text), "")
		if chunk.Call != nil {
			said += split.Flush()
		}
		if said != "" || chunk.Call != nil || chunk.Note != "" {
			c.post(thought{of: t, text: said, call: chunk.Call, note: chunk.Note})
		}
	}
	c.post(thought{of: t, text: split.Flush(), done: true})
}

// dropThought gives up the answer under way. What tools have done for it stays
// known to the model.
func (c *Conversation) dropThought() {
	t := c.thinking
	if t == nil {
		return
	}
	t.cancel()
	c.thinking = nil
	c.calm()
	c.dialogue = append(append(c.dialogue, t.exchange...), answered(t.calls)...)
}

func (c *Conversation) onThought(ctx context.Context, m thought) {
	t := m.of
	if t != c.thinking {
		return // cut off meanwhile
	}
	if m.note != "" {
		c.note(m.note)
	}
	if m.text != "" || m.call != nil {
		c.calm()
	}
	c.say(m.text, t.node)
	t.text.WriteString(m.text)
	if m.call != nil {
		c.called(ctx, t, *m.call)
		return
	}
	if !m.done {
		return
	}
	enough := errors.Is(m.err, speech.ErrNoAnswer) && t.text.Len() > 0 // it has spoken before it called a tool
	if m.err != nil && !enough {
		c.o.Logger.Error("the model failed", "err", m.err)
		c.conclude(ctx, false)
		return
	}
	t.done = true
	c.hush()
	c.advance(ctx)
}

// advance goes on with the answer under way when its round is over: with the
// next one if tools were called, else to its end.
func (c *Conversation) advance(ctx context.Context) {
	t := c.thinking
	if t == nil || !t.done {
		return
	}
	if slices.ContainsFunc(t.calls, func(call *toolCall) bool { return !call.done }) {
		c.owe()
		return
	}
	if t.bye || len(t.calls) == 0 {
		c.conclude(ctx, true)
		return
	}
	if t.rounds > maxRounds {
		c.o.Logger.Error("the model calls tools without end")
		c.conclude(ctx, false)
		return
	}
	t.exchange = append(t.exchange, answered(t.calls)...)
	c.ask(ctx, t)
}

// conclude tells the flow that the answer is over.
func (c *Conversation) conclude(ctx context.Context, ok bool) {
	t := c.thinking
	c.dropThought()
	c.hush()
	e := flow.Event{Kind: flow.Thought, Node: t.node, OK: ok, Text: t.text.String()}
	if t.bye {
		e.Name = flow.Goodbye
	}
	c.step(ctx, e)
}
