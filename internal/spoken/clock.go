package spoken

import (
	"slices"
	"strings"
	"time"
)

// halfOfDay says whether an hour is before or after noon, as far as it was said.
type halfOfDay int

const (
	notSaid halfOfDay = iota
	beforeNoon
	afterNoon
)

// minutesOf are what is said before past and to.
var minutesOf = map[string]int{"half": 30, "quarter": 15}

// Clock reads a time of day and returns it as 15:30. Without a.m., p.m. or a
// part of the day, 1 to 7 are after noon and 8 to 12 as on a clock by day: the
// hours in which one meets. "In two hours" counts from at. Two times are no answer.
func Clock(text string, at time.Time) (string, bool) {
	c := clockReader{said: Words(text)}
	if minute, ok := c.inHours(at); ok {
		return clockOf(minute), true
	}
	c.half = partOfDay(c.said)
	for _, read := range []func(i int) (minute, took int){c.digits, c.named, c.pastOrTo, c.spoken} {
		var found []int
		for i := 0; i < len(c.said); {
			minute, took := read(i)
			if took == 0 || denied(c.said, i) {
				i++
				continue
			}
			if !slices.Contains(found, minute) {
				found = append(found, minute)
			}
			i += took
		}
		if len(found) > 0 {
			return clockOf(found[0]), len(found) == 1
		}
	}
	return "", false
}

func clockOf(minute int) string { return twoDigits(minute/60%24) + ":" + twoDigits(minute%60) }

type clockReader struct {
	said []string
	half halfOfDay // as the rest of the sentence says it
}

// partOfDay finds what the sentence says of the half of the day.
func partOfDay(said []string) halfOfDay {
	for i, word := range said {
		switch word {
		case "am", "morning":
			return beforeNoon
		case "pm", "afternoon", "evening", "tonight":
			return afterNoon
		case "night":
			if i > 0 && said[i-1] == "at" || i == 0 || said[i-1] != "last" {
				return afterNoon
			}
		}
	}
	return notSaid
}

// minuteOf makes minutes since midnight of a time on a clock with twelve hours.
func (c *clockReader) minuteOf(hour, minute int, half halfOfDay) (int, bool) {
	if half == notSaid {
		half = c.half
	}
	if hour < 0 || hour > 23 || minute < 0 || minute > 59 {
		return 0, false
	}
	switch {
	case hour > 12 || hour == 0:
	case half == beforeNoon:
		hour %= 12
	case half == afterNoon && hour == 12 && Contains(c.said, []string{"night"}):
		hour = 0
	case half == afterNoon:
		hour = hour%12 + 12
	case hour < 8:
		hour += 12
	}
	return hour*60 + minute, true
}

// word returns the word at i, or "".
func (c *clockReader) word(i int) string {
	if i < 0 || i >= len(c.said) {
		return ""
	}
	return c.said[i]
}

// halfAt reads am or pm at i, also in two words.
func (c *clockReader) halfAt(i int) (half halfOfDay, took int) {
	switch word := c.word(i); {
	case word == "am":
		return beforeNoon, 1
	case word == "pm":
		return afterNoon, 1
	case word == "a" && c.word(i+1) == "m":
		return beforeNoon, 2
	case word == "p" && c.word(i+1) == "m":
		return afterNoon, 2
	}
	return notSaid, 0
}

// digits reads 15:30, 3:30pm, 3pm, 15.30.
func (c *clockReader) digits(i int) (minute, took int) {
	token, half := c.said[i], notSaid
	if root, ok := strings.CutSuffix(token, "am"); ok {
		token, half = root, beforeNoon
	} else if root, ok := strings.CutSuffix(token, "pm"); ok {
		token, half = root, afterNoon
	}
	hourPart, minutePart, split := strings.Cut(strings.Replace(token, ".", ":", 1), ":")
	hour, ok := plainInt(hourPart)
	if !ok || split && len(minutePart) != 2 || len(hourPart) > 2 || !split && half == notSaid {
		return 0, 0
	}
	minutes := 0
	if split {
		if minutes, ok = plainInt(minutePart); !ok {
			return 0, 0
		}
	}
	took = 1
	if half == notSaid {
		said, used := c.halfAt(i + 1)
		half, took = said, took+used
	}
	if split && len(hourPart) == 2 && hourPart[0] == '0' && half == notSaid && c.half == notSaid {
		half = beforeNoon // 07:30 is written as on a clock with 24 hours
	}
	if minute, ok = c.minuteOf(hour, minutes, half); !ok {
		return 0, 0
	}
	return minute, took
}

// named reads noon and midnight.
func (c *clockReader) named(i int) (minute, took int) {
	switch c.said[i] {
	case "noon", "midday", "lunchtime":
		minute = 12 * 60
	case "midnight":
	default:
		return 0, 0
	}
	if slices.Contains([]string{"past", "to", "after", "before", "til", "till"}, c.word(i-1)) && i >= 2 {
		return 0, 0
	}
	return minute, 1
}

