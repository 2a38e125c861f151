package service_test

import (
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

// TestSilenceIsAbandonment counts calls in which the agent spoke late or never,
// over the last thirty days and over the last one.
func TestSilenceIsAbandonment(t *testing.T) {
	k := newCampaigning(t, 2000, func(c *outreach.CampaignChange) { c.MaxConcurrent = new(20) })
	k.pass(time.Until(time.Now().Truncate(24 * time.Hour).Add(32 * time.Hour))) // in the morning: no date passes by the way
	// calls has n calls answered, all after so long.
	calls := func(n int, after time.Duration) {
		t.Helper()
		k.ok(k.Beat(t.Context(), k.epoch))
		for n > 0 {
			dials := k.dialed()
			if len(dials) == 0 {
				t.Fatalf("no more calls, and %d were to come", n)
			}
			for _, d := range dials {
				if n--; n < 0 {
					k.heard(d, 0)
				} else {
					k.heard(d, after)
				}
			}
			k.pass(time.Second)
		}
	}
	stands := func(state domain.CampaignState, abandoned int, lately domain.Tally) {
		t.Helper()
		k.plan()
		c, err := k.Campaign(t.Context(), k.test, domain.KindCampaign, k.id)
		k.ok(err)
		list, _, err := k.Campaigns(t.Context(), k.test, domain.CampaignFilter{}, domain.Page{})
		k.ok(err)
		if c.State != state || c.Counts.Abandoned != abandoned || c.Lately.Abandoned != lately.Abandoned || list[0].Lately != c.Lately {
			t.Fatalf("%s %q %+v lately %+v, in the list %+v", c.State, c.PauseReason, c.Counts, c.Lately, list[0].Lately)
		}
	}
	calls(20, 2*time.Second)
	stands(domain.CampaignActive, 0, domain.Tally{})
	calls(1, -1)
	calls(200, 500*time.Millisecond)
	stands(domain.CampaignActive, 1, domain.Tally{Abandoned: 1})
	calls(1, 2*time.Second+time.Millisecond)
	stands(domain.CampaignActive, 2, domain.Tally{Abandoned: 2})
	k.pass(29 * 24 * time.Hour)
	calls(200, 0)
	stands(domain.CampaignActive, 2, domain.Tally{Abandoned: 2})
	k.pass(24 * time.Hour) // those of the first day do not count any more
	stands(domain.CampaignActive, 2, domain.Tally{})
	calls(100, 0)
	k.pass(24 * time.Hour)
	calls(60, 0)
	stands(domain.CampaignActive, 2, domain.Tally{})
	calls(2, -1) // 2 of 80 or so today, of 380 in thirty days: it is slowed
	stands(domain.CampaignActive, 4, domain.Tally{Abandoned: 2})
	if n := len(k.dialed()); n > 10 {
		t.Fatalf("%d calls at once with more than 2 %% abandoned today", n)
	}
}
