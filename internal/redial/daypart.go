package redial

import (
	"slices"
	"time"
)

// A day has three parts: people who are out in one of them may be at home in
// another. These are the minutes of the wall clock at which they begin.
var partBegins = [...]int{0, 12 * 60, 17 * 60}

func partOf(local time.Time) int {
	minute := local.Hour()*60 + local.Minute()
	part := 0
	for i, begin := range partBegins {
		if minute >= begin {
			part = i
		}
	}
	return part
}

// parts are some of the parts of a day.
type parts [len(partBegins)]bool

// partsOf are those in which was called, by the wall clock of the place; once
// that is all of them, the last one alone.
func partsOf(tries []Try, zone *time.Location) parts {
	var used parts
	for _, t := range tries {
		used[partOf(t.At.In(zone))] = true
	}
	if used == (parts{true, true, true}) {
		used = parts{}
		used[partOf(tries[len(tries)-1].At.In(zone))] = true
	}
	return used
}

// day is one of the calendar; the zero day is none.
type day struct {
	year  int
	month time.Month
	day   int
}

func dayOf(at time.Time, zone *time.Location) day {
	y, m, d := at.In(zone).Date()
	return day{y, m, d}
}

// slot is what is to be kept clear of in a place.
type slot struct {
	zone  *time.Location
	day   day
	parts parts
}

func (s slot) clear(at time.Time) bool {
	local := at.In(s.zone)
	y, m, d := local.Date()
	return day{y, m, d} != s.day && !s.parts[partOf(local)]
}

// What first looks through. All clocks of today are whole quarters of an hour
// apart, so that no part of a day begins between two steps.
const (
	step    = 15 * time.Minute
	horizon = 8 * 24 * time.Hour
)

// first returns the first time from from on that is clear in all places. When
// places are so far apart that no part of a day is, the day alone counts.
func first(from time.Time, places []*time.Location, of func(*time.Location) slot) time.Time {
	if len(places) == 0 {
		places = []*time.Location{time.UTC}
	}
	slots := make([]slot, len(places))
	for i, zone := range places {
		slots[i] = of(zone)
	}
	if at, ok := firstClear(from, slots); ok {
		return at
	}
	for i := range slots {
		slots[i].parts = parts{}
	}
	at, _ := firstClear(from, slots)
	return at
}

func firstClear(from time.Time, slots []slot) (time.Time, bool) {
	for at := from; at.Before(from.Add(horizon)); at = at.Truncate(step).Add(step) {
		if !slices.ContainsFunc(slots, func(s slot) bool { return !s.clear(at) }) {
			return at, true
		}
	}
	return from, false
}
