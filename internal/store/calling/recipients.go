package calling

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store/row"
)

type recipientRow struct {
	bun.BaseModel `bun:"table:recipients"`

	ID          domain.ID `bun:",pk"`
	WorkspaceID domain.ID
	Mode        domain.Mode
	CampaignID  domain.ID
	ContactID   domain.ID
	Line        int
	Phone       string
	FirstName   string
	LastName    string
	Email       string
	Company     string
	Timezone    string
	Region      string
	Variables   row.JSON[map[string]any]
	Consent     row.JSON[*domain.Consent]
	State       domain.RecipientState
	Result      domain.Result
	Why         string
	NextAt      row.Micros
	Tries       row.JSON[[]domain.RecipientTry]
	CallID      domain.ID
	Calls       int
	Version     int64
	CreatedAt   row.Micros
	UpdatedAt   row.Micros
	EndedAt     row.Micros
}

func newRecipientRow(r *domain.Recipient) recipientRow {
	return recipientRow{
		ID: r.ID, WorkspaceID: r.WorkspaceID, Mode: r.Mode, CampaignID: r.CampaignID, ContactID: r.ContactID, Line: r.Line,
		Phone: r.Phone, FirstName: r.FirstName, LastName: r.LastName, Email: r.Email, Company: r.Company,
		Timezone: r.Timezone, Region: r.Region, Variables: row.JSON[map[string]any]{V: r.Variables},
		Consent: row.JSON[*domain.Consent]{V: r.Consent}, State: r.State, Result: r.Result, Why: r.Why,
		NextAt: row.At(r.NextAt), Tries: row.JSON[[]domain.RecipientTry]{V: r.Tries}, CallID: r.CallID, Calls: r.Calls, Version: r.Version,
		CreatedAt: row.At(r.CreatedAt), UpdatedAt: row.At(r.UpdatedAt), EndedAt: row.At(r.EndedAt),
	}
}

func (r *recipientRow) domain() domain.Recipient {
	return domain.Recipient{
		ID: r.ID, WorkspaceID: r.WorkspaceID, Mode: r.Mode, CampaignID: r.CampaignID, ContactID: r.ContactID, Line: r.Line,
		Phone: r.Phone, FirstName: r.FirstName, LastName: r.LastName, Email: r.Email, Company: r.Company,
		Timezone: r.Timezone, Region: r.Region, Variables: r.Variables.V, Consent: r.Consent.V, State: r.State, Result: r.Result,
		Why: r.Why, NextAt: r.NextAt.Time(), Tries: r.Tries.V, CallID: r.CallID, Calls: r.Calls, Version: r.Version,
		CreatedAt: r.CreatedAt.Time(), UpdatedAt: r.UpdatedAt.Time(), EndedAt: r.EndedAt.Time(),
	}
}

// recipients keeps the contacts of campaigns. Their numbers by state are kept in
// parts, the row of which is the last that a transaction locks.
type recipients struct {
	db    bun.IDB
	touch row.Touch
}

// NewRecipients keeps recipients. touch is told of every one that was stored.
func NewRecipients(db bun.IDB, touch row.Touch) domain.Recipients { return &recipients{db, touch} }

// recipientRows is how many rows are stored with one statement.
const recipientRows = 500

// Add stores recipients that a campaign does not have yet.
func (s *recipients) Add(ctx context.Context, list []domain.Recipient) (int, error) {
	var added int
	for len(list) > 0 {
		n := min(len(list), recipientRows)
		rows := row.Map(list[:n], func(r *domain.Recipient) recipientRow { return newRecipientRow(r) })
		res, err := s.db.NewInsert().Model(&rows).On("CONFLICT (campaign_id, phone) DO NOTHING").Exec(ctx)
		if err != nil {
			return 0, row.Error(err, "add recipients")
		}
		stored, err := res.RowsAffected()
		if err != nil {
			return 0, row.Error(err, "add recipients")
		}
		added += int(stored)
		if list = list[n:]; stored > 0 {
			if err := count(ctx, s.db, rows[0].CampaignID, "", domain.CampaignCounts{Waiting: int(stored)}); err != nil {
				return 0, err
			}
		}
	}
	s.touch("recipients")
	return added, nil
}

