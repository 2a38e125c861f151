package rtp

import (
	"strings"
	"time"
	"unicode/utf8"

	pionrtp "github.com/pion/rtp"
)

const (
	textWindow  = 64          // packets that may wait for one that is missing
	textGapWait = time.Second // RFC 4103 §5.4: then its text counts as lost
)

// TextReceiver puts the text of RTP packets (RFC 4103) in order and fills what
// was lost from the redundancy of those that follow. Where text stays lost it
// gives U+FFFD after a second. It is not safe for use by several goroutines.
type TextReceiver struct {
	pt, redPT uint8

	started bool
	ssrc    uint32
	next    uint16 // the packet whose text is to be given next
	slots   [textWindow]textSlot
	waiting int // slots that are filled
	gapAt   time.Time
	ready   []byte
}

// textSlot is the text of one packet, by sequence number.
type textSlot struct {
	known bool
	text  string
}

// NewTextReceiver makes a receiver for the payload types of t140 and red.
func NewTextReceiver(pt, redPT uint8) *TextReceiver {
	return &TextReceiver{pt: pt, redPT: redPT}
}

// Push takes a packet. Payloads of other types, or malformed, are dropped, and
// false says so.
func (r *TextReceiver) Push(h *pionrtp.Header, payload []byte) bool {
	blocks := redundant{primary: payload}
	switch {
	case h.PayloadType == r.redPT && r.redPT != 0:
		var err error
		if blocks, err = parseRedundant(payload, r.pt); err != nil {
			return false
		}
	case h.PayloadType != r.pt:
		return false
	}
	first := h.SequenceNumber - uint16(blocks.n)
	ahead := int(int16(h.SequenceNumber - r.next))
	switch {
	case !r.started:
		r.restart(h.SSRC, first)
	case h.SSRC != r.ssrc || ahead >= textWindow || ahead < -textWindow:
		r.giveUp()
		r.restart(h.SSRC, first)
	}
	for i := range blocks.n {
		r.fill(first+uint16(i), blocks.older[i])
	}
	r.fill(h.SequenceNumber, blocks.primary)
	r.deliver()
	return true
}

func (r *TextReceiver) restart(ssrc uint32, next uint16) {
	r.started, r.ssrc, r.next = true, ssrc, next
	r.gapAt = time.Time{}
}

// fill keeps the text of a packet that was not known yet.
func (r *TextReceiver) fill(seq uint16, text []byte) {
	ahead := int(int16(seq - r.next))
	if ahead < 0 || ahead >= textWindow {
		return
	}
	if slot := &r.slots[seq%textWindow]; !slot.known {
		*slot = textSlot{known: true, text: string(text)}
		r.waiting++
	}
}

// deliver moves text that is in order to ready.
func (r *TextReceiver) deliver() {
	for slot := &r.slots[r.next%textWindow]; slot.known; slot = &r.slots[r.next%textWindow] {
		r.ready = append(r.ready, slot.text...)
		*slot = textSlot{}
		r.waiting--
		r.next++
		r.gapAt = time.Time{}
	}
}

// giveUp takes the packets of all gaps for lost.
func (r *TextReceiver) giveUp() {
	for r.waiting > 0 {
		r.skipGap()
	}
}

func (r *TextReceiver) skipGap() {
	for !r.slots[r.next%textWindow].known {
		r.next++
	}
	r.ready = utf8.AppendRune(r.ready, TextMissing)
	r.deliver()
}

// Take returns the text that has come since the last Take, whole characters
// only and without byte order marks. Call it regularly: it also ends the
// waiting for packets that are missing.
func (r *TextReceiver) Take(now time.Time) string {
	if r.waiting > 0 {
		switch {
		case r.gapAt.IsZero():
			r.gapAt = now
		case now.Sub(r.gapAt) >= textGapWait:
			r.gapAt = time.Time{}
			r.skipGap()
		}
	}
	n := wholeCharacters(r.ready)
	if n == 0 {
		return ""
	}
	text := strings.ToValidUTF8(string(r.ready[:n]), string(TextMissing))
	r.ready = append(r.ready[:0], r.ready[n:]...)
	return strings.ReplaceAll(text, byteOrderMark, "")
}

// wholeCharacters is the length of b without a character at its end that is cut
// off: some senders split characters between packets.
func wholeCharacters(b []byte) int {
	for back := 1; back < utf8.UTFMax && back <= len(b); back++ {
		if tail := b[len(b)-back:]; utf8.RuneStart(tail[0]) {
			if !utf8.FullRune(tail) {
				return len(b) - back
			}
			break
		}
	}
	return len(b)
}
