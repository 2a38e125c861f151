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
	"strconv"
	"strings"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/speech"
)

// OpenAI is the name of the engines that speak OpenAI's protocols: those of
// OpenAI and of the many servers that are compatible (vLLM, llama.cpp, Ollama,
// Groq and others).
const OpenAI = "openai"

const openAIAddress = "https://api.openai.com/v1"

func init() { speech.RegisterLLM(OpenAI, openOpenAIModel) }

// openAIModel thinks over the chat completions API, streamed
// (https://platform.openai.com/docs/api-reference/chat-streaming).
type openAIModel struct {
	service
	models      []string // the default first
	temperature *float64
	maxTokens   int
}

func openOpenAIModel(c speech.Config) (speech.LLM, error) {
	m := &openAIModel{}
	var err error
	if m.service, err = openService(OpenAI, openAIAddress, c); err != nil {
		return nil, err
	}
	if m.models, err = modelNames(OpenAI, c); err != nil {
		return nil, err
	}
	if m.temperature, m.maxTokens, err = sampling(OpenAI, c); err != nil {
		return nil, err
	}
	m.name = c.Label(OpenAI)
	return m, nil
}

// modelNames are the configured model and those of the option models.
func modelNames(engine string, c speech.Config) ([]string, error) {
	if c.Model == "" {
		return nil, domain.Invalid("model", "%s: no model is configured; name one that the server has, like model: gpt-4o-mini", engine)
	}
	return append([]string{c.Model}, listed(c.Options["models"])...), nil
}

// listed takes a list of words apart: "a, b".
func listed(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
}

// sampling reads the options temperature and max_tokens.
func sampling(engine string, c speech.Config) (temperature *float64, maxTokens int, err error) {
	if text, given := c.Options["temperature"]; given {
		t, err := strconv.ParseFloat(text, 64)
		if err != nil || t < 0 || t > 2 {
			return nil, 0, domain.Invalid("options.temperature", "%s: the option temperature is %q; write a number from 0 to 2", engine, text)
		}
		temperature = &t
	}
	if text, given := c.Options["max_tokens"]; given {
		if maxTokens, err = strconv.Atoi(text); err != nil || maxTokens < 1 {
			return nil, 0, domain.Invalid("options.max_tokens", "%s: the option max_tokens is %q; write a whole number from 1", engine, text)
		}
	}
	return temperature, maxTokens, nil
}

// Name is the engine's and the model's: "openai/gpt-4o-mini".
func (m *openAIModel) Name() string { return m.name + "/" + m.models[0] }

// Models lists what a request may ask for; the first is the default.
func (m *openAIModel) Models() []string { return m.models }

// Chat streams an answer. When ctx ends, its connection is closed.
func (m *openAIModel) Chat(ctx context.Context, req speech.Request) iter.Seq2[speech.Chunk, error] {
	return func(yield func(speech.Chunk, error) bool) {
		ctx, waiting := m.wait(ctx)
		defer waiting.stop()
		body, err := json.Marshal(m.request(req))
		if err != nil {
			yield(speech.Chunk{}, m.fault(false, err))
			return
		}
		header := map[string]string{"Accept": "text/event-stream"}
		if m.key != "" {
			header["Authorization"] = "Bearer " + m.key
		}
		resp, err := m.post(ctx, "chat/completions", "application/json", bytes.NewReader(body), header)
		if err != nil {
			yield(speech.Chunk{}, err)
			return
		}
		defer resp.Body.Close()
		out := &answer{service: &m.service, ctx: ctx, waiting: waiting, yield: yield}
		switch mediaType(resp) {
		case "application/json":
			err = m.readWhole(resp, out)
		case "text/html":
			err = m.fault(false, fmt.Errorf("%s answered with a web page; see that the url is that of the API, which often ends in /v1", m.base.Host))
		default:
			err = m.readStream(resp, out)
		}
		out.end(err)
	}
}

// readStream reads the answer as events.
func (m *openAIModel) readStream(resp *http.Response, out *answer) error {
	stream := newEvents(resp.Body)
	for {
		data, err := stream.next()
		switch {
		case errors.Is(err, io.EOF):
			if out.finished || out.said {
				return nil // some servers leave out [DONE], and even the reason why they end
			}
			return m.fault(true, errors.New("the answer broke off before its first word"))
		case errors.Is(err, errLongLine), errors.Is(err, errLongStream):
			return m.fault(true, err)
		case err != nil:
			return m.broken(out.ctx, err)
		case string(bytes.TrimSpace(data)) == "[DONE]":
			return nil
		}
		var chunk chatChunk
		if err := json.Unmarshal(data, &chunk); err != nil {
			return m.fault(true, fmt.Errorf("%s sent something that is not the JSON it should be", m.base.Host))
		}
		if err := m.take(chunk, out); err != nil {
			return err
		}
		if out.stopped {
			return nil
		}
	}
}

// readWhole reads the answer of a server that does not stream.
func (m *openAIModel) readWhole(resp *http.Response, out *answer) error {
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxEventLine+1))
	if err != nil {
		return m.broken(out.ctx, err)
	}
	var chunk chatChunk
	if len(raw) > maxEventLine || json.Unmarshal(raw, &chunk) != nil {
		return m.fault(true, fmt.Errorf("%s sent something that is not the JSON it should be", m.base.Host))
	}
	return m.take(chunk, out)
}

