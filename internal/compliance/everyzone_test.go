package compliance_test

import (
	"archive/zip"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/compliance"
)

// everyZone returns one name for each zone of the database that has not the same
// clocks as another one from 2025 to 2030.
func everyZone(t *testing.T) []string {
	t.Helper()
	pack, err := zip.OpenReader("../phone/zones.zip")
	if err != nil {
		t.Fatal(err)
	}
	defer pack.Close()
	seen := map[string]bool{}
	var names []string
	for _, f := range pack.File {
		z := zone(t, f.Name)
		_, offset := walkFrom.In(z).Zone()
		clocks := fmt.Sprint(offset)
		for _, change := range changes(z) {
			_, offset := change.In(z).Zone()
			clocks += fmt.Sprint(change.Unix(), offset)
		}
		if !seen[clocks] {
			seen[clocks] = true
			names = append(names, f.Name)
		}
	}
	if len(pack.File) < 400 || len(names) < 60 {
		t.Fatalf("%d zones, %d of them different", len(pack.File), len(names))
	}
	return names
}

// The years that are walked through.
var (
	walkFrom = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	walkTo   = time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC)
)

// changes returns when the clocks of a zone change.
func changes(zone *time.Location) (list []time.Time) {
	for at := walkFrom; ; {
		_, change := at.In(zone).ZoneBounds()
		if change.IsZero() || change.After(walkTo) {
			return list
		}
		list, at = append(list, change), change
	}
}

// spans returns times to walk through: those around each change of the clocks,
// a weekend and a leap day.
func spans(zone *time.Location) [][2]time.Time {
	const around = 15 * time.Hour
	list := [][2]time.Time{
		{time.Date(2026, 12, 26, 0, 0, 0, 0, time.UTC), time.Date(2026, 12, 28, 0, 0, 0, 0, time.UTC)},
		{time.Date(2028, 2, 29, 0, 0, 0, 0, time.UTC), time.Date(2028, 3, 1, 0, 0, 0, 0, time.UTC)},
	}
	for _, change := range changes(zone) {
		list = append(list, [2]time.Time{change.Add(-around).Truncate(time.Minute), change.Add(around).Truncate(time.Minute)})
	}
	return list
}

// plan is a call to decide on, and how people would say when it is allowed.
type plan struct {
	call         compliance.Call
	closed       string // day of the week
	from, before string // clock
}

// plans are calls to a zone: by hours of the law, by a campaign's window within
// all-day hours, and by one for the time of night when clocks change.
func plans(t *testing.T, z *time.Location) []plan {
	places := []*time.Location{z}
	return []plan{
		{compliance.Call{Places: places, Rules: book(t).For("XX", "")}, "Sun", "09:00", "20:00"},
		{compliance.Call{Places: places, Rules: allButWednesday, Window: &compliance.Window{Zone: z, From: 9*60 + 17, To: 23*60 + 43}}, "Wed", "09:17", "23:43"},
		{compliance.Call{Places: places, Rules: allButWednesday, Window: &compliance.Window{Zone: z, From: 15, To: 2*60 + 40}}, "Wed", "00:15", "02:40"},
	}
}

var allDay = []compliance.Span{{From: 0, To: 1440}}

var allButWednesday = []compliance.Rule{{ID: "all-but-wednesday", Week: [7][]compliance.Span{allDay, allDay, allDay, nil, allDay, allDay, allDay}}}

// allows reads the wall clock as people do.
func (p *plan) allows(at time.Time) bool {
	const layout = "Mon15:04"
	local := at.In(p.call.Places[0]).AppendFormat(make([]byte, 0, len(layout)), layout)
	clock := string(local[3:])
	return string(local[:3]) != p.closed && p.from <= clock && clock < p.before
}

// TestEveryZone walks minute by minute through the changes of the clocks of all
// zones, and asks at each quarter of an hour for the next time to call.
func TestEveryZone(t *testing.T) {
	names := everyZone(t)
	minutes, changed := 0, 0
	for _, name := range names {
		z := zone(t, name)
		changed += len(changes(z))
		for _, p := range plans(t, z) {
			for _, span := range spans(z) {
				minutes += p.walk(t, span)
			}
		}
	}
	t.Logf("%d zones, %d changes of clocks, %d minutes", len(names), changed, minutes)
	if changed < 300 {
		t.Errorf("there are only %d changes of clocks", changed)
	}
}

// walk compares minute by minute, and returns how many there were.
func (p *plan) walk(t *testing.T, span [2]time.Time) int {
	t.Helper()
	z := p.call.Places[0]
	n := int(span[1].Sub(span[0]) / time.Minute)
	open := make([]bool, n)
	for i := range open {
		at := span[0].Add(time.Duration(i) * time.Minute)
		open[i] = p.allows(at)
		if got := p.call.Allowed(at); got != open[i] {
			t.Fatalf("%s at %s: allowed is %t", z, at.In(z), got)
		}
	}
	for i := 0; i < n; i += 15 {
		next := slices.Index(open[i:], true)
		if next < 0 {
			break // beyond what was walked through
		}
		at := span[0].Add(time.Duration(i) * time.Minute)
		want := at.Add(time.Duration(next) * time.Minute)
		if got, ok := p.call.Next(at); !ok || !got.Equal(want) {
			t.Fatalf("%s: next of %s is %s, %t; the walk says %s", z, at.In(z), got.In(z), ok, want.In(z))
		}
	}
	return n
}

// TestRingThroughAClosedMinute: the whole ring has to be in the hours.
func TestRingThroughAClosedMinute(t *testing.T) {
	z := zone(t, "Europe/Paris")
	call := compliance.Call{
		Places: []*time.Location{z}, Rules: allButWednesday, Ring: 2 * time.Minute,
		Window: &compliance.Window{Zone: z, From: 10 * 60, To: 10*60 - 1}, // all but 9:59
	}
	at := time.Date(2026, 11, 23, 9, 56, 30, 0, z)
	for seconds, want := range map[int]bool{0: true, 29: true, 30: false, 60: false, 100: false, 149: false, 150: false, 209: false, 210: true} {
		if got := call.Allowed(at.Add(time.Duration(seconds) * time.Second)); got != want {
			t.Errorf("after %d s: %t", seconds, got)
		}
	}
	if next, ok := call.Next(at.Add(time.Minute)); !ok || !next.Equal(time.Date(2026, 11, 23, 10, 0, 0, 0, z)) {
		t.Errorf("next %s, %t", next, ok)
	}
}
