package row

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

// TestCountsAreForgotten has a count be good for a moment only, and what is old
// make room.
func TestCountsAreForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var c Counts
		words := []string{"trunk", "1"}
		if _, known := c.lately(words); known {
			t.Error("known before it was counted")
		}
		c.note(words, 7)
		if n, known := c.lately(words); n != 7 || !known {
			t.Errorf("%d, %v: want 7", n, known)
		}
		if _, known := c.lately([]string{"trunk"}); known {
			t.Error("another one is known")
		}
		for i := range mostCounts {
			c.note([]string{strconv.Itoa(i)}, i)
		}
		time.Sleep(countsKept)
		if _, known := c.lately(words); known {
			t.Error("known for too long")
		}
		c.note(words, 8)
		if n, known := c.lately(words); n != 8 || !known || len(c.last) != 1 {
			t.Errorf("%d, %v, beside %d others", n, known, len(c.last)-1)
		}
	})
}
