package rtp

import (
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

const (
	textClock      = time.Millisecond // RFC 4103 §4: 1000 Hz
	textInterval   = 300 * time.Millisecond
	textSlack      = 10 * time.Millisecond // half a tick: a tick that comes early is not missed
	textGeneration = 2                     // times each text is sent again
	maxTextBlock   = 400                   // bytes; three of them fit a packet
	maxTextPending = 64 << 10              // bytes; what is more is dropped
	charsPerSecond = 30                    // the default of RFC 4103 §6
	charsAtOnce    = 10 * charsPerSecond   // the rate is an average over ten seconds
)

// textBlock is text that was sent, kept to be sent again.
type textBlock struct {
	data [maxTextBlock]byte
	n    int
	at   uint32 // timestamp
}

// TextSender turns text into RTP payloads (RFC 4103): a packet at most every
// 300 ms, each with the text of the two before it, until all text has been sent
// three times. Text after a pause leaves at once.
type TextSender struct {
	pt, redPT uint8

	mu      sync.Mutex
	pending []byte
	blocks  [textGeneration]textBlock // newest last
	begun   bool
	start   time.Time
	idle    bool
	nextAt  time.Time
	budget  float64 // characters
	spentAt time.Time
}

// NewTextSender makes a sender for the payload type of t140 and, unless it is
// 0, of red.
func NewTextSender(pt, redPT uint8) *TextSender {
	return &TextSender{pt: pt, redPT: redPT, idle: true, budget: charsAtOnce}
}

// Write queues text. What is not UTF-8 becomes U+FFFD.
func (s *TextSender) Write(text string) {
	text = strings.ToValidUTF8(text, string(TextMissing))
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.pending)+len(text) <= maxTextPending {
		s.pending = append(s.pending, text...)
	}
}

// textPacket is what to send.
type textPacket struct {
	size      int // bytes of payload; 0 for none
	pt        uint8
	marker    bool   // the first after a pause
	timestamp uint32 // milliseconds since the first
}

// next puts the payload that is due, if one is, into dst.
func (s *TextSender) next(now time.Time, dst []byte) textPacket {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.Before(s.nextAt) {
		return textPacket{}
	}
	if !s.begun {
		s.begun, s.start, s.spentAt = true, now, now
	}
	block := textBlock{at: uint32(now.Sub(s.start) / textClock)}
	s.take(&block, now)
	if block.n == 0 && !s.redundancyDue() {
		s.idle = true
		return textPacket{}
	}
	p := textPacket{pt: s.pt, marker: s.idle, timestamp: block.at}
	if s.redPT != 0 {
		p.pt = s.redPT
		p.size = s.putOlder(dst, block.at)
	}
	p.size += copy(dst[p.size:], block.data[:block.n])
	copy(s.blocks[:], s.blocks[1:])
	s.blocks[textGeneration-1] = block
	s.idle = false
	s.nextAt = now.Add(textInterval - textSlack)
	return p
}

// putOlder writes the headers and data of the blocks sent before, and the
// header of the primary one, whose data is to follow.
func (s *TextSender) putOlder(dst []byte, timestamp uint32) int {
	n := 0
	for i := range s.blocks {
		n += putRedHeader(dst[n:], s.pt, timestamp-s.blocks[i].at, s.blocks[i].n)
	}
	dst[n] = s.pt
	n++
	for i := range s.blocks {
		n += copy(dst[n:], s.blocks[i].data[:s.blocks[i].n])
	}
	return n
}

func (s *TextSender) redundancyDue() bool {
	if s.redPT == 0 {
		return false
	}
	for i := range s.blocks {
		if s.blocks[i].n > 0 {
			return true
		}
	}
	return false
}

// take moves as many whole characters into block as fit and the rate allows.
func (s *TextSender) take(block *textBlock, now time.Time) {
	s.budget = min(s.budget+charsPerSecond*now.Sub(s.spentAt).Seconds(), charsAtOnce)
	s.spentAt = now
	n := 0
	for n < len(s.pending) && s.budget >= 1 {
		_, size := utf8.DecodeRune(s.pending[n:])
		if n+size > maxTextBlock {
			break
		}
		n += size
		s.budget--
	}
	block.n = copy(block.data[:], s.pending[:n])
	s.pending = append(s.pending[:0], s.pending[n:]...)
}
