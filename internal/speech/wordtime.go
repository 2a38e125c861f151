package speech

import (
	"strings"
	"unicode"
)

// Word is a piece of a text with the place in its sound where it has been said.
type Word struct {
	Text string // the word and the space after it
	End  int    // samples from the start of the sound
}

// The share of time that characters take, in units of about half a syllable.
const (
	unitVowel    = 2
	unitOther    = 1
	unitDigit    = 5 // "seven" is a word
	unitComma    = 4
	unitSentence = 7
)

// WordTimes spreads the words of a text over samples of sound that say it, by
// the letters they have. It is an estimate for engines that tell no times. The
// concatenation of the words is text; the last End is samples.
func WordTimes(text string, samples int) []Word {
	pieces := splitWords(text)
	words := make([]Word, len(pieces))
	total := 0
	for i, piece := range pieces {
		total += spokenLength(piece)
		words[i] = Word{Text: piece, End: total}
	}
	for i := range words {
		if total == 0 {
			words[i].End = samples
			continue
		}
		words[i].End = int(int64(samples) * int64(words[i].End) / int64(total))
	}
	return words
}

// splitWords cuts before each word; space goes with the word before it, at the
// start with the first.
func splitWords(text string) []string {
	var out []string
	for start := 0; start < len(text); {
		rest := text[start:]
		word := strings.IndexFunc(rest, func(r rune) bool { return !unicode.IsSpace(r) })
		if word < 0 {
			return append(out, rest)
		}
		n := strings.IndexFunc(rest[word:], unicode.IsSpace)
		if n < 0 {
			return append(out, rest)
		}
		n += word
		space := strings.IndexFunc(rest[n:], func(r rune) bool { return !unicode.IsSpace(r) })
		if space < 0 {
			return append(out, rest)
		}
		n += space
		out = append(out, rest[:n])
		start += n
	}
	return out
}

func spokenLength(word string) int {
	n := 0
	for _, r := range word {
		switch {
		case unicode.IsDigit(r):
			n += unitDigit
		case r == ',' || r == ';' || r == ':' || r == '–' || r == '—':
			n += unitComma
		case r == '.' || r == '!' || r == '?' || r == '…':
			n += unitSentence
		case strings.ContainsRune("aeiouyAEIOUYäöüáéíóúàèìòù", r):
			n += unitVowel
		case unicode.IsLetter(r):
			n += unitOther
			if r > 0x2e80 { // a character of East Asian writing is a syllable
				n += unitVowel
			}
		}
	}
	return n
}
