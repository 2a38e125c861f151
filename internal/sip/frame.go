package sip

import (
	"bytes"
	"strconv"
	"time"
)

// framer cuts messages off a stream (RFC 3261 section 18.3).
type framer struct {
	buf   []byte
	began time.Time // when the first byte of the message that is on its way came; zero between messages
	seen  int       // where to look for the end of the header
	need  int       // how long the message is, 0 before its header is there
}

// What a framer found.
type frame int

const (
	frameNone   frame = iota // more has to be read
	frameWhole               // a message
	framePing                // a keep-alive (RFC 5626 section 3.5.1)
	frameBroken              // a header that does not say where its message ends
)

var blankLine = []byte("\r\n\r\n")

// space returns room to read into.
func (f *framer) space() []byte {
	const chunk = 4 << 10
	if cap(f.buf)-len(f.buf) < chunk {
		f.buf = append(make([]byte, 0, 2*cap(f.buf)+2*chunk), f.buf...)
	}
	return f.buf[len(f.buf):min(cap(f.buf), len(f.buf)+chunk)]
}

// filled notes that n bytes were read.
func (f *framer) filled(n int, now time.Time) {
	f.buf = f.buf[:len(f.buf)+n]
	if f.began.IsZero() {
		f.began = now
	}
}

// next returns the next message. Its bytes are good until space is called.
func (f *framer) next() ([]byte, frame) {
	if f.need == 0 {
		if ping := f.skipLines(); ping {
			return nil, framePing
		}
		if len(f.buf) == 0 {
			f.began = time.Time{}
			return nil, frameNone
		}
		at := bytes.Index(f.buf[f.seen:], blankLine)
		if at < 0 {
			f.seen = max(0, len(f.buf)-len(blankLine)+1)
			return f.unlessLong()
		}
		head := f.seen + at + len(blankLine)
		if f.need = messageLen(f.buf[:head]); f.need == 0 {
			return f.buf[:head], frameBroken
		}
	}
	if len(f.buf) < f.need {
		return f.unlessLong()
	}
	data := f.buf[:f.need]
	f.buf = f.buf[f.need:]
	f.seen, f.need, f.began = 0, 0, time.Time{}
	if len(f.buf) > 0 {
		f.began = time.Now()
	}
	return data, frameWhole
}

func (f *framer) unlessLong() ([]byte, frame) {
	if len(f.buf) > maxMessage {
		return f.buf, frameBroken
	}
	return nil, frameNone
}

// skipLines passes over line ends before a message and reports whether they
// were a ping, two at once.
func (f *framer) skipLines() bool {
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
	t, _ := readText(head)
	length, count := "", 0
	for _, h := range t.fields {
		if h.name == "content-length" {
			length = h.value
			count++
		}
	}
	n, err := strconv.ParseUint(length, 10, 31)
	if err != nil || count != 1 || !digits(length) || len(head)+int(n) > maxMessage {
		return 0
	}
	return len(head) + int(n)
}
