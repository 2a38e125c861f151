package dialer

import (
	"fmt"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/phone"
)

// place is where some of those live who are called. Its hours are written down
// once more, by hand and in another form than the program's.
type place struct {
	prefix string   // of its numbers; four digits follow
	zones  []string // in which the called party may be
	closed []string // days of the calendar
	open   func(day time.Weekday, hour float64) bool
}

// Hours of several places.
var (
	federal = func(_ time.Weekday, h float64) bool { return h >= 8 && h < 21 }
	florida = func(_ time.Weekday, h float64) bool { return h >= 8 && h < 20 }
	south   = func(d time.Weekday, h float64) bool { return d != time.Sunday && h >= 8 && h < 20 }
)

// veterans is the one holiday of the USA in the time of the test; 1 November is
// one of Louisiana.
const veterans = "2026-11-11"

// places are where everybody lives, each a tenth of them or so.
var places = []place{
	{prefix: "+1212555", zones: []string{"America/New_York"}, open: federal},
	{prefix: "+1602555", zones: []string{"America/Phoenix"}, open: federal},
	{prefix: "+1808555", zones: []string{"Pacific/Honolulu"}, open: federal},
	{prefix: "+1305555", zones: []string{"America/New_York"}, open: florida},
	{prefix: "+1850555", zones: []string{"America/New_York", "America/Chicago"}, open: florida},
	{prefix: "+1205555", zones: []string{"America/Chicago"}, closed: []string{veterans}, open: south},
	{prefix: "+1504555", zones: []string{"America/Chicago"}, closed: []string{"2026-11-01", veterans}, open: south},
	{prefix: "+1401555", zones: []string{"America/New_York"}, closed: []string{veterans}, open: func(d time.Weekday, h float64) bool {
		return d >= time.Monday && d <= time.Friday && h >= 9 && h < 18 || d == time.Saturday && h >= 10 && h < 17
	}},
	{prefix: "+1215555", zones: []string{"America/New_York"}, open: func(d time.Weekday, h float64) bool {
		return h < 21 && (h >= 13.5 || d != time.Sunday && h >= 8)
	}},
	{prefix: "+1416555", zones: []string{"America/Toronto"}, open: func(d time.Weekday, h float64) bool {
		if d == time.Saturday || d == time.Sunday {
			return h >= 10 && h < 18
		}
		return h >= 9 && h < 21.5
	}},
	{prefix: "+44207946", zones: []string{"Europe/London"}, open: func(d time.Weekday, h float64) bool {
		return h < 21 && (h >= 9 || d != time.Sunday && h >= 8)
	}},
	{prefix: "+3314201", zones: []string{"Europe/Paris"}, closed: []string{"2026-11-01", veterans}, open: func(d time.Weekday, h float64) bool {
		return d >= time.Monday && d <= time.Friday && (h >= 10 && h < 13 || h >= 14 && h < 20)
	}},
	{prefix: "+6129374", zones: []string{"Australia/Sydney"}, open: func(d time.Weekday, h float64) bool {
		return d != time.Sunday && h >= 9 && (h < 17 || h < 20 && d != time.Saturday)
	}},
}

// hours is a campaign's own window, in hours of the wall clock; one that ends
// before it begins goes over midnight. The zero hours are always.
type hours struct {
	zone     string
	from, to float64
}

// wall is an instant on the wall clock of a zone.
func wall(t *testing.T, at time.Time, zone string) (local time.Time, hour float64) {
	t.Helper()
	z, err := phone.Zone(zone)
	if err != nil {
		t.Fatal(err)
	}
	local = at.In(z)
	return local, float64(local.Hour()) + float64(local.Minute())/60
}

// shut tells why nobody may be called at an instant; "" when they may.
func (p *place) shut(t *testing.T, at time.Time) string {
	t.Helper()
	for _, zone := range p.zones {
		local, hour := wall(t, at, zone)
		if !p.open(local.Weekday(), hour) {
			return fmt.Sprintf("it is %s in %s", local.Format("Monday 15:04"), zone)
		}
		for _, day := range p.closed {
			if local.Format(time.DateOnly) == day {
				return day + " is a holiday there"
			}
		}
	}
	return ""
}

func (w hours) shut(t *testing.T, at time.Time) string {
	t.Helper()
	if w.zone == "" {
		return ""
	}
	local, h := wall(t, at, w.zone)
	open := h >= w.from && h < w.to
	if w.from > w.to {
		open = h >= w.from || h < w.to
	}
	if open {
		return ""
	}
	return fmt.Sprintf("it is %s in %s, where the campaign is", local.Format("Monday 15:04"), w.zone)
}

// ringable walks through the time for which a phone may ring and tells why one
// of its seconds is forbidden; "" when none is.
func ringable(t *testing.T, p *place, w hours, from time.Time) string {
	t.Helper()
	for at := from; !at.After(from.Add(30 * time.Second)); at = at.Add(time.Second) {
		if why := p.shut(t, at); why != "" {
			return why
		}
		if why := w.shut(t, at); why != "" {
			return why
		}
	}
	return ""
}

// partOf is the part of the day: morning, afternoon, evening.
func partOf(t *testing.T, at time.Time, zone string) int {
	t.Helper()
	switch _, h := wall(t, at, zone); {
	case h < 12:
		return 0
	case h < 17:
		return 1
	}
	return 2
}

// tooOften tells why a number that was tried at these times may not be tried at
// at; "" when it may.
func (p *place) tooOften(t *testing.T, tried []time.Time, at time.Time) string {
	t.Helper()
	last := func(span time.Duration) (n int) {
		for _, then := range tried {
			if at.Sub(then) < span {
				n++
			}
		}
		return n
	}
	switch {
	case last(2*time.Hour) > 0:
		return "it was called less than two hours ago"
	case last(24*time.Hour) >= 3:
		return "it was called three times in 24 hours"
	case last(7*24*time.Hour) >= 7:
		return "it was called seven times in a week"
	case p.prefix == "+3314201" && last(30*24*time.Hour) >= 4:
		return "it was called four times in 30 days"
	}
	for _, zone := range p.zones {
		today, _ := wall(t, at, zone)
		n := 0
		for _, then := range tried {
			if local, _ := wall(t, then, zone); local.Format(time.DateOnly) == today.Format(time.DateOnly) {
				n++
			}
		}
		if n >= 2 {
			return "it was called twice on this day"
		}
	}
	return ""
}
