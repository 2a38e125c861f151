package directory

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store/row"
)

// sealed is a row with secrets.
type sealed interface {
	table() string
	secrets() []row.Secret
}

func (r *endpointRow) table() string { return "endpoints" }

func (r *endpointRow) secrets() []row.Secret {
	return []row.Secret{{Column: "secret", Text: &r.Secret}, {Column: "old_secret", Text: &r.OldSecret}}
}

func (r *trunkRow) table() string { return "trunks" }

func (r *trunkRow) secrets() []row.Secret {
	return []row.Secret{{Column: "password", Text: &r.Password}, {Column: "incoming.password", Text: &r.Incoming.V.Password}}
}

// newSealed makes a collection of rows with secrets.
func newSealed[T, R any, P rowOf[T, R]](db bun.IDB, seal *row.Seal, noun string) *collection[T, R, P] {
	c := newCollection[T, R, P](db, noun)
	c.seal = seal
	return c
}

// close seals the secrets of a row.
func (c *collection[T, R, P]) close(r P) error {
	if s, has := any(r).(sealed); has {
		return c.seal.Close(s.table(), string(r.top().ID), s.secrets()...)
	}
	return nil
}

// open reads the secrets of a row.
func (c *collection[T, R, P]) open(r P) error {
	if s, has := any(r).(sealed); has {
		return c.seal.Open(s.table(), string(r.top().ID), s.secrets()...)
	}
	return nil
}

// openAll is open for many rows.
func (c *collection[T, R, P]) openAll(rows []R) error {
	for i := range rows {
		if err := c.open(&rows[i]); err != nil {
			return err
		}
	}
	return nil
}

// SealAll seals what is kept as it is.
func SealAll(ctx context.Context, db bun.IDB, seal *row.Seal) error {
	if err := sealAll(ctx, newSealed[domain.Endpoint, endpointRow](db, seal, "Webhook"), "secret", "old_secret"); err != nil {
		return err
	}
	return sealAll(ctx, newSealed[domain.Trunk, trunkRow](db, seal, "Trunk"), "password", "incoming")
}

func sealAll[T, R any, P rowOf[T, R]](ctx context.Context, c *collection[T, R, P], columns ...string) error {
	var rows []R
	if err := c.db.NewSelect().Model(&rows).Scan(ctx); err != nil {
		return row.Error(err, "read the secrets of "+c.noun)
	}
	for i := range rows {
		if err := c.close(&rows[i]); err != nil {
			return err
		}
		if _, err := c.db.NewUpdate().Model(P(&rows[i])).Column(columns...).WherePK().Exec(ctx); err != nil {
			return row.Error(err, "seal the secrets of "+c.noun)
		}
	}
	return nil
}
