package provider

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"

	"github.com/callwright/callwright/internal/speech"
)

// Anthropic is the name of the engine that thinks by that service.
const Anthropic = "anthropic"

func init() { speech.RegisterLLM(Anthropic, openAnthropic) }

// anthropicVersion is the version of the protocol.
const anthropicVersion = "2023-06-01"

// anthropicTokens bounds an answer when nothing is configured; the protocol wants
// a bound.
const anthropicTokens = 1024

// anthropic thinks over the messages API, streamed
// (https://docs.anthropic.com/en/api/messages-streaming).
type anthropic struct {
	service
	models      []string // the default first
	temperature *float64
	maxTokens   int
}

func openAnthropic(c speech.Config) (speech.LLM, error) {
	a := &anthropic{}
	var err error
	if a.service, err = openService(Anthropic, "https://api.anthropic.com/v1", c); err != nil {
		return nil, err
	}
	if a.models, err = modelNames(Anthropic, c); err != nil {
		return nil, err
	}
	if a.temperature, a.maxTokens, err = sampling(Anthropic, c); err != nil {
		return nil, err
	}
	if a.maxTokens == 0 {
		a.maxTokens = anthropicTokens
	}
	a.name = c.Label(Anthropic)
	return a, nil
}

// Name is the engine's and the model's.
func (a *anthropic) Name() string { return a.name + "/" + a.models[0] }

// Models lists what a request may ask for; the first is the default.
func (a *anthropic) Models() []string { return a.models }

// Chat streams an answer. When ctx ends, its connection is closed.
func (a *anthropic) Chat(ctx context.Context, req speech.Request) iter.Seq2[speech.Chunk, error] {
	return func(yield func(speech.Chunk, error) bool) {
		ctx, waiting := a.wait(ctx)
		defer waiting.stop()
		body, err := json.Marshal(a.request(req))
		if err != nil {
			yield(speech.Chunk{}, a.fault(false, err))
			return
		}
		resp, err := a.post(ctx, "messages", "application/json", bytes.NewReader(body),
			map[string]string{"x-api-key": a.key, "anthropic-version": anthropicVersion, "Accept": "text/event-stream"})
		if err != nil {
			yield(speech.Chunk{}, err)
			return
		}
		defer resp.Body.Close()
		out := &answer{service: &a.service, ctx: ctx, waiting: waiting, yield: yield}
		if kind := mediaType(resp); kind != "text/event-stream" {
			err = a.fault(false, fmt.Errorf("%s answered with %q where a stream of events was asked for; see that the url is that of the API", a.base.Host, kind))
		} else {
			err = a.readStream(resp, out)
		}
		out.end(err)
	}
}

// readStream reads the answer as events.
func (a *anthropic) readStream(resp *http.Response, out *answer) error {
	stream := newEvents(resp.Body)
	for !out.stopped {
		data, err := stream.next()
		switch {
		case errors.Is(err, io.EOF):
			if out.finished {
				return nil
			}
			return a.fault(true, errors.New("the answer broke off"))
		case errors.Is(err, errLongLine), errors.Is(err, errLongStream):
			return a.fault(true, err)
		case err != nil:
			return a.broken(out.ctx, err)
		}
		var e messageEvent
		if json.Unmarshal(data, &e) != nil {
			return a.fault(true, fmt.Errorf("%s sent something that is not the JSON it should be", a.base.Host))
		}
		if e.Type == "message_stop" {
			return nil
		}
		if err := a.take(e, out); err != nil {
			return err
		}
	}
	return nil
}

