package outreach

import (
	"context"
	"reflect"
	"slices"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/phone"
	"github.com/callwright/callwright/internal/service/rule"
)

// never is when the dialer looks at a campaign for which there is nothing to do
// until something happens.
const never = 24 * time.Hour

// sweep is how many contacts of a campaign that is over are expired at once.
const sweep = 2_000

// MaxTries bounds Retry.MaxAttempts.
const MaxTries = 10

// MaxGapMinutes bounds each of Retry.Gaps: 90 days.
const MaxGapMinutes = 90 * 24 * 60

// maxConcurrent bounds Campaign.MaxConcurrent.
const maxConcurrent = 10_000

// CampaignChange is what a client may say of a campaign.
type CampaignChange struct {
	Kind          domain.CampaignKind // of a new one only
	Name          rule.Change[string]
	State         rule.Change[domain.CampaignState]
	AgentID       rule.Change[domain.ID]
	PhoneNumberID rule.Change[domain.ID]
	StartAt       rule.Change[time.Time]
	Timezone      rule.Change[string]
	Window        rule.Change[*domain.DayWindow]
	MaxConcurrent rule.Change[int]
	Purpose       rule.Change[domain.Purpose]
	EnforceRules  rule.Change[bool]
	Retry         rule.Change[domain.Retry]
	Budget        rule.Change[*domain.Money]
	Variables     rule.Change[map[string]any]
	Extra         rule.Change[map[string]any]
	Contacts      []NewRecipient // of a new one only, with ContactIDs
	ContactIDs    []domain.ID
	IfVersion     int64
}

// CreateCampaign stores a campaign with its first contacts.
func (o *Outreach) CreateCampaign(ctx context.Context, in domain.Scope, req CampaignChange, once *rule.Once[CampaignDetail]) (*CampaignDetail, error) {
	if req.Name == nil {
		return nil, rule.Name("name", "")
	}
	if req.AgentID == nil || *req.AgentID == "" {
		return nil, domain.Invalid("agentId", "agentId is required: who talks").For(domain.ReasonMissing, "")
	}
	return rule.Effect(ctx, &o.Kit, in, once, func(ctx context.Context, st *domain.Stores) (*CampaignDetail, error) {
		c, err := o.newCampaign(ctx, st, in, req)
		if err != nil {
			return nil, err
		}
		rows, err := o.recipientsOf(ctx, st, c, req.Contacts, req.ContactIDs)
		if err != nil {
			return nil, err
		}
		if c.State == domain.CampaignActive {
			c.DueAt = o.due(c, len(rows) > 0)
		}
		if err := st.Campaigns.Create(ctx, c); err != nil {
			return nil, err
		}
		if _, err := st.Recipients.Add(ctx, rows); err != nil {
			return nil, err
		}
		return o.detailed(ctx, st, c)
	})
}

// newCampaign is the campaign that req asks for, not stored yet.
func (o *Outreach) newCampaign(ctx context.Context, st *domain.Stores, in domain.Scope, req CampaignChange) (*domain.Campaign, error) {
	now := o.Clock()
	c := &domain.Campaign{
		ID: domain.NewID(), WorkspaceID: in.Workspace, Mode: in.Mode, Kind: req.Kind, State: domain.CampaignActive,
		Purpose: domain.PurposeUnspecified, Version: 1, CreatedAt: now, UpdatedAt: now,
	}
	if c.Kind == domain.KindCampaign {
		c.Retry = DefaultRetry
	}
	if req.State != nil && !slices.Contains([]domain.CampaignState{domain.CampaignActive, domain.CampaignPaused, domain.CampaignImporting}, *req.State) {
		return nil, domain.Invalid("status", "a new campaign is active or paused, not %s", *req.State)
	}
	rule.Set(&c.State, req.State)
	req.apply(c)
	if err := check(c); err != nil {
		return nil, err
	}
	_, err := o.o.Ready(ctx, st, in, c.AgentID, c.PhoneNumberID)
	return c, err
}

func (req *CampaignChange) apply(c *domain.Campaign) {
	rule.Set(&c.Name, req.Name)
	rule.Set(&c.AgentID, req.AgentID)
	rule.Set(&c.PhoneNumberID, req.PhoneNumberID)
	rule.Set(&c.StartAt, req.StartAt)
	rule.Set(&c.Timezone, req.Timezone)
	rule.Set(&c.Window, req.Window)
	rule.Set(&c.MaxConcurrent, req.MaxConcurrent)
	rule.Set(&c.Purpose, req.Purpose)
	rule.Set(&c.EnforceRules, req.EnforceRules)
	rule.Set(&c.Retry, req.Retry)
	rule.Set(&c.Budget, req.Budget)
	rule.Set(&c.Variables, req.Variables)
	rule.Set(&c.Extra, req.Extra)
}

