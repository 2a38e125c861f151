package compliance

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

//go:embed rules.json
var data []byte

// file is the file of rules.
type file struct {
	Version  string
	Holidays map[string][]string
	Groups   map[string]purposes // names for several purposes
	Rules    []entry
	Consents []consentEntry
}

// purposes are whom an entry is for: purposes, and names of groups. None is all.
type purposes []domain.Purpose

// entry is a rule as the file has it.
type entry struct {
	ID, Where, Source, Observed string
	For                         purposes
	Days, Holidays              []string                                             // holidays: names of lists
	Caps                        struct{ Day, Hours24, Days7, Days30, AfterTalk int } // AfterTalk is in days
}

// consentEntry is a need of consent as the file has it.
type consentEntry struct {
	Where, Kind, Source string
	For                 purposes
}

// parse reads the file of rules.
func parse(raw []byte) (*Book, error) {
	var f file
	in := json.NewDecoder(bytes.NewReader(raw))
	in.DisallowUnknownFields()
	if err := in.Decode(&f); err != nil {
		return nil, fmt.Errorf("the rules cannot be read: %w", err)
	}
	of := make(map[domain.Purpose]*Book, len(domain.Purposes))
	for _, p := range domain.Purposes {
		of[p] = &Book{Version: f.Version, byPlace: make(map[string][]Rule), states: make(map[string]bool), consents: make(map[string]*Consent), of: of}
	}
	for i := range f.Rules {
		e := &f.Rules[i]
		rule, err := e.rule(f.Holidays)
		if err != nil {
			return nil, fmt.Errorf("rule %s: %w", e.ID, err)
		}
		err = f.each(e.For, func(p domain.Purpose) {
			b := of[p]
			b.byPlace[e.Where] = append(b.byPlace[e.Where], rule)
			if country, _, state := strings.Cut(e.Where, "-"); state {
				b.states[country] = true
			}
		})
		if err != nil {
			return nil, fmt.Errorf("rule %s: %w", e.ID, err)
		}
	}
	for _, e := range f.Consents {
		err := f.each(e.For, func(p domain.Purpose) { of[p].consents[e.Where] = &Consent{Kind: e.Kind, Source: e.Source} })
		if err != nil {
			return nil, fmt.Errorf("consent of %s: %w", e.Where, err)
		}
	}
	return of[domain.PurposeUnspecified], nil
}

// each calls take with each purpose of an entry, once.
func (f *file) each(named purposes, take func(domain.Purpose)) error {
	if len(named) == 0 {
		named = domain.Purposes
	}
	var all purposes
	for _, name := range named {
		if group, known := f.Groups[string(name)]; known {
			all = append(all, group...)
		} else {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	for _, p := range slices.Compact(all) {
		if !slices.Contains(domain.Purposes, p) {
			return fmt.Errorf("%q is neither a purpose nor a group", p)
		}
		take(p)
	}
	return nil
}

func (e *entry) rule(holidays map[string][]string) (Rule, error) {
	c := e.Caps
	r := Rule{ID: e.ID, Source: e.Source, observed: e.Observed, Caps: Caps{
		Day: c.Day, Hours24: c.Hours24, Days7: c.Days7, Days30: c.Days30, AfterTalk: time.Duration(c.AfterTalk) * 24 * time.Hour,
	}}
	switch e.Observed {
	case "", observedNearest, observedAfter:
	default:
		return r, fmt.Errorf("observed is %q, which is neither %s nor %s", e.Observed, observedNearest, observedAfter)
	}
	if min(c.Day, c.Hours24, c.Days7, c.Days30, c.AfterTalk) < 0 {
		return r, fmt.Errorf("a cap is negative: %+v", c)
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
