package outreach

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestRamped goes up by a tenth each minute.
func TestRamped(t *testing.T) {
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		most  int
		after time.Duration
		want  int
	}{
		{100, -time.Hour, 10}, {100, 0, 10}, {100, 59 * time.Second, 10}, {100, time.Minute, 20}, {100, 8 * time.Minute, 90},
		{100, 9*time.Minute - 1, 90}, {100, 9 * time.Minute, 100}, {100, 24 * time.Hour, 100},
		{25, 0, 3}, {25, time.Minute, 5}, {3, 0, 1}, {3, 3 * time.Minute, 2}, {3, 6 * time.Minute, 3}, {1, 0, 1},
	} {
		if got := ramped(c.most, at, at.Add(c.after)); got != c.want {
			t.Errorf("%d calls at once after %s: %d, want %d", c.most, c.after, got, c.want)
		}
	}
	if got := ramped(7, time.Time{}, at); got != 7 {
		t.Errorf("%d without an interruption", got)
	}
	rapid.Check(t, func(r *rapid.T) {
		most := rapid.IntRange(1, maxConcurrent).Draw(r, "most")
		after := rapid.Int64Range(0, int64(15*time.Minute)).Draw(r, "after")
		now := at.Add(time.Duration(after))
		got, next := ramped(most, at, now), ramped(most, at, now.Add(time.Minute))
		if got < 1 || got > most || next < got || next-got > (most+rampSteps-1)/rampSteps {
			r.Fatalf("%d of %d, and a minute later %d", got, most, next)
		}
	})
}
