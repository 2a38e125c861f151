package engine

import (
	"context"
	"strings"
	"sync"

	"github.com/callwright/callwright/internal/rtp"
	"github.com/callwright/callwright/internal/speech"
)

// lineBreak ends a turn in T.140 text (ITU-T T.140 §8.3: U+2028).
const lineBreak = "\u2028"

// captions understands a caller by the real-time text that goes along with the
// sound (RFC 4103). To the conversation it is one more engine that hears:
// interim words with each block, final ones with each line break.
type captions struct {
	mu     sync.Mutex
	line   string
	closed bool
	heard  chan speech.Heard
}

// maxLine is how many bytes a turn in text may have; a longer one is parted, so
// that a far end cannot make us keep what it likes.
const maxLine = 4000

// captionsRate is the rate of the sound that captions are told of, and ignore.
const captionsRate = 8000

func newCaptions() *captions { return &captions{heard: make(chan speech.Heard, 64)} }

// Name returns "realtime-text".
func (c *captions) Name() string { return "realtime-text" }

// Open returns the one stream of this call.
func (c *captions) Open(ctx context.Context, _ speech.Format) (speech.Stream, error) {
	context.AfterFunc(ctx, func() { _ = c.Close() })
	return c, nil
}

// text takes one block of T.140 as it arrived.
func (c *captions) text(block string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	block = strings.NewReplacer("\r\n", lineBreak, "\n", lineBreak, "\r", lineBreak).Replace(block)
	for {
		before, after, ended := strings.Cut(block, lineBreak)
		c.line = rtp.ApplyT140(c.line, before)
		if !ended && len(c.line) <= maxLine {
			break
		}
		c.tell(speech.Heard{Text: strings.TrimSpace(c.line), Final: true})
		c.line, block = "", after
	}
	if c.line != "" {
		c.tell(speech.Heard{Text: strings.TrimSpace(c.line)})
	}
}

// tell delivers h unless nobody reads any more. Interim words leave room for
// final ones.
func (c *captions) tell(h speech.Heard) {
	if !h.Final && len(c.heard) >= cap(c.heard)/2 {
		return
	}
	select {
	case c.heard <- h:
	default:
	}
}

// Heard delivers what was understood.
func (c *captions) Heard() <-chan speech.Heard { return c.heard }

// Err returns nil: captions do not fail.
func (c *captions) Err() error { return nil }

// SampleRate is that of the call's sound.
func (c *captions) SampleRate() int { return captionsRate }

// WriteFrame ignores the sound: the words come as text.
func (c *captions) WriteFrame([]int16) error { return nil }

func (c *captions) String() string { return c.Name() }

// Close ends the stream.
func (c *captions) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.closed = true
		close(c.heard)
	}
	return nil
}

var (
	_ speech.STT    = (*captions)(nil)
	_ speech.Stream = (*captions)(nil)
)
