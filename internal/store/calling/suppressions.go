package calling

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store/row"
)

type suppressionRow struct {
	bun.BaseModel `bun:"table:suppressions"`

	ID          domain.ID `bun:",pk"`
	WorkspaceID domain.ID
	Mode        domain.Mode
	Number      string
	Reason      string
	Source      domain.SuppressionSource
	CallID      domain.ID
	CreatedAt   row.Micros
}

func newSuppressionRow(s *domain.Suppression) suppressionRow {
	return suppressionRow{
		ID: s.ID, WorkspaceID: s.WorkspaceID, Mode: s.Mode, Number: s.Number, Reason: s.Reason, Source: s.Source,
		CallID: s.CallID, CreatedAt: row.At(s.CreatedAt),
	}
}

func (r *suppressionRow) domain() domain.Suppression {
	return domain.Suppression{
		ID: r.ID, WorkspaceID: r.WorkspaceID, Mode: r.Mode, Number: r.Number, Reason: r.Reason, Source: r.Source,
		CallID: r.CallID, CreatedAt: r.CreatedAt.Time(),
	}
}

// suppressions keeps the do-not-call lists. Whoever changes one is alone with
// it; whoever asks in order to dial keeps it as it is until the dial's intent is
// committed, so that no intent crosses an opt-out.
type suppressions struct {
	db    bun.IDB
	touch row.Touch
	free  map[string]bool // numbers that are not listed, as long as nobody may add them
}

// NewSuppressions keeps the do-not-call lists. touch is told of numbers that are
// added.
func NewSuppressions(db bun.IDB, touch row.Touch) domain.Suppressions {
	return &suppressions{db: db, touch: touch, free: make(map[string]bool)}
}

const suppressionRows = 500 // in one statement

// Add puts numbers onto a list.
func (s *suppressions) Add(ctx context.Context, in domain.Scope, entries ...domain.Suppression) (added int, err error) {
	clear(s.free)
	if err := s.alone(ctx, in); err != nil {
		return 0, err
	}
	for len(entries) > 0 {
		n := min(len(entries), suppressionRows)
		rows := row.Map(entries[:n], func(e *domain.Suppression) suppressionRow {
			r := newSuppressionRow(e)
			r.WorkspaceID, r.Mode = in.Workspace, in.Mode
			return r
		})
		entries = entries[n:]
		res, err := s.db.NewInsert().Model(&rows).On("CONFLICT (workspace_id, mode, number) DO NOTHING").Exec(ctx)
		if err != nil {
			return 0, row.Error(err, "add to the do-not-call list")
		}
		more, err := res.RowsAffected()
		if err != nil {
			return 0, row.Error(err, "add to the do-not-call list")
		}
		added += int(more)
	}
	if added > 0 {
		s.touch("suppressions")
	}
	return added, nil
}

// Ringing returns calls to listed numbers that nobody has answered.
func (s *suppressions) Ringing(ctx context.Context) ([]domain.ID, error) {
	var ids []domain.ID
	err := s.db.NewRaw(`SELECT id FROM calls WHERE state IN ('dialing', 'ringing', 'in-progress') AND state <> 'in-progress' AND direction = 'outbound'
		AND EXISTS (SELECT 1 FROM suppressions AS s WHERE s.workspace_id = calls.workspace_id AND s.mode = calls.mode AND s.number = calls.to_number)`).
		Scan(ctx, &ids)
	return ids, row.Error(err, "find calls to numbers on the do-not-call list")
}

// Get returns the entry of a number.
func (s *suppressions) Get(ctx context.Context, in domain.Scope, number string) (*domain.Suppression, error) {
	if err := row.Together(ctx, s.db, "suppressions", string(in.Workspace), string(in.Mode)); err != nil {
		return nil, err
	}
	unlisted := domain.Errorf(domain.CodeNotFound, "The number %s is not on the do-not-call list", number)
	asked := string(in.Workspace) + string(in.Mode) + number
	if s.free[asked] {
		return nil, unlisted
	}
	r := new(suppressionRow)
	if err := row.In(s.db.NewSelect().Model(r), in).Where("number = ?", number).Scan(ctx); err != nil {
		err = row.Found(err, unlisted)
		s.free[asked] = domain.CodeOf(err) == domain.CodeNotFound
		return nil, err
	}
	found := r.domain()
	return &found, nil
}

// Among returns the entries of those of numbers that are listed.
func (s *suppressions) Among(ctx context.Context, in domain.Scope, numbers []string) ([]domain.Suppression, error) {
	var all []domain.Suppression
	for len(numbers) > 0 {
		n := min(len(numbers), suppressionRows)
		var rows []suppressionRow
		if err := row.In(s.db.NewSelect().Model(&rows), in).Where("number IN (?)", bun.List(numbers[:n])).Scan(ctx); err != nil {
			return nil, row.Error(err, "look numbers up in the do-not-call list")
		}
		all = append(all, row.Map(rows, (*suppressionRow).domain)...)
		numbers = numbers[n:]
	}
	return all, nil
}

// List returns a page of entries, newest first.
func (s *suppressions) List(ctx context.Context, in domain.Scope, page domain.Page) ([]domain.Suppression, error) {
	var rows []suppressionRow
	err := row.Cut(row.In(s.db.NewSelect().Model(&rows), in), page).Scan(ctx)
	return row.Map(rows, (*suppressionRow).domain), row.Error(err, "list the do-not-call list")
}

// Count counts the entries of a scope.
func (s *suppressions) Count(ctx context.Context, in domain.Scope) (int, error) {
	return row.Count(ctx, row.In(s.db.NewSelect().Model((*suppressionRow)(nil)), in))
}

// Remove takes numbers off the list.
func (s *suppressions) Remove(ctx context.Context, in domain.Scope, numbers ...string) (removed int, err error) {
	if len(numbers) == 0 {
		return 0, nil
	}
	if err := s.alone(ctx, in); err != nil {
		return 0, err
	}
	res, err := row.In(s.db.NewDelete().Model((*suppressionRow)(nil)), in).Where("number IN (?)", bun.List(numbers)).Exec(ctx)
	if err != nil {
		return 0, row.Error(err, "take off the do-not-call list")
	}
	n, err := res.RowsAffected()
	return int(n), row.Error(err, "take off the do-not-call list")
}

func (s *suppressions) alone(ctx context.Context, in domain.Scope) error {
	return row.Alone(ctx, s.db, "suppressions", string(in.Workspace), string(in.Mode))
}
