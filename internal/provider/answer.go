package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/callwright/callwright/internal/speech"
)

// Bounds of one answer of a model.
const (
	maxAnswerText = 32 << 10 // bytes; half an hour of speech
	maxCalls      = 32
	maxArguments  = 64 << 10 // bytes of one call's
)

// answer passes a model's answer on as it comes: text at once, calls of tools
// when they are complete, at its end.
type answer struct {
	*service
	ctx     context.Context
	waiting *patience
	yield   func(speech.Chunk, error) bool

	calls    callParts
	thoughts thoughts
	length   int
	said     bool // there was text
	finished bool // the server said that the answer is complete
	stopped  bool // nobody listens any more
}

// text passes text on.
func (a *answer) text(piece string) {
	if piece == "" || a.stopped {
		return
	}
	a.waiting.piece()
	a.length += len(piece)
	a.pass(a.thoughts.strip(piece))
}

func (a *answer) pass(text string) {
	if text == "" || a.stopped {
		return
	}
	a.said = true
	a.stopped = !a.yield(speech.Chunk{Text: text}, nil)
}

// tooLong is the error for an answer that does not end.
func (a *answer) tooLong() error {
	if a.length > maxAnswerText {
		return a.fault(false, fmt.Errorf("the answer is longer than %d kB; give the model a max_tokens, or a prompt that asks for short answers", maxAnswerText>>10))
	}
	return nil
}

// end passes on what is left, or the error.
func (a *answer) end(err error) {
	if a.stopped {
		return
	}
	if err == nil {
		a.pass(a.thoughts.rest())
	}
	calls := a.calls.complete()
	if err == nil && !a.said && len(calls) == 0 && !a.stopped {
		err = a.fault(true, speech.ErrNoAnswer)
	}
	if err != nil {
		a.yield(speech.Chunk{}, err)
		return
	}
	for i := range calls {
		if a.stopped {
			return
		}
		a.stopped = !a.yield(speech.Chunk{Call: &calls[i]}, nil)
	}
}

// callDelta is a piece of a call: its name and id in the first, the text of its
// arguments over several. Some servers send a call whole, with or without an
// index, some send the arguments as an object.
type callDelta struct {
	Index    *int   `json:"index"`
	ID       string `json:"id"`
	Function struct {
		Name      string          `json:"name"`
		Arguments json.RawMessage `json:"arguments"`
	} `json:"function"`
}

// callParts puts calls together.
type callParts struct{ list []*callPart }

type callPart struct {
	index     int
	id, name  string
	arguments strings.Builder
}

// add takes a piece.
func (c *callParts) add(d callDelta) error {
	p := c.find(d)
	if p == nil {
		if len(c.list) == maxCalls {
			return fmt.Errorf("it called more than %d tools at once", maxCalls)
		}
		p = &callPart{index: len(c.list), id: d.ID}
		if d.Index != nil {
			p.index = *d.Index
		}
		c.list = append(c.list, p)
	}
	if p.name == "" {
		p.name = d.Function.Name
	}
	raw := d.Function.Arguments
	var text string
	if json.Unmarshal(raw, &text) != nil {
		text = string(raw)
	}
	p.arguments.WriteString(text)
	if p.arguments.Len() > maxArguments {
		return fmt.Errorf("it called a tool with arguments of more than %d kB", maxArguments>>10)
	}
	return nil
}

// find is the call that a piece belongs to, nil for a new one.
func (c *callParts) find(d callDelta) *callPart {
	for i := len(c.list) - 1; i >= 0; i-- {
		p := c.list[i]
		if d.Index == nil && d.ID == "" && d.Function.Name == "" {
			return p // goes on with the last
		}
		if d.Index != nil && p.index == *d.Index && (d.ID == "" || d.ID == p.id) {
			return p
		}
		if d.Index == nil && d.ID != "" && d.ID == p.id {
			return p
		}
	}
	return nil
}

// complete returns the calls in the order in which they began.
func (c *callParts) complete() []speech.ToolCall {
	var out []speech.ToolCall
	for i, p := range c.list {
		if p.name == "" {
			continue
		}
		if p.id == "" {
			p.id = "call_" + strconv.Itoa(i+1)
		}
		arguments := strings.TrimSpace(p.arguments.String())
		if arguments == "" || arguments == "null" {
			arguments = "{}"
		}
		out = append(out, speech.ToolCall{ID: p.id, Name: p.name, Arguments: []byte(arguments)})
	}
	return out
}

// thoughts takes away what a reasoning model writes for itself between <think>
// and </think> at the start of its answer: nobody should hear that.
type thoughts struct {
	held  string
	state thinkState
}

type thinkState int

const (
	thinkUnknown thinkState = iota // nothing was said yet
	thinkInside
	thinkOver
)

const (
	thinkOpen  = "<think>"
	thinkClose = "</think>"
)

// strip returns what of the next piece is meant to be heard.
func (t *thoughts) strip(piece string) string {
	if t.state == thinkOver {
		return piece
	}
	t.held += piece
	if t.state == thinkUnknown {
		start := strings.TrimLeft(t.held, " \t\r\n")
		switch {
		case strings.HasPrefix(start, thinkOpen):
			t.state, t.held = thinkInside, start[len(thinkOpen):]
		case strings.HasPrefix(thinkOpen, start):
			return "" // it may become one
		default:
			return t.release()
		}
	}
	_, after, found := strings.Cut(t.held, thinkClose)
	if !found {
		t.held = t.held[max(0, len(t.held)-len(thinkClose)):]
		return ""
	}
	t.held = strings.TrimLeft(after, " \t\r\n")
	return t.release()
}

// rest returns, at the end of the answer, what was held back and is no thought.
func (t *thoughts) rest() string {
	if t.state == thinkInside {
		return ""
	}
	return t.release()
}

func (t *thoughts) release() string {
	text := t.held
	t.held, t.state = "", thinkOver
	return text
}
