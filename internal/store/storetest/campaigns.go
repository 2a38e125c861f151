package storetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

func campaignOf(in domain.Scope, id domain.ID, at time.Time, n int) domain.Campaign {
	budget := domain.Money(n + 1)
	return domain.Campaign{
		ID: id, WorkspaceID: in.Workspace, Mode: in.Mode, Version: 1, CreatedAt: at, UpdatedAt: at,
		Kind: domain.KindCampaign, Name: "Zoë", State: domain.CampaignActive, PauseReason: "budget", AgentID: "agent",
		PhoneNumberID: "number", StartAt: at.Add(time.Hour), Timezone: "Europe/Berlin", Window: &domain.DayWindow{From: 540, To: 1020},
		MaxConcurrent: 3, Purpose: domain.PurposeSurvey, EnforceRules: true,
		Retry:  domain.Retry{MaxAttempts: 3, Gaps: []time.Duration{time.Hour}},
		Budget: &budget, Variables: map[string]any{"a": "b"}, Extra: map[string]any{"c": "d"}, KeyID: "key",
		DueAt: at.Add(time.Minute), StartedAt: at.Add(2 * time.Minute), ResumedAt: at.Add(4 * time.Minute), EndedAt: at.Add(3 * time.Minute),
		FedUntil: at.Add(5 * time.Minute), RejudgeAt: at.Add(6 * time.Minute),
	}
}

func campaigns(_ *testing.T, b *bench) {
	plain[domain.Campaign]{
		noun: "Campaign",
		pick: func(s *domain.Stores) domain.Collection[domain.Campaign] { return s.Campaigns },
		make: campaignOf,
		id:   func(c *domain.Campaign) domain.ID { return c.ID }, version: func(c *domain.Campaign) int64 { return c.Version },
		change: func(c *domain.Campaign) {
			c.State, c.PauseReason, c.Window, c.Budget, c.Extra = domain.CampaignPaused, "", nil, nil, nil
			c.StartAt, c.DueAt, c.StartedAt, c.EndedAt = time.Time{}, time.Time{}, time.Time{}, time.Time{}
			c.FedUntil, c.RejudgeAt = time.Time{}, time.Time{}
		},
	}.exercise(b)
}

func recipientOf(c *domain.Campaign, n int, at time.Time) domain.Recipient {
	return domain.Recipient{
		ID: domain.NewID(), WorkspaceID: c.WorkspaceID, Mode: c.Mode, CampaignID: c.ID, ContactID: "contact", Line: n,
		Phone: fmt.Sprintf("+1500555%04d", n), FirstName: "Ann", LastName: "O'Hara", Email: "a@example.com", Company: "Acme",
		Timezone: "Europe/Berlin", Region: "BE", Variables: map[string]any{"x": "y"}, Consent: &domain.Consent{Kind: "written", At: at},
		State: domain.RecipientWaiting, NextAt: at.Add(time.Duration(n) * time.Minute), Version: 1, CreatedAt: at, UpdatedAt: at,
	}
}

// recipients proves the order in which they come, that a number is there once,
// and that the counts add up whatever happens.
func recipients(_ *testing.T, b *bench) {
	in, others := scopes()
	at := clock()
	c := campaignOf(in, domain.NewID(), at, 0)
	made := b.sheet(in, &c, at)
	gain := b.worked(in, &c, made, at)

	b.write(func(ctx context.Context, s *domain.Stores) error {
		n, err := s.Recipients.Expire(ctx, c.ID, domain.ReasonCancelled, at, 3)
		if err == nil && n != 3 {
			b.Errorf("%d expired, want 3", n)
		}
		return err
	})
	gain.Waiting, gain.Failed = 2, 3
	b.counted(&c, gain)
	b.listed(in, others[0], &c, made)
	b.read(func(ctx context.Context, s *domain.Stores) error {
		for _, v := range []struct {
			in    domain.Scope
			limit int
			want  string
		}{{in, 9, `a "b",x`}, {in, 1, `a "b"`}, {others[0], 9, ""}} {
			names, err := s.Sheets.VariableNames(ctx, v.in, c.ID, v.limit)
			if got := strings.Join(names, ","); err != nil || got != v.want {
				b.Errorf("the variables are %s (%v), want %s", got, err, v.want)
			}
		}
		return nil
	})
	b.finished(&c, made)
	b.discarded(&c, gain)
	gain.Waiting = 0
	b.forgotten(in, others[0], &c, made, gain)
}

