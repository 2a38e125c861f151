package phone

import (
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// digitsOf returns the digits of a number as people and switches write it, and
// whether a plus sign led them; "" when there is anything else in it than digits
// and what separates them.
func digitsOf(raw string) (digits string, plus bool) {
	raw = strings.TrimSpace(raw)
	raw, plus = strings.CutPrefix(raw, "+")
	var b strings.Builder
	for _, r := range raw {
		switch {
		case r >= '0' && r <= '9':
			b.WriteRune(r)
		case strings.ContainsRune(" -.()/", r):
		default:
			return "", false
		}
	}
	return b.String(), plus
}

// Dials reports whether dialed, as a switch has passed it on, is a way to write
// the E.164 number own: with or without its plus sign, after an international
// prefix, or as it is dialed within its country.
func Dials(dialed, own string) bool {
	digits, plus := digitsOf(dialed)
	whole := strings.TrimPrefix(own, "+")
	switch {
	case digits == "" || Valid(own) != nil:
		return false
	case digits == whole:
		return true
	case plus:
		return false
	case digits == "00"+whole || digits == "011"+whole:
		return true
	}
	parsed, err := phonenumbers.Parse(own, "")
	if err != nil {
		return false
	}
	national := phonenumbers.GetNationalSignificantNumber(parsed)
	return digits == national || digits == "0"+national
}

// Normalize returns raw, a number as a switch has passed it on, in E.164 when
// there is only one number that it can be for somebody at the E.164 number near;
// "" when there is none, or more than one.
func Normalize(raw, near string) string {
	digits, plus := digitsOf(raw)
	if plus {
		if number := "+" + digits; Valid(number) == nil {
			return number
		}
		return ""
	}
	if number, found := strings.CutPrefix(digits, "00"); found {
		return known("+"+number, "")
	}
	region := ""
	if parsed, err := phonenumbers.Parse(near, ""); err == nil {
		region = phonenumbers.GetRegionCodeForNumber(parsed)
	}
	abroad, here := known("+"+digits, ""), known(digits, region)
	switch {
	case here == "":
		return abroad
	case abroad == "" || abroad == here:
		return here
	}
	return ""
}

// known returns a number in E.164 when its numbering plan has it, else "".
func known(number, region string) string {
	parsed, err := phonenumbers.Parse(number, region)
	if err != nil || !phonenumbers.IsValidNumber(parsed) {
		return ""
	}
	return phonenumbers.Format(parsed, phonenumbers.E164)
}
