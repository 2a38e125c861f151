package rtp

import (
	"strings"
	"unicode/utf8"
)

// Characters with a meaning of their own in ITU-T T.140.
const (
	TextErase   = '\b'     // takes back the last character
	TextNewLine = '\u2028' // ends a line, and so an utterance
	TextMissing = '\ufffd' // stands where text was lost

	byteOrderMark = "\ufeff"
)

// ApplyT140 adds a block of T.140 text to what was received before: erasures
// take back the last character, also over the ends of lines; byte order marks
// are ignored. Everything else is kept as it came.
func ApplyT140(current, block string) string {
	if !strings.ContainsAny(block, "\b\ufeff") {
		return current + block
	}
	out := append(make([]byte, 0, len(current)+len(block)), current...)
	for _, r := range block {
		switch r {
		case TextErase:
			_, n := utf8.DecodeLastRune(out)
			out = out[:len(out)-n]
		case '\ufeff':
		default:
			out = utf8.AppendRune(out, r)
		}
	}
	return string(out)
}
