package providertest

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// Ear is an STT in Deepgram's protocol. It tells where there is sound by its
// loudness, and what was said by a script.
type Ear struct {
	// Hear returns the words of an utterance: the nth of the stream, from 0, which
	// lasted so long. "" is none. It may be called by several streams at once.
	Hear  func(n int, lasted time.Duration) string
	Final time.Duration // between the end of an utterance and its final words
	// Silence that ends an utterance; 0 is 300 ms.
	Silence time.Duration

	mu      sync.Mutex
	streams int
	bytes   int64
	last    string // the query of the last stream
	key     string
}

// loud is the mean absolute sample from which 20 ms are taken for speech.
const loud = 300

// Streams is how many streams were opened, and Bytes how much sound came.
func (e *Ear) Streams() (streams int, bytes int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.streams, e.bytes
}

// Opened is with which query and key the last stream was opened.
func (e *Ear) Opened() (query, authorization string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.last, e.key
}

// ServeHTTP takes one stream.
func (e *Ear) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rate, err := strconv.Atoi(r.URL.Query().Get("sample_rate"))
	if err != nil || rate < 8000 {
		http.Error(w, `{"err_msg":"no sample_rate"}`, http.StatusBadRequest)
		return
	}
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer func() { _ = conn.CloseNow() }()
	e.mu.Lock()
	e.streams++
	e.last, e.key = r.URL.RawQuery, r.Header.Get("Authorization")
	e.mu.Unlock()
	s := &earStream{ear: e, conn: conn, rate: rate}
	if s.silence = e.Silence; s.silence == 0 {
		s.silence = 300 * time.Millisecond
	}
	s.run(r.Context())
}

type earStream struct {
	ear     *Ear
	conn    *websocket.Conn
	rate    int
	silence time.Duration
	rest    []byte
	heard   time.Duration // of the stream
	began   time.Duration // of the utterance
	spoke   time.Duration // when there was speech last
	open    bool
	interim bool
	n       int
}

func (s *earStream) run(ctx context.Context) {
	for {
		kind, data, err := s.conn.Read(ctx)
		if err != nil {
			return
		}
		if kind == websocket.MessageText {
			var m struct{ Type string }
			if json.Unmarshal(data, &m) == nil && m.Type == "CloseStream" {
				if s.open {
					s.end(ctx)
				}
				_ = s.conn.Close(websocket.StatusNormalClosure, "")
				return
			}
			continue
		}
		s.ear.mu.Lock()
		s.ear.bytes += int64(len(data))
		s.ear.mu.Unlock()
		s.rest = append(s.rest, data...)
		for size := 2 * s.rate / 50; len(s.rest) >= size; s.rest = s.rest[size:] {
			s.frame(ctx, s.rest[:size])
		}
	}
}

// frame takes 20 ms.
func (s *earStream) frame(ctx context.Context, raw []byte) {
	sum := 0
	for i := 0; i+1 < len(raw); i += 2 {
		v := int(int16(binary.LittleEndian.Uint16(raw[i:])))
		sum += max(v, -v)
	}
	s.heard += 20 * time.Millisecond
	if sum/(len(raw)/2) >= loud {
		if !s.open {
			s.open, s.interim, s.began = true, false, s.heard
		}
		s.spoke = s.heard
	}
	if s.open && !s.interim && s.heard-s.began > 200*time.Millisecond {
		s.interim = true
		if text := s.ear.Hear(s.n, s.heard-s.began); text != "" {
			s.send(ctx, text[:(len(text)+1)/2], false)
		}
	}
	if s.open && s.heard-s.spoke >= s.silence {
		s.end(ctx)
	}
}

// end ends the utterance.
func (s *earStream) end(ctx context.Context) {
	text := s.ear.Hear(s.n, s.spoke-s.began)
	s.open = false
	s.n++
	if pause(ctx, s.ear.Final) {
		s.send(ctx, text, true)
	}
}

func (s *earStream) send(ctx context.Context, text string, final bool) {
	raw, err := json.Marshal(map[string]any{"type": "Results", "is_final": final, "speech_final": final,
		"channel": map[string]any{"alternatives": []any{map[string]any{"transcript": text, "confidence": 0.9}}}})
	if err == nil {
		_ = s.conn.Write(ctx, websocket.MessageText, raw) // Read tells that the connection is gone
	}
}
