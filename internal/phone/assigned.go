package phone

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// Assigned returns number, which has the shape of E.164, in its one form, and
// whether its numbering plan has it. Of +44 020 7946 0018 that form lacks the
// zero, which is dialed within the country only.
func Assigned(number string) (e164 string, ok bool) {
	if Valid(number) != nil {
		return "", false
	}
	if direct := split(number); direct != nil && phonenumbers.IsValidNumber(direct) {
		return strings.Clone(number), true
	}
	e164 = known(number, "")
	return e164, e164 != ""
}

// Exact returns nil when number has the shape of E.164 and no plan has another
// form of it, else an error as Valid's. A number in two forms would be two
// numbers to everything that compares them, such as a do-not-call list.
func Exact(number string) error {
	if err := Valid(number); err != nil {
		return err
	}
	if one, ok := Assigned(number); ok && one != number {
		return fmt.Errorf("must be written as %s: the other digits are for calls within the country", one)
	}
	return nil
}

// split returns a number of E.164's shape as its country code and the rest, nil
// when no country has such a code. No code begins with another.
func split(number string) *phonenumbers.PhoneNumber {
	for end := 2; end <= 4; end++ {
		code, err := strconv.Atoi(number[1:end])
		if err != nil || phonenumbers.GetRegionCodeForCountryCode(code) == phonenumbers.UNKNOWN_REGION {
			continue
		}
		rest := number[end:]
		national, err := strconv.ParseUint(rest, 10, 64)
		if err != nil {
			return nil
		}
		country, zeros := int32(code), int32(len(rest)-len(strings.TrimLeft(rest, "0")))
		leading := zeros > 0
		return &phonenumbers.PhoneNumber{CountryCode: &country, NationalNumber: &national, ItalianLeadingZero: &leading, NumberOfLeadingZeros: &zeros}
	}
	return nil
}
