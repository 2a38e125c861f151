package service_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
	"github.com/callwright/callwright/internal/service/outreach"
)

// TestAbandonment halves the calls at once of a campaign that leaves 2 % of those
// who answer alone, and pauses it at 2.8 %.
func TestAbandonment(t *testing.T) {
	k := newCampaigning(t, 200, func(c *outreach.CampaignChange) { c.MaxConcurrent = new(10) })
	answered, dropped := 0, 0
	// round has a round of calls answered, so many of them dropped at once.
	round := func(drops int) (n int) {
		k.pass(time.Second)
		for _, d := range k.dialed() {
			n++
			answered++
			if drops > 0 {
				drops--
				dropped++
				k.over(d, domain.EndInternal, time.Second)
			} else {
				k.over(d, domain.EndFlow, time.Minute)
			}
		}
		return n
	}
	if n := round(1); n != 10 {
		t.Fatalf("%d calls at once", n)
	}
	for answered < 50 {
		if n := round(0); n != 10 {
			t.Fatalf("%d calls at once, and few were judged yet", n)
		}
	}
	if n := round(1); n != 5 || dropped != 2 { // 1 of 50: half as many
		t.Fatalf("%d calls at once with 2 %% dropped, want 5", n)
	}
	k.plan()
	c, err := k.Campaign(t.Context(), k.test, domain.KindCampaign, k.id)
	k.ok(err)
	if c.State != domain.CampaignPaused || c.PauseReason != domain.ReasonAbandonment || c.Counts.Abandoned != 2 {
		t.Fatalf("2 of 55 were dropped: %s %q %+v", c.State, c.PauseReason, c.Counts)
	}
	notices, total, err := k.Notices(t.Context(), k.test, domain.Page{Limit: 10})
	k.ok(err)
	if total != 1 || notices[0].Kind != domain.NoticeAbandonment || notices[0].SubjectID != k.id {
		t.Fatalf("%d notices: %+v", total, notices)
	}
	k.pass(time.Hour)
	_, err = k.UpdateCampaign(t.Context(), k.test, domain.KindCampaign, k.id, outreach.CampaignChange{State: new(domain.CampaignActive)})
	k.ok(err)
	if n := round(0); n != 5 {
		t.Fatalf("%d calls after it was resumed, want 5", n)
	}
}

// heard ends a call that was answered for a minute and in which the agent began
// to speak after a while; never for a negative one.
func (k *campaigning) heard(d *service.Dial, after time.Duration) {
	k.Helper()
	if after >= 0 {
		k.SaveTurn(domain.Turn{CallID: d.Call.ID, Sequence: 1, Role: domain.RoleAgent, Text: "Hello.", StartMs: after.Milliseconds(), EndMs: 5000})
	}
	d.Call.State, d.Call.AnsweredAt, d.Attempt.State = domain.CallInProgress, k.now(), domain.AttemptAnswered
	k.Progress(d.Call, d.Attempt)
	k.ok(k.FinishCall(k.Context(), service.Verdict{Call: d.Call.ID, Attempt: d.Attempt, Reason: domain.EndFlow, EndedAt: k.now().Add(time.Minute)}))
}

// TestSilenceIsAbandonment counts calls in which the agent spoke late or never.
func TestSilenceIsAbandonment(t *testing.T) {
	k := newCampaigning(t, 5, nil)
	for i, d := range k.dialed() {
		k.heard(d, []time.Duration{0, 2 * time.Second, 2*time.Second + time.Millisecond, -1, time.Second}[i])
	}
	c := k.stands(domain.CampaignActive, 0, 0, 5, 0)
	list, _, err := k.Campaigns(t.Context(), k.test, domain.CampaignFilter{}, domain.Page{})
	k.ok(err)
	want := domain.Tally{Answered: 5, Abandoned: 2}
	if c.Counts.Answered != 5 || c.Counts.Abandoned != 2 || c.Lately != want || list[0].Lately != want {
		t.Fatalf("%+v lately %+v, in the list %+v", c.Counts, c.Lately, list[0].Lately)
	}
}

