package directory

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store/row"
)

type numberRow struct {
	bun.BaseModel `bun:"table:numbers"`
	head
	Number  string
	TrunkID domain.ID
	AgentID domain.ID
	Hours   row.JSON[domain.Hours]
}

var _ record[domain.PhoneNumber] = (*numberRow)(nil)

func (r *numberRow) fill(n *domain.PhoneNumber) {
	*r = numberRow{
		head: head{
			ID: n.ID, WorkspaceID: n.WorkspaceID, Mode: n.Mode, Version: n.Version,
			CreatedAt: row.At(n.CreatedAt), UpdatedAt: row.At(n.UpdatedAt),
		},
		Number: n.Number, TrunkID: n.TrunkID, AgentID: n.AgentID, Hours: row.JSON[domain.Hours]{V: n.Hours},
	}
}

func (r *numberRow) domain() domain.PhoneNumber {
	return domain.PhoneNumber{
		ID: r.ID, WorkspaceID: r.WorkspaceID, Mode: r.Mode, Version: r.Version,
		CreatedAt: r.CreatedAt.Time(), UpdatedAt: r.UpdatedAt.Time(),
		Number: r.Number, TrunkID: r.TrunkID, AgentID: r.AgentID, Hours: r.Hours.V,
	}
}

type numbers struct {
	*collection[domain.PhoneNumber, numberRow, *numberRow]
}

// NewNumbers keeps phone numbers; a number is there once in a workspace and mode.
func NewNumbers(db bun.IDB) domain.PhoneNumbers {
	c := newCollection[domain.PhoneNumber, numberRow](db, "Phone number")
	c.taken = func(n *domain.PhoneNumber) string {
		return "Phone number " + n.Number + " is already in this workspace"
	}
	return &numbers{c}
}

// ByNumber finds a number by its digits.
func (n *numbers) ByNumber(ctx context.Context, in domain.Scope, number string) (*domain.PhoneNumber, error) {
	r := new(numberRow)
	err := row.In(n.db.NewSelect().Model(r), in).Where("number = ?", number).Scan(ctx)
	if err != nil {
		return nil, row.Found(err, domain.Errorf(domain.CodeNotFound, "Phone number %s not found", number))
	}
	found := r.domain()
	return &found, nil
}
