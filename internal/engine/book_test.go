package engine

import (
	"testing"
	"time"
)

func TestStartOfAnAppointment(t *testing.T) {
	oslo, err := time.LoadLocation("Europe/Oslo")
	if err != nil {
		t.Fatal(err)
	}
	for written, want := range map[string]string{
		"2026-03-15T15:30":          "2026-03-15T14:30:00Z",
		"2026-07-15T15:30":          "2026-07-15T13:30:00Z", // summer time
		"2026-07-15T15:30:10":       "2026-07-15T13:30:10Z",
		"2026-07-15 15:30":          "2026-07-15T13:30:00Z",
		"2026-03-15T15:30Z":         "2026-03-15T15:30:00Z",
		"2026-03-15T15:30:00-05:00": "2026-03-15T20:30:00Z",
		"2026-03-29T02:30":          "2026-03-29T01:30:00Z", // left out when the clocks change: an hour later
		"2026-03-15T":               "", "T15:30": "", "": "", "tomorrow": "", "2026-02-30T10:00": "",
	} {
		got, err := startOf(written, oslo)
		if want == "" {
			if err == nil {
				t.Errorf("%q became %s", written, got)
			}
			continue
		}
		if err != nil || got.UTC().Format(time.RFC3339) != want {
			t.Errorf("%q became %s (%v), want %s", written, got.UTC(), err, want)
		}
	}
}
