package service_test

import (
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/outreach"
)

// asked changes the campaign.
func (k *campaigning) asked(req outreach.CampaignChange) {
	k.Helper()
	_, err := k.UpdateCampaign(k.Context(), k.test, domain.KindCampaign, k.id, req)
	k.ok(err)
}

// TestOtherHoursAreAtOnce: contacts that the hours have put off, more than one
// statement looks at, are called as soon as the hours are others.
func TestOtherHoursAreAtOnce(t *testing.T) {
	const many = 2_100
	k := newCampaigning(t, many, func(c *outreach.CampaignChange) { c.EnforceRules = new(true) })
	k.untilTuesday()
	k.pass(12 * time.Hour)
	for more := true; more; {
		var err error
		more, err = k.Plan(t.Context(), k.id)
		k.ok(err)
	}
	dueAt := k.stands(domain.CampaignActive, many, 0, 0, 0).DueAt
	if dueAt.Before(k.now().Add(time.Hour)) {
		t.Fatalf("the dialer looks again at %s", dueAt)
	}
	k.pass(time.Minute)
	k.asked(outreach.CampaignChange{EnforceRules: new(false)})
	if n := len(k.dialed()); n == 0 {
		t.Fatal("nobody is dialed by the new hours")
	}
	rows, _, _, err := k.Recipients(t.Context(), k.test, domain.KindCampaign, k.id, domain.RecipientFilter{State: domain.RecipientWaiting}, domain.Page{Limit: many})
	k.ok(err)
	for i := range rows {
		if rows[i].NextAt.After(k.now()) {
			t.Fatalf("%s waits until %s", rows[i].Phone, rows[i].NextAt)
		}
	}
}

// TestAWindowThatIsWidened: who was tried, and would have waited for the next day's
// window, waits for the gap alone. A change of something else changes nothing, and
// a paused campaign looks when it goes on.
func TestAWindowThatIsWidened(t *testing.T) {
	k := newCampaigning(t, 1, func(c *outreach.CampaignChange) {
		c.EnforceRules, c.Timezone, c.Window = new(true), new("UTC"), new(&domain.DayWindow{From: 14 * 60, To: 15 * 60})
		c.Retry = new(domain.Retry{MaxAttempts: 3, Gaps: []time.Duration{30 * time.Minute}})
	})
	k.untilTuesday()
	dialedAt := k.now()
	k.over(k.dialed()[0], domain.EndBusy, 0)
	k.pass(30 * time.Minute)
	k.plan() // the gap of two hours binds, and the window is closed then
	tomorrow := dialedAt.Add(24 * time.Hour)
	waits := func(until time.Time) {
		t.Helper()
		if r := k.only(); r.State != domain.RecipientWaiting || !r.NextAt.Equal(until) {
			t.Errorf("it is %s for %s until %s, want until %s", r.State, r.Why, r.NextAt, until)
		}
	}
	waits(tomorrow)
	k.pass(time.Minute)
	k.asked(outreach.CampaignChange{Name: new("another")})
	k.plan()
	waits(tomorrow)
	k.asked(outreach.CampaignChange{State: new(domain.CampaignPaused), Window: new(&domain.DayWindow{From: 8 * 60, To: 20 * 60})})
	k.plan()
	waits(tomorrow)
	k.asked(outreach.CampaignChange{State: new(domain.CampaignActive)})
	k.plan()
	waits(dialedAt.Add(2 * time.Hour))
	k.pass(90 * time.Minute)
	if n := len(k.dialed()); n != 1 {
		t.Errorf("%d are dialed after the gap", n)
	}
}
