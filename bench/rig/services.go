//go:build linux

package rig

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// ServiceOptions say how the scripted services behave.
type ServiceOptions struct {
	Delays  Delays
	Answers int                        // how many different answers there are; 0: none comes twice
	Asked   func(line int, what Asked) // told each request of a line, from any goroutine; may be nil
}

// Delays are what the scripted services take, as real ones do. They are no share
// of ours and are taken off what is measured.
type Delays struct {
	Hear  time.Duration // from the last sound of an utterance to its final words
	Think time.Duration // to the first words of an answer
	Speak time.Duration // to the first sound
}

// Services are scripted services that hear (a WebSocket as Deepgram's), think
// (chat completions as OpenAI's) and talk (speech as OpenAI's), on one loopback
// port. The model is told in its prompt which line asks, "line 17", and its
// answers differ, so that no cache helps.
type Services struct {
	Addr string // host:port

	o      ServiceOptions
	server *http.Server
	speech []byte
	turns  atomic.Int64
}

// Asked is a request that a service got, and when the first of its answer left.
type Asked struct {
	Sense   string // hear, think, speak
	At      time.Time
	FirstAt time.Time
}

// serviceRate is the rate of the speech that is served, hertz (response_format
// pcm of OpenAI's speech API).
const serviceRate = 24000

// NewServices serves until Close.
func NewServices(o ServiceOptions) (*Services, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Services{Addr: l.Addr().String(), o: o, speech: sing(2 * time.Second)}
	if s.o.Asked == nil {
		s.o.Asked = func(int, Asked) {}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/chat/completions", s.think)
	mux.HandleFunc("POST /v1/audio/speech", s.speak)
	mux.HandleFunc("GET /v1/listen", s.hear)
	s.server = &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	go func() { _ = s.server.Serve(l) }() // ends with Close
	return s, nil
}

// Close ends all services.
func (s *Services) Close() error { return s.server.Close() }

// sing makes sound that is loud from its first sample: raw, 16 bits.
func sing(d time.Duration) []byte {
	n := int(d * serviceRate / time.Second)
	out := make([]byte, 0, 2*n)
	for i := range n {
		t := float64(i) / serviceRate
		x := 6000*math.Sin(2*math.Pi*300*t) + 4000*math.Sin(2*math.Pi*700*t)
		v := uint16(int16(x * (0.7 + 0.3*math.Cos(2*math.Pi*5*t))))
		out = append(out, byte(v), byte(v>>8))
	}
	return out
}

// lineIn finds the number after "line " in a text; −1 without one.
func lineIn(text string) int {
	_, rest, found := strings.Cut(strings.ToLower(text), "line ")
	if !found {
		return -1
	}
	end := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		end = len(rest)
	}
	n, err := strconv.Atoi(rest[:end])
	if err != nil {
		return -1
	}
	return n
}

// pause waits for d, and up to a frame more, or until nobody waits any more, and reports which.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d + rand.N(frame))
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// settings are those of callwright.yaml that have a server use the services.
func (s *Services) settings(voice bool) string {
	text := fmt.Sprintf("llm: [{engine: openai, url: \"http://%[1]s/v1\", key: k, model: scripted}]\n"+
		"stt: [{engine: deepgram, url: \"ws://%[1]s/v1\", key: k}]\n", s.Addr)
	if voice {
		text += fmt.Sprintf("tts: [{engine: openai, url: \"http://%s/v1\", key: k}]\n", s.Addr)
	}
	return text
}

// answer is what the model says to a line, in the pieces in which it comes.
func (s *Services) answer(line int) []string {
	n := int(s.turns.Add(1))
	if s.o.Answers > 0 {
		line, n = 0, n%s.o.Answers
	}
	return []string{fmt.Sprintf("This is line %d ", line), "with answer number ", fmt.Sprintf("%d ", n), "to what ", "you said."}
}

// think streams an answer in pieces of a few words, as chat completions do.
func (s *Services) think(w http.ResponseWriter, r *http.Request) {
	at := time.Now()
	raw, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if !pause(r.Context(), s.o.Delays.Think) {
		return
	}
	line := lineIn(string(raw))
	words := s.answer(line)
	w.Header().Set("Content-Type", "text/event-stream")
	first := time.Now()
	for i, text := range words {
		_ = s.event(w, map[string]any{"content": text}, nil, i == 0)
	}
	_ = s.event(w, map[string]any{}, "stop", false)
	_, _ = io.WriteString(w, "data: [DONE]\n\n")
	s.o.Asked(line, Asked{Sense: "think", At: at, FirstAt: first})
}

func (s *Services) event(w http.ResponseWriter, delta map[string]any, finish any, first bool) error {
	if first {
		delta["role"] = "assistant"
	}
	raw, err := json.Marshal(map[string]any{
		"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "scripted",
		"choices": []any{map[string]any{"index": 0, "delta": delta, "finish_reason": finish}},
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "data: %s\n\n", raw)
	if f, ok := w.(http.Flusher); ok {
		f.Flush()
	}
	return err
}

// speak sends two seconds of sound at once.
func (s *Services) speak(w http.ResponseWriter, r *http.Request) {
	at := time.Now()
	raw, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	var asked struct{ Input string }
	if err = errors.Join(err, json.Unmarshal(raw, &asked)); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if !pause(r.Context(), s.o.Delays.Speak) {
		return
	}
	w.Header().Set("Content-Type", "audio/pcm")
	w.Header().Set("Content-Length", strconv.Itoa(len(s.speech)))
	first := time.Now()
	_, _ = w.Write(s.speech) // who hangs up hears no more
	s.o.Asked(lineIn(asked.Input), Asked{Sense: "speak", At: at, FirstAt: first})
}
