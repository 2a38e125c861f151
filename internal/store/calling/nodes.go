package calling

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store/row"
)

type nodeRow struct {
	bun.BaseModel `bun:"table:nodes"`

	Epoch     domain.ID `bun:",pk"`
	Address   string
	StartedAt row.Micros
	BeatAt    row.Micros
}

func (r *nodeRow) domain() domain.Node {
	return domain.Node{Epoch: r.Epoch, Address: r.Address, StartedAt: r.StartedAt.Time(), BeatAt: r.BeatAt.Time()}
}

type nodes struct{ db bun.IDB }

// NewNodes keeps the runs of processes.
func NewNodes(db bun.IDB) domain.Nodes { return &nodes{db} }

// Join stores a new node.
func (n *nodes) Join(ctx context.Context, node *domain.Node) error {
	_, err := n.db.NewInsert().Model(&nodeRow{
		Epoch: node.Epoch, Address: node.Address, StartedAt: row.At(node.StartedAt), BeatAt: row.At(node.BeatAt),
	}).Exec(ctx)
	return row.Created(err, "Node with epoch "+string(node.Epoch)+" has already joined")
}

// Beat notes a sign of life. A node that has left, or was removed as dead, is
// CodeNotFound: it must not go on as if it held its calls.
func (n *nodes) Beat(ctx context.Context, epoch domain.ID, at time.Time) error {
	res, err := n.db.NewUpdate().Model((*nodeRow)(nil)).Set("beat_at = ?", row.At(at)).Where("epoch = ?", epoch).Exec(ctx)
	if err == nil && !row.Changed(res) {
		return domain.NotFound("Node", epoch)
	}
	return row.Error(err, "beat")
}

// Leave removes a node; one that is not there is no error.
func (n *nodes) Leave(ctx context.Context, epoch domain.ID) error {
	_, err := n.db.NewDelete().Model((*nodeRow)(nil)).Where("epoch = ?", epoch).Exec(ctx)
	return row.Error(err, "leave")
}

// List returns all nodes, oldest first.
func (n *nodes) List(ctx context.Context) ([]domain.Node, error) {
	var rows []nodeRow
	err := n.db.NewSelect().Model(&rows).OrderExpr("epoch").Scan(ctx)
	return row.Map(rows, (*nodeRow).domain), row.Error(err, "list nodes")
}
