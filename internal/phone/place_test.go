package phone_test

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/callwright/callwright/internal/phone"
)

func TestPlaces(t *testing.T) {
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for number, want := range map[string]string{
		"+14155552671":   "America/Los_Angeles",
		"+12125551234":   "America/New_York",
		"+12085551234":   "America/Boise America/Los_Angeles",
		"+61740123456":   "Australia/Brisbane",
		"+61889123456":   "Australia/Adelaide Australia/Darwin Australia/Perth",
		"+442079460018":  "Europe/London",
		"+493012345678":  "Europe/Berlin",
		"+212612345678":  "Africa/Casablanca",
		"+6281234567890": "Asia/Jakarta Asia/Makassar Asia/Jayapura",
		"+79021234567":   "", // eleven zones
		"+18005551234":   "", // toll-free
		"+15005550106":   "",
		"+19002345678":   "",
		"+870773111632":  "", // Inmarsat
		"+15551234567":   "",
	} {
		n, err := phone.Parse(number)
		if err != nil {
			t.Fatal(err)
		}
		places, err := phone.Places(n, at)
		var names []string
		for _, p := range places {
			names = append(names, p.String())
		}
		if got := strings.Join(names, " "); got != want || (err == nil) != (want != "") {
			t.Errorf("%s is in %q, %v; want %q", number, got, err, want)
		}
	}
}

func TestState(t *testing.T) {
	for number, want := range map[string]string{
		"+14155552671": "CA", "+12125551234": "NY", "+13055551234": "FL", "+16045551234": "", "+18005551234": "", "+442079460018": "", "+1": "",
	} {
		if got := (phone.Number{E164: number, Country: map[bool]int{true: 1, false: 44}[number[1] == '1']}).State(); got != want {
			t.Errorf("%s is in %q, want %q", number, got, want)
		}
	}
}

// TestZonesOfOurOwn: laws of 2026 that older databases do not know.
func TestZonesOfOurOwn(t *testing.T) {
	if v := phone.Zones(); v.Version < "2026f" || v.Released.IsZero() {
		t.Errorf("the zones compiled in are %+v", v)
	}
	for name, hour := range map[string]int{"America/Vancouver": 5, "America/Edmonton": 6, "America/Winnipeg": 7, "America/Havana": 8, "Africa/Casablanca": 12} {
		zone, err := phone.Zone(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC).In(zone).Hour(); got != hour {
			t.Errorf("noon UTC in December 2026 is %d o'clock in %s, want %d", got, name, hour)
		}
	}
}

func TestOldZones(t *testing.T) {
	released := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for days, want := range map[int]bool{0: false, 180: false, 181: true, 400: true} {
		got, old := phone.ZoneData{Released: released}.Old(released.AddDate(0, 0, days))
		if got != days || old != want {
			t.Errorf("after %d days: %d, %t", days, got, old)
		}
	}
	if _, old := (phone.ZoneData{}).Old(released); old {
		t.Error("a version of no known day is old")
	}
}

func TestPreferZones(t *testing.T) {
	for line, newer := range map[string]bool{
		"# version 2025b\n": false, "# version 2026f\n": false, "something else\n": false, "": false, "# version 9999z\n": false,
	} {
		if phone.PreferZones(fstest.MapFS{"tzdata.zi": {Data: []byte(line)}}) != newer {
			t.Errorf("%q", line)
		}
	}
	// A newer one, with one zone that the world does not have.
	before := phone.Zones()
	if !phone.PreferZones(fstest.MapFS{"+VERSION": {Data: []byte("2031a\n")}, "Test/Here": {Data: tzif}}) {
		t.Fatal("a newer database is not used")
	}
	if v := phone.Zones(); v.Version != "2031a" || !v.Released.IsZero() || v.Version == before.Version {
		t.Errorf("%+v", v)
	}
	if _, err := phone.Zone("Test/Here"); err != nil {
		t.Error(err)
	}
	if _, err := phone.Zone("Europe/Berlin"); err == nil {
		t.Error("the database is mixed with the other one")
	}
	phone.ForgetZones()
}

// tzif is a zone without changes (RFC 8536 section 3): UTC, version 1.
var tzif = append([]byte("TZif\x00"), append(make([]byte, 15), []byte{
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 4,
	0, 0, 0, 0, 0, 0, 'T', 'S', 'T', 0,
}...)...)
