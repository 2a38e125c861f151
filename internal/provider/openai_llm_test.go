package provider_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/provider"
	"github.com/callwright/callwright/internal/provider/providertest"
	"github.com/callwright/callwright/internal/speech"
)

// serve serves h for the time of a test.
func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	s, err := providertest.Start(h)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s.URL
}

func model(t *testing.T, name string, c speech.Config) speech.LLM {
	t.Helper()
	if c.Model == "" {
		c.Model = "m"
	}
	m, err := speech.OpenLLM(name, c)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// told is what a model answers, in one line: text | call | error.
func told(ctx context.Context, m speech.LLM, req speech.Request) string {
	var text string
	var parts []string
	for chunk, err := range m.Chat(ctx, req) {
		text += chunk.Text
		if c := chunk.Call; c != nil {
			parts = append(parts, fmt.Sprintf("%s%s id=%s", c.Name, c.Arguments, c.ID))
		}
		if err != nil {
			kind := "final"
			if speech.Retryable(err) {
				kind = "retryable"
			}
			parts = append(parts, "error "+kind+": "+err.Error())
		}
	}
	if text != "" {
		parts = append([]string{text}, parts...)
	}
	return strings.Join(parts, " | ")
}

// agrees compares what was told with what was wanted, of an error a part.
func agrees(got, want string) bool {
	before, part, fails := strings.Cut(want, "error ")
	if !fails {
		return got == want
	}
	kind, part, _ := strings.Cut(part, ": ")
	return strings.HasPrefix(got, before+"error "+kind+": ") && strings.Contains(got[len(before):], part)
}

var hello = speech.Request{System: "Be kind.", Messages: []speech.Message{{Role: "user", Text: "Hello?"}}}

// The recorded streams of servers are understood, however they are cut.
func TestOpenAIModelUnderstandsRecordedStreams(t *testing.T) {
	recorded(t, provider.OpenAI)
}

func recorded(t *testing.T, engine string) {
	files, err := filepath.Glob("testdata/" + engine + "/*.sse")
	if err != nil || len(files) < 5 {
		t.Fatalf("recorded streams: %q, %v", files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".sse"), func(t *testing.T) {
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			head, _, _ := bytes.Cut(body, []byte("\n"))
			want := strings.TrimSpace(strings.TrimPrefix(string(head), ": want: "))
			for _, chunk := range []int{0, 1000, 7, 1} {
				m := model(t, engine, speech.Config{URL: serve(t, &providertest.Replay{Body: body, Chunk: chunk}) + "/v1"})
				if got := told(t.Context(), m, hello); !agrees(got, want) {
					t.Errorf("in pieces of %d bytes: %q, want %q", chunk, got, want)
				}
			}
		})
	}
}

const said = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hello. \"}}]}\n\n"

// hostile are servers that do what they should not.
var hostile = map[string]struct {
	server *providertest.Replay
	want   string
}{
	"refuses the key":     {&providertest.Replay{Status: 401, Type: "application/json", Body: []byte(`{"error":{"message":"Incorrect API key provided: sk-secret"}}`)}, "error final: does not accept the key"},
	"forbids":             {&providertest.Replay{Status: 403}, "error final: does not accept the key"},
	"has no such model":   {&providertest.Replay{Status: 404, Body: []byte(`{"error":{"message":"model 'm' not found, try pulling it first"}}`)}, "error final: try pulling it first: see that the url and the model"},
	"wants another shape": {&providertest.Replay{Status: 400, Body: []byte(`{"message":"max_tokens is too large for sk-secret"}`)}, "error final: max_tokens is too large for ***"},
	"is too busy":         {&providertest.Replay{Status: 429, Header: map[string]string{"Retry-After": "7"}, Body: []byte(`{"error":"slow down"}`)}, "error retryable: again in 7s): slow down: too many requests"},
	"is broken":           {&providertest.Replay{Status: 500, Body: []byte("<html>no JSON</html>")}, "error retryable: answered 500: the server is in trouble"},
	"is overloaded":       {&providertest.Replay{Status: 503}, "error retryable: answered 503"},
	"has moved":           {&providertest.Replay{Status: 307, Header: map[string]string{"Location": "http://127.0.0.1:1/"}}, "error final: it has moved"},
	"is a web page":       {&providertest.Replay{Type: "text/html; charset=utf-8", Body: []byte("<!doctype html><title>Hi</title>")}, "error final: answered with a web page"},
	"does not stream":     {&providertest.Replay{Type: "application/json", Body: []byte(`{"choices":[{"message":{"role":"assistant","content":"Whole."},"finish_reason":"stop"}]}`)}, "Whole."},
	"sends no JSON":       {&providertest.Replay{Type: "application/json", Body: []byte(`Whole.`)}, "error retryable: not the JSON"},
	"sends nothing":       {&providertest.Replay{}, "error retryable: broke off before its first word"},
	"drops the line":      {&providertest.Replay{Break: true}, "error retryable: broke"},
	"breaks off":          {&providertest.Replay{Body: []byte(said), Break: true}, "Hello. | error retryable: broke"},
	"never answers":       {&providertest.Replay{Before: time.Minute}, "error retryable: no answer came within 300ms"},
	"stops before words":  {&providertest.Replay{Body: []byte(": wait\n\n"), Stall: true}, "error retryable: no answer came within 300ms"},
	"only keeps alive":    {&providertest.Replay{Body: []byte(": wait\n\n"), Chunk: 9, Pause: 20 * time.Millisecond, Repeat: -1}, "error retryable: no answer came within 300ms"},
	"stops after words":   {&providertest.Replay{Body: []byte(said), Stall: true}, "Hello. | error retryable: nothing more came for 300ms"},
	"stays after its end": {&providertest.Replay{Body: []byte(said + "data: [DONE]\n\n"), Stall: true}, "Hello. "},
	"sends a long line":   {&providertest.Replay{Body: bytes.Repeat([]byte("data: x"), 1<<14), Repeat: -1}, "error retryable: a line of more than"},
	"comments for ever":   {&providertest.Replay{Body: bytes.Repeat([]byte(": x\n"), 1<<14), Repeat: -1}, "error retryable: sent more than 4 MB"},
	"talks for ever":      {&providertest.Replay{Body: []byte(strings.Repeat(said, 100)), Repeat: -1}, "Hello. "},
}

