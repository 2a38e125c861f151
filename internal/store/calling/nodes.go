package calling

import (
	"context"
	"database/sql"
	"errors"
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
	r := &nodeRow{Epoch: node.Epoch, Address: node.Address}
	now := row.Now(n.db)
	err := n.db.NewInsert().Model(r).Value("started_at", "?", now).Value("beat_at", "?", now).
		Returning("started_at, beat_at").Scan(ctx, &r.StartedAt, &r.BeatAt)
	if err != nil {
		return row.Created(err, "Node with epoch "+string(node.Epoch)+" has already joined")
	}
	*node = r.domain()
	return nil
}

// Beat notes a sign of life.
func (n *nodes) Beat(ctx context.Context, epoch domain.ID) error {
	res, err := n.db.NewUpdate().Model((*nodeRow)(nil)).Set("beat_at = ?", row.Now(n.db)).Where("epoch = ?", epoch).Exec(ctx)
	if err == nil && !row.Changed(res) {
		return domain.NotFound("Node", epoch)
	}
	return row.Error(err, "beat")
}

// Hold makes sure that a node is alive and stays one.
func (n *nodes) Hold(ctx context.Context, epoch domain.ID, lease time.Duration) error {
	r := new(nodeRow)
	err := row.ToRely(n.db, n.db.NewSelect().Model(r).Where("epoch = ?", epoch).
		Where("beat_at >= ? - ?", row.Now(n.db), lease.Microseconds())).Scan(ctx)
	return row.Found(err, domain.Errorf(domain.CodeConflict, "The lease of the node %s is over", epoch))
}

// Expire removes nodes that gave no sign of life for longer than lease.
func (n *nodes) Expire(ctx context.Context, lease time.Duration) ([]domain.ID, error) {
	var dead []domain.ID
	err := n.db.NewDelete().Model((*nodeRow)(nil)).Where("beat_at < ? - ?", row.Now(n.db), lease.Microseconds()).
		Returning("epoch").Scan(ctx, &dead)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return dead, row.Error(err, "expire nodes")
}

// Leave removes a node; one that is not there is no error.
func (n *nodes) Leave(ctx context.Context, epoch domain.ID) error {
	_, err := n.db.NewDelete().Model((*nodeRow)(nil)).Where("epoch = ?", epoch).Exec(ctx)
	return row.Error(err, "leave")
}

// Interrupted returns what ended with its node, the latest first.
func (n *nodes) Interrupted(ctx context.Context, since time.Time, limit int) ([]domain.Attempt, error) {
	var rows []attemptRow
	err := row.Bound(n.db.NewSelect().Model(&rows).Where(interrupted).Where("ended_at > ?", row.At(since)).
		OrderExpr("ended_at DESC"), limit, 0).Scan(ctx)
	return row.Map(rows, (*attemptRow).domain), row.Error(err, "list interrupted attempts")
}

// List returns all nodes, oldest first.
func (n *nodes) List(ctx context.Context) ([]domain.Node, error) {
	var rows []nodeRow
	err := n.db.NewSelect().Model(&rows).OrderExpr("epoch").Scan(ctx)
	return row.Map(rows, (*nodeRow).domain), row.Error(err, "list nodes")
}
