package service_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
	"github.com/callwright/callwright/internal/service/outreach"
)

// daily sets a budget of the day, in a workspace whose minutes cost one.
func (k *kit) daily(budget *domain.Money, zone string) {
	k.Helper()
	_, err := k.UpdateWorkspace(k.Context(), k.prod, k.prod.Workspace, service.WorkspaceChange{
		DailyBudget: &budget, PricePerMinute: new(domain.Unit), Timezone: &zone,
	})
	k.ok(err)
}

// TestDailyBudgetHolds has many servers' worth of calls begin and end at once, on
// several days: no day costs more than its budget, and nothing that a call could
// begin with is left.
func TestDailyBudgetHolds(t *testing.T) {
	k := newKit(t)
	k.untilTuesday()
	agent := k.agent(k.test)
	for day := range 4 {
		budget := domain.Money(rand.Int64N(int64(9*domain.Unit))) + domain.Unit/2
		whole := day%2 == 0 // all talk for as long as was set aside
		const many = 20
		for i := range many {
			_, err := k.PlaceCall(t.Context(), k.test, service.PlaceRequest{AgentID: agent.ID, To: fmt.Sprintf("+1500%d55%04d", day, 1000+i)}, nil)
			k.ok(err)
		}
		k.daily(&budget, "Pacific/Auckland")
		epoch := k.join()
		var spent, through, ended atomic.Int64
		for wave := 0; ended.Load()+through.Load() < many; wave++ {
			if wave > 300 {
				t.Fatalf("%d of %d calls got through and %d were refused; the others wait for ever", through.Load(), many, ended.Load())
			}
			attempts, _, err := k.ClaimAttempts(t.Context(), epoch, k.now(), 15*time.Second, many)
			k.ok(err)
			var all sync.WaitGroup
			for _, a := range attempts {
				d := a.Dial
				k.ok(a.Err)
				all.Go(func() {
					no, err := k.CommitIntent(t.Context(), d)
					switch {
					case err != nil:
						t.Error(err)
					case no == nil:
						talk := time.Minute
						if !whole {
							talk = time.Duration(1+rand.IntN(60)) * time.Second
						}
						_, cost := (&domain.Workspace{PricePerMinute: domain.Unit}).Price(talk)
						spent.Add(int64(cost))
						through.Add(1)
						(&campaigning{kit: k, epoch: epoch}).over(d, domain.EndFlow, talk)
					case no.End == domain.EndDailyBudget:
						ended.Add(1)
					case no.End != "" || !no.RetryAt.After(k.now()):
						t.Errorf("refused: %+v", no)
					}
				})
			}
			all.Wait()
			k.pass(time.Second)
			k.ok(k.Beat(t.Context(), epoch)) // the disk may be slow
		}
		left := budget - domain.Money(spent.Load())
		if left < 0 || ended.Load() > 0 && left >= domain.Unit || whole && through.Load() != int64(budget/domain.Unit) {
			t.Errorf("day %d: %d calls cost %d of %d, %d were refused", day, through.Load(), spent.Load(), budget, ended.Load())
		}
		if ended.Load() > 0 {
			_, err := k.PlaceCall(t.Context(), k.test, service.PlaceRequest{AgentID: agent.ID, To: "+15005559999"}, nil)
			k.code(err, domain.CodePayment)
		}
		k.daily(nil, "Pacific/Auckland")
		k.pass(24*time.Hour - 10*time.Minute)
	}
}

