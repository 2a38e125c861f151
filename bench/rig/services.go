package rig

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

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

	delays Delays
	server *http.Server
	speech []byte
	turns  atomic.Int64
	asked  func(line int, what Asked)
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

// NewServices serves until Close. asked, which may be nil, is told each request
// of a line, from any goroutine.
func NewServices(d Delays, asked func(line int, what Asked)) (*Services, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Services{Addr: l.Addr().String(), delays: d, speech: sing(2 * time.Second), asked: asked}
	if s.asked == nil {
		s.asked = func(int, Asked) {}
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

// pause waits for d or until nobody waits any more, and reports which.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// think streams an answer in pieces of a few words, as chat completions do.
func (s *Services) think(w http.ResponseWriter, r *http.Request) {
	at := time.Now()
	raw, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if !pause(r.Context(), s.delays.Think) {
		return
	}
	line := lineIn(string(raw))
	words := []string{fmt.Sprintf("This is line %d ", line), "with answer number ", fmt.Sprintf("%d ", s.turns.Add(1)), "to what ", "you said."}
	w.Header().Set("Content-Type", "text/event-stream")
	first := time.Now()
	for i, text := range words {
		_ = s.event(w, map[string]any{"content": text}, nil, i == 0)
	}
	_ = s.event(w, map[string]any{}, "stop", false)
	_, _ = io.WriteString(w, "data: [DONE]\n\n")
	s.asked(line, Asked{Sense: "think", At: at, FirstAt: first})
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
	if !pause(r.Context(), s.delays.Speak) {
		return
	}
	w.Header().Set("Content-Type", "audio/pcm")
	w.Header().Set("Content-Length", strconv.Itoa(len(s.speech)))
	first := time.Now()
	_, _ = w.Write(s.speech) // who hangs up hears no more
	s.asked(lineIn(asked.Input), Asked{Sense: "speak", At: at, FirstAt: first})
}
