package service_test

import (
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
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