// impatient are the options of an engine that does not wait long, where it is
// wanted to give up. Elsewhere a busy machine must not be taken for a stall.
func impatient(want string) map[string]string {
	if strings.Contains(want, " 300ms") {
		return map[string]string{"first": "300ms", "stall": "300ms"}
	}
	return nil
}

func TestOpenAIModelAgainstHostileServers(t *testing.T) {
	for name, c := range hostile {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := model(t, provider.OpenAI, speech.Config{URL: serve(t, c.server) + "/v1", Key: "sk-secret", Options: impatient(c.want)})
			got := told(t.Context(), m, hello)
			if name == "talks for ever" {
				if !strings.HasSuffix(got, "give the model a max_tokens, or a prompt that asks for short answers") || len(got) > 40<<10 {
					t.Errorf("%d bytes, the end of which is %q", len(got), got[max(0, len(got)-200):])
				}
			} else if !agrees(strings.ReplaceAll(got, "Hello.  |", "Hello. |"), c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
			if strings.Contains(got, "sk-secret") {
				t.Errorf("the key is shown: %q", got)
			}
			if c.server.Sent() > 64<<20 {
				t.Errorf("%d bytes were read", c.server.Sent())
			}
		})
	}
}

// A gigabyte of one event is given up after a part of it, and not kept.
func TestOpenAIModelReadsNoGigabyte(t *testing.T) {
	server := &providertest.Replay{Body: bytes.Repeat([]byte("data: x"), 1<<17), Repeat: 1 << 10}
	m := model(t, provider.OpenAI, speech.Config{URL: serve(t, server) + "/v1"})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got := told(t.Context(), m, hello)
	runtime.ReadMemStats(&after)
	if !agrees(got, "error retryable: a line of more than") {
		t.Errorf("%q", got)
	}
	if grown := int64(after.TotalAlloc - before.TotalAlloc); grown > 16<<20 || server.Sent() > 32<<20 {
		t.Errorf("%d bytes were allocated, %d sent", grown, server.Sent())
	}
}

func TestOpenAIModelClosesTheConnectionAtOnce(t *testing.T) {
	for name, server := range map[string]*providertest.Replay{
		"before the answer": {Before: time.Minute},
		"in the middle":     {Body: []byte(said), Stall: true},
	} {
		t.Run(name, func(t *testing.T) {
			m := model(t, provider.OpenAI, speech.Config{URL: serve(t, server) + "/v1"})
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(100*time.Millisecond, cancel)
			got := told(ctx, m, hello)
			if !strings.HasSuffix(got, context.Canceled.Error()) {
				t.Errorf("%q", got)
			}
			select {
			case <-server.Gone():
			case <-time.After(5 * time.Second):
				t.Error("the connection is still open")
			}
		})
	}
	server := &providertest.Replay{Body: []byte(said), Stall: true}
	m := model(t, provider.OpenAI, speech.Config{URL: serve(t, server) + "/v1"})
	for range m.Chat(t.Context(), hello) {
		break // who does not want more stops
	}
	select {
	case <-server.Gone():
	case <-time.After(5 * time.Second):
		t.Error("the connection is still open")
	}
}

