package provider_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/callwright/callwright/internal/audio"
	"github.com/callwright/callwright/internal/provider"
	"github.com/callwright/callwright/internal/provider/providertest"
	"github.com/callwright/callwright/internal/speech"
)

var line = speech.Format{SampleRate: 8000, Language: "en-US"}

func ear(t *testing.T, name string, c speech.Config) speech.STT {
	t.Helper()
	e, err := speech.OpenSTT(name, c)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// listen opens a stream that is closed with the test.
func listen(t *testing.T, e speech.STT) speech.Stream {
	t.Helper()
	s, err := e.Open(t.Context(), line)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		for range s.Heard() { // until it is closed
		}
	})
	return s
}

// tell writes sound and silence to a stream.
func tell(t *testing.T, s speech.Stream, sound, silence time.Duration) {
	t.Helper()
	tone := audio.NewTone(8000, 9000, 300)
	frame := make([]int16, 160)
	for i := range int((sound + silence) / audio.FrameDuration) {
		clear(frame)
		if time.Duration(i)*audio.FrameDuration < sound {
			tone.Fill(frame)
		}
		if err := s.WriteFrame(frame); err != nil {
			t.Fatal(err)
		}
	}
}

// hears waits for the next thing that is understood.
func hears(t *testing.T, s speech.Stream) speech.Heard {
	t.Helper()
	select {
	case h, open := <-s.Heard():
		if !open {
			t.Fatalf("the stream ended: %v", s.Err())
		}
		return h
	case <-time.After(10 * time.Second):
		t.Fatal("nothing is understood")
	}
	return speech.Heard{}
}

// ends waits for the end of a stream.
func ends(t *testing.T, s speech.Stream) error {
	t.Helper()
	for late := time.After(10 * time.Second); ; {
		select {
		case _, open := <-s.Heard():
			if !open {
				return s.Err()
			}
		case <-late:
			t.Fatal("the stream does not end")
		}
	}
}

func TestDeepgramHears(t *testing.T) {
	script := &providertest.Ear{Hear: func(n int, lasted time.Duration) string {
		return fmt.Sprintf("utterance %d of %d ms", n, lasted.Milliseconds())
	}}
	e := ear(t, provider.Deepgram, speech.Config{URL: serve(t, providertest.All(nil, nil, script)) + "/v1", Key: "dg-1",
		Options: map[string]string{"keyterm": "Callwright", "endpointing": "200"}})
	s := listen(t, e)
	tell(t, s, 600*time.Millisecond, 400*time.Millisecond)
	if h := hears(t, s); h.Final || !strings.HasPrefix(h.Text, "utterance 0") {
		t.Errorf("heard %+v first", h)
	}
	if h := hears(t, s); h != (speech.Heard{Text: "utterance 0 of 580 ms", Final: true}) {
		t.Errorf("heard %+v", h)
	}
	// What was said last is still understood when the stream is closed.
	tell(t, s, 600*time.Millisecond, 40*time.Millisecond)
	hears(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if h := hears(t, s); !h.Final || !strings.HasPrefix(h.Text, "utterance 1") {
		t.Errorf("heard %+v at the end", h)
	}
	if err := ends(t, s); err != nil {
		t.Errorf("it was closed: %v", err)
	}
	if err := s.WriteFrame(make([]int16, 160)); err == nil {
		t.Error("a closed stream takes sound")
	}
	query, key := script.Opened()
	want := "channels=1&encoding=linear16&endpointing=200&interim_results=true&keyterm=Callwright&language=en-US&model=nova-3&punctuate=true&sample_rate=8000"
	if query != want || key != "Token dg-1" {
		t.Errorf("opened with %s and %q", query, key)
	}
}

// Results of the protocol become utterances.
func TestDeepgramPutsUtterancesTogether(t *testing.T) {
	result := func(text string, final, spoken bool) string {
		return fmt.Sprintf(`{"type":"Results","channel_index":[0,1],"duration":1,"start":0,"is_final":%v,"speech_final":%v,"channel":{"alternatives":[{"transcript":%q,"confidence":0.9,"words":[]}]},"metadata":{}}`, final, spoken, text)
	}
	messages := []string{
		`{"type":"Metadata","request_id":"x"}`, `{"type":"SpeechStarted","channel":[0],"timestamp":0.1}`,
		result("", false, false), result("I want", false, false), result("I want two", true, false), result("tables", false, false),
		result("tables please.", true, true), result("", true, true),
		result("And", true, false), `{"type":"UtteranceEnd","channel":[0,1],"last_word_end":3.1}`, `{"type":"UtteranceEnd","channel":[0,1],"last_word_end":3.1}`,
		`{"type":"Results","channel":{"alternatives":[]}}`, `{"type":"Later"}`,
		`{"type":"Error","description":"out of credit","message":"","variant":"x"}`,
	}
	s := listen(t, ear(t, provider.Deepgram, speech.Config{URL: serve(t, speaking(messages...))}))
	var got []string
	for h := range s.Heard() {
		got = append(got, fmt.Sprintf("%s/%v", h.Text, h.Final))
	}
	want := "I want/false I want two/false I want two tables/false I want two tables please./true And/false And/true"
	if strings.Join(got, " ") != want {
		t.Errorf("heard %q, want %q", got, want)
	}
	if err := s.Err(); err == nil || !speech.Retryable(err) || !strings.Contains(err.Error(), "it says: out of credit") {
		t.Errorf("it ended with %v", err)
	}
}

// speaking is a server that sends messages at once and reads what comes.
func speaking(messages ...string) http.Handler {
	return socket(func(ctx context.Context, c *websocket.Conn) {
		for _, m := range messages {
			if c.Write(ctx, websocket.MessageText, []byte(m)) != nil {
				return
			}
		}
		for {
			if _, _, err := c.Read(ctx); err != nil {
				return
			}
		}
	})
}

func socket(serve func(context.Context, *websocket.Conn)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer func() { _ = c.CloseNow() }()
		serve(r.Context(), c)
	})
}

