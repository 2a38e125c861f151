// Package spoken makes values of what people say: yes and no, numbers, days, times
// of day, phone numbers, e-mail addresses and choices out of a list. It is written
// for English as speech recognition puts it down. Every reader returns false for
// what is no such value, and for what could mean more than one.
package spoken

import (
	"strings"
	"unicode"
)

// Words splits what was said into lower-case words without punctuation.
// Apostrophes vanish (don't is dont), hyphens between letters part words, and
// signs inside numbers stay: 3.5, 15:30, 3/15, 2026-03-15.
func Words(text string) []string {
	runes := []rune(strings.ToLower(text))
	var (
		list []string
		word []rune
	)
	flush := func() {
		if len(word) > 0 {
			list = append(list, string(word))
			word = word[:0]
		}
	}
	for i, r := range runes {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.Mn, r):
			word = append(word, r)
		case r == '\'' || r == '’' || r == '‘':
		case strings.ContainsRune(".,:/-", r) && digitAt(runes, i-1) && digitAt(runes, i+1):
			word = append(word, r)
		case r == '.' && len(word) == 1 && i+1 < len(runes) && unicode.IsLetter(runes[i+1]) && lone(runes, i+1):
			// p.m. is pm
		default:
			flush()
		}
	}
	flush()
	return list
}

func digitAt(runes []rune, i int) bool {
	return i >= 0 && i < len(runes) && runes[i] >= '0' && runes[i] <= '9'
}

// lone reports whether the letter at i is not followed by another.
func lone(runes []rune, i int) bool {
	return i+1 >= len(runes) || !unicode.IsLetter(runes[i+1]) && !unicode.IsDigit(runes[i+1])
}

// wordSet makes a set of the words in a text.
func wordSet(text string) map[string]bool {
	set := map[string]bool{}
	for _, word := range strings.Fields(text) {
		set[word] = true
	}
	return set
}

// withoutRuns returns list without the runs of words in phrases, and whether any
// was there.
func withoutRuns(list []string, phrases [][]string) ([]string, bool) {
	found := false
	for _, phrase := range phrases {
		for {
			i := indexRun(list, phrase)
			if i < 0 {
				break
			}
			list = append(list[:i:i], list[i+len(phrase):]...)
			found = true
		}
	}
	return list, found
}

// phrases splits lines into words.
func phrases(lines ...string) [][]string {
	list := make([][]string, len(lines))
	for i, line := range lines {
		list[i] = strings.Fields(line)
	}
	return list
}
