package providertest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Model is an LLM in OpenAI's protocol that says what a script says.
type Model struct {
	// Reply is asked for each answer. It may be called by several requests at once.
	Reply func(Asked) Reply
	First time.Duration // before the first piece
	Each  time.Duration // before every other piece
	Keep  bool          // requests, for Asked

	mu    sync.Mutex
	asked []Asked
}

// Asked is one request.
type Asked struct {
	Key      string // of the Authorization header
	Model    string
	Messages []Message
	Tools    []Tool
}

// Last is the last message.
func (a Asked) Last() Message {
	if len(a.Messages) == 0 {
		return Message{}
	}
	return a.Messages[len(a.Messages)-1]
}

// String prints the messages, one a line.
func (a Asked) String() string {
	var b strings.Builder
	for _, m := range a.Messages {
		b.WriteString(m.Role + ": " + m.Content)
		for _, c := range m.Calls {
			b.WriteString(" → " + c.Function.Name + c.Function.Arguments)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// Message is one message of a request.
type Message struct {
	Role    string     `json:"role"`
	Content string     `json:"content"`
	Calls   []WireCall `json:"tool_calls"`
	CallID  string     `json:"tool_call_id"`
}

// WireCall is a call of a tool as the protocol has it.
type WireCall struct {
	ID       string `json:"id"`
	Function struct {
		Name      string `json:"name"`
		Arguments string `json:"arguments"`
	} `json:"function"`
}

// Tool is a tool that a request offers.
type Tool struct {
	Function struct {
		Name       string          `json:"name"`
		Parameters json.RawMessage `json:"parameters"`
	} `json:"function"`
}

// Reply is one answer: a status other than 0 is an error, Pieces are sent one an
// event, Calls after them.
type Reply struct {
	Status int
	Pieces []string
	Calls  []Call
}

// Call is a call of a tool; Arguments are JSON.
type Call struct{ ID, Name, Arguments string }

// Say is a reply of a text, a word an event.
func Say(text string) Reply { return Reply{Pieces: strings.SplitAfter(text, " ")} }

// Calling is r with a call of a tool after it.
func (r Reply) Calling(name, arguments string) Reply {
	r.Calls = append(slices.Clone(r.Calls), Call{ID: fmt.Sprintf("call_%d", len(r.Calls)+1), Name: name, Arguments: arguments})
	return r
}

// Asked lists the requests so far, if they are kept.
func (m *Model) Asked() []Asked {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.asked)
}

// ServeHTTP answers one request.
func (m *Model) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var asked Asked
	if err := readJSON(r, &asked); err != nil {
		http.Error(w, `{"error":{"message":"no JSON"}}`, http.StatusBadRequest)
		return
	}
	asked.Key = strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if m.Keep {
		m.mu.Lock()
		m.asked = append(m.asked, asked)
		m.mu.Unlock()
	}
	reply := m.Reply(asked)
	if !pause(r.Context(), m.First) {
		return
	}
	if reply.Status != 0 {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(reply.Status)
		fmt.Fprint(w, `{"error":{"message":"as the script says"}}`)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	out := http.NewResponseController(w)
	send := func(delta map[string]any, reason any) bool {
		raw, err := json.Marshal(map[string]any{"id": "scripted", "object": "chat.completion.chunk", "model": asked.Model,
			"choices": []any{map[string]any{"index": 0, "delta": delta, "finish_reason": reason}}})
		if err != nil {
			return false
		}
		_, err = fmt.Fprintf(w, "data: %s\n\n", raw)
		return err == nil && out.Flush() == nil
	}
	for i, piece := range reply.Pieces {
		if i > 0 && !pause(r.Context(), m.Each) || !send(map[string]any{"content": piece}, nil) {
			return
		}
	}
	reason := "stop"
	for i, c := range reply.Calls {
		reason = "tool_calls"
		if !send(map[string]any{"tool_calls": []any{map[string]any{"index": i, "id": c.ID, "type": "function",
			"function": map[string]any{"name": c.Name, "arguments": c.Arguments}}}}, nil) {
			return
		}
	}
	if send(map[string]any{}, reason) {
		fmt.Fprint(w, "data: [DONE]\n\n")
	}
}
