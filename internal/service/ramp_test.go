package service_test

import (
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/outreach"
)

// atOnce has the campaign call as many as it may at a time, and ends these calls.
func (k *campaigning) atOnce() int {
	k.Helper()
	k.ok(k.Beat(k.Context(), k.epoch))
	dials := k.dialed()
	for _, d := range dials {
		k.over(d, domain.EndFlow, time.Second)
	}
	return len(dials)
}

// rises fails unless the calls at once go up from this minute on as they are to.
func (k *campaigning) rises(after string) {
	k.Helper()
	for _, want := range []int{1, 2, 5, 9, 10} {
		if got := k.atOnce(); got != want {
			k.Fatalf("%d calls at once some time after %s, want %d", got, after, want)
		}
		switch want {
		case 2:
			k.pass(3 * time.Minute)
		case 5:
			k.pass(4 * time.Minute)
		default:
			k.pass(time.Minute)
		}
	}
}

// set changes the state of the campaign.
func (k *campaigning) set(state domain.CampaignState) {
	k.Helper()
	_, err := k.UpdateCampaign(k.Context(), k.test, domain.KindCampaign, k.id, outreach.CampaignChange{State: &state})
	k.ok(err)
}

// newRamping has a campaign with 10 calls at once that keeps the rules, with
// people who may be called from now on for hours.
func newRamping(t *testing.T) *campaigning {
	t.Helper()
	zone := ""
	for _, name := range []string{"Pacific/Auckland", "Asia/Tokyo", "Asia/Kolkata", "Europe/Athens", "Atlantic/Azores", "America/New_York", "America/Los_Angeles", "Pacific/Honolulu"} {
		at, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		if hour := time.Now().In(at).Hour(); hour >= 8 && hour < 14 {
			zone = name
		}
	}
	k := newCampaigning(t, 120, func(c *outreach.CampaignChange) {
		c.MaxConcurrent, c.EnforceRules, c.State = new(10), new(true), new(domain.CampaignPaused)
		for i := range c.Contacts { // in California the hours are the same on all days
			c.Contacts[i].Phone, c.Contacts[i].Timezone = "+1415555"+c.Contacts[i].Phone[8:], zone
		}
	})
	k.pass(time.Since(k.now())) // its server began before it
	return k
}

// TestRampAfterAPause goes on slowly after a pause, and not at a start; who does
// not keep the rules goes on at once.
func TestRampAfterAPause(t *testing.T) {
	k := newRamping(t)
	k.set(domain.CampaignActive)
	if n := k.atOnce(); n != 10 {
		t.Fatalf("%d calls at once at the start, want 10", n)
	}
	k.set(domain.CampaignPaused)
	k.pass(5 * time.Minute)
	k.set(domain.CampaignActive)
	k.rises("a pause")
	_, err := k.UpdateCampaign(t.Context(), k.test, domain.KindCampaign, k.id, outreach.CampaignChange{EnforceRules: new(false)})
	k.ok(err)
	k.set(domain.CampaignPaused)
	k.set(domain.CampaignActive)
	if n := k.atOnce(); n != 10 {
		t.Fatalf("%d calls at once of simulated phones after a pause, want 10", n)
	}
}

// TestRampAfterARestart goes on slowly when all servers were away, not when one
// of them was.
func TestRampAfterARestart(t *testing.T) {
	k := newRamping(t)
	k.set(domain.CampaignActive)
	if n := k.atOnce(); n != 10 {
		t.Fatalf("%d calls at once at the start, want 10", n)
	}
	k.pass(time.Minute)
	other := k.join()
	k.die(other)
	if n := k.atOnce(); n != 10 {
		t.Fatalf("%d calls at once after another server had gone, want 10", n)
	}
	old := k.epoch
	k.epoch = k.join()
	k.die(old)
	began := k.now()
	k.pass(time.Since(began)) // by the database's clock, which tells when a server began
	k.rises("a restart")
}

// TestRampAfterAFailingTrunk goes on slowly when a trunk takes calls again.
func TestRampAfterAFailingTrunk(t *testing.T) {
	k := newRamping(t)
	k.set(domain.CampaignActive)
	if n := k.refusing(14*time.Second, domain.EndCongestion); n != 10 {
		t.Fatalf("%d INVITEs before the campaign stopped, want 10", n)
	}
	k.pass(time.Minute)
	if n := k.atOnce(); n != 1 {
		t.Fatalf("%d calls try the trunk, want 1", n)
	}
	for _, want := range []int{1, 1, 1} {
		k.pass(5 * time.Second)
		if n := k.atOnce(); n != want {
			t.Fatalf("%d calls at once after the trunk was heard of, want %d", n, want)
		}
	}
	k.pass(time.Minute)
	if n := k.atOnce(); n != 2 {
		t.Fatalf("%d calls at once a minute later, want 2", n)
	}
}
