package calling

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store/row"
)

// shallow is up to which offset rows are passed over one by one.
const shallow = 200

// page returns the calls of a page. Where an index has them in order they are
// read from its end; else, and far down a list, hour by hour.
func (c *calls) page(ctx context.Context, in domain.Scope, f domain.CallFilter, page domain.Page) ([]domain.Call, error) {
	last, err := c.cursor(ctx, page.After)
	if err != nil || last != nil && last.id == "" {
		return []domain.Call{}, err
	}
	if page.Limit <= 0 || !countable(f) || indexed(f) && page.Offset <= shallow {
		q := new(row.Query)
		filter(q, in, f)
		list, _, err := c.read(ctx, in, f, last.before(q), page.Limit, page.Offset)
		return list, err
	}
	list, seen := []domain.Call{}, 0
	w := walk{calls: c, in: in, f: f, reach: reachOf(f), skip: int64(page.Offset)}
	if last != nil && last.at < w.reach.max {
		w.reach.max = last.at + 1
		w.reach.last = w.reach.max / hour
	}
	w.visit = func(from, to, skip int64) (bool, error) {
		q := new(row.Query)
		if indexed(f) { // what is further down is next in the index
			within(q, in, f, w.reach.min, to)
			list, _, err = c.read(ctx, in, f, last.before(q), page.Limit, int(skip))
			return false, err
		}
		within(q, in, f, from, to)
		more, n, err := c.read(ctx, in, f, last.before(q), page.Limit-seen, int(skip))
		list, seen = append(list, more...), seen+n
		return seen < page.Limit, err
	}
	err = w.run(ctx)
	return list, err
}

// indexed reports whether an index has the calls of the filter, and no others,
// in the order of a list.
func indexed(f domain.CallFilter) bool {
	keys := len(f.States)
	if f.AgentID != "" {
		keys++
	}
	if f.CampaignID != "" {
		keys++
	}
	return keys <= 1 && f.Direction == ""
}

// cursor is the place of a call in a list.
type cursor struct {
	at int64 // row.Micros
	id domain.ID
}

// cursor returns the place of the call named id; nil when id is "", and an empty
// place when there is no such call.
func (c *calls) cursor(ctx context.Context, id domain.ID) (*cursor, error) {
	if id == "" {
		return nil, nil //nolint:nilnil // there is none, which is no error
	}
	place := new(cursor)
	err := new(row.Query).Add("SELECT created_at FROM calls WHERE id = ?", id).Each(ctx, c.db, func(v row.Values) error {
		place.at, place.id = v.Int(0), id
		return nil
	})
	return place, err
}

// before narrows a query to what comes after the cursor in a list.
func (k *cursor) before(q *row.Query) *row.Query {
	if k != nil {
		q.Add(" AND (created_at, id) < (?, ?)", k.at, k.id)
	}
	return q
}

// filter selects the calls of a filter.
func filter(q *row.Query, in domain.Scope, f domain.CallFilter) {
	kinds(q, in, f)
	if !f.CreatedMin.IsZero() {
		q.Add(" AND created_at >= ?", row.At(f.CreatedMin))
	}
	if !f.CreatedMax.IsZero() {
		q.Add(" AND created_at < ?", row.At(f.CreatedMax))
	}
}

// within selects the calls of a filter that were created from until before to,
// whatever its own times are.
func within(q *row.Query, in domain.Scope, f domain.CallFilter, from, to int64) {
	kinds(q, in, f)
	q.Add(" AND created_at >= ? AND created_at < ?", from, to)
}

// kinds selects the calls of a filter, of all times.
func kinds(q *row.Query, in domain.Scope, f domain.CallFilter) {
	matching(q, in, f)
	if f.CampaignID != "" {
		q.Add(" AND campaign_id <> ''") // the index is partial
	}
	if f.To != "" {
		q.Add(" AND to_number = ?", f.To)
	}
	if f.FlowID != "" {
		q.Add(" AND flow_id = ? AND flow_id <> ''", f.FlowID) // the index is partial
	}
	if len(f.Agents) > 0 {
		q.Add(" AND agent_id IN (?"+strings.Repeat(", ?", len(f.Agents)-1)+")", anys(f.Agents)...)
	}
	if len(f.IDs) > 0 {
		q.Add(" AND id IN (?"+strings.Repeat(", ?", len(f.IDs)-1)+")", anys(f.IDs)...)
	}
}

// briefColumns are what a brief call has.
var briefColumns = []string{
	"id", "direction", "state", "end_reason", "agent_id", "phone_number_id", "campaign_id", "from_number", "to_number",
	"recording", "version", "created_at", "answered_at", "ended_at", "analysis", "contact_id",
}

