package compliance

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// holiday is a day of each year: a date, the nth weekday of a month (from its
// end when negative), or a distance from Easter Sunday.
type holiday struct {
	month   time.Month
	day     int // of the month, for a date
	nth     int // 0 for a date
	weekday time.Weekday
	easter  bool
	after   int // days after Easter Sunday
}

// parseHoliday reads "07-04", "mon#-1-05" (the last Monday of May) or
// "easter+1".
func parseHoliday(word string) (holiday, error) {
	bad := fmt.Errorf("%q is not a day such as 07-04, mon#-1-05 or easter+1", word)
	if rest, found := strings.CutPrefix(word, "easter"); found {
		days, err := strconv.Atoi(rest)
		if err != nil {
			return holiday{}, bad
		}
		return holiday{easter: true, after: days}, nil
	}
	at := strings.LastIndexByte(word, '-')
	day, rest, nth := strings.Cut(word, "#")
	if at < 0 {
		return holiday{}, bad
	}
	if !nth {
		month, err1 := strconv.Atoi(word[:at])
		date, err2 := strconv.Atoi(word[at+1:])
		if err1 != nil || err2 != nil || month < 1 || month > 12 {
			return holiday{}, bad
		}
		return holiday{month: time.Month(month), day: date}, nil
	}
	at = strings.LastIndexByte(rest, '-')
	weekday, known := weekdays[day]
	if at < 0 || !known {
		return holiday{}, bad
	}
	n, err1 := strconv.Atoi(rest[:at])
	month, err2 := strconv.Atoi(rest[at+1:])
	if err1 != nil || err2 != nil || n == 0 || month < 1 || month > 12 {
		return holiday{}, bad
	}
	return holiday{month: time.Month(month), nth: n, weekday: weekday}, nil
}

// falls reports whether local is on the holiday.
func (h holiday) falls(local time.Time) bool {
	year, month, day := local.Date()
	if h.easter {
		m, d := easter(year)
		e := time.Date(year, m, d+h.after, 0, 0, 0, 0, time.UTC)
		return month == e.Month() && day == e.Day()
	}
	if month != h.month {
		return false
	}
	switch {
	case h.nth == 0:
		return day == h.day
	case local.Weekday() != h.weekday:
		return false
	case h.nth > 0:
		return (day-1)/7+1 == h.nth
	}
	last := time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC).Day()
	return (last-day)/7+1 == -h.nth
}

// easter is the date of Easter Sunday in the Gregorian calendar (the anonymous
// algorithm, Nature 13, 1876).
func easter(year int) (time.Month, int) {
	a, b, c := year%19, year/100, year%100
	d, e := b/4, b%4
	g := (8*b + 13) / 25
	h := (19*a + b - d - g + 15) % 30
	i, k := c/4, c%4
	l := (32 + 2*e + 2*i - h - k) % 7
	m := (a + 11*h + 19*l) / 433
	n := (h + l - 7*m + 90) / 25
	p := (h + l - 7*m + 33*n + 19) % 32
	return time.Month(n), p
}