// pastOrTo reads "half past three", "quarter to five", "ten minutes after six".
func (c *clockReader) pastOrTo(i int) (minute, took int) {
	minutes, used := minutesOf[c.said[i]], 1
	if minutes == 0 {
		if minutes, used = small(c.said[i:]); used == 0 {
			if n, ok := plainInt(c.said[i]); ok {
				minutes, used = n, 1
			}
		}
	}
	if minutes < 1 || minutes > 59 {
		return 0, 0
	}
	next := i + used
	if c.word(next) == "minutes" || c.word(next) == "minute" {
		next++
	}
	sign := 1
	switch c.word(next) {
	case "past", "after":
	case "to", "before", "til", "till", "of":
		sign = -1
	default:
		return 0, 0
	}
	next++
	base, used := c.hourAt(next)
	if used == 0 {
		return 0, 0
	}
	return (base + sign*minutes + 24*60) % (24 * 60), next + used - i
}

// hourAt reads a full hour at i, as minutes since midnight.
func (c *clockReader) hourAt(i int) (minute, took int) {
	if i >= len(c.said) {
		return 0, 0
	}
	switch c.said[i] {
	case "noon", "midday":
		return 12 * 60, 1
	case "midnight":
		return 0, 1
	}
	hour, took := small(c.said[i:])
	if took == 0 {
		n, ok := plainInt(c.said[i])
		if !ok {
			return c.digits(i)
		}
		hour, took = n, 1
	}
	if c.word(i+took) == "oclock" {
		took++
	}
	half, used := c.halfAt(i + took)
	minute, ok := c.minuteOf(hour, 0, half)
	if !ok {
		return 0, 0
	}
	return minute, took + used
}

// spoken reads "three", "three thirty pm", "nine oh five", "three o'clock",
// "fifteen hundred".
func (c *clockReader) spoken(i int) (minute, took int) {
	hour, took := clockNumber(c.said[i:])
	if took == 0 || hour > 23 {
		return 0, 0
	}
	minutes := 0
	switch rest := c.said[i+took:]; {
	case len(rest) == 0:
	case rest[0] == "oclock":
		took++
	case rest[0] == "hundred":
		took++
		if c.word(i+took) == "hours" {
			took++
		}
	case (rest[0] == "oh" || rest[0] == "o") && len(rest) > 1:
		if n, used := clockNumber(rest[1:]); used == 1 && n > 0 && n < 10 {
			minutes, took = n, took+2
		}
	default:
		if n, used := clockNumber(rest); used > 0 && n >= 10 && n < 60 {
			minutes, took = n, took+used
		}
	}
	half, used := c.halfAt(i + took)
	if n := c.word(i + took); used == 0 && slices.Contains([]string{"people", "days", "weeks", "hours", "minutes", "of", "persons", "times", "day", "week"}, n) {
		return 0, 0
	}
	if notHour(c.said, i) {
		return 0, 0
	}
	minute, ok := c.minuteOf(hour, minutes, half)
	if !ok {
		return 0, 0
	}
	return minute, took + used
}

// clockNumber reads an hour or minutes, in words or digits.
func clockNumber(said []string) (n, took int) {
	if n, took = small(said); took > 0 || len(said) == 0 {
		return n, took
	}
	if plain, ok := plainInt(said[0]); ok && len(said[0]) <= 2 {
		return plain, 1
	}
	return 0, 0
}

// notHour reports whether the number at i belongs to a date ("march third" is no
// number, but "march three" is) or is the "one" of "that one".
func notHour(said []string, i int) bool {
	if i == 0 {
		return false
	}
	before := said[i-1]
	return months[before] > 0 || said[i] == "one" && slices.Contains([]string{"that", "this", "which", "no", "the", "any"}, before)
}

// inHours reads "in an hour", "in two hours", "in half an hour", "in ten minutes".
func (c *clockReader) inHours(at time.Time) (int, bool) {
	for i, word := range c.said {
		if word != "in" || at.IsZero() {
			continue
		}
		rest := c.said[i+1:]
		minutes := 0.0
		switch {
		case indexRun(rest, []string{"half", "an", "hour"}) == 0:
			minutes = 30
		case indexRun(rest, []string{"an", "hour", "and", "a", "half"}) == 0:
			minutes = 90
		case indexRun(rest, []string{"an", "hour"}) == 0:
			minutes = 60
		default:
			n, took := cardinal(rest)
			if took == 0 || took >= len(rest) {
				continue
			}
			switch rest[took] {
			case "hour", "hours":
				minutes = n * 60
			case "minute", "minutes":
				minutes = n
			}
		}
		if minutes > 0 && minutes < 24*60 {
			then := at.Add(time.Duration(minutes) * time.Minute)
			return then.Hour()*60 + then.Minute(), true
		}
	}
	return 0, false
}