// read returns the calls that where selects, newest first, and how many there are
// with those that were left out.
func (c *calls) read(ctx context.Context, in domain.Scope, f domain.CallFilter, where *row.Query, limit, offset int) ([]domain.Call, int, error) {
	if !f.Brief {
		var rows []callRow
		q := c.db.NewSelect().Model(&rows).Where(where.String(), where.Args()...).OrderExpr("created_at DESC, id DESC")
		if err := row.Bound(q, limit, offset).Scan(ctx); err != nil {
			return nil, 0, err
		}
		list, err := opened(rows, c.seal)
		return list, len(rows), err
	}
	all := func() ([]domain.Call, int, error) {
		list, err := c.briefs(ctx, in, where, limit, offset)
		return list, len(list), err
	}
	if f.Held == nil {
		return all()
	}
	marks, err := c.marks(ctx, where, limit, offset)
	if err != nil {
		return nil, 0, err
	}
	var missing []domain.ID
	for _, m := range marks {
		if !f.Held(m.id, m.version) {
			missing = append(missing, m.id)
		}
	}
	if len(missing) > len(marks)/4 { // one query costs less than many
		return all()
	}
	list := make([]domain.Call, 0, len(missing))
	for _, id := range missing {
		one, err := c.briefs(ctx, in, new(row.Query).Add("id = ?", id), 1, 0)
		if err != nil {
			return nil, 0, err
		}
		list = append(list, one...)
	}
	return list, len(marks), nil
}

// markOf tells one version of a call from another.
type markOf struct {
	id      domain.ID
	version int64
}

func (c *calls) marks(ctx context.Context, where *row.Query, limit, offset int) ([]markOf, error) {
	marks := make([]markOf, 0, min(max(limit, 0), 200))
	err := c.columns(ctx, []string{"id", "version"}, where, limit, offset, func() { marks = marks[:0] }, func(v row.Values) error {
		marks = append(marks, markOf{domain.ID(v.Text(0)), v.Int(1)})
		return nil
	})
	return marks, err
}

func (c *calls) briefs(ctx context.Context, in domain.Scope, where *row.Query, limit, offset int) ([]domain.Call, error) {
	list := make([]domain.Call, 0, min(max(limit, 0), 200))
	err := c.columns(ctx, briefColumns, where, limit, offset, func() { list = list[:0] }, func(v row.Values) error {
		list = append(list, domain.Call{WorkspaceID: in.Workspace, Mode: in.Mode})
		return brief(v, &list[len(list)-1])
	})
	return list, err
}

// columns scans columns of the calls that where selects, newest first. It may
// begin once more.
func (c *calls) columns(ctx context.Context, columns []string, where *row.Query, limit, offset int, begin func(), scan func(row.Values) error) error {
	return row.Packed(ctx, c.db, columns, func(columns string) *row.Query {
		begin()
		q := new(row.Query).Add("SELECT "+columns+" FROM calls WHERE "+where.String(), where.Args()...).
			Add(" ORDER BY created_at DESC, id DESC")
		if limit <= 0 {
			limit = 1<<31 - 1 // an offset needs a limit
		}
		// As bare arguments they would have SQLite prepare the statement each time
		// anew for their values.
		q.Add(" LIMIT CAST(? AS BIGINT)", limit)
		if offset > 0 {
			q.Add(" OFFSET CAST(? AS BIGINT)", offset)
		}
		return q
	}, scan)
}

// brief fills in a call from briefColumns.
func brief(v row.Values, c *domain.Call) error {
	c.ID, c.Direction, c.State = domain.ID(v.Text(0)), domain.Direction(v.Text(1)), domain.CallState(v.Text(2))
	c.EndReason, c.AgentID = domain.EndReason(v.Text(3)), domain.ID(v.Text(4))
	c.PhoneNumberID, c.CampaignID = domain.ID(v.Text(5)), domain.ID(v.Text(6))
	c.From, c.To, c.Recording, c.Version = v.Text(7), v.Text(8), v.Text(9), v.Int(10)
	c.CreatedAt, c.AnsweredAt, c.EndedAt = v.Time(11).Time(), v.Time(12).Time(), v.Time(13).Time()
	c.ContactID = domain.ID(v.Text(15))
	return analysis(v.Text(14), c)
}

// analysis reads the column of that name. Nearly all texts are of one form, and
// reading these as such saves half of the time that a list takes.
func analysis(text string, c *domain.Call) error {
	if text == "" || text == "null" {
		return nil
	}
	a := new(domain.Analysis)
	rest, ok := text, !strings.Contains(text, `\`)
	for _, f := range []struct {
		name string
		into *string
	}{{`{"Summary":"`, &a.Summary}, {`,"Sentiment":"`, &a.Sentiment}, {`,"Method":"`, &a.Method}} {
		if rest, ok = cut(rest, f.name, ok); ok {
			*f.into, rest, ok = strings.Cut(rest, `"`)
		}
	}
	if ok && rest == "}" {
		c.Analysis = a
		return nil
	}
	return json.Unmarshal([]byte(text), &c.Analysis)
}

func cut(text, prefix string, ok bool) (string, bool) {
	rest, found := strings.CutPrefix(text, prefix)
	return rest, ok && found
}
