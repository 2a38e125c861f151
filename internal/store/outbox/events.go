// Package outbox keeps what is to be done and told after a change was
// committed: events, their deliveries, jobs, and answers for repeated requests.
package outbox

import (
	"context"

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

// Append stores an event as the next of its call. An event without a call has
// Sequence 1.
func (e *events) Append(ctx context.Context, ev *domain.Event) error {
	if ev.CallID != "" && !row.Holds(e.db, "call", string(ev.CallID)) {
		if err := row.Alone(ctx, e.db, "events", string(ev.CallID)); err != nil {
			return err
		}
	}
	r := &eventRow{
		ID: ev.ID, WorkspaceID: ev.WorkspaceID, Mode: ev.Mode, Type: ev.Type, CallID: ev.CallID,
		Sequence: 1, At: row.At(ev.At),
	}
	err := e.db.NewInsert().Model(r).
		Value("sequence", "(SELECT COALESCE(MAX(sequence), 0) + 1 FROM events WHERE call_id = ? AND call_id <> '')", ev.CallID).
		Returning("sequence").Scan(ctx, &ev.Sequence)
	return row.Created(err, "Event with id "+string(ev.ID)+" already exists")
}

// ByCall returns the events of a call in order.
func (e *events) ByCall(ctx context.Context, call domain.ID) ([]domain.Event, error) {
	var rows []eventRow
	err := e.db.NewSelect().Model(&rows).Where("call_id = ?", call).Where("call_id <> ''").OrderExpr("sequence").Scan(ctx)
	return row.Map(rows, (*eventRow).domain), row.Error(err, "list events")
}
