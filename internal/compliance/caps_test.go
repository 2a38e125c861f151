package compliance_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/callwright/callwright/internal/compliance"
	"github.com/callwright/callwright/internal/domain"
)

func TestCaps(t *testing.T) {
	york, angeles, cairo := zone(t, "America/New_York"), zone(t, "America/Los_Angeles"), zone(t, "Africa/Cairo")
	const layout = "2006-01-02 15:04"
	law := compliance.DefaultCaps.In(book(t).For("FR", ""))
	for name, c := range map[string]struct {
		caps   compliance.Caps
		zones  []*time.Location
		tried  []string // by the wall clock of the first zone
		at     string
		want   string
		reason string
	}{
		"nobody was called":    {compliance.DefaultCaps, nil, nil, "2026-11-23 10:00", "2026-11-23 10:00", ""},
		"no caps":              {compliance.Caps{}, nil, []string{"2026-11-23 10:00", "2026-11-23 10:00"}, "2026-11-23 10:00", "2026-11-23 10:00", ""},
		"gap":                  {compliance.DefaultCaps, nil, []string{"2026-11-23 10:00"}, "2026-11-23 11:59", "2026-11-23 12:00", compliance.CapGap},
		"gap is over":          {compliance.DefaultCaps, nil, []string{"2026-11-23 10:00"}, "2026-11-23 12:00", "2026-11-23 12:00", ""},
		"day":                  {compliance.DefaultCaps, nil, []string{"2026-11-23 12:00", "2026-11-23 10:00"}, "2026-11-23 20:00", "2026-11-24 00:00", compliance.CapDay},
		"gap, then day":        {compliance.DefaultCaps, nil, []string{"2026-11-23 10:00", "2026-11-23 19:00"}, "2026-11-23 20:00", "2026-11-24 00:00", compliance.CapDay},
		"gap over midnight":    {compliance.DefaultCaps, nil, []string{"2026-11-23 10:00", "2026-11-23 23:00"}, "2026-11-23 23:30", "2026-11-24 01:00", compliance.CapGap},
		"24 hours":             {compliance.DefaultCaps, nil, []string{"2026-11-22 16:00", "2026-11-22 20:00", "2026-11-23 09:00"}, "2026-11-23 12:00", "2026-11-23 16:00", compliance.CapHours24},
		"7 days":               {compliance.Caps{Days7: 2}, nil, []string{"2026-11-16 10:00", "2026-11-18 10:00", "2026-11-20 10:00"}, "2026-11-23 10:00", "2026-11-25 10:00", compliance.CapDays7},
		"30 days by law":       {law, nil, []string{"2026-11-01 10:00", "2026-11-03 10:00", "2026-11-05 10:00", "2026-11-12 10:00"}, "2026-11-23 10:00", "2026-12-01 10:00", compliance.CapDays30},
		"midnight of the west": {compliance.Caps{Day: 1}, []*time.Location{york, angeles}, []string{"2026-11-23 10:00"}, "2026-11-24 01:00", "2026-11-24 03:00", compliance.CapDay},
		"a day full after all": {compliance.Caps{Day: 1}, []*time.Location{york, angeles}, []string{"2026-11-23 02:00"}, "2026-11-23 10:00", "2026-11-24 00:00", compliance.CapDay},
		"no midnight in Cairo": {compliance.Caps{Day: 1}, []*time.Location{cairo}, []string{"2026-04-23 10:00"}, "2026-04-23 20:00", "2026-04-24 01:00", compliance.CapDay},
		"a day of 23 hours":    {compliance.Caps{Day: 1}, nil, []string{"2027-03-14 00:30"}, "2027-03-14 01:00", "2027-03-15 00:00", compliance.CapDay},
		"a day of 25 hours":    {compliance.Caps{Day: 1}, nil, []string{"2026-11-01 00:30"}, "2026-11-01 00:45", "2026-11-02 00:00", compliance.CapDay},
		"the same day of 2025": {compliance.Caps{Day: 1}, nil, []string{"2025-11-23 10:00"}, "2026-11-23 10:00", "2026-11-23 10:00", ""},
		"nowhere is UTC":       {compliance.Caps{Day: 1}, []*time.Location{}, []string{"2026-11-23 10:00"}, "2026-11-23 10:00", "2026-11-24 00:00", compliance.CapDay},
	} {
		z := york
		if c.zones == nil {
			c.zones = []*time.Location{york}
		} else if z = time.UTC; len(c.zones) > 0 {
			z = c.zones[0]
		}
		when := func(clock string) time.Time {
			at, err := time.ParseInLocation(layout, clock, z)
			if err != nil {
				t.Fatal(err)
			}
			return at
		}
		var tried []time.Time
		for _, clock := range c.tried {
			tried = append(tried, when(clock))
		}
		got, why := c.caps.Next(tried, c.zones, when(c.at))
		if got.In(z).Format(layout) != c.want || why != c.reason {
			t.Errorf("%s: %s, %q; want %s, %q", name, got.In(z).Format(layout), why, c.want, c.reason)
		}
	}
}

