package calling

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store/row"
)

// Calls are counted by the hour in which they were created, in hours since 1970.
// Each write of a call that changes its state adds a row to the table call_changes,
// with the state that it was in ('' for none) and what it adds to the time that
// was talked; Fold adds those up into call_counts, and into agent_use. What the
// changes and the sums hold together is, within one snapshot, what counting the
// calls would give.

// hour is how many row.Micros an hour has.
const hour = int64(time.Hour / time.Microsecond)

// widths are the spans, in hours, over which call_counts has sums, the widest
// first; each is a multiple of the next.
var widths = []int64{720, 24, 1}

// forever is the span of the sums over all time.
const forever = 0

// endless is an hour after that of every call, a multiple of all widths.
const endless int64 = 720 << 20

// kind is one row of call_counts, without its number.
type kind struct {
	workspace, mode, agent, campaign string
	span, starts                     int64
	direction, state                 string
}

// compare orders kinds, so that all who write several do so in the same order.
func (k kind) compare(o kind) int {
	return cmp.Or(
		strings.Compare(k.workspace, o.workspace), strings.Compare(k.mode, o.mode),
		strings.Compare(k.agent, o.agent), strings.Compare(k.campaign, o.campaign),
		cmp.Compare(k.span, o.span), cmp.Compare(k.starts, o.starts),
		strings.Compare(k.direction, o.direction), strings.Compare(k.state, o.state))
}

// Fold adds up to limit changes to the sums and returns how many there were.
func (c *calls) Fold(ctx context.Context, limit int) (int, error) {
	// One at a time: two who fold would wait for each other's sums.
	if err := row.Alone(ctx, c.db, "fold calls"); err != nil {
		return 0, err
	}
	sums, talked := make(map[kind]int64), make(map[use]int64)
	n := 0
	q := takeOldest("call_changes", limit, "workspace_id, mode, hour, agent_id, campaign_id, direction, was, state, n, talked")
	err := q.Each(ctx, c.db, func(v row.Values) error {
		n++
		spread(sums, v)
		if more := v.Int(9); more != 0 && v.Text(3) != "" {
			talked[use{v.Text(0), v.Text(1), v.Text(3)}] += more
		}
		return nil
	})
	if err == nil {
		err = add(ctx, c.db, sums)
	}
	if err == nil {
		err = addTalked(ctx, c.db, talked)
	}
	return n, row.Error(err, "fold the counts of calls")
}

// takeOldest removes the first rows of a table and returns columns of them.
func takeOldest(table string, limit int, columns string) *row.Query {
	return new(row.Query).Add("DELETE FROM "+table+" WHERE id <= (SELECT max(id) FROM (SELECT id FROM "+table+" ORDER BY id LIMIT ?) AS first) RETURNING "+columns, limit)
}

// use is one row of agent_use, without its number.
type use struct{ workspace, mode, agent string }

// addTalked adds to how long the calls of agents lasted.
func addTalked(ctx context.Context, db bun.IDB, talked map[use]int64) error {
	if len(talked) == 0 {
		return nil
	}
	q := new(row.Query).Add("INSERT INTO agent_use (workspace_id, mode, agent_id, talked) VALUES ")
	sign := ""
	for of, n := range talked {
		q.Add(sign+"(?, ?, ?, ?)", of.workspace, of.mode, of.agent, n)
		sign = ", "
	}
	q.Add(" ON CONFLICT (workspace_id, mode, agent_id) DO UPDATE SET talked = agent_use.talked + excluded.talked")
	return q.Each(ctx, db, func(row.Values) error { return nil })
}

// spread adds one change to all sums that it is a part of.
func spread(sums map[kind]int64, v row.Values) {
	at, was, state, n := v.Int(2), v.Text(6), v.Text(7), v.Int(8)
	if was == state {
		return // only of what was talked
	}
	agents, campaigns := []string{""}, []string{""}
	if agent := v.Text(3); agent != "" {
		agents = append(agents, agent)
	}
	if campaign := v.Text(4); campaign != "" {
		campaigns = append(campaigns, campaign)
	}
	k := kind{workspace: v.Text(0), mode: v.Text(1), direction: v.Text(5)}
	count := func() {
		k.state = state
		sums[k] += n
		if was != "" {
			k.state = was
			sums[k] -= n
		}
	}
	for _, k.agent = range agents {
		for _, k.campaign = range campaigns {
			k.span, k.starts = forever, 0
			count()
			for _, k.span = range widths {
				k.starts = at - at%k.span
				count()
			}
		}
	}
}

