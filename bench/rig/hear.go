//go:build linux

package rig

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"
)

const (
	hearLevel   = 400                    // mean amplitude from which sound is speech
	hearSilence = 200 * time.Millisecond // that ends an utterance
)

// hear is one stream of a service that hears: it takes 16-bit sound at the rate
// of the query and says final words after each utterance.
func (s *Services) hear(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
	if err != nil {
		return
	}
	defer func() { _ = conn.CloseNow() }() // closed already, when all went well
	rate := 8000
	_, _ = fmt.Sscan(r.URL.Query().Get("sample_rate"), &rate) // or the usual one
	e := ear{perSecond: 2 * rate}
	for {
		kind, data, err := conn.Read(r.Context())
		if err != nil {
			return
		}
		if kind == websocket.MessageText {
			if strings.Contains(string(data), "CloseStream") {
				_ = conn.Close(websocket.StatusNormalClosure, "")
				return
			}
			continue
		}
		if e.push(data) && s.say(r.Context(), conn, e.count) != nil {
			return
		}
	}
}

// say sends final words.
func (s *Services) say(ctx context.Context, conn *websocket.Conn, count int) error {
	if !pause(ctx, s.o.Delays.Hear) {
		return ctx.Err()
	}
	words := fmt.Sprintf("please tell me more about number %d", count)
	return conn.Write(ctx, websocket.MessageText, fmt.Appendf(nil,
		`{"type":"Results","channel_index":[0,1],"duration":1.0,"start":0.0,"is_final":true,"speech_final":true,`+
			`"channel":{"alternatives":[{"transcript":%q,"confidence":0.99,"words":[]}]}}`, words))
}

// ear tells where utterances end, by their loudness.
type ear struct {
	perSecond int // bytes
	speaking  bool
	quiet     time.Duration
	count     int // utterances
}

// push takes some sound and reports whether an utterance ended with it.
func (e *ear) push(sound []byte) bool {
	if len(sound) < 2 {
		return false
	}
	sum := 0
	for i := 0; i+1 < len(sound); i += 2 {
		x := int(int16(binary.LittleEndian.Uint16(sound[i:])))
		sum += max(x, -x)
	}
	if sum > hearLevel*len(sound)/2 {
		e.speaking, e.quiet = true, 0
		return false
	}
	e.quiet += time.Duration(len(sound)) * time.Second / time.Duration(e.perSecond)
	if !e.speaking || e.quiet < hearSilence {
		return false
	}
	e.speaking = false
	e.count++
	return true
}