// check says what is wrong with a campaign.
func check(c *domain.Campaign) error {
	if c.Timezone != "" {
		if _, err := phone.Zone(c.Timezone); err != nil {
			return domain.Invalid("timezone", "timezone must be a time zone of the IANA database, such as America/New_York")
		}
	}
	if c.Window != nil && c.Window.From == c.Window.To {
		return domain.Invalid("callWindow", "callWindow begins when it ends, so nobody would ever be called; leave it out to call at any time")
	}
	if c.MaxConcurrent != 0 {
		if err := rule.Within("maxConcurrentCalls", c.MaxConcurrent, 1, maxConcurrent); err != nil {
			return err
		}
	}
	for _, gap := range c.Retry.Gaps {
		if gap < time.Minute || gap > MaxGapMinutes*time.Minute {
			return domain.Invalid("retry", "retry: each gap between tries must be from one minute to 90 days")
		}
	}
	if c.Budget != nil && (*c.Budget < 0 || *c.Budget > domain.MaxMoney) {
		return domain.Invalid("budget", "budget must be from 0 to %.0f", domain.MaxMoney.Units())
	}
	return rule.First(
		rule.Name("name", c.Name),
		rule.Within("retry.maxAttempts", c.Retry.MaxAttempts, 0, MaxTries),
		checkPurpose(c.Purpose),
		rule.Variables("variables", c.Variables), rule.Variables("extra", c.Extra),
	)
}

func checkPurpose(p domain.Purpose) error {
	return rule.OneOf("purpose", p, domain.Purposes...)
}

// due is when the dialer is to look at a campaign that runs.
func (o *Outreach) due(c *domain.Campaign, waiting bool) time.Time {
	now := o.Clock()
	switch {
	case !waiting:
		return now.Add(never)
	case c.StartAt.After(now):
		return c.StartAt
	}
	return now
}

// Campaign returns one campaign.
func (o *Outreach) Campaign(ctx context.Context, in domain.Scope, kind domain.CampaignKind, id domain.ID) (*CampaignDetail, error) {
	return rule.View(ctx, &o.Kit, func(ctx context.Context, st *domain.Stores) (*CampaignDetail, error) {
		c, err := campaignOf(ctx, st, in, kind, id)
		if err != nil {
			return nil, err
		}
		return o.detailed(ctx, st, c)
	})
}

// campaignOf reads a campaign of a kind; one of another kind is not found.
func campaignOf(ctx context.Context, st *domain.Stores, in domain.Scope, kind domain.CampaignKind, id domain.ID) (*domain.Campaign, error) {
	c, err := st.Campaigns.Get(ctx, in, id)
	if err == nil && c.Kind == kind {
		return c, nil
	}
	if err != nil && domain.CodeOf(err) != domain.CodeNotFound {
		return nil, err
	}
	if kind == domain.KindBatch {
		return nil, domain.NotFound("Batch", id)
	}
	return nil, domain.NotFound("Campaign", id)
}

