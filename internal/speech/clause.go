package speech

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Lengths in bytes from which a clause may be cut at lesser marks.
const (
	clauseAtComma = 60  // at , ; : and dashes
	clauseAtSpace = 220 // at any space
	clauseAtAll   = 400 // between any two characters
)

// abbreviations do not end a sentence with their point. Those in the second
// group do so before a capital letter.
var (
	abbreviations = words("mr mrs ms dr prof rev hon st sgt capt gen gov sen rep jr sr vs e.g i.e cf al approx fig vol dept ext tel mt ft")
	mayEnd        = words("a.m p.m u.s u.k inc ltd co corp etc ave blvd rd apt no jan feb mar apr jun jul aug sep sept oct nov dec mon tue wed thu fri sat sun")
)

func words(list string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(list) {
		set[w] = true
	}
	return set
}

// Clauses cuts text into pieces that can be spoken one after the other, at ends
// of sentences and, in long ones, at commas. Their concatenation is text.
func Clauses(text string) []string {
	var s Splitter
	out := s.Push(text)
	if rest := s.Flush(); rest != "" {
		out = append(out, rest)
	}
	return out
}

// Splitter cuts text that comes in pieces, as from a model, into clauses. The
// concatenation of all it returns is all it was given. The zero value is ready.
type Splitter struct{ held string }

// Push takes the next piece and returns the clauses that are complete.
func (s *Splitter) Push(piece string) []string {
	s.held += piece
	var out []string
	for {
		n := clauseEnd(s.held)
		if n == 0 {
			return out
		}
		out = append(out, s.held[:n])
		s.held = s.held[n:]
	}
}

// Flush returns what is held and has no end yet, or "".
func (s *Splitter) Flush() string {
	rest := s.held
	s.held = ""
	return rest
}

// clauseEnd returns the length of the first complete clause of text with the
// space that follows it, or 0 when more text must come to tell.
func clauseEnd(text string) int {
	spoken := false // a clause has something to say
	for i, r := range text {
		if !spoken {
			spoken = unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsSymbol(r)
			continue
		}
		end := i + utf8.RuneLen(r)
		if r == utf8.RuneError {
			_, size := utf8.DecodeRuneInString(text[i:])
			end = i + size
		}
		if i >= clauseAtAll {
			return i
		}
		if !breaksAfter(text, i, r, end) {
			continue
		}
		if stop := skipClosing(text, end); stop < len(text) {
			return stop
		}
	}
	return 0
}

// breaksAfter reports whether a clause ends with the mark r at text[i:end]. It
// is only asked to decide when the text after the mark is known.
func breaksAfter(text string, i int, r rune, end int) bool {
	switch r {
	case '\n', '。', '！', '？', '।', '؟':
		return true
	case '!', '?', '…':
		return opensAfter(text, end)
	case '.':
		return opensAfter(text, end) && !pointOfWord(text, i, end)
	case ';', ':', ',', '–', '—':
		return i >= clauseAtComma && opensAfter(text, end)
	case '、', '，', '；', '：':
		return i >= clauseAtComma
	}
	return i >= clauseAtSpace && unicode.IsSpace(r)
}

// opensAfter reports whether a space follows the mark that ends at end, after
// closing quotes and brackets.
func opensAfter(text string, end int) bool {
	r, _ := utf8.DecodeRuneInString(strings.TrimLeft(text[end:], closing))
	return unicode.IsSpace(r)
}

const closing = "\"')]}”’»"

// skipClosing returns where the next clause starts: after closing marks and
// spaces.
func skipClosing(text string, end int) int {
	rest := strings.TrimLeft(text[end:], closing)
	return len(text) - len(strings.TrimLeftFunc(rest, unicode.IsSpace))
}

// pointOfWord reports whether the point at text[i] belongs to the word before
// it: an abbreviation, an initial, the number of a list, or a sentence that goes
// on in lower case.
func pointOfWord(text string, i, end int) bool {
	next, _ := utf8.DecodeRuneInString(text[skipClosing(text, end):])
	if unicode.IsLower(next) {
		return true
	}
	start := strings.LastIndexFunc(text[:i], unicode.IsSpace) + 1
	word := strings.ToLower(strings.TrimLeft(text[start:i], "\"'([{“‘«"))
	switch {
	case abbreviations[word]:
		return true
	case mayEnd[word]:
		return !unicode.IsUpper(next)
	case utf8.RuneCountInString(word) == 1:
		r, _ := utf8.DecodeRuneInString(word)
		return unicode.IsLetter(r) && word != "i" || unicode.IsNumber(r) && strings.TrimSpace(text[:start]) == ""
	}
	return false
}
