package outbox

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store/row"
)

type jobRow struct {
	bun.BaseModel `bun:"table:jobs"`

	ID          domain.ID `bun:",pk"`
	WorkspaceID domain.ID
	Mode        domain.Mode
	Kind        string
	Subject     domain.ID
	State       domain.JobState
	NextAt      row.Micros
	LeaseUntil  row.Micros
	Attempt     int64
	Error       string
	CreatedAt   row.Micros
	DueAt       row.Micros `bun:",scanonly"` // made by the database
}

func newJobRow(j *domain.Job) *jobRow {
	return &jobRow{
		ID: j.ID, WorkspaceID: j.WorkspaceID, Mode: j.Mode, Kind: j.Kind, Subject: j.Subject, State: j.State,
		NextAt: row.At(j.NextAt), LeaseUntil: row.At(j.LeaseUntil), Attempt: j.Attempt, Error: j.Error,
		CreatedAt: row.At(j.CreatedAt),
	}
}

func (r *jobRow) domain() domain.Job {
	return domain.Job{
		ID: r.ID, WorkspaceID: r.WorkspaceID, Mode: r.Mode, Kind: r.Kind, Subject: r.Subject, State: r.State,
		NextAt: r.NextAt.Time(), LeaseUntil: r.LeaseUntil.Time(), Attempt: r.Attempt, Error: r.Error,
		CreatedAt: r.CreatedAt.Time(),
	}
}

type jobs struct {
	db    bun.IDB
	touch row.Touch
}

// NewJobs keeps background work. touch is told of rows that wait to be done.
func NewJobs(db bun.IDB, touch row.Touch) domain.Jobs { return &jobs{db, touch} }

// Create stores a new job.
func (s *jobs) Create(ctx context.Context, j *domain.Job) error {
	_, err := s.db.NewInsert().Model(newJobRow(j)).Exec(ctx)
	s.touch("jobs")
	return row.Created(err, "Job with id "+string(j.ID)+" already exists")
}

// Claim takes jobs of a kind that are due, counts their Attempt up, and returns
// them with the time when the next one of the kind is due.
func (s *jobs) Claim(ctx context.Context, kind string, now time.Time, lease time.Duration, limit int) ([]domain.Job, time.Time, error) {
	var rows []jobRow
	err := s.db.NewRaw(`WITH due AS MATERIALIZED (SELECT id FROM jobs WHERE kind = ? AND due_at <= ? ORDER BY due_at, id LIMIT ? ?)
		UPDATE jobs SET attempt = attempt + 1, lease_until = ? WHERE id IN (SELECT id FROM due) RETURNING *`,
		kind, row.At(now), limit, row.SkipLocked(s.db), row.At(now.Add(lease))).Scan(ctx, &rows)
	if err != nil {
		return nil, time.Time{}, row.Error(err, "claim jobs")
	}
	slices.SortFunc(rows, func(a, b jobRow) int {
		return cmp.Or(cmp.Compare(a.NextAt, b.NextAt), cmp.Compare(a.ID, b.ID))
	})
	next, err := row.NextDue(ctx, s.db.NewSelect().Model((*jobRow)(nil)).Where("kind = ?", kind))
	return row.Map(rows, (*jobRow).domain), next, err
}

// Finish stores outcomes and gives up the leases; a job that was claimed again
// since is left alone.
func (s *jobs) Finish(ctx context.Context, done ...domain.Job) error {
	for i := range done {
		r := newJobRow(&done[i])
		r.LeaseUntil = 0
		_, err := s.db.NewUpdate().Model(r).Column("state", "next_at", "lease_until", "error").
			Where("id = ?", r.ID).Where("attempt = ?", r.Attempt).Exec(ctx)
		if err != nil {
			return row.Error(err, "finish job")
		}
		if r.State == domain.JobPending {
			s.touch("jobs")
		}
	}
	return nil
}
