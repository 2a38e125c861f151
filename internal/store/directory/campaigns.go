package directory

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store/row"
)

type campaignRow struct {
	bun.BaseModel `bun:"table:campaigns"`
	head
	Kind          domain.CampaignKind
	Name          string
	State         domain.CampaignState
	PauseReason   string
	AgentID       domain.ID
	PhoneNumberID domain.ID
	StartAt       row.Micros
	Timezone      string
	Window        row.JSON[*domain.DayWindow]
	MaxConcurrent int
	Purpose       domain.Purpose
	EnforceRules  bool
	Retry         row.JSON[domain.Retry]
	Budget        *domain.Money
	Variables     row.JSON[map[string]any]
	Extra         row.JSON[map[string]any]
	KeyID         domain.ID
	DueAt         row.Micros
	FedUntil      row.Micros
	RejudgeAt     row.Micros
	StartedAt     row.Micros
	ResumedAt     row.Micros
	EndedAt       row.Micros
}

var _ record[domain.Campaign] = (*campaignRow)(nil)

func (r *campaignRow) fill(c *domain.Campaign) {
	*r = campaignRow{
		head: head{
			ID: c.ID, WorkspaceID: c.WorkspaceID, Mode: c.Mode, Version: c.Version,
			CreatedAt: row.At(c.CreatedAt), UpdatedAt: row.At(c.UpdatedAt),
		},
		Kind: c.Kind, Name: c.Name, State: c.State, PauseReason: c.PauseReason, AgentID: c.AgentID, PhoneNumberID: c.PhoneNumberID,
		StartAt: row.At(c.StartAt), Timezone: c.Timezone, Window: row.JSON[*domain.DayWindow]{V: c.Window}, MaxConcurrent: c.MaxConcurrent,
		Purpose: c.Purpose, EnforceRules: c.EnforceRules, Retry: row.JSON[domain.Retry]{V: c.Retry}, Budget: c.Budget,
		Variables: row.JSON[map[string]any]{V: c.Variables}, Extra: row.JSON[map[string]any]{V: c.Extra}, KeyID: c.KeyID,
		DueAt: row.At(c.DueAt), FedUntil: row.At(c.FedUntil), RejudgeAt: row.At(c.RejudgeAt),
		StartedAt: row.At(c.StartedAt), ResumedAt: row.At(c.ResumedAt), EndedAt: row.At(c.EndedAt),
	}
}

func (r *campaignRow) domain() domain.Campaign {
	return domain.Campaign{
		ID: r.ID, WorkspaceID: r.WorkspaceID, Mode: r.Mode, Version: r.Version,
		CreatedAt: r.CreatedAt.Time(), UpdatedAt: r.UpdatedAt.Time(),
		Kind: r.Kind, Name: r.Name, State: r.State, PauseReason: r.PauseReason, AgentID: r.AgentID, PhoneNumberID: r.PhoneNumberID,
		StartAt: r.StartAt.Time(), Timezone: r.Timezone, Window: r.Window.V, MaxConcurrent: r.MaxConcurrent,
		Purpose: r.Purpose, EnforceRules: r.EnforceRules, Retry: r.Retry.V, Budget: r.Budget,
		Variables: r.Variables.V, Extra: r.Extra.V, KeyID: r.KeyID,
		DueAt: r.DueAt.Time(), FedUntil: r.FedUntil.Time(), RejudgeAt: r.RejudgeAt.Time(),
		StartedAt: r.StartedAt.Time(), ResumedAt: r.ResumedAt.Time(), EndedAt: r.EndedAt.Time(),
	}
}

type campaigns struct {
	*collection[domain.Campaign, campaignRow, *campaignRow]
	touch row.Touch
}

// NewCampaigns keeps campaigns. touch is told of every one that was created or
// updated.
func NewCampaigns(db bun.IDB, touch row.Touch) domain.Campaigns {
	return &campaigns{newCollection[domain.Campaign, campaignRow](db, "Campaign"), touch}
}