func (o *Outreach) detailed(ctx context.Context, st *domain.Stores, c *domain.Campaign) (*CampaignDetail, error) {
	counts, err := st.Campaigns.Counts(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	recent, err := lately(ctx, st, domain.Scope{Workspace: c.WorkspaceID, Mode: c.Mode}, o.Clock(), counts)
	if err != nil {
		return nil, err
	}
	d, err := o.detail(ctx, st, c, counts[c.ID], recent[c.ID])
	return &d, err
}

// detail is a campaign with counts that were read.
func (o *Outreach) detail(ctx context.Context, st *domain.Stores, c *domain.Campaign, n domain.CampaignCounts, recent domain.Tally) (CampaignDetail, error) {
	d := CampaignDetail{Campaign: *c, Counts: n, Lately: recent}
	if c.State != domain.CampaignActive || c.StartedAt.IsZero() {
		return d, nil
	}
	w, err := o.windowOf(ctx, st, c)
	if err == nil {
		d.ExpectedEndAt = expectedEnd(c, n, w, o.Clock())
	}
	return d, err
}

// Campaigns returns a page of campaigns, newest first, and the number of all.
func (o *Outreach) Campaigns(ctx context.Context, in domain.Scope, f domain.CampaignFilter, page domain.Page) ([]CampaignDetail, int, error) {
	var total int
	list, err := rule.View(ctx, &o.Kit, func(ctx context.Context, st *domain.Stores) ([]CampaignDetail, error) {
		rows, n, err := st.Campaigns.Find(ctx, in, f, page)
		if err != nil {
			return nil, err
		}
		total = n
		ids := make([]domain.ID, len(rows))
		for i := range rows {
			ids[i] = rows[i].ID
		}
		counts, err := st.Campaigns.Counts(ctx, ids...)
		if err != nil {
			return nil, err
		}
		recent, err := lately(ctx, st, in, o.Clock(), counts)
		if err != nil {
			return nil, err
		}
		list := make([]CampaignDetail, len(rows))
		for i := range rows {
			if list[i], err = o.detail(ctx, st, &rows[i], counts[rows[i].ID], recent[rows[i].ID]); err != nil {
				return nil, err
			}
		}
		return list, nil
	})
	return list, total, err
}

// UpdateCampaign changes a campaign. Once it has returned, nobody is dialed any
// more for one that it paused or ended; calls that are under way go on.
func (o *Outreach) UpdateCampaign(ctx context.Context, in domain.Scope, kind domain.CampaignKind, id domain.ID, req CampaignChange) (*CampaignDetail, error) {
	return rule.Effect(ctx, &o.Kit, in, nil, func(ctx context.Context, st *domain.Stores) (*CampaignDetail, error) {
		c, err := campaignOf(ctx, st, in, kind, id)
		if err != nil {
			return nil, err
		}
		if err := rule.At(req.IfVersion, c.Version); err != nil {
			return nil, err
		}
		if err := o.change(ctx, st, in, c, req); err != nil {
			return nil, err
		}
		if err := st.Campaigns.Update(ctx, c); err != nil {
			return nil, err
		}
		if c.State.Ended() {
			if _, err := st.Recipients.Expire(ctx, c.ID, endWord(c), c.EndedAt, sweep); err != nil {
				return nil, err
			}
		}
		return o.detailed(ctx, st, c)
	})
}

// change applies what a request asks of a campaign that is there.
func (o *Outreach) change(ctx context.Context, st *domain.Stores, in domain.Scope, c *domain.Campaign, req CampaignChange) error {
	was := *c
	if c.State == domain.CampaignImporting && (req.State == nil || *req.State != domain.CampaignCancelled) {
		return domain.Errorf(domain.CodeConflict, "the batch is being imported; wait until it is active, or cancel it")
	}
	if req.State != nil && *req.State != c.State {
		if !slices.Contains(domain.CampaignTransitions[c.State], *req.State) {
			return domain.Invalid("status", "a %s that is %s cannot become %s", c.Kind, c.State, *req.State)
		}
		c.State, c.PauseReason = *req.State, ""
	} else if c.State.Ended() && !reflect.DeepEqual(req, CampaignChange{State: req.State, IfVersion: req.IfVersion}) {
		return domain.Errorf(domain.CodeConflict, "the %s is %s and cannot be changed any more", c.Kind, c.State)
	}
	req.apply(c)
	if err := check(c); err != nil {
		return err
	}
	if c.AgentID != was.AgentID || c.PhoneNumberID != was.PhoneNumberID {
		if _, err := o.o.Ready(ctx, st, in, c.AgentID, c.PhoneNumberID); err != nil {
			return err
		}
	}
	counts, err := st.Campaigns.Counts(ctx, c.ID)
	if err != nil {
		return err
	}
	c.UpdatedAt = o.Clock()
	if !c.StartAt.Equal(was.StartAt) || c.Timezone != was.Timezone || c.EnforceRules != was.EnforceRules || c.Purpose != was.Purpose ||
		!reflect.DeepEqual(c.Window, was.Window) {
		c.RejudgeAt = c.UpdatedAt
	}
	if c.State == domain.CampaignActive && was.State == domain.CampaignPaused && !c.StartedAt.IsZero() {
		c.ResumedAt = c.UpdatedAt
	}
	switch {
	case c.State.Ended() && !was.State.Ended():
		c.EndedAt, c.DueAt = c.UpdatedAt, time.Time{}
		if counts[c.ID].Waiting > sweep {
			c.DueAt = c.EndedAt // the dialer expires the rest
		}
	case c.State == domain.CampaignActive:
		c.DueAt = o.due(c, counts[c.ID].Waiting > 0 || counts[c.ID].Active > 0)
	case !c.State.Ended():
		c.DueAt = time.Time{}
	}
	return nil
}

// endWord is why the contacts of a campaign that is over were not called.
func endWord(c *domain.Campaign) string {
	if c.State == domain.CampaignCancelled {
		return domain.ReasonCancelled
	}
	return domain.ReasonExpired
}