// take passes on what a chunk brings.
func (m *openAIModel) take(chunk chatChunk, out *answer) error {
	if text := failureIn(chunk.Error); text != "" {
		return m.fault(true, fmt.Errorf("%s gave up in the middle of its answer: %s", m.base.Host, m.clean(text)))
	}
	if len(chunk.Choices) == 0 {
		return nil // the last chunk may have the usage only
	}
	c := chunk.Choices[0]
	delta := c.Delta
	if c.Message != nil {
		delta = *c.Message
	}
	out.text(string(delta.Content) + string(delta.Refusal))
	for _, call := range delta.ToolCalls {
		if err := out.calls.add(call); err != nil {
			return m.fault(false, err)
		}
		out.waiting.piece() // it goes on though nothing can be said yet
	}
	if c.FinishReason != "" {
		out.finished = true
		if c.FinishReason == "content_filter" && !out.said {
			return m.fault(false, errors.New("the server's content filter stopped the answer"))
		}
	}
	return out.tooLong()
}

// failureIn is the message of an error object in a stream, "" for none.
func failureIn(raw json.RawMessage) string {
	if len(raw) == 0 || string(raw) == "null" {
		return ""
	}
	wrapped, err := json.Marshal(map[string]json.RawMessage{"error": raw})
	if err != nil {
		return "an error"
	}
	if text := wordsOf(wrapped); text != "" {
		return text
	}
	return "an error"
}

// request is the body of a request.
func (m *openAIModel) request(req speech.Request) chatRequest {
	out := chatRequest{Model: m.models[0], Stream: true, Temperature: m.temperature, MaxTokens: m.maxTokens}
	if req.Model != "" {
		out.Model = req.Model
	}
	if req.System != "" {
		out.Messages = append(out.Messages, chatMessage{Role: "system", Content: req.System})
	}
	for _, msg := range req.Messages {
		wire := chatMessage{Role: msg.Role, Content: msg.Text, ToolCallID: msg.CallID}
		for _, call := range msg.Calls {
			wire.ToolCalls = append(wire.ToolCalls, chatCall{ID: call.ID, Type: "function",
				Function: chatFunction{Name: call.Name, Arguments: string(call.Arguments)}})
		}
		out.Messages = append(out.Messages, wire)
	}
	for _, tool := range req.Tools {
		out.Tools = append(out.Tools, chatTool{Type: "function", Function: chatToolFunction{
			Name: tool.Name, Description: tool.Description, Parameters: schemaOf(tool)}})
	}
	return out
}

// schemaOf is a tool's schema; one without is a function without arguments.
func schemaOf(tool speech.Tool) json.RawMessage {
	if len(tool.Parameters) == 0 {
		return json.RawMessage(`{"type":"object","properties":{}}`)
	}
	return tool.Parameters
}

// What goes over the wire.
type (
	chatRequest struct {
		Model       string        `json:"model"`
		Messages    []chatMessage `json:"messages"`
		Tools       []chatTool    `json:"tools,omitempty"`
		Stream      bool          `json:"stream"`
		Temperature *float64      `json:"temperature,omitempty"`
		MaxTokens   int           `json:"max_tokens,omitempty"`
	}
	chatMessage struct {
		Role       string     `json:"role"`
		Content    string     `json:"content"`
		ToolCalls  []chatCall `json:"tool_calls,omitempty"`
		ToolCallID string     `json:"tool_call_id,omitempty"`
	}
	chatCall struct {
		ID       string       `json:"id"`
		Type     string       `json:"type"`
		Function chatFunction `json:"function"`
	}
	chatFunction struct {
		Name      string `json:"name"`
		Arguments string `json:"arguments"`
	}
	chatTool struct {
		Type     string           `json:"type"`
		Function chatToolFunction `json:"function"`
	}
	chatToolFunction struct {
		Name        string          `json:"name"`
		Description string          `json:"description,omitempty"`
		Parameters  json.RawMessage `json:"parameters"`
	}

	chatChunk struct {
		Choices []struct {
			Delta        chatDelta  `json:"delta"`
			Message      *chatDelta `json:"message"`
			FinishReason string     `json:"finish_reason"`
		} `json:"choices"`
		Error json.RawMessage `json:"error"`
	}
	chatDelta struct {
		Content   looseText   `json:"content"`
		Refusal   looseText   `json:"refusal"`
		ToolCalls []callDelta `json:"tool_calls"`
	}
)

// looseText reads text as servers write it: a string, null, or a list of parts
// of which those of type text count.
type looseText string

// UnmarshalJSON reads any of the forms; what is none of them is no text.
func (t *looseText) UnmarshalJSON(raw []byte) error {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		*t = looseText(text)
		return nil
	}
	var parts []struct{ Type, Text string }
	if json.Unmarshal(raw, &parts) == nil {
		for _, p := range parts {
			if p.Type == "" || p.Type == "text" {
				*t += looseText(p.Text)
			}
		}
	}
	return nil
}