// take passes on what an event brings.
func (a *anthropic) take(e messageEvent, out *answer) error {
	part := callDelta{Index: &e.Index}
	switch {
	case e.Type == "error":
		return a.fault(true, fmt.Errorf("%s gave up in the middle of its answer: %s", a.base.Host, a.clean(e.Error.Message)))
	case e.Type == "content_block_start" && e.ContentBlock.Type == "tool_use":
		part.ID, part.Function.Name = e.ContentBlock.ID, e.ContentBlock.Name
	case e.Type == "content_block_delta" && e.Delta.Type == "text_delta":
		out.text(e.Delta.Text)
		return out.tooLong()
	case e.Type == "content_block_delta" && e.Delta.Type == "input_json_delta":
		quoted, err := json.Marshal(e.Delta.PartialJSON)
		if err != nil {
			return a.fault(true, err)
		}
		part.Function.Arguments = quoted
	case e.Type == "message_delta" && e.Delta.StopReason != "":
		out.finished = true
		return nil
	default:
		return nil // ping, and what may be added
	}
	out.waiting.piece()
	if err := out.calls.add(part); err != nil {
		return a.fault(false, err)
	}
	return nil
}

// Words for the places where the protocol wants the caller's and there are none.
const (
	callerSilent = "(The caller has said nothing yet.)"
	callerWaits  = "(The caller waits for you to go on.)"
)

// request is the body of a request. Messages of one role after the other become
// one, and the first and the last are the caller's, as the protocol wants it.
func (a *anthropic) request(req speech.Request) messagesRequest {
	out := messagesRequest{Model: a.models[0], System: req.System, Stream: true, MaxTokens: a.maxTokens, Temperature: a.temperature}
	if req.Model != "" {
		out.Model = req.Model
	}
	add := func(role string, blocks ...block) {
		if n := len(out.Messages); n > 0 && out.Messages[n-1].Role == role {
			out.Messages[n-1].Content = append(out.Messages[n-1].Content, blocks...)
			return
		}
		out.Messages = append(out.Messages, messageOf{Role: role, Content: blocks})
	}
	if len(req.Messages) == 0 || req.Messages[0].Role != "user" {
		add("user", block{Type: "text", Text: callerSilent})
	}
	for _, m := range req.Messages {
		switch {
		case m.Role == "tool":
			add("user", block{Type: "tool_result", ToolUseID: m.CallID, Content: m.Text})
			continue
		case m.Text != "":
			add(m.Role, block{Type: "text", Text: m.Text})
		}
		for _, call := range m.Calls {
			add("assistant", block{Type: "tool_use", ID: call.ID, Name: call.Name, Input: call.Arguments})
		}
	}
	if out.Messages[len(out.Messages)-1].Role != "user" {
		add("user", block{Type: "text", Text: callerWaits})
	}
	for _, tool := range req.Tools {
		out.Tools = append(out.Tools, messageTool{Name: tool.Name, Description: tool.Description, Schema: schemaOf(tool)})
	}
	return out
}

// What goes over the wire.
type (
	messagesRequest struct {
		Model       string        `json:"model"`
		System      string        `json:"system,omitempty"`
		Messages    []messageOf   `json:"messages"`
		Tools       []messageTool `json:"tools,omitempty"`
		MaxTokens   int           `json:"max_tokens"`
		Temperature *float64      `json:"temperature,omitempty"`
		Stream      bool          `json:"stream"`
	}
	messageOf struct {
		Role    string  `json:"role"`
		Content []block `json:"content"`
	}
	block struct {
		Type      string          `json:"type"`
		Text      string          `json:"text,omitempty"`
		ID        string          `json:"id,omitempty"`
		Name      string          `json:"name,omitempty"`
		Input     json.RawMessage `json:"input,omitempty"`
		ToolUseID string          `json:"tool_use_id,omitempty"`
		Content   string          `json:"content,omitempty"`
	}
	messageTool struct {
		Name        string          `json:"name"`
		Description string          `json:"description,omitempty"`
		Schema      json.RawMessage `json:"input_schema"`
	}
	messageEvent struct {
		Type         string `json:"type"`
		Index        int    `json:"index"`
		ContentBlock struct {
			Type string `json:"type"`
			ID   string `json:"id"`
			Name string `json:"name"`
		} `json:"content_block"`
		Delta struct {
			Type        string `json:"type"`
			Text        string `json:"text"`
			PartialJSON string `json:"partial_json"`
			StopReason  string `json:"stop_reason"`
		} `json:"delta"`
		Error struct {
			Message string `json:"message"`
		} `json:"error"`
	}
)
