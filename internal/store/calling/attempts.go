package calling

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store/row"
)

// live, held and interrupted are worded as the partial indexes of the table are.
const (
	live = "state IN ('intent', 'ringing', 'answered')"
	held = "state IN ('claimed', 'intent', 'ringing', 'answered')"

	interrupted = "end_reason = 'interrupted'"
)

type attemptRow struct {
	bun.BaseModel `bun:"table:attempts"`

	ID          domain.ID `bun:",pk"`
	WorkspaceID domain.ID
	Mode        domain.Mode
	CallID      domain.ID
	Kind        domain.AttemptKind
	Number      string
	TrunkID     domain.ID
	TryNumber   int
	State       domain.AttemptState
	NextAt      row.Micros
	LeaseUntil  row.Micros
	Claim       int64
	Epoch       domain.ID
	SIPCallID   string `bun:"sip_call_id"`
	Dialog      []byte
	EndReason   domain.EndReason

	RecipientID  domain.ID
	RecipientTry int
	DialedAt     row.Micros
	Uncharged    bool
	Basis        string

	CreatedAt row.Micros
	EndedAt   row.Micros
	DueAt     row.Micros `bun:",scanonly"` // made by the database
}

func newAttemptRow(a *domain.Attempt) *attemptRow {
	return &attemptRow{
		ID: a.ID, WorkspaceID: a.WorkspaceID, Mode: a.Mode, CallID: a.CallID, Kind: a.Kind, Number: a.Number, TrunkID: a.TrunkID,
		TryNumber: a.TryNumber, State: a.State, NextAt: row.At(a.NextAt), LeaseUntil: row.At(a.LeaseUntil),
		Claim: a.Claim, Epoch: a.Epoch, SIPCallID: a.SIPCallID, Dialog: a.Dialog, EndReason: a.EndReason,
		RecipientID: a.RecipientID, RecipientTry: a.RecipientTry, DialedAt: row.At(a.DialedAt), Uncharged: a.Uncharged, Basis: a.Basis,
		CreatedAt: row.At(a.CreatedAt), EndedAt: row.At(a.EndedAt),
	}
}

func (r *attemptRow) domain() domain.Attempt {
	return domain.Attempt{
		ID: r.ID, WorkspaceID: r.WorkspaceID, Mode: r.Mode, CallID: r.CallID, Kind: r.Kind, Number: r.Number, TrunkID: r.TrunkID,
		TryNumber: r.TryNumber, State: r.State, NextAt: r.NextAt.Time(), LeaseUntil: r.LeaseUntil.Time(),
		Claim: r.Claim, Epoch: r.Epoch, SIPCallID: r.SIPCallID, Dialog: r.Dialog, EndReason: r.EndReason,
		RecipientID: r.RecipientID, RecipientTry: r.RecipientTry, DialedAt: r.DialedAt.Time(), Uncharged: r.Uncharged, Basis: r.Basis,
		CreatedAt: r.CreatedAt.Time(), EndedAt: r.EndedAt.Time(),
	}
}

type attempts struct {
	db    bun.IDB
	touch row.Touch
}

// NewAttempts keeps attempts. touch is told of those that wait to be claimed.
func NewAttempts(db bun.IDB, touch row.Touch) domain.Attempts { return &attempts{db, touch} }

// clash words why an attempt cannot be stored beside those that are there.
func clash(err error, a *domain.Attempt) error {
	if row.TakenIn(err, "attempts_live", "attempts.number") {
		return domain.Errorf(domain.CodeConflict, "There is already a live call to %s", a.Number)
	}
	if row.TakenIn(err, "attempts_recipient", "attempts.recipient_id") {
		return domain.Errorf(domain.CodeConflict, "Recipient with id %s already has a try number %d", a.RecipientID, a.RecipientTry)
	}
	return domain.Errorf(domain.CodeConflict, "Call with id %s already has a try number %d", a.CallID, a.TryNumber)
}

// Create stores new attempts.
func (s *attempts) Create(ctx context.Context, attempts ...*domain.Attempt) error {
	for some := range slices.Chunk(attempts, rowsAtOnce) {
		rows := make([]*attemptRow, len(some))
		for i, a := range some {
			rows[i] = newAttemptRow(a)
		}
		_, err := s.db.NewInsert().Model(&rows).Exec(ctx)
		switch {
		case row.Taken(err) && len(some) == 1:
			return clash(err, some[0])
		case row.Taken(err):
			return domain.Errorf(domain.CodeConflict, "One of %d attempts cannot be stored: its call or its recipient already has a try of that number", len(some))
		case err != nil:
			return row.Error(err, "create attempt")
		}
	}
	s.waits(attempts...)
	return nil
}

