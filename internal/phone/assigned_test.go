package phone_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers"

	"github.com/callwright/callwright/internal/phone"
)

func TestAssigned(t *testing.T) {
	for number, want := range map[string]string{
		"+12025550123":     "+12025550123",
		"+442079460018":    "+442079460018",
		"+4402079460018":   "+442079460018", // the zero is for calls within the country
		"+49015112345678":  "+4915112345678",
		"+390612345678":    "+390612345678", // but not in Italy
		"+870773111632":    "+870773111632",
		"+15551234567":     "",
		"+1202555012":      "",
		"+2101234567":      "", // no country
		"+999999999999999": "",
		"12025550123":      "",
		"+1 202 555 0123":  "",
		"+":                "",
		"":                 "",
	} {
		if got, ok := phone.Assigned(number); got != want || ok != (want != "") {
			t.Errorf("%q is %q, %t; want %q", number, got, ok, want)
		}
	}
}

// TestExact: a number that plans know is taken in one form only; of others
// nothing is known.
func TestExact(t *testing.T) {
	for number, want := range map[string]string{
		"+442079460018": "", "+390612345678": "", "+15551234567": "", "+15005550106": "", "+2101234567": "",
		"+4402079460018":  "must be written as +442079460018",
		"+49015112345678": "must be written as +4915112345678",
		"+54111512345678": "must be written as +5491112345678",
		"442079460018":    "E.164",
		"+44 2079460018":  "E.164",
	} {
		err := phone.Exact(number)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", number, err, want)
		}
	}
}

// TestAssignedIsAsParsed: the short way says the same as the long one, for
// numbers of every country and such as are nearly theirs.
func TestAssignedIsAsParsed(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	check := func(number string) {
		want := ""
		if parsed, err := phonenumbers.Parse(number, ""); err == nil && phonenumbers.IsValidNumber(parsed) {
			want = phonenumbers.Format(parsed, phonenumbers.E164)
		}
		if got, _ := phone.Assigned(number); got != want {
			t.Errorf("%s is %q, want %q", number, got, want)
		}
	}
	regions := 0
	for region := range phonenumbers.GetSupportedRegions() {
		example := phonenumbers.GetExampleNumberForType(region, phonenumbers.MOBILE)
		if example == nil {
			continue
		}
		regions++
		number := phonenumbers.Format(example, phonenumbers.E164)
		check(number)
		for range 5 {
			near := []byte(number)
			near[3+random.IntN(len(near)-3)] = byte('0' + random.IntN(10))
			check(string(near))
			check(string(slices.Insert(near, 3, '0')))
		}
	}
	if regions < 200 {
		t.Errorf("only %d regions have an example", regions)
	}
}