// add adds to the rows of call_counts, and removes those that become zero.
func add(ctx context.Context, db bun.IDB, sums map[kind]int64) error {
	maps.DeleteFunc(sums, func(_ kind, n int64) bool { return n == 0 })
	kinds := slices.SortedFunc(maps.Keys(sums), kind.compare)
	if len(kinds) == 0 {
		return nil
	}
	const columns = "workspace_id, mode, agent_id, campaign_id, span, starts, direction, state"
	q := new(row.Query).Add("INSERT INTO call_counts (" + columns + ", n) VALUES ")
	for i, k := range kinds {
		if i > 0 {
			q.Add(", ")
		}
		q.Add("(?, ?, ?, ?, ?, ?, ?, ?, ?)", k.workspace, k.mode, k.agent, k.campaign, k.span, k.starts, k.direction, k.state, sums[k])
	}
	q.Add(" ON CONFLICT (" + columns + ") DO UPDATE SET n = call_counts.n + excluded.n RETURNING " + columns + ", n")
	var zero []kind
	err := q.Each(ctx, db, func(v row.Values) error {
		if v.Int(8) == 0 {
			zero = append(zero, kind{v.Text(0), v.Text(1), v.Text(2), v.Text(3), v.Int(4), v.Int(5), v.Text(6), v.Text(7)})
		}
		return nil
	})
	if err != nil || len(zero) == 0 {
		return err
	}
	q = new(row.Query).Add("DELETE FROM call_counts WHERE (" + columns + ") IN (VALUES ")
	for i, k := range zero {
		if i > 0 {
			q.Add(", ")
		}
		q.Add("(?, ?, ?, ?, ?, ?, ?, ?)", k.workspace, k.mode, k.agent, k.campaign, k.span, k.starts, k.direction, k.state)
	}
	return q.Add(")").Each(ctx, db, func(row.Values) error { return nil })
}

// countable reports whether the sums know the filter: numbers, flows and lists of
// ids they do not.
func countable(f domain.CallFilter) bool {
	return f.To == "" && f.FlowID == "" && len(f.Agents) == 0 && len(f.IDs) == 0
}

// reach is the time of a filter: from min until before max, in row.Micros, and
// the whole hours in between, from first until before last.
type reach struct{ min, max, first, last int64 }

func reachOf(f domain.CallFilter) reach {
	r := reach{max: endless * hour}
	if !f.CreatedMin.IsZero() {
		r.min = min(max(int64(row.At(f.CreatedMin)), 0), r.max)
	}
	if !f.CreatedMax.IsZero() {
		r.max = min(max(int64(row.At(f.CreatedMax)), 0), r.max)
	}
	r.first, r.last = (r.min+hour-1)/hour, r.max/hour
	return r
}

// always reports whether there are no bounds.
func (r reach) always() bool { return r.min == 0 && r.last == endless }

// edges are the parts of the time that are no whole hours.
func (r reach) edges() (parts [][2]int64) {
	if r.first >= r.last { // there are no whole hours
		return [][2]int64{{r.min, r.max}}
	}
	if r.max > r.last*hour {
		parts = append(parts, [2]int64{r.last * hour, r.max})
	}
	if r.min < r.first*hour {
		parts = append(parts, [2]int64{r.min, r.first * hour})
	}
	return parts
}

// stretch is a run of spans of one width.
type stretch struct{ width, from, to int64 }