// Create stores a new campaign.
func (s *campaigns) Create(ctx context.Context, c *domain.Campaign) error {
	s.touch("campaigns")
	return s.collection.Create(ctx, c)
}

// Get returns a campaign, which no transaction changes before this one ends.
func (s *campaigns) Get(ctx context.Context, in domain.Scope, id domain.ID) (*domain.Campaign, error) {
	r := new(campaignRow)
	err := row.ToChange(s.db, row.In(s.db.NewSelect().Model(r).Where("id = ?", id), in)).Scan(ctx)
	if err != nil {
		return nil, row.Found(err, domain.NotFound(s.noun, id))
	}
	c := r.domain()
	return &c, nil
}

// Update stores a new version of a campaign.
func (s *campaigns) Update(ctx context.Context, c *domain.Campaign) error {
	s.touch("campaigns")
	return s.collection.Update(ctx, c)
}

// Delete removes a campaign with its recipients.
func (s *campaigns) Delete(ctx context.Context, in domain.Scope, id domain.ID) error {
	if err := s.collection.Delete(ctx, in, id); err != nil {
		return err
	}
	for _, table := range []string{"recipients", "campaign_counts", "tallies"} {
		if _, err := s.db.NewDelete().Table(table).Where("campaign_id = ?", id).Exec(ctx); err != nil {
			return row.Error(err, "delete what belongs to a campaign")
		}
	}
	return nil
}

// Find returns a page of campaigns and how many the filter has in all.
func (s *campaigns) Find(ctx context.Context, in domain.Scope, f domain.CampaignFilter, page domain.Page) ([]domain.Campaign, int, error) {
	found := func(q *bun.SelectQuery) *bun.SelectQuery {
		q = row.In(q, in)
		if f.Kind != "" {
			q = q.Where("kind = ?", f.Kind)
		}
		if f.State != "" {
			q = q.Where("state = ?", f.State)
		}
		return q
	}
	total, err := row.Count(ctx, found(s.db.NewSelect().Model((*campaignRow)(nil))))
	if err != nil {
		return nil, 0, err
	}
	var rows []campaignRow
	err = row.Cut(found(s.db.NewSelect().Model(&rows)), page).Scan(ctx)
	return row.Map(rows, (*campaignRow).domain), total, row.Error(err, "list campaigns")
}

// Counts returns how far campaigns are.
func (s *campaigns) Counts(ctx context.Context, ids ...domain.ID) (map[domain.ID]domain.CampaignCounts, error) {
	counts := make(map[domain.ID]domain.CampaignCounts, len(ids))
	if len(ids) == 0 {
		return counts, nil
	}
	var rows []struct {
		CampaignID                                              domain.ID
		Waiting, Active, Completed, Failed, Answered, Abandoned int
		Talk                                                    time.Duration
		Spent                                                   domain.Money
		LastAt                                                  row.Micros
	}
	q := s.db.NewSelect().Table("campaign_counts").Column("campaign_id").ColumnExpr("max(last_at) AS last_at").
		Where("campaign_id IN (?)", bun.List(ids)).Group("campaign_id")
	for _, column := range []string{"waiting", "active", "completed", "failed", "answered", "abandoned", "talk", "spent"} {
		q = q.ColumnExpr("CAST(sum(?) AS BIGINT) AS ?", bun.Ident(column), bun.Ident(column))
	}
	if err := q.Scan(ctx, &rows); err != nil {
		return nil, row.Error(err, "count recipients")
	}
	for _, r := range rows {
		counts[r.CampaignID] = domain.CampaignCounts{
			Waiting: r.Waiting, Active: r.Active, Completed: r.Completed, Failed: r.Failed,
			Answered: r.Answered, Abandoned: r.Abandoned, Talk: r.Talk, Spent: r.Spent, LastAt: r.LastAt.Time(),
		}
	}
	return counts, nil
}
