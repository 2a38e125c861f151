package compliance_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/compliance"
)

// jurisdictions are the hours as people write them: weekdays, Saturdays, Sundays.
// A star: none on legal holidays.
const jurisdictions = `
US-AL 8-20  8-20  none  *
US-CT 9-20  9-20  9-20
US-FL 8-20  8-20  8-20
US-IL 9-21  9-21  9-21
US-KY 10-21 10-21 10-21
US-LA 8-20  8-20  none  *
US-MA 8-20  8-20  8-20
US-MD 8-20  8-20  8-20
US-MI 9-21  9-21  9-21
US-MN 9-21  9-21  9-21
US-MS 8-20  8-20  none  *
US-NM 9-21  9-21  9-21
US-NV 9-20  9-20  9-20
US-OK 8-20  8-20  8-20
US-PA 8-21  8-21  13:30-21
US-RI 9-18  10-17 none  *
US-SD 9-21  9-21  none
US-TX 9-21  9-21  12-21
US-UT 8-21  8-21  none  *
US-WA 8-20  8-20  8-20
US-WY 8-20  8-20  8-20
CA    9-21:30 10-18 10-18
GB    8-21  8-21  9-21  *
FR    10-13,14-20 none none *
AU    9-20  9-17  none  *
IN    10-19 10-19 10-19
ZZ    9-20  9-20  none
`

// others are the states that have no hours of their own.
const others = "AK AR AZ CA CO DC DE GA HI IA ID IN KS ME MO MT NC ND NE NH NJ NY OH OR SC TN VA VT WI WV"

// TestJurisdictions walks through a week without holidays, by the quarter of an
// hour, and asks whether holidays are open.
func TestJurisdictions(t *testing.T) {
	table := jurisdictions
	for state := range strings.FieldsSeq(others) {
		table += fmt.Sprintf("US-%s 8-21 8-21 8-21\n", state)
	}
	rows := 0
	for line := range strings.Lines(table) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		rows++
		country, state, _ := strings.Cut(words[0], "-")
		call := compliance.Call{Places: []*time.Location{time.UTC}, Rules: book(t).For(country, state)}
		for quarter := range 7 * 96 {
			at := time.Date(2026, 8, 17, 0, 15*quarter, 0, 0, time.UTC) // a Monday
			hours := words[1]
			switch at.Weekday() {
			case time.Saturday:
				hours = words[2]
			case time.Sunday:
				hours = words[3]
			}
			if got := call.Allowed(at); got != writtenOpen(t, hours, at.Hour()*60+at.Minute()) {
				t.Errorf("%s on %s: %t", words[0], at.Format("Mon 15:04"), got)
			}
		}
		if got, want := call.Allowed(time.Date(2026, 12, 25, 16, 0, 0, 0, time.UTC)), len(words) < 5; got != want {
			t.Errorf("%s at Christmas: %t", words[0], got)
		}
		for _, r := range call.Rules {
			if len(r.Source) < 8 {
				t.Errorf("%s: rule %s has the source %q", words[0], r.ID, r.Source)
			}
		}
	}
	if rows != 57 { // 50 states and the District of Columbia, 5 countries, any other
		t.Errorf("there are %d places", rows)
	}
}

// writtenOpen reads "none" and "10-13,14-20".
func writtenOpen(t *testing.T, hours string, minute int) bool {
	t.Helper()
	return hours != "none" && slices.ContainsFunc(strings.Split(hours, ","), func(span string) bool {
		begin, end, _ := strings.Cut(span, "-")
		return written(t, begin) <= minute && minute < written(t, end)
	})
}

func written(t *testing.T, clock string) int {
	t.Helper()
	var hour, minute int
	if n, err := fmt.Sscanf(clock+":0", "%d:%d", &hour, &minute); n != 2 || err != nil {
		t.Fatalf("%q: %v", clock, err)
	}
	return hour*60 + minute
}

// TestHolidays has days that are closed, and neighbors that are not, at noon.
func TestHolidays(t *testing.T) {
	for _, c := range []struct {
		place, closed, open string
	}{
		{"US-AL", "2026-01-19 2026-04-27 2026-06-01 2026-07-03 2026-11-26 2027-07-05 2026-12-25", "2026-04-20 2026-06-08 2026-07-06 2026-11-27 2027-07-02"},
		{"US-AL", "2027-12-31 2028-01-17", "2027-12-30 2028-01-03"}, // New Year is a Saturday
		{"US-LA", "2026-02-17 2026-04-03 2027-11-01 2026-07-04", "2026-02-18 2026-04-06 2026-07-03"},
		{"US-MS", "2026-04-27 2026-05-25 2026-06-19", "2026-04-20 2026-05-26"},
		{"US-RI", "2026-08-10", "2026-08-11 2026-08-17"},
		{"US-UT", "2026-07-24 2026-11-26", "2026-07-23"},
		{"US-SD", "", "2026-12-25 2026-07-04"},
		{"GB", "2026-04-03 2026-04-06 2026-05-04 2026-05-25 2026-08-31", "2026-04-02 2026-04-07 2026-05-11"},
		{"GB", "2026-12-25 2026-12-26 2026-12-28", "2026-12-24 2026-12-29"},                       // Boxing Day is a Saturday
		{"GB", "2027-12-25 2027-12-26 2027-12-27 2027-12-28", "2027-12-24 2027-12-29"},            // both are at the weekend
		{"GB", "2022-12-25 2022-12-26 2022-12-27", "2022-12-24 2022-12-28"},                       // Boxing Day is the Monday
		{"GB", "2028-01-01 2028-01-03", "2027-12-31 2028-01-04"},                                  // New Year is a Saturday
		{"FR", "2026-04-06 2026-05-01 2026-05-14 2026-05-25 2026-07-14", "2026-04-07 2026-05-15"}, // nothing is moved in France
		{"FR", "2027-11-11", "2026-12-28 2027-08-16"},
		{"AU", "2026-01-26 2026-04-03 2026-04-06 2027-04-26", "2026-01-27 2026-04-07"},
		{"CA", "", "2026-07-01 2026-12-25"},
	} {
		country, state, _ := strings.Cut(c.place, "-")
		call := compliance.Call{Places: []*time.Location{time.UTC}, Rules: book(t).For(country, state)}
		for want, list := range map[bool]string{false: c.closed, true: c.open} {
			for date := range strings.FieldsSeq(list) {
				day, err := time.Parse(time.DateOnly, date)
				if err != nil {
					t.Fatal(err)
				}
				if got := call.Allowed(day.Add(12 * time.Hour)); got != want {
					t.Errorf("%s on %s: %t", c.place, day.Format("Mon 2006-01-02"), got)
				}
			}
		}
	}
}
