package compliance

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// Rule is what one jurisdiction allows: hours by the wall clock of the called
// place, and how many calls.
type Rule struct {
	ID     string
	Source string
	Week   [7][]Span // by time.Weekday, Sunday first
	Caps   Caps      // zero where it has none

	holidays []holiday
	observed string // when a holiday at the weekend is also kept
}

// When a holiday at the weekend is also kept.
const (
	observedNearest = "nearest" // that of a Saturday on Friday, that of a Sunday on Monday
	observedAfter   = "after"   // on the first days from Monday on that are none themselves
)

// Book is a version of the rules, as they are for one purpose: first that of
// calls of which nobody said what they are for.
type Book struct {
	Version  string
	byPlace  map[string][]Rule // "US", "US-FL"; "*" is any other country
	states   map[string]bool   // countries whose states have rules of their own
	consents map[string]*Consent
	of       map[domain.Purpose]*Book
}

// Current returns the rules of this version of the program. An error is a fault
// of the file that is compiled in.
var Current = sync.OnceValues(func() (*Book, error) { return parse(data) })

// Of returns the rules of calls with a purpose. Those of one that is not known,
// or "", are those of domain.PurposeUnspecified.
func (b *Book) Of(p domain.Purpose) *Book {
	if of := b.of[p]; of != nil {
		return of
	}
	return b
}

// For returns the rules of a called place: its country's, and its state's. A
// country that has none for the purpose has the default; a state that is not
// known, in a country whose states have rules, has those of all states.
func (b *Book) For(country, state string) []Rule {
	rules, known := b.byPlace[country]
	if !known {
		return b.byPlace["*"]
	}
	if !b.states[country] {
		return rules
	}
	all := append([]Rule(nil), rules...)
	if state != "" {
		return append(all, b.byPlace[country+"-"+state]...)
	}
	for place, more := range b.byPlace {
		if strings.HasPrefix(place, country+"-") {
			all = append(all, more...)
		}
	}
	slices.SortFunc(all, func(a, b Rule) int { return strings.Compare(a.ID, b.ID) })
	return all
}

// Strictest returns the rules of a called place whose state two sources tell,
// which may differ: those of both, each once. A second one that is no state of
// the country adds nothing.
func (b *Book) Strictest(country, state, other string) []Rule {
	all := b.For(country, state)
	if other == "" || other == state || state == "" {
		return all
	}
	all = slices.Clip(all)
	for _, rule := range b.byPlace[country+"-"+other] {
		if !slices.ContainsFunc(all, func(r Rule) bool { return r.ID == rule.ID }) {
			all = append(all, rule)
		}
	}
	return all
}

// open reports whether the rule allows calls at a local time.
func (r *Rule) open(local time.Time) bool {
	minute := minuteOf(local)
	for _, s := range r.Week[local.Weekday()] {
		if s.holds(minute) {
			return !r.holiday(local)
		}
	}
	return false
}

// holiday reports whether no calls are allowed on the day of local.
func (r *Rule) holiday(local time.Time) bool {
	if len(r.holidays) == 0 {
		return false
	}
	year, month, day := local.Date()
	date := time.Date(year, month, day, 12, 0, 0, 0, time.UTC) // there is a noon every day
	switch {
	case r.falls(date):
		return true
	case r.observed == observedNearest:
		return date.Weekday() == time.Friday && r.falls(date.AddDate(0, 0, 1)) || date.Weekday() == time.Monday && r.falls(date.AddDate(0, 0, -1))
	case r.observed == observedAfter:
		return r.standsIn(date)
	}
	return false
}

// standsIn reports whether date, no holiday itself, is one in place of another
// that is on the Saturday or Sunday before.
func (r *Rule) standsIn(date time.Time) bool {
	if date.Weekday() < time.Monday || date.Weekday() > time.Wednesday {
		return false
	}
	sunday := date.AddDate(0, 0, -int(date.Weekday()))
	moved := 0
	for _, weekend := range [...]time.Time{sunday.AddDate(0, 0, -1), sunday} {
		if r.falls(weekend) {
			moved++
		}
	}
	for d := sunday.AddDate(0, 0, 1); moved > 0 && d.Before(date); d = d.AddDate(0, 0, 1) {
		if !r.falls(d) {
			moved--
		}
	}
	return moved > 0
}

func (r *Rule) falls(date time.Time) bool {
	return slices.ContainsFunc(r.holidays, func(h holiday) bool { return h.falls(date) })
}
