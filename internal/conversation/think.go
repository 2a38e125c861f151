package conversation

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/callwright/callwright/internal/flow"
	"github.com/callwright/callwright/internal/speech"
)

// endCall is the tool by which a model ends the call. It is offered with every
// request; every other tool comes to the flow as an event of its name.
const endCall = "end_call"

var endCallTool = speech.Tool{
	Name:        endCall,
	Description: "Ends the call. Say goodbye first, in the same answer.",
	Parameters:  []byte(`{"type":"object","properties":{}}`),
}

// thought is a piece of what the model said, or its end.
type thought struct {
	of   *thinking
	text string
	tool *speech.ToolCall // what the model wants done after the text, or nil
	done bool
	bye  bool // with done: the model wants the call to end
	err  error
}

// thinking is one answer of the model under way.
type thinking struct {
	node   string // the flow's node that thinks
	cancel context.CancelFunc
	text   strings.Builder
}

// think lets the model answer. Its sentences are spoken as they come.
func (c *Conversation) think(ctx context.Context, a flow.Think) {
	if c.o.LLM == nil {
		c.step(ctx, flow.Event{Kind: flow.Thought, Node: c.flow.Node})
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	t := &thinking{node: c.flow.Node, cancel: cancel}
	c.thinking = t
	req := speech.Request{System: a.Prompt, Messages: slices.Clone(c.dialogue)}
	for _, u := range c.waiting { // the agent is about to have said it
		req.Messages = append(req.Messages, speech.Message{Role: "assistant", Text: u.given})
	}
	for _, name := range a.Tools {
		if name != endCall {
			req.Tools = append(req.Tools, speech.Tool{Name: name})
		}
	}
	req.Tools = append(req.Tools, endCallTool)
	go func() {
		defer cancel()
		defer c.survive("the model")
		var split speech.Splitter
		bye := false
		for chunk, err := range c.o.LLM.Chat(ctx, req) {
			if err != nil {
				c.post(thought{of: t, done: true, err: err})
				return
			}
			if said := strings.Join(split.Push(chunk.Text), ""); said != "" {
				c.post(thought{of: t, text: said})
			}
			switch {
			case chunk.Call == nil:
			case chunk.Call.Name == endCall:
				bye = true
			default:
				c.post(thought{of: t, text: split.Flush(), tool: chunk.Call})
			}
		}
		c.post(thought{of: t, text: split.Flush(), done: true, bye: bye})
	}()
}

// dropThought gives up the answer under way.
func (c *Conversation) dropThought() {
	if c.thinking != nil {
		c.thinking.cancel()
		c.thinking = nil
	}
}

func toolEvent(call *speech.ToolCall) flow.Event {
	var args any
	_ = json.Unmarshal(call.Arguments, &args) // malformed arguments stay nil; the flow decides
	return flow.Event{Kind: flow.Injected, Name: call.Name, Value: args}
}

func (c *Conversation) onThought(ctx context.Context, m thought) {
	if m.of != c.thinking {
		return // cut off meanwhile
	}
	c.say(m.text, m.of.node)
	m.of.text.WriteString(m.text)
	if m.tool != nil {
		c.step(ctx, toolEvent(m.tool))
		return
	}
	if !m.done {
		return
	}
	c.thinking = nil
	if m.err != nil {
		c.o.Logger.Error("the model failed", "err", m.err)
	}
	c.hush()
	e := flow.Event{Kind: flow.Thought, Node: m.of.node, OK: m.err == nil, Text: m.of.text.String()}
	if m.bye {
		e.Name = flow.Goodbye
	}
	c.step(ctx, e)
}

// route asks the model which intent was meant.
func (c *Conversation) route(ctx context.Context, a flow.Route) {
	node := c.flow.Node
	if c.o.LLM == nil {
		c.step(ctx, flow.Event{Kind: flow.Routed, Node: node})
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		defer cancel()
		defer c.survive("the router")
		var list strings.Builder
		for _, in := range a.Intents {
			list.WriteString("\n- " + in.To + ": " + in.Text)
		}
		req := speech.Request{
			System:   "Choose which of these intents the caller's last words mean. Answer with its name alone, or stay." + list.String(),
			Messages: []speech.Message{{Role: "user", Text: a.Text}},
		}
		var answer strings.Builder
		for chunk, err := range c.o.LLM.Chat(ctx, req) {
			if err != nil {
				break
			}
			answer.WriteString(chunk.Text)
		}
		name := strings.TrimSpace(answer.String())
		for _, in := range a.Intents {
			if in.To == name {
				c.post(posted{flow.Event{Kind: flow.Routed, Node: node, Name: name, OK: true}})
				return
			}
		}
		c.post(posted{flow.Event{Kind: flow.Routed, Node: node}})
	}()
}
