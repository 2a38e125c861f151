package calling

import (
	"context"
	"maps"
	"slices"
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
		err := e.forgetMessages(ctx, in, "contact_id = ? AND contact_id <> ''", contact)
		if err != nil {
			return err
		}
	}
	if len(numbers) == 0 {
		return nil
	}
	for _, column := range []string{"to_number", "from_number"} {
		if err := e.forgetMessages(ctx, in, "? IN (?)", bun.Ident(column), bun.List(numbers)); err != nil {
			return err
		}
	}
	return nil
}

// forgetMessages removes messages and what was told of them.
func (e *erasure) forgetMessages(ctx context.Context, in domain.Scope, which string, args ...any) error {
	if err := e.forgetPayloads(ctx, in, row.In(e.db.NewSelect().TableExpr("messages").Column("id").Where(which, args...), in)); err != nil {
		return err
	}
	_, err := row.In(e.db.NewDelete().TableExpr("messages").Where(which, args...), in).Exec(ctx)
	return row.Error(err, "forget messages")
}

// forgetPayloads removes what was told, or is to be, of what about selects, with
// the log of it.
func (e *erasure) forgetPayloads(ctx context.Context, in domain.Scope, about *bun.SelectQuery) error {
	told := row.In(e.db.NewSelect().TableExpr("deliveries").Column("id").Where("about_id IN (?)", about).Where("about_id <> ''"), in)
	if _, err := e.db.NewDelete().TableExpr("tries").Where("delivery_id IN (?)", told).Exec(ctx); err != nil {
		return row.Error(err, "forget the log of what was told")
	}
	_, err := row.In(e.db.NewDelete().TableExpr("deliveries").Where("about_id IN (?)", about).Where("about_id <> ''"), in).Exec(ctx)
	return row.Error(err, "forget what was told")
}

// ForgetAppointments removes a contact's appointments and what was told of them,
// also of those that are gone.
func (e *erasure) ForgetAppointments(ctx context.Context, in domain.Scope, contact domain.ID) error {
	if err := e.forgetPayloads(ctx, in, e.db.NewSelect().ColumnExpr("?", contact)); err != nil {
		return err
	}
	_, err := row.In(e.db.NewDelete().TableExpr("appointments").Where("contact_id = ?", contact), in).Exec(ctx)
	return row.Error(err, "forget appointments")
}

// ForgetRecipients removes a person from campaigns.
func (e *erasure) ForgetRecipients(ctx context.Context, in domain.Scope, contact domain.ID, numbers []string) error {
	them := func() *bun.DeleteQuery { return row.In(e.db.NewDelete().TableExpr("recipients"), in) }
	var gone []goneRecipient
	for _, q := range []*bun.DeleteQuery{
		them().Where("phone IN (?)", bun.List(append([]string{""}, numbers...))),
		them().Where("contact_id <> ''").Where("contact_id = ?", contact),
	} {
		var some []goneRecipient
		if err := q.Returning("campaign_id, state").Scan(ctx, &some); err != nil {
			return row.Error(err, "forget recipients")
		}
		gone = append(gone, some...)
	}
	return e.discount(ctx, gone)
}

// ForgetSome removes some recipients of a campaign.
func (e *erasure) ForgetSome(ctx context.Context, campaign domain.ID, limit int) (int, error) {
	var gone []goneRecipient
	err := e.db.NewRaw(`DELETE FROM recipients WHERE id IN (SELECT id FROM recipients WHERE campaign_id = ? LIMIT ?) RETURNING campaign_id, state`,
		campaign, limit).Scan(ctx, &gone)
	if err != nil {
		return 0, row.Error(err, "forget recipients")
	}
	return len(gone), e.discount(ctx, gone)
}

// goneRecipient is what counts of a recipient that was removed.
type goneRecipient struct {
	CampaignID domain.ID
	State      domain.RecipientState
}

// discount takes recipients that were removed from the counts of their campaigns.
// The counts come last, always in the same order, as for all who change them.
func (e *erasure) discount(ctx context.Context, gone []goneRecipient) error {
	counts := make(map[domain.ID]domain.CampaignCounts)
	for _, r := range gone {
		n := counts[r.CampaignID]
		*of(&n, r.State)--
		counts[r.CampaignID] = n
	}
	for _, campaign := range slices.Sorted(maps.Keys(counts)) {
		if err := count(ctx, e.db, campaign, "", counts[campaign]); err != nil {
			return err
		}
	}
	return nil
}
