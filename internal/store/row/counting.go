package row

import (
	"context"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/uptrace/bun"
)

// crowd bounds how many transactions of all processes add to one count at once.
const crowd = 128

// CountTo counts what there may be most of. What a transaction is told stays
// true until it ends, as far as all who add to the count ask before: where there
// is room for all that may do so at once, they do it together, and one by one
// where there is not. When the room has become scarce meanwhile, it is told most.
// Without a limit (0) it is a count like any other.
func CountTo(ctx context.Context, db bun.IDB, most int, q *bun.SelectQuery, words ...string) (int, error) {
	w, ok := db.(Writing)
	if !ok || most == 0 {
		return Count(ctx, q)
	}
	plenty, err := w.plenty(ctx, most, q, words)
	if err != nil {
		return 0, err
	}
	enter := Alone
	if plenty {
		enter = Together
	}
	if err := enter(ctx, db, words...); err != nil {
		return 0, err
	}
	n, err := Count(ctx, q)
	if err == nil {
		w.counts.note(words, n)
	}
	if plenty && n >= most-crowd {
		n = most // to wait for the others here could be for ever: they may wait likewise
	}
	return n, err
}

// plenty reports whether there seems to be room for all that may add at once.
func (w Writing) plenty(ctx context.Context, most int, q *bun.SelectQuery, words []string) (bool, error) {
	if most <= 2*crowd {
		return false, nil
	}
	n, known := w.counts.lately(words)
	if !known {
		var err error
		if n, err = Count(ctx, q); err != nil {
			return false, err
		}
	}
	return n < most-2*crowd, nil
}

const (
	// countsKept is how long a transaction goes by what another one counted.
	countsKept = time.Second
	// mostCounts is how many counts are remembered before old ones are forgotten.
	mostCounts = 1024
)

// Counts remembers for a moment how much there is of what is limited: whether it
// is scarce. What there may be is never decided by it.
type Counts struct {
	mu   sync.Mutex
	last map[string]counted
}

type counted struct {
	n  int
	at time.Time
}

// lately is the last count, if it is not old.
func (c *Counts) lately(words []string) (n int, known bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	last := c.last[strings.Join(words, " ")]
	return last.n, !last.at.IsZero() && time.Since(last.at) < countsKept
}

func (c *Counts) note(words []string, n int) {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last == nil {
		c.last = make(map[string]counted)
	}
	if len(c.last) >= mostCounts {
		maps.DeleteFunc(c.last, func(_ string, one counted) bool { return now.Sub(one.at) >= countsKept })
	}
	c.last[strings.Join(words, " ")] = counted{n, now}
}
