// Package compliance decides when a number may be called: the hours and the
// number of calls that the law of the called place sets, and the window that a
// campaign has, in every time zone that the number may be in. It works on facts
// that it is given and does no I/O.
//
// The rules are engineering defaults out of public sources, not legal advice.
package compliance

import (
	"time"
)

// Horizon is how far ahead the next time to call is looked for.
const Horizon = 8 * 24 * time.Hour

// Call is what is to be decided on.
type Call struct {
	// Places are the time zones that the called party may be in: all of them
	// must allow the call. None allows nothing.
	Places []*time.Location
	// Rules are those of the called place: all of them must allow the call.
	Rules []Rule
	// Window is the campaign's; nil is always.
	Window *Window
	// Ring is how long the phone may ring: the call must be allowed until then.
	Ring time.Duration
}

// Allowed reports whether the call may be placed at an instant, and the phone
// ring from then on.
func (c *Call) Allowed(at time.Time) bool {
	end := at.Add(max(c.Ring, 0))
	for t := at; t.Before(end); t = t.Truncate(time.Minute).Add(time.Minute) {
		if !c.open(t) {
			return false
		}
	}
	return c.open(end)
}

func (c *Call) open(at time.Time) bool {
	if len(c.Places) == 0 || c.Window != nil && !c.Window.open(at) {
		return false
	}
	for _, place := range c.Places {
		for i := range c.Rules {
			if !c.Rules[i].open(at.In(place)) {
				return false
			}
		}
	}
	return true
}

// Next returns the first whole minute from at on, or at itself, at which the
// call may be placed; false when there is none before the Horizon.
func (c *Call) Next(at time.Time) (time.Time, bool) {
	if c.Allowed(at) {
		return at, true
	}
	if len(c.Places) == 0 {
		return time.Time{}, false
	}
	t := at.Truncate(time.Minute).Add(time.Minute)
	for end := at.Add(Horizon); t.Before(end); t = c.skip(t) {
		if c.Allowed(t) {
			return t, true
		}
	}
	return time.Time{}, false
}

// skip returns the next minute at which the answer may be another one than at
// t: an edge of the wall clock of one of the zones, or a change of its offset.
func (c *Call) skip(t time.Time) time.Time {
	next := t.Add(time.Hour)
	look := func(zone *time.Location, spans [7][]Span) {
		local := t.In(zone)
		if _, change := local.ZoneBounds(); !change.IsZero() && change.After(t) && change.Before(next) {
			next = change
		}
		now := minuteOf(local)
		for _, day := range spans {
			for _, s := range day {
				for _, edge := range [...]int{s.From, s.To} {
					if edge > now && edge-now < int(next.Sub(t)/time.Minute) {
						next = t.Add(time.Duration(edge-now) * time.Minute)
					}
				}
			}
		}
		if midnight := dayMinutes - now; midnight < int(next.Sub(t)/time.Minute) {
			next = t.Add(time.Duration(midnight) * time.Minute)
		}
	}
	for _, place := range c.Places {
		for i := range c.Rules {
			look(place, c.Rules[i].Week)
		}
	}
	if c.Window != nil {
		look(c.Window.Zone, [7][]Span{{{c.Window.From, c.Window.To}}})
	}
	return next
}

// dayMinutes is the wall clock's length of a day.
const dayMinutes = 24 * 60

func minuteOf(local time.Time) int { return local.Hour()*60 + local.Minute() }

// Span is a part of a day in minutes of the wall clock: from From on and before
// To, at most 1440.
type Span struct{ From, To int }

func (s Span) holds(minute int) bool { return s.From <= minute && minute < s.To }

// Window is the part of the day in which a campaign calls, in its own time zone.
// A window that ends before it begins goes over midnight.
type Window struct {
	Zone     *time.Location
	From, To int // minutes of the wall clock
}

func (w *Window) open(at time.Time) bool {
	minute := minuteOf(at.In(w.Zone))
	if w.From <= w.To {
		return Span{w.From, w.To}.holds(minute)
	}
	return minute >= w.From || minute < w.To
}
