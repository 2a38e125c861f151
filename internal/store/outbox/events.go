// Package outbox keeps what is to be done and told after a change was
// committed: events, their deliveries, jobs, and answers for repeated requests.
package outbox

import (
	"context"
	"strconv"

	"github.com/uptrace/bun"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store/row"
)

type eventRow struct {
	bun.BaseModel `bun:"table:events"`

	ID          domain.ID `bun:",pk"`
	WorkspaceID domain.ID
	Mode        domain.Mode
	Type        domain.EventType
	CallID      domain.ID
	Sequence    int64
	At          row.Micros
}

func (r *eventRow) domain() domain.Event {
	return domain.Event{
		ID: r.ID, WorkspaceID: r.WorkspaceID, Mode: r.Mode, Type: r.Type, CallID: r.CallID,
		Sequence: r.Sequence, At: r.At.Time(),
	}
}

type events struct{ db bun.IDB }

// NewEvents keeps events.
func NewEvents(db bun.IDB) domain.Events { return &events{db} }

// Append stores events as the next of their call. An event without a call has
// Sequence 1.
func (e *events) Append(ctx context.Context, evs ...*domain.Event) error {
	q := new(row.Query).Add("INSERT INTO events (id, workspace_id, mode, type, call_id, sequence, at) VALUES ")
	for i, ev := range evs {
		if ev.CallID != evs[0].CallID {
			return domain.Errorf(domain.CodeInternal, "The events %s and %s are appended together, but not about the same call", evs[0].ID, ev.ID)
		}
		if i > 0 {
			q.Add(", ")
		}
		q.Add("(?, ?, ?, ?, ?, ", ev.ID, ev.WorkspaceID, ev.Mode, ev.Type, ev.CallID)
		if ev.CallID == "" {
			q.Add("1, ?)", row.At(ev.At))
			continue
		}
		q.Add("(SELECT COALESCE(MAX(sequence), 0) + "+strconv.Itoa(i+1)+" FROM events WHERE call_id = ? AND call_id <> ''), ?)", ev.CallID, row.At(ev.At))
	}
	if len(evs) == 0 {
		return nil
	}
	if call := string(evs[0].CallID); call != "" && !row.Holds(e.db, "call", call) {
		if err := row.Alone(ctx, e.db, "events", call); err != nil {
			return err
		}
	}
	err := q.Add(" RETURNING id, sequence").Each(ctx, e.db, func(v row.Values) error {
		for _, ev := range evs {
			if string(ev.ID) == v.Text(0) {
				ev.Sequence = v.Int(1)
			}
		}
		return nil
	})
	return row.Created(err, "Event with id "+string(evs[0].ID)+" already exists")
}

// ByCall returns the events of a call in order.
func (e *events) ByCall(ctx context.Context, call domain.ID) ([]domain.Event, error) {
	var rows []eventRow
	err := e.db.NewSelect().Model(&rows).Where("call_id = ?", call).Where("call_id <> ''").OrderExpr("sequence").Scan(ctx)
	return row.Map(rows, (*eventRow).domain), row.Error(err, "list events")
}
