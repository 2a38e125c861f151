package directory

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store/row"
)

type trunkRow struct {
	bun.BaseModel `bun:"table:trunks"`
	head
	Name           string
	Carrier        string
	Host           string
	Port           int
	Transport      string
	Username       string
	Password       string
	Register       bool
	RealtimeText   bool
	SRTP           string `bun:"srtp"`
	Codecs         row.JSON[[]string]
	CallsPerSecond int
	MaxCalls       int
	Incoming       row.JSON[domain.Incoming]
}

var _ record[domain.Trunk] = (*trunkRow)(nil)

type trunks struct {
	*collection[domain.Trunk, trunkRow, *trunkRow]
}

// NewTrunks keeps trunks.
func NewTrunks(db bun.IDB, seal *row.Seal) domain.Trunks {
	return &trunks{newSealed[domain.Trunk, trunkRow](db, seal, "Trunk")}
}

// All returns the trunks of everybody.
func (t *trunks) All(ctx context.Context) ([]domain.Trunk, error) {
	var rows []trunkRow
	err := t.db.NewSelect().Model(&rows).OrderExpr("id").Scan(ctx)
	if err == nil {
		err = t.openAll(rows)
	}
	return row.Map(rows, (*trunkRow).domain), row.Error(err, "list trunks")
}

func (r *trunkRow) fill(t *domain.Trunk) {
	*r = trunkRow{
		head: head{
			ID: t.ID, WorkspaceID: t.WorkspaceID, Mode: t.Mode, Version: t.Version,
			CreatedAt: row.At(t.CreatedAt), UpdatedAt: row.At(t.UpdatedAt),
		},
		Name: t.Name, Carrier: t.Carrier, Host: t.Host, Port: t.Port, Transport: t.Transport,
		Username: t.Username, Password: t.Password, Register: t.Register, RealtimeText: t.RealtimeText,
		SRTP: t.SRTP, Codecs: row.JSON[[]string]{V: t.Codecs},
		CallsPerSecond: t.CallsPerSecond, MaxCalls: t.MaxCalls, Incoming: row.JSON[domain.Incoming]{V: t.Incoming},
	}
}

func (r *trunkRow) domain() domain.Trunk {
	return domain.Trunk{
		ID: r.ID, WorkspaceID: r.WorkspaceID, Mode: r.Mode, Version: r.Version,
		CreatedAt: r.CreatedAt.Time(), UpdatedAt: r.UpdatedAt.Time(),
		Name: r.Name, Carrier: r.Carrier, Host: r.Host, Port: r.Port, Transport: r.Transport,
		Username: r.Username, Password: r.Password, Register: r.Register, RealtimeText: r.RealtimeText,
		SRTP: r.SRTP, Codecs: r.Codecs.V, CallsPerSecond: r.CallsPerSecond, MaxCalls: r.MaxCalls, Incoming: r.Incoming.V,
	}
}
