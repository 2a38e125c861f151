package calling

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store/row"
)

type turnRow struct {
	bun.BaseModel `bun:"table:turns"`

	CallID      domain.ID `bun:",pk"`
	Sequence    int       `bun:",pk"`
	Role        domain.Role
	Text        string
	StartMs     int64
	EndMs       int64
	Interrupted bool
	Note        string
	NodeID      string
	Latency     row.JSON[*domain.TurnLatency]
}

func (r *turnRow) domain() domain.Turn {
	return domain.Turn{
		CallID: r.CallID, Sequence: r.Sequence, Role: r.Role, Text: r.Text, StartMs: r.StartMs, EndMs: r.EndMs,
		Interrupted: r.Interrupted, Note: r.Note, NodeID: r.NodeID, Latency: r.Latency.V,
	}
}

type turns struct{ db bun.IDB }

// NewTurns keeps transcripts.
func NewTurns(db bun.IDB) domain.Turns { return &turns{db} }

// Append adds turns; a second turn with the same sequence in a call is
// CodeConflict.
func (t *turns) Append(ctx context.Context, added ...domain.Turn) error {
	for i := range added {
		turn := &added[i]
		_, err := t.db.NewInsert().Model(&turnRow{
			CallID: turn.CallID, Sequence: turn.Sequence, Role: turn.Role, Text: turn.Text, StartMs: turn.StartMs,
			EndMs: turn.EndMs, Interrupted: turn.Interrupted, Note: turn.Note, NodeID: turn.NodeID,
			Latency: row.JSON[*domain.TurnLatency]{V: turn.Latency},
		}).Exec(ctx)
		if err != nil {
			return row.Created(err, fmt.Sprintf("Call with id %s already has a turn %d", turn.CallID, turn.Sequence))
		}
	}
	return nil
}

// ByCall returns the turns of a call in order.
func (t *turns) ByCall(ctx context.Context, call domain.ID) ([]domain.Turn, error) {
	var rows []turnRow
	err := t.db.NewSelect().Model(&rows).Where("call_id = ?", call).OrderExpr("sequence").Scan(ctx)
	return row.Map(rows, (*turnRow).domain), row.Error(err, "list turns")
}