// Get returns a recipient, to be changed.
func (s *recipients) Get(ctx context.Context, in domain.Scope, campaign, id domain.ID) (*domain.Recipient, error) {
	r := new(recipientRow)
	q := row.In(s.db.NewSelect().Model(r).Where("id = ?", id).Where("campaign_id = ?", campaign), in)
	if err := row.ToChange(s.db, q).Scan(ctx); err != nil {
		return nil, row.Found(err, domain.NotFound("Contact", id))
	}
	found := r.domain()
	return &found, nil
}

// Update stores recipients that are held by Get or Due.
func (s *recipients) Update(ctx context.Context, r *domain.Recipient, was domain.RecipientState, gain domain.CampaignCounts, more ...*domain.Recipient) error {
	if len(more) > 0 {
		return s.updateAll(ctx, append([]*domain.Recipient{r}, more...), was, gain)
	}
	stored := newRecipientRow(r)
	stored.Version++
	res, err := s.db.NewUpdate().Model(&stored).
		Column("state", "result", "why", "next_at", "tries", "call_id", "calls", "contact_id", "version", "updated_at", "ended_at").
		Where("id = ?", r.ID).Where("state = ?", was).Where("version = ?", r.Version).Exec(ctx)
	switch {
	case err != nil:
		return row.Error(err, "update recipient")
	case !row.Changed(res):
		return domain.Errorf(domain.CodeConflict, "Contact with id %s was changed since it was read", r.ID)
	}
	r.Version++
	*of(&gain, was)--
	*of(&gain, r.State)++
	if gain != (domain.CampaignCounts{}) {
		if err := count(ctx, s.db, r.CampaignID, r.ID, gain); err != nil {
			return err
		}
	}
	s.touch("recipients")
	return nil
}

// of is the count of a state.
func of(c *domain.CampaignCounts, state domain.RecipientState) *int {
	switch state {
	case domain.RecipientActive:
		return &c.Active
	case domain.RecipientCompleted:
		return &c.Completed
	case domain.RecipientFailed:
		return &c.Failed
	}
	return &c.Waiting
}

// countParts is over how many rows the counts of a campaign are spread, beside
// the one of those who plan.
const countParts = 32

// count adds to a campaign's counts.
func count(ctx context.Context, db bun.IDB, campaign, recipient domain.ID, gain domain.CampaignCounts) error {
	part := 0
	if gain.Active <= 0 && recipient != "" { // not a planner's, of whom there is one at a time
		part = 1 + row.Part(recipient, countParts)
	}
	_, err := db.NewRaw(`INSERT INTO campaign_counts
		(campaign_id, part, waiting, active, completed, failed, answered, abandoned, talk, spent, last_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (campaign_id, part) DO UPDATE SET
			waiting = campaign_counts.waiting + excluded.waiting, active = campaign_counts.active + excluded.active,
			completed = campaign_counts.completed + excluded.completed, failed = campaign_counts.failed + excluded.failed,
			answered = campaign_counts.answered + excluded.answered, abandoned = campaign_counts.abandoned + excluded.abandoned,
			talk = campaign_counts.talk + excluded.talk, spent = campaign_counts.spent + excluded.spent,
			last_at = CASE WHEN excluded.last_at > campaign_counts.last_at THEN excluded.last_at ELSE campaign_counts.last_at END`,
		campaign, part, gain.Waiting, gain.Active, gain.Completed, gain.Failed, gain.Answered, gain.Abandoned,
		int64(gain.Talk), int64(gain.Spent), row.At(gain.LastAt)).Exec(ctx)
	return row.Error(err, "count recipients")
}

// List returns a page of a campaign's recipients, the first added first.
func (s *recipients) List(ctx context.Context, in domain.Scope, campaign domain.ID, f domain.RecipientFilter, page domain.Page) ([]domain.Recipient, int, error) {
	total, err := s.total(ctx, in, campaign, f)
	if err != nil {
		return nil, 0, err
	}
	var rows []recipientRow
	q := s.found(s.db.NewSelect().Model(&rows), in, campaign, f).OrderExpr("id")
	if page.After != "" {
		page.Offset = 0
		q = q.Where("id > ?", page.After)
	}
	err = row.Bound(q, page.Limit, page.Offset).Scan(ctx)
	return row.Map(rows, (*recipientRow).domain), total, row.Error(err, "list recipients")
}

func (s *recipients) found(q *bun.SelectQuery, in domain.Scope, campaign domain.ID, f domain.RecipientFilter) *bun.SelectQuery {
	q = row.In(q, in).Where("campaign_id = ?", campaign)
	if f.State != "" {
		q = q.Where("state = ?", f.State)
	}
	if f.Phone != "" {
		q = q.Where("phone = ?", f.Phone)
	}
	return q
}

