package spoken

import (
	"strconv"
	"strings"
)

// repeats are words for the same digit several times.
var repeats = map[string]int{"double": 2, "triple": 3, "treble": 3, "quadruple": 4}

// Digits puts the digits in what was said together: "five double oh
// twenty three" is 50023. All reports whether nothing but digits was said.
func Digits(said []string) (digits string, all bool) {
	var out strings.Builder
	all = true
	times := 1
	for i := 0; i < len(said); {
		piece, took := digitPiece(said[i:])
		switch {
		case took > 0:
			out.WriteString(strings.Repeat(piece, times))
			times = 1
		case repeats[said[i]] > 0 && i+1 < len(said):
			times, took = repeats[said[i]], 1
		default:
			all, times, took = false, 1, 1
		}
		i += took
	}
	return out.String(), all && out.Len() > 0
}

// digitPiece reads digits from the front of said.
func digitPiece(said []string) (piece string, took int) {
	word := said[0]
	if word == "oh" || word == "o" {
		return "0", 1
	}
	if strings.Trim(word, "0123456789-./") == "" {
		return strings.Map(onlyDigits, word), 1
	}
	n, took := small(said)
	if took == 0 {
		return "", 0
	}
	piece = strconv.Itoa(n)
	if took < len(said) && n > 0 && n < 10 {
		switch said[took] {
		case "hundred":
			return piece + "00", took + 1
		case "thousand":
			return piece + "000", took + 1
		}
	}
	return piece, took
}

func onlyDigits(r rune) rune {
	if r >= '0' && r <= '9' {
		return r
	}
	return -1
}

// Phone reads a phone number: E.164 when it was said or written with a plus,
// else its digits. It has 7 to 15 digits.
func Phone(text string) (string, bool) {
	said := Words(text)
	plus := strings.Contains(text, "+")
	if i := indexRun(said, []string{"plus"}); i >= 0 {
		plus = true
		said = said[i+1:]
	}
	digits, _ := Digits(said)
	if len(digits) < 7 || len(digits) > 15 || plus && digits[0] == '0' {
		return "", false
	}
	if plus {
		return "+" + digits, true
	}
	return digits, true
}
