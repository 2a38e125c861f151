package provider_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/callwright/callwright/internal/provider"
	"github.com/callwright/callwright/internal/speech"
)

func TestAnthropicUnderstandsRecordedStreams(t *testing.T) { recorded(t, provider.Anthropic) }

func TestAnthropicAgainstHostileServers(t *testing.T) {
	for _, name := range []string{"refuses the key", "is too busy", "is a web page", "drops the line", "never answers", "only keeps alive", "sends a long line", "comments for ever"} {
		c := hostile[name]
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := model(t, provider.Anthropic, speech.Config{URL: serve(t, c.server), Key: "sk-secret", Options: impatient(c.want)})
			got, want := told(t.Context(), m, hello), strings.Replace(c.want, "a web page", `"text/html"`, 1)
			if !agrees(got, want) || strings.Contains(got, "sk-secret") {
				t.Errorf("%q, want %q", got, want)
			}
		})
	}
}

// Its messages alternate, begin and end with the caller's, and results of tools
// are the caller's too.
func TestAnthropicAsks(t *testing.T) {
	var body, head string
	url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		body, head = string(raw), r.URL.Path+" "+r.Header.Get("X-Api-Key")+" "+r.Header.Get("Anthropic-Version")
		w.WriteHeader(http.StatusTeapot)
	}))
	m := model(t, provider.Anthropic, speech.Config{URL: url + "/v1", Key: "k", Model: "claude"})
	told(t.Context(), m, speech.Request{System: "Be kind.", Messages: []speech.Message{
		{Role: "assistant", Text: "Welcome."},
		{Role: "user", Text: "Where is it?"},
		{Role: "assistant", Calls: []speech.ToolCall{{ID: "1", Name: "lookup", Arguments: []byte(`{"a":1}`)}, {ID: "2", Name: "lookup", Arguments: []byte(`{"a":2}`)}}},
		{Role: "tool", CallID: "1", Text: "here"},
		{Role: "tool", CallID: "2", Text: "there"},
		{Role: "assistant", Text: "Here"},
		{Role: "assistant", Text: "and there."},
	}, Tools: []speech.Tool{{Name: "lookup"}}})
	var got struct {
		Model, System string
		Stream        bool
		MaxTokens     int `json:"max_tokens"`
		Tools         []struct{ Name string }
		Messages      []struct {
			Role    string
			Content []map[string]any
		}
	}
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	var roles []string
	for _, m := range got.Messages {
		for _, b := range m.Content {
			kind, _ := b["type"].(string)
			roles = append(roles, m.Role+":"+kind)
		}
	}
	want := "user:text assistant:text user:text assistant:tool_use assistant:tool_use user:tool_result user:tool_result assistant:text assistant:text user:text"
	if s := strings.Join(roles, " "); s != want {
		t.Errorf("messages %s\nwant %s", s, want)
	}
	if got.Model != "claude" || got.System != "Be kind." || !got.Stream || got.MaxTokens != 1024 || len(got.Tools) != 1 || head != "/v1/messages k 2023-06-01" {
		t.Errorf("%s: %s", head, body)
	}
}
