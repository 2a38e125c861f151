package calling

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store/row"
)

type erasure struct {
	db   bun.IDB
	seal *row.Seal
}

// NewErasure finds and forgets calls of people.
func NewErasure(db bun.IDB, seal *row.Seal) domain.Erasure { return &erasure{db, seal} }

// Calls returns calls with a person, oldest first. Each way to find them has an
// index of its own.
func (e *erasure) Calls(ctx context.Context, in domain.Scope, contact domain.ID, numbers []string, after domain.ID, limit int) ([]domain.Call, error) {
	var ids []domain.ID
	for _, q := range e.with(in, contact, numbers) {
		var some []domain.ID
		if err := q.Column("id").Where("id > ?", after).OrderExpr("id").Limit(int64(limit)).Scan(ctx, &some); err != nil {
			return nil, row.Error(err, "find calls with a person")
		}
		ids = append(ids, some...)
	}
	if len(ids) == 0 {
		return nil, nil
	}
	var rows []callRow
	q := e.db.NewSelect().Model(&rows).Where("id IN (?)", bun.List(ids)).OrderExpr("id").Limit(int64(limit))
	if err := row.ToChange(e.db, q).Scan(ctx); err != nil {
		return nil, row.Error(err, "read calls with a person")
	}
	return opened(rows, e.seal)
}

// with are the queries that find calls with a person.
func (e *erasure) with(in domain.Scope, contact domain.ID, numbers []string) []*bun.SelectQuery {
	calls := func() *bun.SelectQuery { return row.In(e.db.NewSelect().Model((*callRow)(nil)), in) }
	var all []*bun.SelectQuery
	if contact != "" {
		all = append(all, calls().Where("contact_id = ?", contact).Where("contact_id <> ''"))
	}
	if len(numbers) > 0 {
		// An incoming call's to_number is the workspace's own.
		all = append(all, calls().Where("to_number IN (?)", bun.List(numbers)).Where("direction = ?", domain.Outbound),
			calls().Where("from_number IN (?)", bun.List(numbers)).Where("direction = 'inbound'"))
	}
	return all
}

// LastCalls returns when numbers were last called.
func (e *erasure) LastCalls(ctx context.Context, in domain.Scope, numbers []string) (map[string]time.Time, error) {
	last := make(map[string]time.Time)
	if len(numbers) == 0 {
		return last, nil
	}
	var rows []struct {
		ToNumber string
		LastAt   row.Micros
	}
	err := row.In(e.db.NewSelect().Model((*callRow)(nil)), in).ColumnExpr("to_number, MAX(created_at) AS last_at").
		Where("to_number IN (?)", bun.List(numbers)).GroupExpr("to_number").Scan(ctx, &rows)
	for _, r := range rows {
		last[r.ToNumber] = r.LastAt.Time()
	}
	return last, row.Error(err, "find the last calls")
}

// Forget removes a call and all rows about it.
func (e *erasure) Forget(ctx context.Context, in domain.Scope, call domain.ID) error {
	res, err := row.In(e.db.NewDelete().Model((*callRow)(nil)).Where("id = ?", call), in).Exec(ctx)
	if err == nil && !row.Changed(res) {
		return domain.NotFound("Call", call)
	}
	if err == nil {
		_, err = e.db.NewRaw("DELETE FROM tries WHERE delivery_id IN (SELECT id FROM deliveries WHERE call_id = ? AND call_id <> '')", call).Exec(ctx)
	}
	for _, table := range []string{"turns", "attempts", "events", "deliveries"} {
		if err != nil {
			break
		}
		// The indexes of events and deliveries leave out rows without a call.
		_, err = e.db.NewDelete().TableExpr("?", bun.Ident(table)).Where("call_id = ?", call).Where("call_id <> ''").Exec(ctx)
	}
	return row.Error(err, "forget a call")
}

// ForgetMessages removes the messages with a person. Each way to find them has an
// index of its own.
func (e *erasure) ForgetMessages(ctx context.Context, in domain.Scope, contact domain.ID, numbers []string) error {
	if contact != "" {
		_, err := row.In(e.db.NewDelete().TableExpr("messages").Where("contact_id = ?", contact).Where("contact_id <> ''"), in).Exec(ctx)
		if err != nil {
			return row.Error(err, "forget messages")
		}
	}
	if len(numbers) == 0 {
		return nil
	}
	for _, column := range []string{"to_number", "from_number"} {
		_, err := row.In(e.db.NewDelete().TableExpr("messages").Where("? IN (?)", bun.Ident(column), bun.List(numbers)), in).Exec(ctx)
		if err != nil {
			return row.Error(err, "forget messages")
		}
	}
	return nil
}

// ForgetAppointments removes a contact's appointments.
func (e *erasure) ForgetAppointments(ctx context.Context, in domain.Scope, contact domain.ID) error {
	_, err := row.In(e.db.NewDelete().TableExpr("appointments").Where("contact_id = ?", contact), in).Exec(ctx)
	return row.Error(err, "forget appointments")
}
