package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"unicode/utf8"
)

// MaxCanonicalDepth is how deep arrays and objects may be nested in what is
// made canonical. JSON.stringify is recursive in every JavaScript engine.
const MaxCanonicalDepth = 1000

// Canonical encodes v as JSON whose bytes survive JavaScript's JSON.parse and
// JSON.stringify unchanged, so that a receiver who signs or hashes what it
// parsed gets what was sent. It is the encoder of every answer and webhook.
//
// Numbers are float64, as in JavaScript: integers above 2^53 lose digits, so
// ids are strings.
func Canonical(v any) ([]byte, error) {
	return appendCanonical(nil, v)
}

func appendCanonical(dst []byte, v any) ([]byte, error) {
	if v == nil {
		return append(dst, "null"...), nil
	}
	value := reflect.ValueOf(v)
	dst, err := encoderOf(value.Type())(dst, value, 0)
	if err != nil {
		return dst, fmt.Errorf("encode canonical JSON: %w", err)
	}
	return dst, nil
}

// CanonicalJSON rewrites raw, one JSON value, so that its bytes survive
// JavaScript's JSON.parse and JSON.stringify (ECMA-262, sections 25.5.1 and
// 25.5.2) unchanged: no space; members whose names are array indices first, in
// ascending order, the others as they came; of members with the same name the
// last value, in the first one's place; numbers as Number::toString prints them
// and null for one that is too large; only what must be escaped escaped; a lone
// surrogate or a byte that is not UTF-8 is U+FFFD.
func CanonicalJSON(raw []byte) ([]byte, error) {
	if !json.Valid(raw) {
		return nil, errors.New("make JSON canonical: the input is not one JSON value")
	}
	return rewrite(raw)
}

// rewrite makes raw canonical, which is known to be valid.
func rewrite(raw []byte) ([]byte, error) {
	c := canonicalizer{src: raw, dst: make([]byte, 0, len(raw))}
	c.space()
	if err := c.value(0); err != nil {
		return nil, err
	}
	return c.dst, nil
}

// canonicalizer walks JSON that is known to be valid.
type canonicalizer struct {
	src     []byte
	at      int
	dst     []byte
	members []member // of the objects that are open, innermost last
	scratch []byte
}

// member is where one member of an object was written to, relative to the
// object's first member.
type member struct {
	start, colon, end int
	index             int64 // its array index, or -1
}

func (c *canonicalizer) space() {
	for c.at < len(c.src) {
		switch c.src[c.at] {
		case ' ', '\t', '\n', '\r':
			c.at++
		default:
			return
		}
	}
}

func (c *canonicalizer) value(depth int) error {
	if depth > MaxCanonicalDepth {
		return fmt.Errorf("make JSON canonical: nested deeper than %d", MaxCanonicalDepth)
	}
	switch b := c.src[c.at]; b {
	case '{':
		return c.object(depth)
	case '[':
		return c.array(depth)
	case '"':
		c.text()
	case 't', 'n':
		c.copy(4)
	case 'f':
		c.copy(5)
	default:
		c.number()
	}
	return nil
}

func (c *canonicalizer) copy(n int) {
	c.dst = append(c.dst, c.src[c.at:c.at+n]...)
	c.at += n
}

func (c *canonicalizer) array(depth int) error {
	c.copy(1)
	for c.space(); c.src[c.at] != ']'; c.space() {
		if c.src[c.at] == ',' {
			c.copy(1)
			c.space()
		}
		if err := c.value(depth + 1); err != nil {
			return err
		}
	}
	c.copy(1)
	return nil
}

func (c *canonicalizer) object(depth int) error {
	c.copy(1)
	first, body := len(c.members), len(c.dst)
	for c.space(); c.src[c.at] != '}'; c.space() {
		if c.src[c.at] == ',' {
			c.copy(1)
			c.space()
		}
		m := member{start: len(c.dst) - body}
		c.text()
		m.colon = len(c.dst) - body
		m.index = arrayIndex(c.dst[body+m.start+1 : body+m.colon-1])
		c.space()
		c.copy(1)
		c.space()
		if err := c.value(depth + 1); err != nil {
			return err
		}
		m.end = len(c.dst) - body
		c.members = append(c.members, m)
	}
	c.settle(body, c.members[first:])
	c.members = c.members[:first]
	c.copy(1)
	return nil
}

// settle brings the members of one object, written from body on, into the
// order of a JavaScript object's own properties.
func (c *canonicalizer) settle(body int, members []member) {
	written := c.dst[body:]
	kept := collapse(written, members)
	ordered := len(kept) == len(members) && slices.IsSortedFunc(kept, byIndex)
	if ordered {
		return
	}
	slices.SortStableFunc(kept, byIndex)
	c.scratch = c.scratch[:0]
	for i, m := range kept {
		if i > 0 {
			c.scratch = append(c.scratch, ',')
		}
		c.scratch = append(c.scratch, written[m.start:m.end]...)
	}
	c.dst = append(c.dst[:body], c.scratch...)
}

// byIndex puts array indices first, ascending; all other names are equal.
func byIndex(a, b member) int {
	switch {
	case a.index == b.index:
		return 0
	case b.index < 0, a.index >= 0 && a.index < b.index:
		return -1
	}
	return 1
}

