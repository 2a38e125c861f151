package compliance

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

//go:embed rules.json
var data []byte

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

// Book is a version of the rules.
type Book struct {
	Version string
	byPlace map[string][]Rule // "US", "US-FL"; "*" is any other country
	states  map[string]bool   // countries whose states have rules of their own
}

// Current returns the rules of this version of the program. An error is a fault
// of the file that is compiled in.
var Current = sync.OnceValues(func() (*Book, error) { return parse(data) })

// For returns the rules of a called place: its country's, and its state's. A
// country that has none has the default; a state that is not known, in a country
// whose states have rules, has those of all states.
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

// entry is a rule as the file has it.
type entry struct {
	ID, Where, Source, Observed string
	Days, Holidays              []string // holidays: names of lists
	Caps                        struct{ Day, Hours24, Days7, Days30 int }
}

// parse reads the file of rules.
func parse(raw []byte) (*Book, error) {
	var file struct {
		Version  string
		Holidays map[string][]string
		Rules    []entry
	}
	in := json.NewDecoder(bytes.NewReader(raw))
	in.DisallowUnknownFields()
	if err := in.Decode(&file); err != nil {
		return nil, fmt.Errorf("the rules cannot be read: %w", err)
	}
	b := &Book{Version: file.Version, byPlace: make(map[string][]Rule), states: make(map[string]bool)}
	for _, e := range file.Rules {
		rule, err := e.rule(file.Holidays)
		if err != nil {
			return nil, fmt.Errorf("rule %s: %w", e.ID, err)
		}
		b.byPlace[e.Where] = append(b.byPlace[e.Where], rule)
		if country, _, state := strings.Cut(e.Where, "-"); state {
			b.states[country] = true
		}
	}
	return b, nil
}

func (e *entry) rule(holidays map[string][]string) (Rule, error) {
	r := Rule{ID: e.ID, Source: e.Source, observed: e.Observed, Caps: Caps{Day: e.Caps.Day, Hours24: e.Caps.Hours24, Days7: e.Caps.Days7, Days30: e.Caps.Days30}}
	switch e.Observed {
	case "", observedNearest, observedAfter:
	default:
		return r, fmt.Errorf("observed is %q, which is neither %s nor %s", e.Observed, observedNearest, observedAfter)
	}
	if c := r.Caps; min(c.Day, c.Hours24, c.Days7, c.Days30) < 0 {
		return r, fmt.Errorf("a cap is negative: %+v", e.Caps)
	}
	for _, line := range e.Days {
		if err := r.add(line); err != nil {
			return r, err
		}
	}
	for _, name := range e.Holidays {
		list, known := holidays[name]
		if !known {
			return r, fmt.Errorf("there are no holidays %s", name)
		}
		for _, word := range list {
			h, err := parseHoliday(word)
			if err != nil {
				return r, fmt.Errorf("holidays %s: %w", name, err)
			}
			r.holidays = append(r.holidays, h)
		}
	}
	return r, nil
}

var weekdays = map[string]time.Weekday{
	"sun": time.Sunday, "mon": time.Monday, "tue": time.Tuesday, "wed": time.Wednesday,
	"thu": time.Thursday, "fri": time.Friday, "sat": time.Saturday,
}

// add reads "mon-fri 09:00-20:00".
func (r *Rule) add(line string) error {
	days, hours, _ := strings.Cut(line, " ")
	first, last, several := strings.Cut(days, "-")
	if !several {
		last = first
	}
	from, known1 := weekdays[first]
	to, known2 := weekdays[last]
	begin, end, _ := strings.Cut(hours, "-")
	lo, err1 := Minute(begin)
	hi, err2 := Minute(end)
	if !known1 || !known2 || err1 != nil || err2 != nil || lo >= hi {
		return fmt.Errorf("%q is not days and hours such as mon-fri 09:00-20:00", line)
	}
	for day := from; ; day = (day + 1) % 7 {
		r.Week[day] = append(r.Week[day], Span{lo, hi})
		if day == to {
			return nil
		}
	}
}

// Minute reads a time of the wall clock, HH:MM from 00:00 to 24:00, as minutes
// since midnight.
func Minute(clock string) (int, error) {
	h, m, _ := strings.Cut(clock, ":")
	hour, err1 := strconv.Atoi(h)
	minute, err2 := strconv.Atoi(m)
	if err1 != nil || err2 != nil || len(h) != 2 || len(m) != 2 || hour < 0 || minute < 0 || minute > 59 || hour*60+minute > dayMinutes {
		return 0, fmt.Errorf("%q is not a time such as 09:00", clock)
	}
	return hour*60 + minute, nil
}