// waits has those told who claim attempts that wait.
func (s *attempts) waits(attempts ...*domain.Attempt) {
	if slices.ContainsFunc(attempts, func(a *domain.Attempt) bool { return a.State == domain.AttemptPlanned }) {
		s.touch("attempts")
	}
}

// Get returns one attempt.
func (s *attempts) Get(ctx context.Context, id domain.ID) (*domain.Attempt, error) {
	r := new(attemptRow)
	if err := row.ToChange(s.db, s.db.NewSelect().Model(r).Where("id = ?", id)).Scan(ctx); err != nil {
		return nil, row.Found(err, domain.NotFound("Attempt", id))
	}
	a := r.domain()
	return &a, nil
}

// ByCall returns the attempts of a call, the first try first.
func (s *attempts) ByCall(ctx context.Context, call domain.ID) ([]domain.Attempt, error) {
	var rows []attemptRow
	err := row.ToChange(s.db, s.db.NewSelect().Model(&rows).Where("call_id = ?", call).OrderExpr("try_number")).Scan(ctx)
	return row.Map(rows, (*attemptRow).domain), row.Error(err, "list attempts")
}

// Claim takes attempts that are due.
func (s *attempts) Claim(ctx context.Context, epoch domain.ID, now time.Time, lease time.Duration, limit int) ([]domain.Attempt, time.Time, error) {
	var rows []attemptRow
	err := s.db.NewRaw(`WITH due AS MATERIALIZED (SELECT id FROM attempts WHERE due_at <= ? ORDER BY due_at, id LIMIT ? ?)
		UPDATE attempts SET state = 'claimed', claim = claim + 1, epoch = ?, lease_until = ?
		WHERE id IN (SELECT id FROM due) RETURNING *`,
		row.At(now), limit, row.SkipLocked(s.db), epoch, row.At(now.Add(lease))).Scan(ctx, &rows)
	if err != nil {
		return nil, time.Time{}, row.Error(err, "claim attempts")
	}
	slices.SortFunc(rows, func(a, b attemptRow) int {
		return cmp.Or(cmp.Compare(a.NextAt, b.NextAt), cmp.Compare(a.ID, b.ID))
	})
	next, err := row.NextDue(ctx, s.db.NewSelect().Model((*attemptRow)(nil)))
	return row.Map(rows, (*attemptRow).domain), next, err
}

// Update stores an attempt under its claim. The call, the number and the try
// stay as they were created.
func (s *attempts) Update(ctx context.Context, a *domain.Attempt) error {
	res, err := s.db.NewUpdate().Model(newAttemptRow(a)).
		ExcludeColumn("id", "workspace_id", "mode", "call_id", "kind", "number", "try_number", "recipient_id", "recipient_try",
			"claim", "created_at").
		Where("id = ?", a.ID).Where("claim = ?", a.Claim).Exec(ctx)
	switch {
	case row.Taken(err):
		return clash(err, a)
	case err != nil:
		return row.Error(err, "update attempt")
	case !row.Changed(res):
		now, err := s.Get(ctx, a.ID)
		if err != nil {
			return err
		}
		return domain.Errorf(domain.CodeConflict, "Attempt with id %s was claimed again (claim %d, not %d)", a.ID, now.Claim, a.Claim)
	}
	s.waits(a)
	return nil
}

// LiveTo counts live attempts that dial a number.
func (s *attempts) LiveTo(ctx context.Context, in domain.Scope, number string) (int, error) {
	if err := row.Alone(ctx, s.db, "attempts to", string(in.Workspace), string(in.Mode), number); err != nil {
		return 0, err
	}
	return row.Count(ctx, row.In(s.db.NewSelect().Model((*attemptRow)(nil)), in).Where("number = ?", number).Where("kind = ''").Where(live))
}

// LiveOn counts live attempts over a trunk.
func (s *attempts) LiveOn(ctx context.Context, trunk domain.ID, most int) (int, error) {
	return row.CountTo(ctx, s.db, most, s.db.NewSelect().Model((*attemptRow)(nil)).Where("trunk_id = ?", trunk).Where(live),
		"attempts", string(trunk))
}

// Orphans returns attempts that are held by epochs which are no nodes, oldest
// first.
func (s *attempts) Orphans(ctx context.Context, epoch domain.ID, limit int) ([]domain.Attempt, error) {
	var rows []attemptRow
	err := row.Bound(s.db.NewSelect().Model(&rows).Where(held).Where("epoch <> ?", epoch).
		Where("epoch NOT IN (SELECT epoch FROM nodes)").OrderExpr("id"), limit, 0).Scan(ctx)
	return row.Map(rows, (*attemptRow).domain), row.Error(err, "list attempts of dead epochs")
}