func TestCapsOfTheLaw(t *testing.T) {
	wide := compliance.Caps{Hours24: 10, Days7: 20, Gap: time.Minute}
	const debt, informational, emergency = domain.PurposeDebt, domain.PurposeInformational, domain.PurposeEmergency
	for _, c := range []struct {
		country, state string
		purpose        domain.Purpose
		want           compliance.Caps
	}{
		{"US", "CA", "", wide},
		{"US", "FL", "", compliance.Caps{Hours24: 3, Days7: 20, Gap: time.Minute}},
		{"US", "FL", domain.PurposeMarketing, compliance.Caps{Hours24: 3, Days7: 20, Gap: time.Minute}},
		{"US", "FL", domain.PurposeSurvey, compliance.Caps{Hours24: 3, Days7: 20, Gap: time.Minute}},
		{"US", "FL", informational, wide},
		{"US", "FL", emergency, wide},
		{"US", "OK", "", compliance.Caps{Hours24: 3, Days7: 20, Gap: time.Minute}},
		{"US", "MD", "unheard of", compliance.Caps{Hours24: 3, Days7: 20, Gap: time.Minute}},
		{"US", "", "", compliance.Caps{Hours24: 3, Days7: 20, Gap: time.Minute}}, // any state
		{"US", "", debt, compliance.Caps{Hours24: 10, Days7: 7, Gap: time.Minute, AfterTalk: 7 * 24 * time.Hour}},
		{"US", "FL", debt, compliance.Caps{Hours24: 10, Days7: 7, Gap: time.Minute, AfterTalk: 7 * 24 * time.Hour}},
		{"FR", "", "", compliance.Caps{Hours24: 10, Days7: 20, Days30: 4, Gap: time.Minute}},
		{"FR", "", informational, wide},
		{"FR", "", debt, wide},
		{"DE", "", debt, wide},
	} {
		rules := book(t).Of(c.purpose).For(c.country, c.state)
		if got := wide.In(rules); got != c.want {
			t.Errorf("%s-%s, %s: %+v, want %+v", c.country, c.state, c.purpose, got, c.want)
		}
		if got := compliance.DefaultCaps.In(rules); got.Hours24 != 3 || got.Days7 != 7 || got.Day != 2 {
			t.Errorf("%s-%s, %s: the law widens the caps: %+v", c.country, c.state, c.purpose, got)
		}
	}
}

// TestCapsAgainstAWalk compares the next time with a walk over all minutes, with
// calls before and after, in all kinds of zones.
func TestCapsAgainstAWalk(t *testing.T) {
	const days = 24 * time.Hour
	rapid.Check(t, func(r *rapid.T) {
		caps := compliance.Caps{
			Day: rapid.IntRange(-1, 3).Draw(r, "day"), Hours24: rapid.IntRange(0, 4).Draw(r, "24 hours"), Days7: rapid.IntRange(0, 8).Draw(r, "7 days"),
			Days30: rapid.SampledFrom([]int{0, 0, 2, 9}).Draw(r, "30 days"), Gap: time.Duration(rapid.IntRange(-5, 500).Draw(r, "gap")) * time.Minute,
		}
		var places []*time.Location
		for range rapid.IntRange(1, 3).Draw(r, "places") {
			places = append(places, zone(t, rapid.SampledFrom(zoneList).Draw(r, "zone")))
		}
		at := time.Unix(rapid.Int64Range(29_454_000, 31_032_000).Draw(r, "at")*60, 0).UTC() // 2026 to 2028
		if all := changes(places[0]); len(all) > 0 && rapid.Bool().Draw(r, "when clocks change") {
			minutes := rapid.IntRange(-1440, 1440).Draw(r, "minutes from it")
			at = rapid.SampledFrom(all).Draw(r, "change").Truncate(time.Minute).Add(time.Duration(minutes) * time.Minute).UTC()
		}
		var tried []time.Time
		for range rapid.IntRange(0, 12).Draw(r, "tried") {
			tried = append(tried, at.Add(time.Duration(rapid.IntRange(-9*1440, 1440).Draw(r, "ago"))*time.Minute))
		}
		given := slices.Clone(tried)
		got, why := caps.Next(tried, places, at)
		if !slices.Equal(tried, given) {
			r.Fatal("the times that were given are in another order now")
		}
		want, model := at, tallied(caps, tried, places)
		for ; !model.allow(want); want = want.Add(time.Minute) {
			if want.Sub(at) > 45*days {
				r.Fatalf("nothing is allowed any more; %s, %s was the answer", got, why)
			}
		}
		if !got.Equal(want) || (why == "") != got.Equal(at) {
			r.Fatalf("%+v: next of %s after %v is %s, %q; walking gives %s", caps, at, tried, got, why, want)
		}
		sooner, _ := caps.Next(tried, places, at.Add(-time.Duration(rapid.IntRange(0, 3000).Draw(r, "before"))*time.Minute))
		if sooner.After(got) {
			r.Fatalf("asked before %s, the next time is %s; asked then, %s", at, sooner, got)
		}
	})
}

// tally is what was called, to be counted cap by cap.
type tally struct {
	caps   compliance.Caps
	tried  []time.Time
	places []*time.Location
	days   []map[string]int // calls on each day, by place
}

func tallied(c compliance.Caps, tried []time.Time, places []*time.Location) *tally {
	y := &tally{caps: c, tried: tried, places: places}
	for _, z := range places {
		days := map[string]int{}
		for _, t := range tried {
			days[t.In(z).Format(time.DateOnly)]++
		}
		y.days = append(y.days, days)
	}
	return y
}

// allow reports whether one more call may be at at.
func (y *tally) allow(at time.Time) bool {
	within := func(span time.Duration, most int) bool {
		n := 0
		for _, t := range y.tried {
			if t.Add(span).After(at) {
				n++
			}
		}
		return most > 0 && n >= most
	}
	const day = 24 * time.Hour
	if within(30*day, y.caps.Days30) || within(7*day, y.caps.Days7) || within(day, y.caps.Hours24) || y.caps.Gap > 0 && within(y.caps.Gap, 1) {
		return false
	}
	for i, z := range y.places {
		if y.caps.Day > 0 && y.days[i][at.In(z).Format(time.DateOnly)] >= y.caps.Day {
			return false
		}
	}
	return true
}
