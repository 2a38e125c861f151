package calling

import (
	"context"

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
	// visit is told of an hour that may hold calls of the filter, the part of it
	// that the filter reaches, and how many calls of it to pass over. It returns
	// false when it has enough.
	visit func(from, to, skip int64) (more bool, err error)
}

// run walks through all that the filter reaches.
func (w *walk) run(ctx context.Context) error {
	first, last := w.reach.min/hour, (w.reach.max+hour-1)/hour
	_, err := w.descend(ctx, first, last, widths)
	return err
}

// span is a row of sums over all kinds.
type span struct{ starts, n int64 }

// descend walks through the hours from until before to, in spans of widths[0]
// and, where it must look closer, of the next width.
func (w *walk) descend(ctx context.Context, from, to int64, widths []int64) (more bool, err error) {
	width := widths[0]
	spans, err := w.spans(ctx, from/width*width, to, width)
	if err != nil {
		return false, err
	}
	for _, s := range spans {
		low, high := max(s.starts, from), min(s.starts+width, to)
		whole := low == s.starts && high == s.starts+width && low >= w.reach.first && high <= w.reach.last
		switch {
		case whole && w.skip >= s.n:
			w.skip -= s.n
			continue
		case width > 1:
			more, err = w.descend(ctx, low, high, widths[1:])
		default:
			more, err = w.enter(ctx, low, whole)
		}
		if err != nil || !more {
			return false, err
		}
	}
	return true, nil
}

// enter visits one hour.
func (w *walk) enter(ctx context.Context, at int64, whole bool) (more bool, err error) {
	from, to := max(at*hour, w.reach.min), min((at+1)*hour, w.reach.max)
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

// spans returns how many calls of the filter there are in each span of a width
// that begins from (a multiple of width) until before to, the newest first.
func (w *walk) spans(ctx context.Context, from, to, width int64) (all []span, err error) {
	q := new(row.Query).Add("SELECT starts, CAST(sum(n) AS BIGINT) FROM (SELECT starts, n FROM call_counts WHERE ")
	summed(q, w.in, w.f, width)
	q.Add(" AND starts >= ? AND starts < ? UNION ALL SELECT hour - hour % ? AS starts, n FROM call_changes WHERE ", from, to, width)
	matching(q, w.in, w.f)
	q.Add(" AND hour >= ? AND hour < ?", from, (to+width-1)/width*width)
	q.Add(") AS addends GROUP BY starts HAVING sum(n) > 0 ORDER BY starts DESC")
	err = q.Each(ctx, w.db, func(v row.Values) error {
		all = append(all, span{v.Int(0), v.Int(1)})
		return nil
	})
	return all, err
}
