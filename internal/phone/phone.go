// Package phone reads telephone numbers: whether one is E.164, where it is, and
// what class of service it reaches. It also loads time zones.
package phone

import (
	"errors"
	"regexp"

	"github.com/nyaruka/phonenumbers"
)

// Class is the kind of service behind a number, as far as its numbering plan
// tells.
type Class string

// The classes of numbers.
const (
	Mobile     Class = "mobile"
	Landline   Class = "landline"
	Either     Class = "landline-or-mobile" // plans such as North America's do not tell
	TollFree   Class = "toll-free"
	Premium    Class = "premium"
	SharedCost Class = "shared-cost"
	VoIP       Class = "voip"
	Personal   Class = "personal"
	Pager      Class = "pager"
	UAN        Class = "uan" // universal access number of a company
	Voicemail  Class = "voicemail"
	Satellite  Class = "satellite" // satellite and global networks: +870, +881 …
	Unknown    Class = "unknown"   // not a number that its plan knows
)

// Risky reports whether a call to the class may cost far more than an ordinary
// one, which is what toll fraud lives from.
func (c Class) Risky() bool {
	switch c {
	case Premium, SharedCost, UAN, Pager, Personal, Voicemail, Satellite:
		return true
	}
	return false
}

// Number is what a telephone number says about itself.
type Number struct {
	E164    string
	Country int    // country calling code: 1, 44 …
	Region  string // ISO 3166-1 alpha-2, or "" when the plan does not tell
	Class   Class
	Known   bool // the numbering plan assigns it; false for 555 numbers and typing errors
}

// e164 is the shape of a number in international form (ITU-T E.164: at most 15
// digits with the country code, which never starts with 0).
var e164 = regexp.MustCompile(`^\+[1-9]\d{6,14}$`)

// Valid returns nil when number has the shape of E.164, else an error whose text
// says what is wrong and what to send, fit to follow the name of the field.
func Valid(number string) error {
	switch {
	case number == "":
		return errors.New("is missing: send a phone number in E.164 form, such as +15551234567")
	case number[0] != '+':
		return errors.New("must be in E.164 form: a plus sign, the country code and the number, such as +15551234567")
	case !e164.MatchString(number):
		return errors.New("must be in E.164 form: a plus sign and 7 to 15 digits without spaces, such as +15551234567")
	}
	return nil
}

// Parse returns what number says about itself. A number that is not E.164 is an
// error of Valid; one that no numbering plan knows is not an error.
func Parse(number string) (Number, error) {
	if n, known := parsed.get(number); known {
		return n, nil
	}
	if err := Valid(number); err != nil {
		return Number{}, err
	}
	n := parse(number)
	parsed.put(n)
	return n, nil
}

// parsed are the numbers that were parsed lately.
var parsed recent

func parse(number string) Number {
	n := Number{E164: number, Class: Unknown}
	parsed := split(number)
	n.Known = parsed != nil && phonenumbers.IsValidNumber(parsed)
	if !n.Known {
		var err error
		if parsed, err = phonenumbers.Parse(number, ""); err != nil {
			return n // of the right shape, but no country has its code
		}
		n.Known = phonenumbers.IsValidNumber(parsed)
	}
	n.read(parsed)
	return n
}

// read takes over what the numbering plan tells.
func (n *Number) read(parsed *phonenumbers.PhoneNumber) {
	n.Country = int(parsed.GetCountryCode())
	if region := phonenumbers.GetRegionCodeForNumber(parsed); region != "001" && region != "ZZ" {
		n.Region = region
	}
	n.Class = classOf(n.Country, phonenumbers.GetNumberType(parsed))
	if n.paidService() {
		n.Class = Premium
	}
}

// paidService reports whether a number of North America is one of the area code
// 900, or has the exchange 976, whether or not it is assigned: both are charged.
func (n *Number) paidService() bool {
	return n.Country == 1 && len(n.E164) == 12 && (n.E164[2:5] == "900" || n.E164[5:8] == "976")
}

// globalNetworks are country codes that belong to no country: satellite and
// international networks and services, where one minute can cost several euros.
var globalNetworks = map[int]bool{870: true, 878: true, 881: true, 882: true, 883: true, 888: true, 979: true}

func classOf(country int, kind phonenumbers.PhoneNumberType) Class {
	if globalNetworks[country] {
		return Satellite
	}
	switch kind {
	case phonenumbers.FIXED_LINE:
		return Landline
	case phonenumbers.MOBILE:
		return Mobile
	case phonenumbers.FIXED_LINE_OR_MOBILE:
		return Either
	case phonenumbers.TOLL_FREE:
		return TollFree
	case phonenumbers.PREMIUM_RATE:
		return Premium
	case phonenumbers.SHARED_COST:
		return SharedCost
	case phonenumbers.VOIP:
		return VoIP
	case phonenumbers.PERSONAL_NUMBER:
		return Personal
	case phonenumbers.PAGER:
		return Pager
	case phonenumbers.UAN:
		return UAN
	case phonenumbers.VOICEMAIL:
		return Voicemail
	}
	return Unknown
}