// TestDailyBudgetOfCampaign has a campaign wait for the next day of its workspace,
// whose refusals tell when that begins, and go on by itself; live mode has a day
// of its own.
func TestDailyBudgetOfCampaign(t *testing.T) {
	k := newCampaigning(t, 5, nil)
	k.daily(new(2*domain.Unit), "America/New_York")
	k.pass(time.Until(time.Now().Truncate(24 * time.Hour).Add(48*time.Hour + 2*time.Hour))) // 2:00 UTC: in New York it is the day before
	k.ok(k.Beat(t.Context(), k.epoch))
	calls := k.dialed()
	if len(calls) != 2 {
		t.Fatalf("%d calls at once for a budget of two minutes", len(calls))
	}
	if more := k.dialed(); len(more) != 0 {
		t.Fatalf("%d more", len(more))
	}
	k.over(calls[0], domain.EndFlow, time.Minute)
	k.over(calls[1], domain.EndFlow, 10*time.Second)
	if more := k.dialed(); len(more) != 0 {
		t.Fatalf("%d calls for 50 seconds' worth of money", len(more))
	}
	c := k.stands(domain.CampaignActive, 3, 0, 2, 0)
	_, next, err := k.DueCampaigns(t.Context(), 10)
	k.ok(err)
	if c.PauseReason != domain.ReasonDailyBudget || next.After(k.now().Add(time.Minute)) {
		t.Fatalf("it waits for %q until %s", c.PauseReason, next)
	}
	newYork, err := time.LoadLocation("America/New_York")
	k.ok(err)
	y, m, d := k.now().In(newYork).Date()
	midnight := time.Date(y, m, d+1, 0, 0, 0, 0, newYork)
	ask := func(in domain.Scope, allowed bool) {
		t.Helper()
		answer, err := k.CheckDialing(t.Context(), in, outreach.DialingQuestion{To: "+12025550123", Timezone: "UTC", At: midnight.Add(-9 * time.Hour)})
		k.ok(err)
		if answer.Allowed != allowed || !allowed && (answer.Reason != domain.ReasonDailyBudget || answer.Why == "" || answer.NextAllowedAt.Before(midnight)) {
			t.Errorf("in %s mode: %+v", in.Mode, answer)
		}
	}
	ask(k.test, false)
	ask(k.prod, true)
	_, err = k.PlaceCall(t.Context(), k.test, service.PlaceRequest{AgentID: k.agent(k.test).ID, To: "+15005550106"}, nil)
	if known, _ := err.(*domain.Error); known == nil || known.Reason != domain.ReasonDailyBudget || known.Code != domain.CodePayment { //nolint:errorlint // as it is returned
		t.Errorf("a single call: %v", err)
	}
	k.pass(midnight.Sub(k.now()) - time.Second)
	k.ok(k.Beat(t.Context(), k.epoch))
	if more := k.dialed(); len(more) != 0 {
		t.Fatalf("%d calls before midnight", len(more))
	}
	k.pass(time.Second)
	if calls = k.dialed(); len(calls) != 2 {
		t.Fatalf("%d calls after midnight, want 2", len(calls))
	}
	if c := k.stands(domain.CampaignActive, 1, 2, 2, 0); c.PauseReason != "" {
		t.Errorf("it still waits for %q", c.PauseReason)
	}
	k.daily(nil, "America/New_York")
	if calls = k.dialed(); len(calls) != 1 {
		t.Fatalf("%d calls without a budget, want the last", len(calls))
	}
	_, err = k.UpdateWorkspace(t.Context(), k.prod, k.prod.Workspace, service.WorkspaceChange{DailyBudget: new(new(domain.Money(-1)))})
	k.code(err, domain.CodeInvalid)
}

// TestDailyBudgetAtTheGate puts off a contact whose call was planned before the
// budget was spent, to the next day at which it may be called.
func TestDailyBudgetAtTheGate(t *testing.T) {
	k := newCampaigning(t, 1, func(c *outreach.CampaignChange) { c.EnforceRules = new(true) })
	k.untilTuesday()
	k.ok(k.Beat(t.Context(), k.epoch))
	single := k.claimed(k.epoch, "+15005550199")[0]
	refused, err := k.CommitIntent(t.Context(), single)
	if k.ok(err); refused != nil {
		t.Fatalf("refused: %+v", refused)
	}
	k.plan()
	k.daily(new(domain.Unit), "UTC")
	k.over(single, domain.EndFlow, time.Minute)
	if d := k.dialed(); len(d) != 0 {
		t.Fatalf("%d calls when the money was spent", len(d))
	}
	r := k.only()
	if want := k.now().Truncate(24 * time.Hour).Add(34 * time.Hour); r.Why != domain.ReasonDailyBudget || !r.NextAt.Equal(want) || r.State != domain.RecipientWaiting {
		t.Errorf("%s, %s until %s, want %s", r.State, r.Why, r.NextAt, want)
	}
	k.plan()
	k.daily(new(2*domain.Unit), "UTC") // now there is money for it today
	k.pass(time.Minute)
	k.ok(k.Beat(t.Context(), k.epoch))
	if d := k.dialed(); len(d) != 1 {
		t.Fatalf("%d calls when the budget was raised", len(d))
	}
	k.daily(new(domain.Unit/2), "UTC") // which is too little for any call
	answer, err := k.CheckDialing(t.Context(), k.prod, outreach.DialingQuestion{To: "+12025550123", Timezone: "UTC", At: k.now()})
	k.ok(err)
	if answer.Reason != domain.ReasonDailyBudget || !answer.NextAllowedAt.IsZero() {
		t.Errorf("%+v", answer)
	}
}