func TestOpenAIModelCannotBeReached(t *testing.T) {
	m := model(t, provider.OpenAI, speech.Config{URL: "http://127.0.0.1:1/v1?key=sk-secret"})
	got := told(t.Context(), m, hello)
	if !agrees(got, "error retryable: 127.0.0.1:1 cannot be reached") || strings.Contains(got, "sk-secret") {
		t.Errorf("%q", got)
	}
}

// What is asked is what the protocol says.
func TestOpenAIModelAsks(t *testing.T) {
	script := &providertest.Model{Keep: true, Reply: func(providertest.Asked) providertest.Reply {
		return providertest.Say("Yes, of course.").Calling("lookup", `{"order":17}`)
	}}
	m := model(t, provider.OpenAI, speech.Config{URL: serve(t, providertest.All(script, nil, nil)) + "/v1/", Key: "sk-1", Model: "small",
		Options: map[string]string{"models": "large, larger"}})
	got := told(t.Context(), m, speech.Request{Model: "large", System: "Be kind.", Messages: []speech.Message{
		{Role: "user", Text: "Where is it?"},
		{Role: "assistant", Text: "Let me see.", Calls: []speech.ToolCall{{ID: "c1", Name: "lookup", Arguments: []byte(`{"order":1}`)}}},
		{Role: "tool", CallID: "c1", Text: `{"where":"Oslo"}`},
	}, Tools: []speech.Tool{{Name: "lookup", Description: "Looks.", Parameters: []byte(`{"type":"object","required":["order"]}`)}, {Name: "end_call"}}})
	if want := `Yes, of course. | lookup{"order":17} id=call_1`; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	asked := script.Asked()[0]
	want := "system: Be kind.\nuser: Where is it?\nassistant: Let me see. → lookup{\"order\":1}\ntool: {\"where\":\"Oslo\"}\n"
	if asked.String() != want || asked.Key != "sk-1" || asked.Model != "large" || asked.Messages[3].CallID != "c1" {
		t.Errorf("asked with the key %q and the model %q:\n%s", asked.Key, asked.Model, asked)
	}
	if len(asked.Tools) != 2 || string(asked.Tools[1].Function.Parameters) != `{"type":"object","properties":{}}` {
		t.Errorf("tools %s", asked.Tools)
	}
	if m.Name() != "openai/small" {
		t.Errorf("its name is %q", m.Name())
	}
}

func TestServicesSayWhatIsWrongAtTheStart(t *testing.T) {
	for want, open := range map[string]func() error{
		"no model is configured": func() error { _, err := speech.OpenLLM("openai", speech.Config{}); return err },
		`"ftp://x" is no address`: func() error {
			_, err := speech.OpenLLM("openai", speech.Config{Model: "m", URL: "ftp://x"})
			return err
		},
		"temperature is \"hot\"": func() error {
			_, err := speech.OpenLLM("openai", speech.Config{Model: "m", Options: map[string]string{"temperature": "hot"}})
			return err
		},
		"max_tokens is \"0\"": func() error {
			_, err := speech.OpenLLM("anthropic", speech.Config{Model: "m", Options: map[string]string{"max_tokens": "0"}})
			return err
		},
		"first is \"soon\"": func() error {
			_, err := speech.OpenSTT("deepgram", speech.Config{Options: map[string]string{"first": "soon"}})
			return err
		},
		"no voice is configured": func() error { _, err := speech.OpenTTS("elevenlabs", speech.Config{}); return err },
		"no url is configured":   func() error { _, err := speech.OpenSTT("vosk", speech.Config{}); return err },
		"rate is \"1\"": func() error {
			_, err := speech.OpenTTS("openai", speech.Config{Options: map[string]string{"rate": "1"}})
			return err
		},
		"silence is \"1h\"": func() error {
			_, err := speech.OpenSTT("openai", speech.Config{Options: map[string]string{"silence": "1h"}})
			return err
		},
		"there are: anthropic, openai": func() error { _, err := speech.OpenLLM("opneai", speech.Config{}); return err },
	} {
		err := open()
		if domain.CodeOf(err) != domain.CodeInvalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want something about %q", err, want)
		}
		var ours *domain.Error
		if !errors.As(err, &ours) || ours.Field == "" {
			t.Errorf("%v does not say which setting is wrong", err)
		}
	}
}
