package spoken

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

var (
	months = map[string]time.Month{
		"january": 1, "february": 2, "march": 3, "april": 4, "may": 5, "june": 6, "july": 7, "august": 8, "september": 9,
		"october": 10, "november": 11, "december": 12,
		"jan": 1, "feb": 2, "mar": 3, "apr": 4, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "sept": 9, "oct": 10, "nov": 11, "dec": 12,
	}
	weekdays = map[string]time.Weekday{
		"sunday": 0, "monday": 1, "tuesday": 2, "wednesday": 3, "thursday": 4, "friday": 5, "saturday": 6,
		"sun": 0, "mon": 1, "tue": 2, "tues": 2, "wed": 3, "thu": 4, "thur": 4, "thurs": 4, "fri": 5, "sat": 6,
	}
)

// Date reads a day and returns it as 2026-03-15. A day without a year is the
// next one, counted from the day of at. "Friday" and "this Friday" are the next
// Friday after today; "next Friday" is the Friday of next week, and a week begins
// on Monday. 3/15 is March 15th; 15/3 can only be that too. Two days are no
// answer.
func Date(text string, at time.Time) (string, bool) {
	d := dateReader{said: Words(text), known: !at.IsZero()}
	d.today = day(at.Year(), at.Month(), at.Day())
	for _, read := range []func(i int) (time.Time, bool){d.numeric, d.monthAndDay, d.relative, d.weekday, d.dayOfMonth} {
		var found []string
		for i := range d.said {
			date, ok := read(i)
			if !ok || denied(d.said, i) {
				continue
			}
			if written := date.Format(time.DateOnly); !slices.Contains(found, written) {
				found = append(found, written)
			}
		}
		if len(found) > 0 {
			return found[0], len(found) == 1
		}
	}
	return "", false
}

type dateReader struct {
	said  []string
	today time.Time
	known bool // today is
}

func day(year int, month time.Month, n int) time.Time {
	return time.Date(year, month, n, 0, 0, 0, 0, time.UTC)
}

// exact makes a date of a day that exists.
func exact(year int, month time.Month, n int) (time.Time, bool) {
	date := day(year, month, n)
	return date, date.Month() == month && date.Day() == n && year >= 1000 && year < 10000
}

// coming makes a date of a day without a year: the next one.
func (d *dateReader) coming(month time.Month, n int) (time.Time, bool) {
	if !d.known {
		return time.Time{}, false
	}
	for year := d.today.Year(); year < d.today.Year()+9; year++ {
		if date, ok := exact(year, month, n); ok && !date.Before(d.today) {
			return date, true
		}
	}
	return time.Time{}, false
}

// word returns the word at i, or "".
func (d *dateReader) word(i int) string {
	if i < 0 || i >= len(d.said) {
		return ""
	}
	return d.said[i]
}

// after returns the words from i on.
func (d *dateReader) after(i int) []string { return d.said[min(max(i, 0), len(d.said)):] }

// numeric reads 2026-03-15, 3/15, 3/15/2026, 15.3.2026.
func (d *dateReader) numeric(i int) (time.Time, bool) {
	parts := strings.FieldsFunc(d.said[i], func(r rune) bool { return r == '-' || r == '/' || r == '.' })
	if len(parts) < 2 || len(parts) > 3 || strings.Contains(d.said[i], ".") && len(parts) < 3 {
		return time.Time{}, false
	}
	var n [3]int
	for k, part := range parts {
		value, ok := plainInt(part)
		if !ok {
			return time.Time{}, false
		}
		n[k] = value
	}
	if len(parts[0]) == 4 && len(parts) == 3 {
		return exact(n[0], time.Month(n[1]), n[2])
	}
	month, dayOf := n[0], n[1]
	if month > 12 || strings.Contains(d.said[i], ".") && dayOf <= 12 {
		month, dayOf = dayOf, month
	}
	if month < 1 || month > 12 || dayOf > 31 {
		return time.Time{}, false
	}
	if len(parts) == 2 {
		return d.coming(time.Month(month), dayOf)
	}
	year := n[2]
	if len(parts[2]) <= 2 {
		year += 2000
	}
	return exact(year, time.Month(month), dayOf)
}

// monthAndDay reads "march third", "march the 3rd, 2027", "the third of march",
// "3 march".
func (d *dateReader) monthAndDay(i int) (time.Time, bool) {
	month, ok := months[d.said[i]]
	if !ok {
		return time.Time{}, false
	}
	next := i + 1
	if d.word(next) == "the" {
		next++
	}
	if n, took := dayNumber(d.after(next)); took > 0 {
		return d.inYear(month, n, next+took)
	}
	last := i
	if d.word(i-1) == "of" {
		last--
	}
	for _, took := range []int{2, 1} {
		if from := last - took; from >= 0 {
			if n, used := dayNumber(d.said[from:last]); used == took {
				return d.inYear(month, n, i+1)
			}
		}
	}
	return time.Time{}, false
}

// inYear adds the year that stands at i, if one does.
func (d *dateReader) inYear(month time.Month, n, i int) (time.Time, bool) {
	if year, ok := yearAt(d.after(i)); ok {
		return exact(year, month, n)
	}
	return d.coming(month, n)
}

// dayNumber reads a day of the month, as an ordinal or a number.
func dayNumber(said []string) (n, took int) {
	if n, took = ordinal(said); took == 0 {
		n, took = small(said)
	}
	if took == 0 && len(said) > 0 {
		if plain, ok := plainInt(said[0]); ok {
			n, took = plain, 1
		}
	}
	if n < 1 || n > 31 {
		return 0, 0
	}
	return n, took
}

