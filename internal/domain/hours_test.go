package domain_test

import (
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// TestHoursOpen looks at the wall clock of a place, on ordinary days and on
// those on which its clocks change.
func TestHoursOpen(t *testing.T) {
	oslo, err := time.LoadLocation("Europe/Oslo")
	if err != nil {
		t.Fatal(err)
	}
	hours := domain.Hours{
		Week: [7][]domain.Span{
			time.Sunday:   {{From: 150, To: 210}}, // 02:30 to 03:30
			time.Monday:   {{From: 540, To: 720}, {From: 780, To: 1020}},
			time.Saturday: {{From: 0, To: 1440}},
		},
		Closed: domain.Closed{Action: domain.ClosedReject},
	}
	for _, c := range []struct {
		at   string // UTC
		open bool
	}{
		{"2026-01-05T07:59:59Z", false}, // Monday 08:59:59, winter
		{"2026-01-05T08:00:00Z", true},  // 09:00
		{"2026-01-05T11:00:00Z", false}, // 12:00
		{"2026-01-05T12:00:00Z", true},  // 13:00
		{"2026-01-05T16:00:00Z", false}, // 17:00
		{"2026-07-06T07:00:00Z", true},  // Monday 09:00, summer
		{"2026-07-06T06:59:00Z", false},
		{"2026-01-06T12:00:00Z", false}, // Tuesday has no hours
		{"2026-01-02T23:00:00Z", true},  // Saturday 00:00
		{"2026-01-03T22:59:59Z", true},  // Saturday 23:59:59
		{"2026-03-29T00:59:59Z", false}, // Sunday 01:59:59; then the clock jumps to 03:00
		{"2026-03-29T01:00:00Z", true},  // 03:00
		{"2026-03-29T01:30:00Z", false}, // 03:30
		{"2026-10-25T00:30:00Z", true},  // Sunday 02:30 in summer time
		{"2026-10-25T01:00:00Z", false}, // 02:00 again, in winter time
		{"2026-10-25T01:30:00Z", true},  // 02:30 again
		{"2026-10-25T02:30:00Z", false}, // 03:30
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := hours.Open(at, oslo); got != c.open {
			t.Errorf("%s (%s): open %t, want %t", c.at, at.In(oslo).Format("Mon 15:04"), got, c.open)
		}
	}
	var always domain.Hours
	if !always.Always() || hours.Always() || !always.Open(time.Now(), oslo) {
		t.Error("without hours a number is not always open")
	}
}