// total is how many recipients a filter lets through: what is counted already,
// unless they are few.
func (s *recipients) total(ctx context.Context, in domain.Scope, campaign domain.ID, f domain.RecipientFilter) (int, error) {
	if f.Phone != "" {
		return row.Count(ctx, s.found(s.db.NewSelect().Model((*recipientRow)(nil)), in, campaign, f))
	}
	sum := "waiting + active + completed + failed"
	if f.State != "" {
		sum = string(f.State) // one of the four, each of which has a column
	}
	var total int
	err := s.db.NewRaw(`SELECT CAST(coalesce(sum(`+sum+`), 0) AS BIGINT) FROM campaign_counts WHERE campaign_id IN
		(SELECT id FROM campaigns WHERE id = ? AND workspace_id = ? AND mode = ?)`, campaign, in.Workspace, in.Mode).Scan(ctx, &total)
	return total, row.Error(err, "count recipients")
}

// Due takes recipients that wait and are due.
func (s *recipients) Due(ctx context.Context, campaign domain.ID, now time.Time, limit int) ([]domain.Recipient, time.Time, error) {
	var rows []recipientRow
	err := s.db.NewRaw(`SELECT * FROM recipients WHERE campaign_id = ? AND state = 'waiting' AND next_at <= ?
		ORDER BY next_at, id LIMIT ? ?`, campaign, row.At(now), limit, row.SkipLocked(s.db)).Scan(ctx, &rows)
	if err != nil {
		return nil, time.Time{}, row.Error(err, "take recipients")
	}
	var next []row.Micros
	err = s.db.NewRaw(`SELECT next_at FROM recipients WHERE campaign_id = ? AND state = 'waiting' AND next_at > ? ORDER BY next_at LIMIT 1`,
		campaign, row.At(now)).Scan(ctx, &next)
	if err != nil || len(next) == 0 {
		return row.Map(rows, (*recipientRow).domain), time.Time{}, row.Error(err, "find the next recipient")
	}
	return row.Map(rows, (*recipientRow).domain), next[0].Time(), nil
}

// Recent returns recipients that are finished.
func (s *recipients) Recent(ctx context.Context, campaign domain.ID, limit int) ([]domain.Recipient, error) {
	var rows []recipientRow
	err := s.db.NewSelect().Model(&rows).Where("campaign_id = ?", campaign).Where("ended_at > 0").
		OrderExpr("ended_at DESC, id DESC").Limit(int64(limit)).Scan(ctx)
	return row.Map(rows, (*recipientRow).domain), row.Error(err, "list recipients")
}

// Discard removes recipients that wait.
func (s *recipients) Discard(ctx context.Context, campaign domain.ID, limit int) (int, error) {
	res, err := s.db.NewRaw(`DELETE FROM recipients WHERE id IN
		(SELECT id FROM recipients WHERE campaign_id = ? AND state = 'waiting' LIMIT ? ?)`,
		campaign, limit, row.SkipLocked(s.db)).Exec(ctx)
	if err != nil {
		return 0, row.Error(err, "discard recipients")
	}
	n, err := res.RowsAffected()
	if err != nil || n == 0 {
		return 0, row.Error(err, "discard recipients")
	}
	return int(n), count(ctx, s.db, campaign, "", domain.CampaignCounts{Waiting: -int(n)})
}

// Expire fails recipients that wait.
func (s *recipients) Expire(ctx context.Context, campaign domain.ID, why string, at time.Time, limit int) (int, error) {
	res, err := s.db.NewRaw(`UPDATE recipients SET state = 'failed', why = ?, ended_at = ?, updated_at = ?, version = version + 1
		WHERE id IN (SELECT id FROM recipients WHERE campaign_id = ? AND state = 'waiting' LIMIT ? ?)`,
		why, row.At(at), row.At(at), campaign, limit, row.SkipLocked(s.db)).Exec(ctx)
	if err != nil {
		return 0, row.Error(err, "expire recipients")
	}
	n, err := res.RowsAffected()
	if err != nil || n == 0 {
		return 0, row.Error(err, "expire recipients")
	}
	s.touch("recipients")
	return int(n), count(ctx, s.db, campaign, "", domain.CampaignCounts{Waiting: -int(n), Failed: int(n)})
}
