package directory

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store/row"
)

// dialing is what the dialer asks and notes.
type dialing struct {
	db    bun.IDB
	touch row.Touch
}

// NewDialing answers the dialer. touch is told of campaigns that are to be
// looked at.
func NewDialing(db bun.IDB, touch row.Touch) domain.Dialing { return &dialing{db, touch} }

type dueRow struct {
	ID          domain.ID
	WorkspaceID domain.ID
	Mode        domain.Mode
	DueAt       row.Micros
}

// Due returns campaigns that are due, with no more than what names them and
// DueAt.
func (s *dialing) Due(ctx context.Context, now time.Time, limit int) ([]domain.Campaign, time.Time, error) {
	var rows []dueRow
	err := s.db.NewSelect().Table("campaigns").Column("id", "workspace_id", "mode", "due_at").
		Where("due_at > 0").OrderExpr("due_at, id").Limit(int64(limit+1)).Scan(ctx, &rows)
	if err != nil {
		return nil, time.Time{}, row.Error(err, "list campaigns that are due")
	}
	var due []domain.Campaign
	for _, r := range rows {
		if r.DueAt.Time().After(now) || len(due) == limit {
			return due, r.DueAt.Time(), nil
		}
		due = append(due, domain.Campaign{ID: r.ID, WorkspaceID: r.WorkspaceID, Mode: r.Mode, DueAt: r.DueAt.Time()})
	}
	return due, time.Time{}, nil
}

// Plan returns a campaign to the one who plans for it.
func (s *dialing) Plan(ctx context.Context, campaign domain.ID) (*domain.Campaign, error) {
	if err := row.Alone(ctx, s.db, "campaign", string(campaign)); err != nil {
		return nil, err
	}
	return s.Running(ctx, campaign)
}

// Running returns a campaign that stays as it is.
func (s *dialing) Running(ctx context.Context, campaign domain.ID) (*domain.Campaign, error) {
	r := new(campaignRow)
	if err := row.ToKeep(s.db, s.db.NewSelect().Model(r).Where("id = ?", campaign)).Scan(ctx); err != nil {
		return nil, row.Found(err, domain.NotFound("Campaign", campaign))
	}
	c := r.domain()
	return &c, nil
}

// Note stores what the dialer knows of a campaign.
func (s *dialing) Note(ctx context.Context, c *domain.Campaign) error {
	_, err := s.db.NewUpdate().Table("campaigns").
		Set("state = ?", c.State).Set("pause_reason = ?", c.PauseReason).Set("due_at = ?", row.At(c.DueAt)).
		Set("started_at = ?", row.At(c.StartedAt)).Set("resumed_at = ?", row.At(c.ResumedAt)).Set("ended_at = ?", row.At(c.EndedAt)).
		Set("fed_until = ?", row.At(c.FedUntil)).Set("rejudge_at = ?", row.At(c.RejudgeAt)).Where("id = ?", c.ID).Exec(ctx)
	return row.Error(err, "note of a campaign")
}

// Wake has the dialer look at a campaign that runs.
func (s *dialing) Wake(ctx context.Context, campaign domain.ID, at time.Time) error {
	res, err := s.db.NewUpdate().Table("campaigns").Set("due_at = ?", row.At(at)).
		Where("id = ?", campaign).Where("due_at > ?", row.At(at)).Exec(ctx)
	if err == nil && row.Changed(res) {
		s.touch("campaigns")
	}
	return row.Error(err, "wake a campaign")
}

// Rejudge has contacts that were put off be due.
func (s *dialing) Rejudge(ctx context.Context, campaign domain.ID, reasons []string, at time.Time, limit int) (int, error) {
	res, err := s.db.NewRaw(`UPDATE recipients SET next_at = ?, updated_at = ?, version = version + 1 WHERE id IN
		(SELECT id FROM recipients WHERE campaign_id = ? AND state = 'waiting' AND why <> '' AND why IN (?) AND updated_at < ? LIMIT ? ?)`,
		row.At(at), row.At(at), campaign, bun.List(reasons), row.At(at), limit, row.SkipLocked(s.db)).Exec(ctx)
	if err != nil {
		return 0, row.Error(err, "look at contacts again")
	}
	n, err := res.RowsAffected()
	return int(n), row.Error(err, "look at contacts again")
}

// Planned counts attempts that wait to be dialed.
func (s *dialing) Planned(ctx context.Context, in domain.Scope, trunk domain.ID) (workspace, on int, err error) {
	err = row.In(s.db.NewSelect().Table("attempts"), in).Where("state IN ('planned', 'claimed')").
		ColumnExpr("count(*)").ColumnExpr("coalesce(sum(CASE WHEN trunk_id = ? THEN 1 ELSE 0 END), 0)", trunk).
		Scan(ctx, &workspace, &on)
	return workspace, on, row.Error(err, "count planned attempts")
}
