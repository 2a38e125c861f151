package calling

import (
	"context"
	"strconv"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store/row"
)

// walk goes through the hours that hold calls of a filter, the newest first. It
// finds them by the sums, so what lies between them costs nothing, however much
// it is.
type walk struct {
	*calls
	in    domain.Scope
	f     domain.CallFilter
	reach reach
	skip  int64 // calls to pass over
	// visit is told of hours that may hold calls of the filter, as far as the
	// filter reaches, and how many of these calls to pass over. It returns false
	// when it has enough.
	visit func(from, to, skip int64) (more bool, err error)
}

// run walks through all that the filter reaches.
func (w *walk) run(ctx context.Context) error {
	first, last := w.reach.min/hour, (w.reach.max+hour-1)/hour
	_, err := w.descend(ctx, first, last, widths)
	return err
}

// span is a stretch of hours: how many calls of the filter are in it, and how
// many of all kinds.
type span struct{ starts, n, all int64 }

// few is how many calls of all kinds are read through for those of a filter.
const few = 1000

// descend walks through the hours from until before to, in spans of widths[0]
// and, where it must look closer, of the next width.
func (w *walk) descend(ctx context.Context, from, to int64, widths []int64) (more bool, err error) {
	width := widths[0]
	spans, err := w.spans(ctx, from/width*width, to, width)
	if err != nil {
		return false, err
	}
	for i := 0; i < len(spans); i++ {
		s := spans[i]
		if s.n <= 0 {
			continue
		}
		low, high := max(s.starts, from), min(s.starts+width, to)
		whole := low == s.starts && high == s.starts+width && low >= w.reach.first && high <= w.reach.last
		switch {
		case whole && w.skip >= s.n:
			w.skip -= s.n
			continue
		case width == 1 || s.all <= few:
			// With it the spans before it, as long as these are few calls together.
			for all := s.all; (whole || w.skip == 0) && i+1 < len(spans) && all+spans[i+1].all <= few; i++ {
				all += spans[i+1].all
				low = max(spans[i+1].starts, from)
			}
			more, err = w.enter(ctx, low, high, whole)
		default:
			more, err = w.descend(ctx, low, high, widths[1:])
		}
		if err != nil || !more {
			return false, err
		}
	}
	return true, nil
}

// enter visits the hours from until before to.
func (w *walk) enter(ctx context.Context, from, to int64, whole bool) (more bool, err error) {
	from, to = max(from*hour, w.reach.min), min(to*hour, w.reach.max)
	if !whole && w.skip > 0 { // the sum is of more than the filter reaches
		q := new(row.Query).Add("SELECT count(*) FROM calls WHERE ")
		within(q, w.in, w.f, from, to)
		n, err := q.Int(ctx, w.db)
		if err != nil {
			return false, err
		}
		if w.skip >= n {
			w.skip -= n
			return true, nil
		}
	}
	skip := w.skip
	w.skip = 0
	return w.visit(from, to, skip)
}

// spans returns the spans of a width that begin from (a multiple of width) until
// before to and hold calls, the newest first.
func (w *walk) spans(ctx context.Context, from, to, width int64) (found []span, err error) {
	q := new(row.Query).Add("SELECT starts, CAST(sum(n) AS BIGINT), CAST(sum(of_all) AS BIGINT) FROM (SELECT starts, 0 AS of_all, n FROM call_counts WHERE ")
	summed(q, w.in, w.f, width)
	q.Add(" AND starts >= ? AND starts < ? UNION ALL SELECT starts, n AS of_all, 0 AS n FROM call_counts WHERE ", from, to)
	summed(q, w.in, domain.CallFilter{}, width)
	q.Add(" AND starts >= ? AND starts < ? UNION ALL ", from, to)
	changed(q, w.in, w.f, "hour - hour % "+strconv.FormatInt(width, 10)+" AS starts, 0 AS of_all, ")
	q.Add(" AND hour >= ? AND hour < ?", from, (to+width-1)/width*width)
	q.Add(") AS addends GROUP BY starts ORDER BY starts DESC")
	err = q.Each(ctx, w.db, func(v row.Values) error {
		found = append(found, span{v.Int(0), v.Int(1), v.Int(2)})
		return nil
	})
	return found, err
}