func TestVoskHears(t *testing.T) {
	var mu sync.Mutex
	var texts []string
	url := serve(t, socket(func(ctx context.Context, c *websocket.Conn) {
		for sound := 0; ; {
			kind, data, err := c.Read(ctx)
			if err != nil {
				return
			}
			answer := `{"partial":"one"}`
			if kind == websocket.MessageText {
				mu.Lock()
				texts = append(texts, string(data))
				mu.Unlock()
				answer = `{"text":"one two"}`
			} else if sound++; sound > 1 {
				continue
			}
			if string(data) == `{"config":{"sample_rate":8000}}` {
				continue
			}
			if c.Write(ctx, websocket.MessageText, []byte(answer)) != nil {
				return
			}
			if kind == websocket.MessageText {
				_ = c.Close(websocket.StatusNormalClosure, "")
				return
			}
		}
	}))
	s := listen(t, ear(t, provider.Vosk, speech.Config{URL: strings.Replace(url, "http", "ws", 1)}))
	tell(t, s, 200*time.Millisecond, 0)
	if h := hears(t, s); h != (speech.Heard{Text: "one"}) {
		t.Errorf("heard %+v", h)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if h := hears(t, s); h != (speech.Heard{Text: "one two", Final: true}) {
		t.Errorf("heard %+v", h)
	}
	if err := ends(t, s); err != nil {
		t.Error(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if got := strings.Join(texts, " "); got != `{"config":{"sample_rate":8000}} {"eof":1}` {
		t.Errorf("it was told %s", got)
	}
}

func TestStreamsAgainstHostileServers(t *testing.T) {
	for name, c := range map[string]struct {
		server http.Handler
		err    string
		retry  bool
	}{
		"refuses the key":  {&providertest.Replay{Status: 401, Body: []byte(`{"err_code":"INVALID_AUTH","err_msg":"Invalid credentials dg-secret"}`)}, "does not accept the key", false},
		"is too busy":      {&providertest.Replay{Status: 429, Header: map[string]string{"Retry-After": "3"}}, "again in 3s", true},
		"is broken":        {&providertest.Replay{Status: 500}, "in trouble", true},
		"is no WebSocket":  {&providertest.Replay{Body: []byte("hello")}, "", true},
		"drops the line":   {&providertest.Replay{Break: true}, "broke", true},
		"closes at once":   {socket(func(_ context.Context, c *websocket.Conn) { _ = c.Close(1011, "NET-0001") }), `closed it: "NET-0001"`, true},
		"breaks off":       {socket(func(_ context.Context, c *websocket.Conn) { _ = c.CloseNow() }), "connection was lost", true},
		"sends no JSON":    {speaking("<html>"), "not the JSON", true},
		"sends a gigabyte": {socket(func(ctx context.Context, c *websocket.Conn) { gigabyte(ctx, c) }), "broke", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := ear(t, provider.Deepgram, speech.Config{URL: serve(t, c.server), Key: "dg-secret"})
			s, err := e.Open(t.Context(), line)
			if err == nil {
				err = ends(t, s)
			}
			if err == nil || !strings.Contains(err.Error(), c.err) || speech.Retryable(err) != c.retry || strings.Contains(err.Error(), "dg-secret") {
				t.Errorf("error %v (retryable: %v), want %q", err, speech.Retryable(err), c.err)
			}
		})
	}
}

// gigabyte sends one message of that size.
func gigabyte(ctx context.Context, c *websocket.Conn) {
	w, err := c.Writer(ctx, websocket.MessageText)
	for chunk := make([]byte, 1<<20); err == nil; {
		_, err = w.Write(chunk)
	}
}

// A server that takes no sound holds nobody up, and its sound does not pile up.
func TestStreamDoesNotWaitForItsServer(t *testing.T) {
	url := serve(t, socket(func(ctx context.Context, _ *websocket.Conn) { <-ctx.Done() }))
	s := listen(t, ear(t, provider.Deepgram, speech.Config{URL: url}))
	frame := make([]int16, 160)
	var longest time.Duration
	allocated := testing.AllocsPerRun(1, func() {
		for range 50 * 120 { // two minutes
			began := time.Now()
			if s.WriteFrame(frame) != nil {
				break
			}
			longest = max(longest, time.Since(began))
		}
	})
	if longest > 2*time.Second {
		t.Errorf("a frame took %s", longest)
	}
	if allocated > 2000 {
		t.Errorf("%v allocations", allocated)
	}
}

func TestStreamEndsWithItsContext(t *testing.T) {
	url := serve(t, speaking())
	ctx, cancel := context.WithCancel(t.Context())
	s, err := ear(t, provider.Deepgram, speech.Config{URL: url}).Open(ctx, line)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := ends(t, s); !errors.Is(err, context.Canceled) {
		t.Errorf("it ended with %v", err)
	}
	if err := s.WriteFrame(make([]int16, 100)); err == nil {
		t.Error("a frame of 100 samples is taken")
	}
	silent := serve(t, &providertest.Replay{Before: time.Minute})
	ctx, cancel = context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := ear(t, provider.Deepgram, speech.Config{URL: silent}).Open(ctx, line); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a server that does not answer: %v", err)
	}
}

// voiced is a sound that voice detection takes for speech.
func voiced(d time.Duration) []int16 {
	pcm := make([]int16, audio.Samples(d, 8000))
	for i := range pcm {
		at := float64(i) / 8000
		v := 0.0
		for h := 1.0; h <= 20; h++ {
			v += math.Sin(2*math.Pi*130*h*at) * math.Exp(-(130*h-600)*(130*h-600)/3e5)
		}
		pcm[i] = int16(3000 * v * (0.7 + 0.3*math.Sin(2*math.Pi*4*at)))
	}
	return pcm
}

func TestOpenAIEarHears(t *testing.T) {
	type asked struct {
		fields map[string]string
		sound  time.Duration
		rate   int
	}
	got := make(chan asked, 8)
	replies := make(chan string, 8)
	url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a := asked{fields: map[string]string{}}
		form, err := r.MultipartReader()
		for err == nil {
			part, next := form.NextPart()
			if next != nil {
				break
			}
			if part.FormName() != "file" {
				raw, readErr := io.ReadAll(part)
				a.fields[part.FormName()], err = string(raw), readErr
				continue
			}
			pcm, rate, readErr := audio.ReadWAV(part)
			a.sound, a.rate, err = audio.Duration(len(pcm), rate), rate, readErr
		}
		if err != nil {
			t.Error(err)
		}
		got <- a
		fmt.Fprint(w, <-replies)
	}))
	e := ear(t, provider.OpenAI, speech.Config{URL: url, Name: "whisper", Model: "large-v3", Options: map[string]string{"silence": "300ms", "prompt": "Callwright"}})
	s, err := e.Open(t.Context(), line)
	if err != nil || e.Name() != "whisper" {
		t.Fatal(e.Name(), err)
	}
	say := func(d time.Duration) {
		t.Helper()
		pcm := append(append(audio.Silence(8000, time.Second), voiced(d)...), audio.Silence(8000, time.Second)...)
		for ; len(pcm) >= 160; pcm = pcm[160:] {
			if err := s.WriteFrame(pcm[:160]); err != nil {
				return // it has ended, which is seen below
			}
		}
	}
	reply := func(text string) string {
		raw, err := json.Marshal(map[string]any{"text": text, "usage": map[string]any{"type": "duration", "seconds": 1}})
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	replies <- reply(" ") // nothing was said
	say(700 * time.Millisecond)
	replies <- reply(" Two tables, please.\n")
	say(1200 * time.Millisecond)
	if h := hears(t, s); h != (speech.Heard{Text: "Two tables, please.", Final: true}) {
		t.Errorf("heard %+v", h)
	}
	for i, least := range []time.Duration{700 * time.Millisecond, 1200 * time.Millisecond} {
		a := <-got
		if a.fields["model"] != "large-v3" || a.fields["language"] != "en" || a.fields["prompt"] != "Callwright" || a.rate != 8000 ||
			a.sound < least || a.sound > least+time.Second {
			t.Errorf("utterance %d: %+v", i, a)
		}
	}
	replies <- `<html>`
	say(700 * time.Millisecond)
	if err := ends(t, s); err == nil || !speech.Retryable(err) || !strings.Contains(err.Error(), "no transcript") {
		t.Errorf("it ended with %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
