package sheet

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/callwright/callwright/internal/phone"
)

// What spreadsheets make of numbers that they are not told to leave alone.
var (
	rounded = regexp.MustCompile(`^\+?\d+([.,]\d+)?[eE]\+?\d+$`)
	decimal = regexp.MustCompile(`^\+?\d+[.,]0*$`)
)

// number returns the phone number that a cell has in E.164, or what is wrong
// with it. Nothing is guessed: a number without its country is none.
func number(cell string, sandbox bool) (e164, reason string) {
	cell = strings.TrimSpace(cell)
	switch {
	case cell == "":
		return "", "The phone number is missing: write it with a plus sign and its country code, such as +12025550123."
	case rounded.MatchString(cell):
		return "", "The spreadsheet has rounded the phone number, and its last digits are lost: format the column as text, and enter the number again."
	case decimal.MatchString(cell):
		return "", "A program has made a decimal of the phone number: store the column as text, and write the number as +12025550123."
	}
	digits, plus, ok := digitsOf(cell)
	if !ok {
		return "", "The cell is not one phone number: write a plus sign, the country code and the digits, such as +12025550123, without letters, an extension or a second number."
	}
	if international, found := strings.CutPrefix(digits, "00"); found && !plus {
		digits, plus = international, true
	}
	number := "+" + digits
	if !plus {
		if assigned, known := phone.Assigned(number); known {
			return "", fmt.Sprintf("The phone number has no plus sign, which spreadsheets remove: if it is %s, write it so, and format the column as text.", assigned)
		}
		return "", "The phone number has no country code: write it with a plus sign and its country code, such as +12025550123."
	}
	if phone.Valid(number) != nil {
		return "", "A phone number has 7 to 15 digits with its country code, which does not begin with 0: write it as +12025550123."
	}
	if sandbox {
		return number, ""
	}
	assigned, known := phone.Assigned(number)
	if !known {
		return "", "No phone number like this is assigned in its country: look for a digit that is missing, or too many."
	}
	return assigned, ""
}

// digitsOf returns the digits of a number as people write it, and whether a plus
// sign leads them. It is not ok when there is anything else than what separates
// digits, and what is invisible and copied along.
func digitsOf(cell string) (digits string, plus, ok bool) {
	if len(cell) > maxShown {
		return "", false, false
	}
	var b strings.Builder
	for _, r := range cell {
		switch {
		case r >= '0' && r <= '9':
			b.WriteRune(r)
		case r == '+' && !plus && b.Len() == 0:
			plus = true
		case strings.ContainsRune(" -.()\u00A0\u202F\u2009\u2010\u2011\u2012\u2013\u2014\u2212", r):
		case r >= '\u200B' && r <= '\u200F', r >= '\u202A' && r <= '\u202E', r >= '\u2066' && r <= '\u2069', r == '\u2060', r == '\uFEFF':
		default:
			return "", false, false
		}
	}
	return b.String(), plus, b.Len() > 0
}
