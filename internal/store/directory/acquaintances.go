package directory

import (
	"context"
	"slices"

	"github.com/uptrace/bun"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store/row"
)

type acquaintances struct{ db bun.IDB }

// NewAcquaintances finds contacts.
func NewAcquaintances(db bun.IDB) domain.Acquaintances { return &acquaintances{db} }

// Find returns contacts, and whose the numbers are.
func (s *acquaintances) Find(ctx context.Context, in domain.Scope, ids []domain.ID, numbers []string) (map[domain.ID]domain.Contact, map[string]domain.ID, error) {
	owners, err := s.owners(ctx, in, numbers)
	if err != nil {
		return nil, nil, err
	}
	ids = slices.Clone(ids)
	for _, id := range owners {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	found := make(map[domain.ID]domain.Contact)
	if ids = slices.Compact(ids); len(ids) > 0 {
		var rows []contactRow
		err := row.ToRely(s.db, row.In(s.db.NewSelect().Model(&rows).Where("id IN (?)", bun.List(ids)), in).OrderExpr("id")).Scan(ctx)
		if err != nil {
			return nil, nil, row.Error(err, "find contacts")
		}
		for i := range rows {
			found[rows[i].ID] = rows[i].domain()
		}
	}
	for number, id := range owners {
		if _, there := found[id]; !there {
			delete(owners, number) // it was deleted just now
		}
	}
	return found, owners, nil
}

// owners returns the oldest contact of each number.
func (s *acquaintances) owners(ctx context.Context, in domain.Scope, numbers []string) (map[string]domain.ID, error) {
	owners := make(map[string]domain.ID)
	if len(numbers) == 0 {
		return owners, nil
	}
	var marks []contactMarkRow
	err := row.In(s.db.NewSelect().Model(&marks).Column("mark"), in).ColumnExpr("min(contact_id) AS contact_id").
		Where("kind = ?", markNumber).Where("mark IN (?)", bun.List(numbers)).Group("mark").Scan(ctx)
	for _, m := range marks {
		owners[m.Mark] = m.ContactID
	}
	return owners, row.Error(err, "find whose numbers these are")
}