// forgotten removes people from a campaign, by number and by contact.
func (b *bench) forgotten(in, other domain.Scope, c *domain.Campaign, made []domain.Recipient, gain domain.CampaignCounts) {
	forget := func(in domain.Scope, contact domain.ID, numbers ...string) {
		b.Helper()
		b.write(func(ctx context.Context, s *domain.Stores) error {
			return s.Erasure.ForgetRecipients(ctx, in, contact, numbers)
		})
	}
	forget(other, "contact", made[0].Phone)
	forget(in, "")
	forget(in, "nobody", "+15005559999")
	b.counted(c, gain)
	forget(in, "nobody", made[0].Phone) // the one that was completed
	gain.Completed--
	b.counted(c, gain)
	b.write(func(ctx context.Context, s *domain.Stores) error {
		n, err := s.Erasure.ForgetSome(ctx, "none", 2)
		some, again := s.Erasure.ForgetSome(ctx, c.ID, 0)
		if n != 0 || some != 0 {
			b.Errorf("%d and %d were forgotten, want none", n, some)
		}
		return errors.Join(err, again)
	})
	b.counted(c, gain)
	forget(in, "contact")
	gain.Failed = 0
	b.counted(c, gain)
	b.read(func(ctx context.Context, s *domain.Stores) error {
		rows, _, err := s.Recipients.List(ctx, in, c.ID, domain.RecipientFilter{}, domain.Page{})
		if len(rows) > 0 {
			b.Errorf("%d recipients are left", len(rows))
		}
		return err
	})
}

// finished proves that those come first who were finished last.
func (b *bench) finished(c *domain.Campaign, made []domain.Recipient) {
	b.read(func(ctx context.Context, s *domain.Stores) error {
		rows, err := s.Recipients.Recent(ctx, c.ID, 2)
		if err == nil && (len(rows) != 2 || rows[0].ID != made[0].ID || rows[1].State != domain.RecipientFailed) {
			b.Errorf("finished last are %+v", rows)
		}
		return err
	})
}

// discarded proves that only those are removed who wait.
func (b *bench) discarded(c *domain.Campaign, counts domain.CampaignCounts) {
	for _, want := range []int{1, 1, 0} {
		b.write(func(ctx context.Context, s *domain.Stores) error {
			n, err := s.Recipients.Discard(ctx, c.ID, 1)
			if err == nil && n != want {
				b.Errorf("%d were discarded, want %d", n, want)
			}
			return err
		})
	}
	counts.Waiting = 0
	b.counted(c, counts)
}

// sheet stores a campaign with six recipients.
func (b *bench) sheet(in domain.Scope, c *domain.Campaign, at time.Time) (made []domain.Recipient) {
	b.write(func(ctx context.Context, s *domain.Stores) error {
		made = nil
		row := *c
		if err := s.Campaigns.Create(ctx, &row); err != nil {
			return err
		}
		for n := range 6 {
			made = append(made, recipientOf(c, n, at))
		}
		made[4].Variables, made[5].Variables = map[string]any{"a \"b\"": 1, "x": nil}, nil
		again := recipientOf(c, 2, at)
		n, err := s.Recipients.Add(ctx, append(append([]domain.Recipient(nil), made...), again))
		if err == nil && n != 6 {
			b.Errorf("%d recipients were added, want 6", n)
		}
		return err
	})
	b.counted(c, domain.CampaignCounts{Waiting: 6})
	return made
}

func (b *bench) counted(c *domain.Campaign, want domain.CampaignCounts) {
	b.Helper()
	b.read(func(ctx context.Context, s *domain.Stores) error {
		counts, err := s.Campaigns.Counts(ctx, c.ID)
		if err == nil && counts[c.ID] != want {
			b.Errorf("counts are %+v, want %+v", counts[c.ID], want)
		}
		return err
	})
}

// worked has the first recipient called, and returns what is counted then.
func (b *bench) worked(in domain.Scope, c *domain.Campaign, made []domain.Recipient, at time.Time) domain.CampaignCounts {
	var next time.Time
	b.write(func(ctx context.Context, s *domain.Stores) error {
		due, later, err := s.Recipients.Due(ctx, c.ID, at.Add(150*time.Second), 2)
		if err != nil {
			return err
		}
		next = later
		if len(due) != 2 || due[0].ID != made[0].ID || due[1].ID != made[1].ID {
			b.Errorf("due are %+v", due)
		}
		r := due[0]
		r.Calls = 1
		r.State, r.CallID, r.Why, r.UpdatedAt = domain.RecipientActive, "call", "", at.Add(time.Second)
		return s.Recipients.Update(ctx, &r, domain.RecipientWaiting, domain.CampaignCounts{})
	})
	if want := at.Add(3 * time.Minute); !next.Equal(want) {
		b.Errorf("the next is due at %s, want %s", next, want)
	}
	b.counted(c, domain.CampaignCounts{Waiting: 5, Active: 1})

	gain := domain.CampaignCounts{Answered: 1, Talk: time.Second, Spent: 5, LastAt: at.Add(time.Hour)}
	b.write(func(ctx context.Context, s *domain.Stores) error {
		r, err := s.Recipients.Get(ctx, in, c.ID, made[0].ID)
		if err != nil {
			return err
		}
		stale := *r
		r.State, r.Result, r.EndedAt = domain.RecipientCompleted, domain.ResultHuman, at.Add(time.Hour)
		r.Tries = []domain.RecipientTry{{CallID: "call", At: at, Result: domain.ResultHuman, Charged: true, Talk: time.Minute, RetryAfter: time.Second}}
		if err := s.Recipients.Update(ctx, r, domain.RecipientActive, gain); err != nil {
			return err
		}
		got, err := s.Recipients.Get(ctx, in, c.ID, r.ID)
		if err == nil && !reflect.DeepEqual(got, r) {
			b.Errorf("stored %+v, want %+v", got, r)
		}
		stale.State = domain.RecipientFailed
		if err := s.Recipients.Update(ctx, &stale, domain.RecipientActive, gain); domain.CodeOf(err) != domain.CodeConflict {
			b.Errorf("a stale recipient was stored: %v", err)
		}
		return err
	})
	gain.Waiting, gain.Completed = 5, 1
	b.counted(c, gain)
	return gain
}

