package compliance

import (
	"slices"
	"time"
)

// Caps are how often one number may be called, by all campaigns together. A zero
// member is no cap.
type Caps struct {
	Day     int           // in a day of the calendar, by the wall clock of each place
	Hours24 int           // in any 24 hours
	Days7   int           // in any 7 days
	Days30  int           // in any 30 days
	Gap     time.Duration // between two calls

	// AfterTalk is for how long nobody is called after a call that they answered.
	AfterTalk time.Duration
}

// DefaultCaps are those of every number; the law may have narrower ones.
var DefaultCaps = Caps{Day: 2, Hours24: 3, Days7: 7, Gap: 2 * time.Hour}

// The names of the caps, as a refusal tells which one binds.
const (
	CapDay     = "cap_day"
	CapHours24 = "cap_24_hours"
	CapDays7   = "cap_7_days"
	CapDays30  = "cap_30_days"
	CapGap     = "cap_gap"

	CapAfterTalk = "cap_after_talk"
)

// In returns the narrower of c and the caps of rules, cap by cap; a rule has no Gap.
func (c Caps) In(rules []Rule) Caps {
	for i := range rules {
		law := rules[i].Caps
		c.Day = narrower(c.Day, law.Day)
		c.Hours24 = narrower(c.Hours24, law.Hours24)
		c.Days7 = narrower(c.Days7, law.Days7)
		c.Days30 = narrower(c.Days30, law.Days30)
		c.AfterTalk = max(c.AfterTalk, law.AfterTalk)
	}
	return c
}

func narrower(a, b int) int {
	if a <= 0 || b > 0 && b < a {
		return b
	}
	return a
}

// Next returns the first time from at on at which one more call is allowed after
// those of tried, in any order, and the name of the cap that is the last to bind
// until then, "" when the time is at itself. places are the time zones that the
// called party may be in, and a day is full when it is in one of them; none is
// UTC. Calls that come after at count as if they had been made.
func (c Caps) Next(tried []time.Time, places []*time.Location, at time.Time) (time.Time, string) {
	if len(places) == 0 {
		places = []*time.Location{time.UTC}
	}
	tried = slices.SortedFunc(slices.Values(tried), time.Time.Compare)
	next, why := at, ""
	for {
		free, name := c.binds(tried, places, next)
		if name == "" {
			return next, why
		}
		next, why = free, name
	}
}

// binds returns which cap forbids a call at at after tried, oldest first, and a
// later time before which it goes on to; "" for none.
func (c Caps) binds(tried []time.Time, places []*time.Location, at time.Time) (until time.Time, name string) {
	until = at
	take := func(free time.Time, which string) {
		if free.After(until) {
			until, name = free, which
		}
	}
	rolling := func(most int, span time.Duration, which string) {
		if n := len(tried); most > 0 && n >= most {
			take(tried[n-most].Add(span), which)
		}
	}
	if c.Gap > 0 {
		rolling(1, c.Gap, CapGap)
	}
	rolling(c.Hours24, 24*time.Hour, CapHours24)
	rolling(c.Days7, 7*24*time.Hour, CapDays7)
	rolling(c.Days30, 30*24*time.Hour, CapDays30)
	if c.Day > 0 {
		for _, zone := range places {
			if onDay(tried, zone, at) >= c.Day {
				take(Tomorrow(at, zone), CapDay)
			}
		}
	}
	return until, name
}

// onDay counts the times that are on the day of at, by the wall clock of zone.
func onDay(times []time.Time, zone *time.Location, at time.Time) (n int) {
	year, day := at.In(zone).Year(), at.In(zone).YearDay()
	for _, t := range times {
		if local := t.In(zone); local.YearDay() == day && local.Year() == year {
			n++
		}
	}
	return n
}

// Tomorrow returns the first instant after at of another day, by the wall clock
// of zone: not always one of 00:00, which some changes of clocks leave out.
func Tomorrow(at time.Time, zone *time.Location) time.Time {
	today := at.In(zone).YearDay()
	for t := at; ; {
		local := t.In(zone)
		if local.YearDay() != today {
			return t
		}
		hour, minute, second := local.Clock()
		clock := time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute + time.Duration(second)*time.Second
		next := t.Add(24*time.Hour - clock - time.Duration(local.Nanosecond()))
		if _, change := local.ZoneBounds(); !change.IsZero() && change.After(t) && change.Before(next) {
			next = change
		}
		t = next
	}
}