// TestAbandonmentOfDays judges the last thirty days, and the last one by itself.
func TestAbandonmentOfDays(t *testing.T) {
	type ago map[int]domain.Tally // days
	for name, c := range map[string]struct {
		days ago
		most int // calls at once; 0: it is paused
		said string
	}{
		"few":                     {ago{0: {Answered: 49, Abandoned: 49}}, 10, ""},
		"good":                    {ago{0: {Answered: 500, Abandoned: 9}}, 10, ""},
		"slowed":                  {ago{0: {Answered: 50, Abandoned: 1}}, 5, ""},
		"paused":                  {ago{0: {Answered: 107, Abandoned: 3}}, 0, "of 107 calls that were answered in the last 30 days, 3 (2.8 %)"},
		"over several days":       {ago{0: {Answered: 20}, 9: {Answered: 50, Abandoned: 2}, 29: {Answered: 30, Abandoned: 2}}, 0, "of 100 calls that were answered in the last 30 days, 4 (4.0 %)"},
		"longer ago":              {ago{0: {Answered: 20, Abandoned: 1}, 30: {Answered: 1000, Abandoned: 500}}, 10, ""},
		"long ago it was good":    {ago{0: {Answered: 50, Abandoned: 2}, 30: {Answered: 1000}}, 0, "in the last 30 days, 2 (4.0 %)"},
		"today, after good weeks": {ago{0: {Answered: 60, Abandoned: 6}, 1: {Answered: 10_000}}, 0, "of 60 calls that were answered today, 6 (10.0 %)"},
		"today it is better":      {ago{0: {Answered: 1000}, 1: {Answered: 1000, Abandoned: 45}}, 5, ""},
	} {
		t.Run(name, func(t *testing.T) {
			k := newCampaigning(t, 40, func(c *outreach.CampaignChange) { c.MaxConcurrent = new(10) })
			k.over(k.dialed()[0], domain.EndFlow, time.Minute) // and the others of that look are under way
			k.ok(k.store.InTx(t.Context(), domain.LaneDial, func(ctx context.Context, st *domain.Stores) error {
				rows, _, err := st.Recipients.List(ctx, k.test, k.id, domain.RecipientFilter{State: domain.RecipientActive}, domain.Page{Limit: 20})
				if err != nil {
					return err
				}
				var sum domain.Tally
				for days, tally := range c.days {
					sum.Answered, sum.Abandoned = sum.Answered+tally.Answered, sum.Abandoned+tally.Abandoned
					if days == 0 {
						tally.Answered-- // it was counted already
					}
					if err := st.Tallies.Add(ctx, k.test, k.id, domain.DayOf(k.now().AddDate(0, 0, -days)), domain.NewID(), tally); err != nil {
						return err
					}
				}
				for i := range rows { // they are over
					gain := domain.CampaignCounts{LastAt: k.now().Add(time.Minute)}
					if i == 0 {
						gain.Answered, gain.Abandoned = sum.Answered-1, sum.Abandoned
					}
					rows[i].State = domain.RecipientCompleted
					if err := st.Recipients.Update(ctx, &rows[i], domain.RecipientActive, gain); err != nil {
						return err
					}
				}
				return nil
			}))
			k.plan()
			got, err := k.Campaign(t.Context(), k.test, domain.KindCampaign, k.id)
			k.ok(err)
			notices, _, err := k.Notices(t.Context(), k.test, domain.Page{Limit: 10})
			k.ok(err)
			if c.most > 0 {
				if got.State != domain.CampaignActive || got.Counts.Active != c.most || len(notices) > 0 {
					t.Fatalf("%s %q %+v %+v, want %d calls at once", got.State, got.PauseReason, got.Counts, notices, c.most)
				}
				return
			}
			if got.State != domain.CampaignPaused || got.PauseReason != domain.ReasonAbandonment || len(notices) != 1 || !strings.Contains(notices[0].Text, c.said) {
				t.Fatalf("%s %q %+v %+v", got.State, got.PauseReason, got.Counts, notices)
			}
		})
	}
}
