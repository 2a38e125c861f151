package message

import (
	"bytes"
	"strconv"
	"time"
)

// Framer cuts messages off a stream (RFC 3261 section 18.3).
type Framer struct {
	// Began is when the first byte of the message that is on its way came; zero
	// between messages.
	Began time.Time

	buf  []byte
	seen int // where to look for the end of the header
	need int // how long the message is, 0 before its header is there
}

// Frame is what a Framer found.
type Frame int

// What it may find.
const (
	None   Frame = iota // more has to be read
	Whole               // a message
	Ping                // a keep-alive (RFC 5626 section 3.5.1)
	Broken              // a header that does not say where its message ends
)

var blankLine = []byte("\r\n\r\n")

// Space returns room to read into.
func (f *Framer) Space() []byte {
	const chunk = 4 << 10
	if cap(f.buf)-len(f.buf) < chunk {
		f.buf = append(make([]byte, 0, 2*cap(f.buf)+2*chunk), f.buf...)
	}
	return f.buf[len(f.buf):min(cap(f.buf), len(f.buf)+chunk)]
}

// Filled notes that n bytes were read.
func (f *Framer) Filled(n int, now time.Time) {
	f.buf = f.buf[:len(f.buf)+n]
	if f.Began.IsZero() {
		f.Began = now
	}
}

// Next returns the next message. Its bytes are good until Space is called.
func (f *Framer) Next() ([]byte, Frame) {
	if f.need == 0 {
		if ping := f.skipLines(); ping {
			return nil, Ping
		}
		if len(f.buf) == 0 {
			f.Began = time.Time{}
			return nil, None
		}
		at := bytes.Index(f.buf[f.seen:], blankLine)
		if at < 0 {
			f.seen = max(0, len(f.buf)-len(blankLine)+1)
			return f.unlessLong()
		}
		head := f.seen + at + len(blankLine)
		if f.need = messageLen(f.buf[:head]); f.need == 0 {
			return f.buf[:head], Broken
		}
	}
	if len(f.buf) < f.need {
		return f.unlessLong()
	}
	data := f.buf[:f.need]
	f.buf = f.buf[f.need:]
	f.seen, f.need, f.Began = 0, 0, time.Time{}
	if len(f.buf) > 0 {
		f.Began = time.Now()
	}
	return data, Whole
}

func (f *Framer) unlessLong() ([]byte, Frame) {
	if len(f.buf) > MaxLen {
		return f.buf, Broken
	}
	return nil, None
}

// skipLines passes over line ends before a message and reports whether they
// were a ping, two at once.
func (f *Framer) skipLines() bool {
	n := 0
	for n < len(f.buf) && (f.buf[n] == '\r' || f.buf[n] == '\n') {
		n++
	}
	if n > 0 {
		f.buf, f.seen = f.buf[n:], 0
	}
	return n >= len(blankLine) && len(f.buf) == 0
}

// messageLen is how long the message of a header is with its body, 0 when the
// header does not say or says too much.
func messageLen(head []byte) int {
	t, _ := Read(head)
	length, count := "", 0
	for _, h := range t.Fields {
		if h.Name == "content-length" {
			length = h.Value
			count++
		}
	}
	n, err := strconv.ParseUint(length, 10, 31)
	if err != nil || count != 1 || !digits(length) || len(head)+int(n) > MaxLen {
		return 0
	}
	return len(head) + int(n)
}