// cover returns the fewest spans that make up the hours from until before to.
func cover(from, to int64, widths []int64) []stretch {
	if from >= to {
		return nil
	}
	w, finer := widths[0], widths[1:]
	if w == 1 {
		return []stretch{{1, from, to}}
	}
	low, high := (from+w-1)/w*w, to/w*w
	if low >= high {
		return cover(from, to, finer)
	}
	all := append(cover(from, low, finer), stretch{w, low, high})
	return append(all, cover(high, to, finer)...)
}

// total counts the calls of a filter, in one statement: all it looks at is of
// one moment.
func (c *calls) total(ctx context.Context, in domain.Scope, f domain.CallFilter) (int, error) {
	q := new(row.Query)
	if !countable(f) {
		q.Add("SELECT count(*) FROM calls WHERE ")
		filter(q, in, f)
	} else {
		q.Add("SELECT CAST(COALESCE(sum(n), 0) AS BIGINT) FROM (")
		addends(q, in, f)
		q.Add(") AS addends")
	}
	n, err := q.Int(ctx, c.db)
	return int(n), row.Error(err, "count calls")
}

// addends selects the numbers n that make up the total of a filter.
func addends(q *row.Query, in domain.Scope, f domain.CallFilter) {
	r := reachOf(f)
	switch {
	case r.always():
		q.Add("SELECT n FROM call_counts WHERE ")
		summed(q, in, f, forever)
		q.Add(" UNION ALL ")
		changed(q, in, f, "")
		return
	case r.first < r.last:
		for _, s := range cover(r.first, r.last, widths) {
			q.Add("SELECT n FROM call_counts WHERE ")
			summed(q, in, f, s.width)
			q.Add(" AND starts >= ? AND starts < ? UNION ALL ", s.from, s.to)
		}
		changed(q, in, f, "")
		q.Add(" AND hour >= ? AND hour < ?", r.first, r.last)
	default:
		q.Add("SELECT 0 AS n")
	}
	for _, edge := range r.edges() {
		q.Add(" UNION ALL SELECT count(*) AS n FROM calls WHERE ")
		within(q, in, f, edge[0], edge[1])
	}
}

// summed selects rows of call_counts of one width.
func summed(q *row.Query, in domain.Scope, f domain.CallFilter, width int64) {
	q.Add("workspace_id = ? AND mode = ? AND agent_id = ? AND campaign_id = ? AND span = ?",
		in.Workspace, in.Mode, f.AgentID, f.CampaignID, width)
	sort(q, f)
}

// changed selects, after other columns, what rows of call_changes add to the
// number n of calls of a filter.
func changed(q *row.Query, in domain.Scope, f domain.CallFilter, columns string) {
	if len(f.States) == 0 { // it counts who comes and goes
		q.Add("SELECT " + columns + "n FROM call_changes WHERE was = '' AND ")
		matching(q, in, f)
		return
	}
	states := anys(f.States)
	within := " IN (?" + strings.Repeat(", ?", len(states)-1) + ") THEN n ELSE 0 END"
	q.Add("SELECT "+columns+"CASE WHEN state"+within, states...)
	q.Add(" - CASE WHEN was"+within+" AS n FROM call_changes WHERE ", states...)
	f.States = nil
	matching(q, in, f)
}

// matching selects rows of calls, or of call_changes.
func matching(q *row.Query, in domain.Scope, f domain.CallFilter) {
	q.Add("workspace_id = ? AND mode = ?", in.Workspace, in.Mode)
	if f.AgentID != "" {
		q.Add(" AND agent_id = ?", f.AgentID)
	}
	if f.CampaignID != "" {
		q.Add(" AND campaign_id = ?", f.CampaignID)
	}
	sort(q, f)
}

// sort narrows a query to the filter's direction and states.
func sort(q *row.Query, f domain.CallFilter) {
	if f.Direction != "" {
		q.Add(" AND direction = ?", f.Direction)
	}
	switch len(f.States) {
	case 0:
	case 1:
		q.Add(" AND state = ?", f.States[0])
	default:
		q.Add(" AND state IN (?"+strings.Repeat(", ?", len(f.States)-1)+")", anys(f.States)...)
	}
}

func anys[T any](list []T) []any {
	out := make([]any, len(list))
	for i, v := range list {
		out[i] = v
	}
	return out
}
