package conversation

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/flow"
	"github.com/callwright/callwright/internal/speech"
)

// toolCall is one call of a tool by the model.
type toolCall struct {
	call   speech.ToolCall
	tool   *flow.Tool
	do     flow.Do
	of     *thinking
	done   bool
	result string // for the model, when it is done
}

// maxResult is how much of a tool's result the model is told, in bytes.
const maxResult = 16 << 10

// called takes a call of the model. What cannot be done is answered with what is
// wrong, so that the model can do better.
func (c *Conversation) called(ctx context.Context, t *thinking, call speech.ToolCall) {
	if call.Name == endCall {
		t.bye = true
		return
	}
	run := &toolCall{call: call, of: t}
	t.calls = append(t.calls, run)
	for i := range t.act.Tools {
		if t.act.Tools[i].Name == call.Name {
			run.tool = &t.act.Tools[i]
		}
	}
	if run.tool == nil {
		run.fail(fmt.Errorf("there is no tool %q", call.Name))
		return
	}
	args, err := run.tool.Arguments(call.Arguments)
	if err != nil && run.tool.Kind() != flow.ToolEvent {
		run.fail(err)
		return
	}
	switch run.tool.Kind() {
	case flow.ToolEndCall:
		t.bye, run.done, run.result = true, true, `{"ok":true}`
	case flow.ToolEvent:
		var value any
		if args != nil {
			value = args
		}
		run.done, run.result = true, `{"ok":true}`
		c.step(ctx, flow.Event{Kind: flow.Injected, Name: call.Name, Value: value})
	default:
		c.run(ctx, run, args)
	}
}

// run has a tool's work done. A hand-over waits until the agent has said what it
// says before it.
func (c *Conversation) run(ctx context.Context, run *toolCall, args map[string]any) {
	do, missing, err := run.tool.Do(args)
	for _, name := range missing {
		c.note(fmt.Sprintf("variable %q is not set (tool %q)", name, run.tool.Name))
	}
	if err != nil {
		run.fail(err)
		return
	}
	run.do = do
	if do.Kind == flow.DoTransfer {
		c.hush()
		if c.speaking() {
			c.deferred = append(c.deferred, run)
			return
		}
	}
	c.start(ctx, run)
}

// start gives a tool's work to the performer, which answers it with an event for
// the name that it is given here.
func (c *Conversation) start(ctx context.Context, run *toolCall) {
	c.toolCalls++
	handle := fmt.Sprintf("tool %s #%d", run.tool.Name, c.toolCalls)
	if c.tools == nil {
		c.tools = map[string]*toolCall{}
	}
	c.tools[handle] = run
	c.answer.begin(stageTool)
	c.o.Performer.Do(ctx, handle, run.do)
}

// startDeferred starts what had to wait for the end of the agent's speech.
func (c *Conversation) startDeferred(ctx context.Context) {
	list := c.deferred
	c.deferred = nil
	for _, run := range list {
		if run.of == c.thinking {
			c.start(ctx, run)
		}
	}
}

// onPosted takes an event from outside: the result of a tool, or one for the
// flow.
func (c *Conversation) onPosted(ctx context.Context, e flow.Event) {
	run, mine := c.tools[e.Node]
	if !mine || e.Kind != flow.Done {
		c.step(ctx, e)
		return
	}
	delete(c.tools, e.Node)
	run.finish(e)
	switch {
	case run.do.Kind == flow.DoTransfer && e.OK:
		c.leave()
	case run.of == c.thinking:
		c.advance(ctx)
	default:
		c.dialogue = append(c.dialogue, answered([]*toolCall{run})...)
		if t := c.thinking; t != nil && t.queued && len(c.tools) == 0 {
			c.ask(ctx, t)
		}
	}
}

// leave ends the talk: the caller is with somebody else.
func (c *Conversation) leave() {
	if c.ending != "" {
		return
	}
	c.dropThought()
	c.goodbye(domain.EndTransferred)
	if !c.speaking() {
		c.timers.set(timeTail, c.o.Timing.Tail)
	}
}

func (r *toolCall) fail(err error) {
	r.done, r.result = true, asJSON(map[string]any{"error": err.Error()})
}

// finish words a result for the model.
func (r *toolCall) finish(e flow.Event) {
	r.done = true
	result := map[string]any{"ok": e.OK}
	if e.Value != nil {
		result["result"] = e.Value
	}
	if e.Text != "" {
		result["error"] = e.Text
	}
	if r.result = asJSON(result); len(r.result) > maxResult {
		r.result = strings.ToValidUTF8(r.result[:maxResult], "") + "… (cut)"
	}
}

func asJSON(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return `{"error":"the result cannot be read"}`
	}
	return string(raw)
}

// answered are the messages by which a model knows its calls that are done, and
// their results.
func answered(calls []*toolCall) []speech.Message {
	said := speech.Message{Role: "assistant"}
	var results []speech.Message
	for _, r := range calls {
		if !r.done {
			continue
		}
		call := r.call
		if !json.Valid(call.Arguments) || !strings.HasPrefix(strings.TrimSpace(string(call.Arguments)), "{") {
			call.Arguments = []byte("{}") // servers refuse to read again what models wrote
		}
		said.Calls = append(said.Calls, call)
		results = append(results, speech.Message{Role: "tool", CallID: call.ID, Text: r.result})
	}
	if len(results) == 0 {
		return nil
	}
	return append([]speech.Message{said}, results...)
}
