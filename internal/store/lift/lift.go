// Package lift makes arguments of the values that statements carry in their
// text, so that a database prepares a statement once and not each time.
//
// bun writes values into its statements. Read as they are, no two statements
// about two calls are the same, and a database spends more time on understanding
// them than on running them.
package lift

import (
	"encoding/hex"
	"strconv"
	"strings"
)

// Bounds of what is lifted: beyond them a statement is too rare, or too long, to
// be worth keeping.
const (
	mostValues = 200
	longest    = 8 << 10
)

// Lifter knows which values stay in the text.
type Lifter struct {
	numbered bool            // arguments are $1, $2 …, not question marks
	stay     map[string]bool // as they are written
}

// New returns a Lifter for a database whose partial indexes have the given
// conditions, in SQL: a query finds such an index only when it says in its text
// what the index says. numbered has arguments written as PostgreSQL reads them.
func New(numbered bool, conditions []string) *Lifter {
	l := &Lifter{numbered: numbered, stay: make(map[string]bool)}
	for _, c := range conditions {
		r := reader{text: c, each: func(v value) bool {
			l.stay[v.written] = true
			return false
		}}
		r.read()
	}
	return l
}

// Lift returns the text of a statement with its values taken out, and these. It
// reports false for a statement that is better run as it is.
//
// Text in quotes and whole numbers are values where they stand after =, < or >;
// text also after a parenthesis, a comma or ||. In the rows that are inserted all
// are.
func (l *Lifter) Lift(text string) (string, []any, bool) {
	var args []any
	r := reader{text: text}
	r.each = func(v value) bool {
		if !v.row && (!v.compared() || l.stay[v.written]) {
			return false
		}
		if args == nil {
			args, r.out = make([]any, 0, 32), make([]byte, 0, min(len(text), longest)+16)
		}
		r.out = append(r.out, text[r.copied:r.at]...)
		args = append(args, v.is)
		if l.numbered {
			r.out = strconv.AppendInt(append(r.out, '$'), int64(len(args)), 10)
		} else {
			r.out = append(r.out, '?')
		}
		r.broken = len(args) > mostValues
		return true
	}
	if !r.read() || len(args) == 0 {
		return text, nil, false
	}
	if r.out = append(r.out, text[r.copied:]...); len(r.out) > longest {
		return text, nil, false
	}
	return string(r.out), args, true
}

// value is a literal of a statement.
type value struct {
	written string
	is      any  // a string, an int64 or []byte
	after   byte // what stands before it, spaces aside
	row     bool // it is a column of a row of VALUES
}

// compared reports whether a value may be an argument where it stands.
func (v *value) compared() bool {
	if _, whole := v.is.(int64); whole {
		return strings.IndexByte("=<>", v.after) >= 0
	}
	return strings.IndexByte("=<>(,|", v.after) >= 0
}

// reader reads the text of a statement, as far as literals are to be told from
// the rest of it.
type reader struct {
	text   string
	at     int
	copied int // up to where out has the text
	out    []byte
	each   func(value) bool // reports whether it has written something in place of the value

	after  byte // the last character that was no space
	depth  int  // of parentheses
	rows   bool // the rows of VALUES are being read, those of an INSERT
	broken bool
}

// read reads all of the text. It reports false for what it does not understand.
func (r *reader) read() bool {
	for r.at < len(r.text) && !r.broken {
		switch c := r.text[r.at]; {
		case c == '\'':
			r.quoted()
		case c >= '0' && c <= '9':
			r.number()
		case letter(c):
			r.word()
		case c == '"':
			r.name()
		case c == '?', c == '$', c == ';', c == '-' && r.follows('-'), c == '/' && r.follows('*'):
			return false
		default:
			r.sign(c)
		}
	}
	return !r.broken
}

// follows reports whether the next character but this is c.
func (r *reader) follows(c byte) bool { return r.at+1 < len(r.text) && r.text[r.at+1] == c }

func (r *reader) sign(c byte) {
	switch c {
	case '(':
		r.depth++
	case ')':
		r.depth--
	}
	r.at++
	if c != ' ' && c != '\t' && c != '\n' && c != '\r' {
		r.after = c
	}
}

// end finds the quote that ends what begins at from, two in a row aside.
func (r *reader) end(from int, quote byte) int {
	for i := from; i < len(r.text); i++ {
		if r.text[i] != quote {
			continue
		}
		if i+1 < len(r.text) && r.text[i+1] == quote {
			i++
			continue
		}
		return i
	}
	r.broken = true
	return len(r.text) - 1
}

// value hands on a literal that reaches to end.
func (r *reader) value(end int, is any) {
	v := value{written: r.text[r.at:end], is: is, after: r.after, row: r.rows && r.depth == 1 && (r.after == '(' || r.after == ',')}
	if r.each(v) {
		r.copied = end
	}
	r.at, r.after = end, '\''
}

func (r *reader) quoted() {
	end := r.end(r.at+1, '\'')
	if r.broken {
		return
	}
	r.value(end+1, strings.ReplaceAll(r.text[r.at+1:end], "''", "'"))
}

func (r *reader) number() {
	end := r.at
	whole := true
	for ; end < len(r.text); end++ {
		c := r.text[end]
		if c == '.' || letter(c) {
			whole = false
		} else if c < '0' || c > '9' {
			break
		}
	}
	n, err := strconv.ParseInt(r.text[r.at:end], 10, 64)
	if !whole || err != nil || r.text[r.at] == '0' && end > r.at+1 {
		r.at, r.after = end, '0'
		return
	}
	r.value(end, n)
}

// word is a keyword, a name or what stands before a literal of its own kind.
func (r *reader) word() {
	end := r.at
	for end < len(r.text) && (letter(r.text[end]) || r.text[end] >= '0' && r.text[end] <= '9') {
		end++
	}
	word := r.text[r.at:end]
	if end < len(r.text) && r.text[end] == '\'' {
		r.prefixed(word, end)
		return
	}
	switch {
	case r.depth > 0:
	case strings.EqualFold(word, "VALUES"):
		r.rows = true
	default:
		r.rows = false
	}
	r.at, r.after = end, 'a'
}

// prefixed is a literal like X'00'. Only bytes, as SQLite writes them, are known.
func (r *reader) prefixed(word string, quote int) {
	end := r.end(quote+1, '\'')
	if r.broken {
		return
	}
	if word != "X" && word != "x" {
		r.at, r.after = end+1, 'a'
		return
	}
	data, err := hex.DecodeString(r.text[quote+1 : end])
	if err != nil {
		r.broken = true
		return
	}
	r.value(end+1, data)
}

func (r *reader) name() {
	end := r.end(r.at+1, '"')
	r.at, r.after = end+1, '"'
}

func letter(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c >= 0x80
}
