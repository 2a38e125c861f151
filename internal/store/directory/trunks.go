package directory

import (
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
}

// NewTrunks keeps trunks.
func NewTrunks(db bun.IDB) domain.Collection[domain.Trunk] {
	return newCollection[domain.Trunk, trunkRow](db, "Trunk")
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
		CallsPerSecond: t.CallsPerSecond, MaxCalls: t.MaxCalls,
	}
}

func (r *trunkRow) domain() domain.Trunk {
	return domain.Trunk{
		ID: r.ID, WorkspaceID: r.WorkspaceID, Mode: r.Mode, Version: r.Version,
		CreatedAt: r.CreatedAt.Time(), UpdatedAt: r.UpdatedAt.Time(),
		Name: r.Name, Carrier: r.Carrier, Host: r.Host, Port: r.Port, Transport: r.Transport,
		Username: r.Username, Password: r.Password, Register: r.Register, RealtimeText: r.RealtimeText,
		SRTP: r.SRTP, Codecs: r.Codecs.V, CallsPerSecond: r.CallsPerSecond, MaxCalls: r.MaxCalls,
	}
}
