package compliance_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/callwright/callwright/internal/compliance"
	"github.com/callwright/callwright/internal/phone"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := phone.Zone(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func book(t testing.TB) *compliance.Book {
	t.Helper()
	b, err := compliance.Current()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestHours walks the edges of rules, at local times of the called place.
func TestHours(t *testing.T) {
	for _, c := range []struct {
		country, state, zone, local string
		want                        bool
	}{
		{"US", "CA", "America/Los_Angeles", "2026-11-23 07:59", false},
		{"US", "CA", "America/Los_Angeles", "2026-11-23 08:00", true},
		{"US", "CA", "America/Los_Angeles", "2026-11-22 20:59", true}, // a Sunday
		{"US", "CA", "America/Los_Angeles", "2026-11-23 21:00", false},
		{"US", "FL", "America/New_York", "2026-11-23 20:00", false},
		{"US", "FL", "America/New_York", "2026-11-23 19:59", true},
		{"US", "KY", "America/New_York", "2026-11-23 09:59", false},
		{"US", "TX", "America/Chicago", "2026-11-22 11:59", false},
		{"US", "TX", "America/Chicago", "2026-11-22 12:00", true},
		{"US", "PA", "America/New_York", "2026-11-22 13:29", false},
		{"US", "PA", "America/New_York", "2026-11-22 13:30", true},
		{"US", "UT", "America/Denver", "2026-11-22 12:00", false}, // a Sunday
		{"US", "UT", "America/Denver", "2026-11-26 12:00", false}, // Thanksgiving
		{"US", "UT", "America/Denver", "2026-07-03 12:00", true},  // the 4th is a Saturday
		{"US", "AL", "America/Chicago", "2026-07-03 12:00", false},
		{"US", "AL", "America/Chicago", "2027-07-05 12:00", false}, // the 4th is a Sunday
		{"US", "MS", "America/Chicago", "2026-05-25 12:00", false}, // the last Monday of May
		{"US", "MS", "America/Chicago", "2026-05-18 12:00", true},
		{"US", "", "America/New_York", "2026-11-23 17:59", true}, // all states at once
		{"US", "", "America/New_York", "2026-11-23 18:00", false},
		{"US", "", "America/New_York", "2026-11-23 09:59", false},
		{"CA", "", "America/Toronto", "2026-11-23 21:29", true},
		{"CA", "", "America/Toronto", "2026-11-21 18:00", false},
		{"GB", "", "Europe/London", "2026-11-22 08:59", false},
		{"GB", "", "Europe/London", "2027-03-26 12:00", false}, // Good Friday
		{"FR", "", "Europe/Paris", "2026-11-23 13:30", false},
		{"FR", "", "Europe/Paris", "2026-11-23 14:00", true},
		{"FR", "", "Europe/Paris", "2027-05-06 12:00", false}, // Ascension
		{"AU", "", "Australia/Sydney", "2026-11-21 16:59", true},
		{"AU", "", "Australia/Sydney", "2026-11-21 17:00", false},
		{"IN", "", "Asia/Kolkata", "2026-11-22 18:59", true},
		{"BR", "", "America/Sao_Paulo", "2026-11-22 12:00", false}, // a Sunday, no rule known
		{"BR", "", "America/Sao_Paulo", "2026-11-23 19:59", true},
		{"BR", "", "America/Sao_Paulo", "2026-11-23 20:00", false},
	} {
		z := zone(t, c.zone)
		at, err := time.ParseInLocation("2006-01-02 15:04", c.local, z)
		if err != nil {
			t.Fatal(err)
		}
		call := compliance.Call{Places: []*time.Location{z}, Rules: book(t).For(c.country, c.state)}
		if got := call.Allowed(at); got != c.want {
			t.Errorf("%s-%s at %s: %t", c.country, c.state, c.local, got)
		}
	}
}

func TestWindow(t *testing.T) {
	york, angeles := zone(t, "America/New_York"), zone(t, "America/Los_Angeles")
	at := func(s string) time.Time {
		p, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	rules := book(t).For("US", "CA")
	call := compliance.Call{
		Places: []*time.Location{angeles}, Rules: rules,
		Window: &compliance.Window{Zone: york, From: 9 * 60, To: 17 * 60},
	}
	// 9 o'clock in New York is 6 in Los Angeles; it opens there at 8, 11 in New York.
	if next, ok := call.Next(at("2026-11-23T14:00:00Z")); !ok || !next.Equal(at("2026-11-23T16:00:00Z")) {
		t.Errorf("next %s, %t", next, ok)
	}
	if next, ok := call.Next(at("2026-11-23T22:00:00Z")); !ok || !next.Equal(at("2026-11-24T16:00:00Z")) {
		t.Errorf("next %s, %t", next, ok)
	}
	if next, ok := call.Next(at("2026-11-23T17:12:31Z")); !ok || !next.Equal(at("2026-11-23T17:12:31Z")) {
		t.Errorf("an allowed instant is moved to %s, %t", next, ok)
	}
	// A window that no hour of the place meets.
	call.Window = &compliance.Window{Zone: york, From: 60, To: 120}
	if next, ok := call.Next(at("2026-11-23T14:00:00Z")); ok {
		t.Errorf("there is no such time, and not %s", next)
	}
	// Over midnight.
	call.Window = &compliance.Window{Zone: york, From: 22 * 60, To: 2 * 60}
	if next, ok := call.Next(at("2026-11-24T00:00:00Z")); !ok || !next.Equal(at("2026-11-24T03:00:00Z")) {
		t.Errorf("next %s, %t", next, ok)
	}
	// A phone must not ring beyond the end.
	call = compliance.Call{Places: []*time.Location{angeles}, Rules: rules, Ring: 30 * time.Second}
	if call.Allowed(at("2026-11-24T04:59:31Z")) || !call.Allowed(at("2026-11-24T04:59:29Z")) {
		t.Error("the end of the ring is not looked at")
	}
	if (&compliance.Call{Rules: rules}).Allowed(at("2026-11-23T20:00:00Z")) {
		t.Error("a call to nowhere is allowed")
	}
}

// zoneList are zones with changes of all kinds in the years that are tried.
var zoneList = []string{
	"America/New_York", "America/Los_Angeles", "America/St_Johns", "America/Vancouver", "America/Winnipeg", "America/Havana", "America/Sao_Paulo",
	"America/Santiago", "Europe/London", "Europe/Paris", "Europe/Chisinau", "Africa/Cairo", "Africa/Casablanca", "Asia/Kolkata", "Asia/Kathmandu",
	"Asia/Tehran", "Asia/Gaza", "Australia/Sydney", "Australia/Lord_Howe", "Australia/Eucla", "Pacific/Chatham", "Pacific/Apia", "Pacific/Kiritimati", "UTC",
}

// TestNextIsTheFirst compares the next time to call with a walk over all minutes.
func TestNextIsTheFirst(t *testing.T) {
	b := book(t)
	names := everyZone(t)
	places := [][2]string{{"US", ""}, {"US", "FL"}, {"US", "PA"}, {"US", "UT"}, {"US", "AL"}, {"CA", ""}, {"FR", ""}, {"GB", ""}, {"XX", ""}}
	rapid.Check(t, func(r *rapid.T) {
		var call compliance.Call
		for range rapid.IntRange(1, 3).Draw(r, "places") {
			call.Places = append(call.Places, zone(t, rapid.SampledFrom(names).Draw(r, "zone")))
		}
		place := rapid.SampledFrom(places).Draw(r, "place")
		call.Rules = b.For(place[0], place[1])
		if rapid.Bool().Draw(r, "windowed") {
			call.Window = &compliance.Window{
				Zone: zone(t, rapid.SampledFrom(names).Draw(r, "window zone")),
				From: rapid.IntRange(0, 1439).Draw(r, "from"), To: rapid.IntRange(1, 1440).Draw(r, "to"),
			}
		}
		call.Ring = time.Duration(rapid.SampledFrom([]int{0, 0, 30, 45, 120, 200}).Draw(r, "ring")) * time.Second
		at := time.Unix(rapid.Int64Range(1_767_225_600, 1_861_920_000).Draw(r, "at"), 0).UTC() // 2026 to 2028
		got, ok := call.Next(at)
		want, found := walk(&call, at)
		if ok != found || !got.Equal(want) {
			r.Fatalf("next of %s is %s, %t; walking gives %s, %t", at, got, ok, want, found)
		}
		if ok && !call.Allowed(got) {
			r.Fatalf("%s is not allowed", got)
		}
		silent := call
		silent.Ring = 0
		for ring := time.Duration(0); ok && ring <= call.Ring; ring += 5 * time.Second {
			if !silent.Allowed(got.Add(ring)) {
				r.Fatalf("%s is allowed, and the phone rings at %s", got, got.Add(ring))
			}
		}
		if sooner, first := call.Next(at.Add(-time.Minute)); ok && first && sooner.After(got) {
			r.Fatalf("a minute before %s the next time is %s, then %s", at, sooner, got)
		}
	})
}

// walk tries every minute.
func walk(call *compliance.Call, at time.Time) (time.Time, bool) {
	if call.Allowed(at) {
		return at, true
	}
	for t := at.Truncate(time.Minute).Add(time.Minute); t.Before(at.Add(compliance.Horizon)); t = t.Add(time.Minute) {
		if call.Allowed(t) {
			return t, true
		}
	}
	return time.Time{}, false
}

func TestMinute(t *testing.T) {
	for text, want := range map[string]int{"00:00": 0, "09:05": 545, "24:00": 1440} {
		if got, err := compliance.Minute(text); err != nil || got != want {
			t.Errorf("%s = %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "9:00", "09:60", "24:01", "-1:00", "09:00:00", "0900", "ab:cd"} {
		if _, err := compliance.Minute(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

func TestBook(t *testing.T) {
	b := book(t)
	if b.Version == "" || len(b.For("US", "WY")) != 2 || len(b.For("US", "CA")) != 1 || b.For("DE", "")[0].ID != "default" {
		t.Errorf("%+v", b.For("US", "WY"))
	}
	if all := b.For("US", ""); len(all) < 20 {
		t.Errorf("a number of an unknown state has %d rules", len(all))
	}
}