// fewMembers is up to where comparing every pair of names beats a map.
const fewMembers = 16

// collapse keeps of each name the first place and the last value.
func collapse(written []byte, members []member) []member {
	name := func(m member) []byte { return written[m.start:m.colon] }
	kept := members[:0]
	var places map[string]int
	if len(members) > fewMembers {
		places = make(map[string]int, len(members))
	}
	for _, m := range members {
		place := -1
		if places == nil {
			place = slices.IndexFunc(kept, func(k member) bool { return bytes.Equal(name(k), name(m)) })
		} else if seen, ok := places[string(name(m))]; ok {
			place = seen
		} else {
			places[string(name(m))] = len(kept)
		}
		if place < 0 {
			kept = append(kept, m)
		} else {
			kept[place] = m
		}
	}
	return kept
}

// arrayIndex returns the array index (ECMA-262, section 6.1.7) that name spells,
// or -1.
func arrayIndex(name []byte) int64 {
	if len(name) == 0 || len(name) > 10 || name[0] == '0' && len(name) > 1 {
		return -1
	}
	var n int64
	for _, b := range name {
		if b < '0' || b > '9' {
			return -1
		}
		n = n*10 + int64(b-'0')
	}
	if n > math.MaxUint32-1 {
		return -1
	}
	return n
}

func (c *canonicalizer) number() {
	start := c.at
	plain := true
	for c.at < len(c.src) {
		b := c.src[c.at]
		if b != '-' && b != '+' && b != '.' && b != 'e' && b != 'E' && (b < '0' || b > '9') {
			break
		}
		plain = plain && b >= '0' && b <= '9'
		c.at++
	}
	text := c.src[start:c.at]
	if plain && len(text) <= 15 { // an integer that float64 holds exactly
		c.dst = append(c.dst, text...)
		return
	}
	// The only error is of range, with an infinity or a rounded value beside it.
	f, _ := strconv.ParseFloat(string(text), 64)
	c.dst = appendNumber(c.dst, f)
}

// appendNumber prints f as Number::toString does (ECMA-262, section 6.1.6.1.20).
func appendNumber(dst []byte, f float64) []byte {
	size := math.Abs(f)
	switch {
	case math.IsInf(f, 0) || math.IsNaN(f):
		return append(dst, "null"...)
	case f == 0: // also -0
		return append(dst, '0')
	case size >= 1e-6 && size < 1e21:
		return strconv.AppendFloat(dst, f, 'f', -1, 64)
	}
	dst = strconv.AppendFloat(dst, f, 'e', -1, 64)
	if n := len(dst); dst[n-2] == '0' && dst[n-3] == '-' { // e-07 is e-7
		dst[n-2] = dst[n-1]
		dst = dst[:n-1]
	}
	return dst
}

func (c *canonicalizer) text() {
	c.copy(1)
	for {
		start := c.at
		for c.at < len(c.src) && plainByte(c.src[c.at]) {
			c.at++
		}
		c.dst = append(c.dst, c.src[start:c.at]...)
		switch c.src[c.at] {
		case '"':
			c.copy(1)
			return
		case '\\':
			c.escape()
		default:
			r, size := utf8.DecodeRune(c.src[c.at:])
			c.dst = utf8.AppendRune(c.dst, r)
			c.at += size
		}
	}
}

// plainByte reports whether b is one character that is written as it is read.
func plainByte(b byte) bool { return b < utf8.RuneSelf && b != '"' && b != '\\' }

// escape rewrites one escape sequence.
func (c *canonicalizer) escape() {
	switch b := c.src[c.at+1]; b {
	case 'u':
		c.dst = appendCharacter(c.dst, c.unicode())
	case '/':
		c.dst = append(c.dst, '/')
		c.at += 2
	default: // " \ b f n r t
		c.copy(2)
	}
}

// unicode reads \uXXXX, or a pair of them that is one character.
func (c *canonicalizer) unicode() rune {
	r := hex4(c.src[c.at+2:])
	c.at += 6
	if r < 0xD800 || r > 0xDFFF {
		return r
	}
	if r <= 0xDBFF && bytes.HasPrefix(c.src[c.at:], []byte(`\u`)) {
		if low := hex4(c.src[c.at+2:]); low >= 0xDC00 && low <= 0xDFFF {
			c.at += 6
			return (r-0xD800)<<10 + (low - 0xDC00) + 0x10000
		}
	}
	return utf8.RuneError
}

// hex4 reads four hexadecimal digits, which are known to be there.
func hex4(digits []byte) rune {
	n, _ := strconv.ParseUint(string(digits[:4]), 16, 32)
	return rune(n)
}

// shortEscapes are the control characters that have a letter of their own.
var shortEscapes = map[rune]string{
	'\b': `\b`, '\f': `\f`, '\n': `\n`, '\r': `\r`, '\t': `\t`, '"': `\"`, '\\': `\\`,
}

func appendCharacter(dst []byte, r rune) []byte {
	if short, ok := shortEscapes[r]; ok {
		return append(dst, short...)
	}
	if r < ' ' {
		return fmt.Appendf(dst, `\u%04x`, r)
	}
	return utf8.AppendRune(dst, r)
}
