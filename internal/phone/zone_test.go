package phone_test

import (
	"errors"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/phone"
)

func TestZone(t *testing.T) {
	noon := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	for name, hour := range map[string]int{"UTC": 12, "Europe/Berlin": 14, "America/New_York": 8, "Asia/Kolkata": 17} {
		zone, err := phone.Zone(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := noon.In(zone).Hour(); got != hour {
			t.Errorf("noon UTC is %d o'clock in %s, want %d", got, name, hour)
		}
	}
	for _, name := range []string{"", "Local", "Mars/Olympus", "../../etc/passwd", "/etc/localtime", "Europe/Berlin\x00"} {
		if zone, err := phone.Zone(name); !errors.Is(err, phone.ErrZone) {
			t.Errorf("%q: %v, %v", name, zone, err)
		}
	}
}
