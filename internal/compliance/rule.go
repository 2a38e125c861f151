package compliance

import (
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

// Rule is the hours of one jurisdiction, by the wall clock of the called place.
type Rule struct {
	ID     string
	Source string
	Week   [7][]Span // by time.Weekday, Sunday first

	holidays []holiday
	observed bool // a holiday on a Saturday is also kept on Friday, one on a Sunday on Monday
}

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

// open reports whether the rule allows calls at a local time.
func (r *Rule) open(local time.Time) bool {
	if r.holiday(local) {
		return false
	}
	minute := minuteOf(local)
	for _, s := range r.Week[local.Weekday()] {
		if s.holds(minute) {
			return true
		}
	}
	return false
}

func (r *Rule) holiday(local time.Time) bool {
	for _, h := range r.holidays {
		if h.falls(local) {
			return true
		}
		if !r.observed {
			continue
		}
		switch local.Weekday() {
		case time.Friday:
			if h.falls(local.AddDate(0, 0, 1)) {
				return true
			}
		case time.Monday:
			if h.falls(local.AddDate(0, 0, -1)) {
				return true
			}
		}
	}
	return false
}

// parse reads the file of rules.
func parse(raw []byte) (*Book, error) {
	var file struct {
		Version  string
		Holidays map[string][]string
		Rules    []struct {
			ID, Where, Source, Holidays string
			Days                        []string
			Observed                    bool
		}
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		return nil, fmt.Errorf("the rules cannot be read: %w", err)
	}
	b := &Book{Version: file.Version, byPlace: make(map[string][]Rule), states: make(map[string]bool)}
	for _, r := range file.Rules {
		rule := Rule{ID: r.ID, Source: r.Source, observed: r.Observed}
		for _, line := range r.Days {
			if err := rule.add(line); err != nil {
				return nil, fmt.Errorf("rule %s: %w", r.ID, err)
			}
		}
		for _, word := range file.Holidays[r.Holidays] {
			h, err := parseHoliday(word)
			if err != nil {
				return nil, fmt.Errorf("holidays %s: %w", r.Holidays, err)
			}
			rule.holidays = append(rule.holidays, h)
		}
		b.byPlace[r.Where] = append(b.byPlace[r.Where], rule)
		if country, _, state := strings.Cut(r.Where, "-"); state {
			b.states[country] = true
		}
	}
	return b, nil
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