// listed proves each filter and the totals.
func (b *bench) listed(in, other domain.Scope, c *domain.Campaign, made []domain.Recipient) {
	b.read(func(ctx context.Context, s *domain.Stores) error {
		for _, l := range []struct {
			in     domain.Scope
			filter domain.RecipientFilter
			page   domain.Page
			rows   int
			total  int
		}{
			{in, domain.RecipientFilter{}, domain.Page{}, 6, 6},
			{in, domain.RecipientFilter{}, domain.Page{Limit: 2, Offset: 3}, 2, 6},
			{in, domain.RecipientFilter{}, domain.Page{Limit: 10, After: made[3].ID}, 2, 6},
			{in, domain.RecipientFilter{State: domain.RecipientFailed}, domain.Page{}, 3, 3},
			{in, domain.RecipientFilter{State: domain.RecipientActive}, domain.Page{}, 0, 0},
			{in, domain.RecipientFilter{Phone: made[2].Phone}, domain.Page{}, 1, 1},
			{other, domain.RecipientFilter{}, domain.Page{}, 0, 0},
		} {
			rows, total, err := s.Recipients.List(ctx, l.in, c.ID, l.filter, l.page)
			if err != nil {
				return err
			}
			if len(rows) != l.rows || total != l.total {
				b.Errorf("%+v: %d rows of %d, want %d of %d", l, len(rows), total, l.rows, l.total)
			}
		}
		return nil
	})
}

// dialingAsks proves what the dialer is told.
func dialingAsks(_ *testing.T, b *bench) {
	in, _ := scopes()
	at := clock()
	var made []domain.Campaign
	b.write(func(ctx context.Context, s *domain.Stores) error {
		made = nil
		for n := range 4 {
			c := campaignOf(in, domain.NewID(), at, n)
			c.DueAt = at.Add(time.Duration(n) * time.Minute)
			if n == 3 {
				c.DueAt = time.Time{}
			}
			if err := s.Campaigns.Create(ctx, &c); err != nil {
				return err
			}
			made = append(made, c)
		}
		return nil
	})
	due := func(now time.Time, limit, want int, next time.Time) {
		b.Helper()
		b.read(func(ctx context.Context, s *domain.Stores) error {
			rows, later, err := s.Dialing.Due(ctx, now, limit)
			if err == nil && (len(rows) != want || !later.Equal(next)) {
				b.Errorf("%d are due and the next at %s, want %d and %s", len(rows), later, want, next)
			}
			return err
		})
	}
	due(at.Add(90*time.Second), 10, 2, made[2].DueAt)
	due(at.Add(90*time.Second), 1, 1, made[1].DueAt)
	due(at.Add(time.Hour), 10, 3, time.Time{})
	b.write(func(ctx context.Context, s *domain.Stores) error {
		if err := s.Dialing.Wake(ctx, made[2].ID, at); err != nil {
			return err
		}
		if err := s.Dialing.Wake(ctx, made[3].ID, at); err != nil { // it is to be left alone
			return err
		}
		c, err := s.Dialing.Plan(ctx, made[0].ID)
		if err != nil {
			return err
		}
		c.State, c.PauseReason, c.DueAt, c.EndedAt, c.StartedAt = domain.CampaignCompleted, "", time.Time{}, at, at
		c.FedUntil, c.RejudgeAt = at.Add(time.Minute), at.Add(time.Second)
		if err := s.Dialing.Note(ctx, c); err != nil {
			return err
		}
		now, err := s.Dialing.Running(ctx, c.ID)
		if err == nil && !reflect.DeepEqual(now, c) {
			b.Errorf("noted %+v, want %+v", now, c)
		}
		return err
	})
	due(at, 10, 1, made[1].DueAt)
}