// yearAt reads a year from the front of said: 2026, twenty twenty six, two
// thousand and six.
func yearAt(said []string) (int, bool) {
	if len(said) > 0 && (said[0] == "of" || said[0] == "in") {
		said = said[1:]
	}
	if len(said) == 0 {
		return 0, false
	}
	if year, ok := plainInt(said[0]); ok && len(said[0]) == 4 {
		return year, year >= 1900 && year < 2200
	}
	if year, _, ok := century(said); ok {
		return year, year >= 1900 && year < 2200
	}
	if len(said) > 1 && said[0] == "two" && said[1] == "thousand" {
		year, _ := whole(said)
		return int(year), year < 2100
	}
	return 0, false
}

// relative reads "today", "tomorrow", "the day after tomorrow", "in two days",
// "three weeks from now", "a week from friday".
func (d *dateReader) relative(i int) (time.Time, bool) {
	if !d.known || d.word(i-1) == "from" {
		return time.Time{}, false
	}
	switch d.said[i] {
	case "today", "tonight":
		return d.today, true
	case "tomorrow":
		if i >= 2 && d.word(i-1) == "after" && d.word(i-2) == "day" {
			return d.today.AddDate(0, 0, 2), true
		}
		return d.today.AddDate(0, 0, 1), true
	case "yesterday":
		return d.today.AddDate(0, 0, -1), true
	case "day", "days", "week", "weeks", "fortnight", "month", "months":
		return d.span(i)
	}
	return time.Time{}, false
}

// span reads a number of days, weeks or months whose unit stands at i.
func (d *dateReader) span(i int) (time.Time, bool) {
	n, from := 0, i-1
	switch word := d.word(i - 1); {
	case word == "a" || word == "one":
		n = 1
	case word == "couple" || word == "of" && d.word(i-2) == "couple":
		n = 2
		for from > 0 && d.word(from) != "couple" {
			from--
		}
		if d.word(from-1) == "a" {
			from--
		}
	default:
		if value, took := small(d.after(i - 1)); took == 1 {
			n = value
		} else if value, ok := plainInt(word); ok && value < 1000 {
			n = value
		}
	}
	base := d.today
	switch {
	case n == 0:
		return time.Time{}, false
	case d.word(from-1) == "in":
	case d.word(i+1) == "from" && (d.word(i+2) == "now" || d.word(i+2) == "today"):
	case d.word(i+1) == "from" || d.word(i+1) == "after":
		switch weekday, isWeekday := weekdays[d.word(i+2)]; {
		case d.word(i+2) == "tomorrow":
			base = base.AddDate(0, 0, 1)
		case isWeekday:
			base = nextWeekday(base, weekday)
		default:
			return time.Time{}, false
		}
	default:
		return time.Time{}, false
	}
	switch d.said[i] {
	case "day", "days":
		return base.AddDate(0, 0, n), true
	case "week", "weeks":
		return base.AddDate(0, 0, 7*n), true
	case "fortnight":
		return base.AddDate(0, 0, 14*n), true
	}
	return base.AddDate(0, n, 0), true
}

// nextWeekday is the first such day after from.
func nextWeekday(from time.Time, weekday time.Weekday) time.Time {
	ahead := (int(weekday) - int(from.Weekday()) + 7) % 7
	if ahead == 0 {
		ahead = 7
	}
	return from.AddDate(0, 0, ahead)
}

// weekday reads "friday", "next friday", "friday next week".
func (d *dateReader) weekday(i int) (time.Time, bool) {
	name := strings.TrimSuffix(d.said[i], "s")
	weekday, ok := weekdays[d.said[i]]
	if !ok && len(name) > 5 {
		weekday, ok = weekdays[name]
	}
	if !ok || !d.known {
		return time.Time{}, false
	}
	before := i - 1
	if d.word(before) == "on" {
		before--
	}
	if d.word(i-1) == "next" || d.word(i+1) == "next" && d.word(i+2) == "week" || d.word(before) == "week" && d.word(before-1) == "next" {
		monday := d.today.AddDate(0, 0, 7-(int(d.today.Weekday())+6)%7)
		return monday.AddDate(0, 0, (int(weekday)+6)%7), true
	}
	return nextWeekday(d.today, weekday), true
}

// dayOfMonth reads "the fifteenth": the next one.
func (d *dateReader) dayOfMonth(i int) (time.Time, bool) {
	n, took := ordinal(d.after(i))
	if took == 0 || n < 1 || n > 31 || !d.known || d.word(i+took) == "one" || i > 0 && tens[d.said[i-1]] > 0 {
		return time.Time{}, false
	}
	if months[d.word(i-1)] > 0 || months[d.word(i-2)] > 0 || months[d.word(i+took)] > 0 || months[d.word(i+took+1)] > 0 {
		return time.Time{}, false // a month that has no such day
	}
	if len(d.said) > 1 && d.word(i-1) != "the" && d.word(i-1) != "on" && strings.Trim(d.said[i], "0123456789") == d.said[i] {
		return time.Time{}, false // "second" alone in a sentence is rarely a day
	}
	for ahead := range 13 {
		first := day(d.today.Year(), d.today.Month()+time.Month(ahead), 1)
		if date, ok := exact(first.Year(), first.Month(), n); ok && !date.Before(d.today) {
			return date, true
		}
	}
	return time.Time{}, false
}

// twoDigits writes 7 as 07.
func twoDigits(n int) string {
	if n < 10 {
		return "0" + strconv.Itoa(n)
	}
	return strconv.Itoa(n)
}
