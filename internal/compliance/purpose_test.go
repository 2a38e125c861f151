package compliance_test

import (
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/compliance"
	"github.com/callwright/callwright/internal/domain"
)

// purposesOf are the hours by purpose as people write them: weekdays, Saturdays,
// Sundays. A star: none on legal holidays.
const purposesOf = `
unspecified    US-AL 8-20  8-20  none *
marketing      US-AL 8-20  8-20  none *
survey         US-AL 8-20  8-20  none *
informational  US-AL 8-21  8-21  8-21
debt           US-AL 8-21  8-21  8-21
emergency      US-AL 0-24  0-24  0-24
marketing      US-KY 10-21 10-21 10-21
informational  US-KY 8-21  8-21  8-21
debt           US-KY 8-21  8-21  8-21
marketing      US-RI 9-18  10-17 none *
informational  US-RI 8-21  8-21  8-21
marketing      US-TX 9-21  9-21  12-21
informational  US-TX 8-21  8-21  8-21
marketing      US-IL 9-21  9-21  9-21
informational  US-IL 9-21  9-21  9-21
debt           US-IL 9-21  9-21  9-21
emergency      US-IL 0-24  0-24  0-24
survey         US-CA 8-21  8-21  8-21
unspecified    CA    9-21:30 10-18 10-18
informational  CA    9-21:30 10-18 10-18
emergency      CA    9-21:30 10-18 10-18
marketing      GB    8-21  8-21  9-21 *
informational  GB    8-21  8-21  9-21 *
unspecified    FR    10-13,14-20 none none *
marketing      FR    10-13,14-20 none none *
survey         FR    10-13,14-20 none none *
informational  FR    9-20  9-20  none
debt           FR    9-20  9-20  none
unspecified    AU    9-20  9-17  none *
marketing      AU    9-20  9-17  none *
survey         AU    9-20:30 9-17 9-17 *
informational  AU    9-20  9-20  none
unspecified    IN    10-19 10-19 10-19
marketing      IN    10-19 10-19 10-19
survey         IN    10-19 10-19 10-19
debt           IN    10-19 10-19 10-19
informational  IN    9-21  9-21  9-21
emergency      IN    9-20  9-20  none
marketing      ZZ    9-20  9-20  none
informational  ZZ    9-20  9-20  none
emergency      ZZ    9-20  9-20  none
`

// TestPurposes walks through a week without holidays, and looks at Christmas, for
// each purpose.
func TestPurposes(t *testing.T) {
	for line := range strings.Lines(purposesOf) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		country, state, _ := strings.Cut(words[1], "-")
		call := compliance.Call{Places: []*time.Location{time.UTC}, Rules: book(t).Of(domain.Purpose(words[0])).For(country, state)}
		for quarter := range 7 * 96 {
			at := time.Date(2026, 8, 17, 0, 15*quarter, 0, 0, time.UTC) // a Monday
			hours := words[2]
			switch at.Weekday() {
			case time.Saturday:
				hours = words[3]
			case time.Sunday:
				hours = words[4]
			}
			if got := call.Allowed(at); got != writtenOpen(t, hours, at.Hour()*60+at.Minute()) {
				t.Errorf("%s in %s on %s: %t", words[0], words[1], at.Format("Mon 15:04"), got)
			}
		}
		if got, want := call.Allowed(time.Date(2026, 12, 25, 16, 0, 0, 0, time.UTC)), len(words) < 6; got != want {
			t.Errorf("%s in %s at Christmas: %t", words[0], words[1], got)
		}
	}
}

// TestUnspecifiedIsNarrowest: who does not say what calls are for may not call
// when somebody who sells may not.
func TestUnspecifiedIsNarrowest(t *testing.T) {
	for _, place := range []string{"US-AL", "US-TX", "US-RI", "US-CA", "US-", "CA-", "GB-", "FR-", "AU-", "IN-", "DE-"} {
		country, state, _ := strings.Cut(place, "-")
		at := func(p domain.Purpose) *compliance.Call {
			return &compliance.Call{Places: []*time.Location{time.UTC}, Rules: book(t).Of(p).For(country, state)}
		}
		nobodySaid := at("")
		for _, p := range []domain.Purpose{domain.PurposeInformational, domain.PurposeMarketing, domain.PurposeSurvey} {
			for quarter := range 28 * 96 {
				when := time.Date(2026, 12, 7, 0, 15*quarter, 0, 0, time.UTC)
				if nobodySaid.Allowed(when) && !at(p).Allowed(when) {
					t.Fatalf("%s: allowed on %s, but not for %s", place, when.Format("Mon 2006-01-02 15:04"), p)
				}
			}
		}
	}
}

// TestConsents need a written one to sell something in the USA, one of any kind
// elsewhere, and none for other purposes.
func TestConsents(t *testing.T) {
	for _, c := range []struct {
		purpose        domain.Purpose
		country, kind  string
		needed, enough bool
	}{
		{domain.PurposeMarketing, "US", "", true, false},
		{domain.PurposeMarketing, "US", "express", true, false},
		{domain.PurposeMarketing, "US", "written", true, true},
		{domain.PurposeMarketing, "US", "Prior express WRITTEN consent", true, true},
		{domain.PurposeMarketing, "DE", "express", true, true},
		{domain.PurposeMarketing, "", "by a form", true, true},
		{domain.PurposeMarketing, "FR", "", true, false},
		{domain.PurposeInformational, "US", "", false, true},
		{domain.PurposeSurvey, "US", "", false, true},
		{domain.PurposeDebt, "US", "", false, true},
		{domain.PurposeEmergency, "US", "", false, true},
		{domain.PurposeUnspecified, "US", "", false, true},
		{"", "DE", "", false, true},
	} {
		b := book(t).Of(c.purpose)
		needed := b.Consent(c.country)
		if (needed != nil) != c.needed || b.AsksConsent() != c.needed || needed != nil && (needed.Given(c.kind) != c.enough || len(needed.Source) < 8) {
			t.Errorf("%s in %q with %q: %+v", c.purpose, c.country, c.kind, needed)
		}
	}
}
