package service_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
	"github.com/callwright/callwright/internal/service/outreach"
)

// zonesOfDays are where the people of TestDaysOfCampaigns live.
var zonesOfDays = []string{"America/New_York", "America/Chicago", "America/Denver", "America/Phoenix", "America/Los_Angeles", "America/Anchorage"}

// days drives campaigns through days and keeps a model of what it sees.
type days struct {
	*campaigning
	ids   []domain.ID
	zone  map[string]*time.Location // of a phone number
	tried map[string][]time.Time    // tries of a number that count
	of    map[string]int            // tries that count, by campaign and number
	live  map[string]bool
	calls int
}

// TestDaysOfCampaigns has three campaigns call 40 people each, in six time zones
// and half of them the same, for as many days as it takes, with results by
// chance: nobody is called outside of the hours, beyond the caps or twice at
// once, the counts add up after each step, and everybody comes to an end.
func TestDaysOfCampaigns(t *testing.T) {
	d := &days{
		campaigning: &campaigning{kit: newKit(t)}, zone: make(map[string]*time.Location), tried: make(map[string][]time.Time),
		of: make(map[string]int), live: make(map[string]bool),
	}
	d.at = time.Date(2026, 10, 28, 3, 0, 0, 0, time.UTC) // a Wednesday; on the Sunday summer time ends
	d.epoch = d.join()
	agent := d.agent(d.test).ID
	for i := range 3 {
		req := outreach.CampaignChange{
			Kind: domain.KindCampaign, Name: new("C"), AgentID: &agent, MaxConcurrent: new(4 + 8*i), EnforceRules: new(true),
			Window: new(&domain.DayWindow{From: 9 * 60, To: 20 * 60}), Timezone: new("America/New_York"),
		}
		for n := range 40 {
			who := n + n%2*1000*i
			to, zone := fmt.Sprintf("+1212555%04d", 1000+who), zonesOfDays[who%len(zonesOfDays)]
			req.Contacts = append(req.Contacts, outreach.NewRecipient{Phone: to, Timezone: zone})
			var err error
			d.zone[to], err = time.LoadLocation(zone)
			d.ok(err)
		}
		c, err := d.CreateCampaign(t.Context(), d.test, req, nil)
		d.ok(err)
		d.ids = append(d.ids, c.ID)
	}
	for step := 0; !d.over(); step++ {
		if step > 30*24*2 {
			t.Fatal("the campaigns do not come to an end in thirty days")
		}
		if step%48 == 0 {
			d.beats()
		}
		d.step()
		d.pass(time.Duration(20+rand.IntN(20)) * time.Minute)
	}
	if d.calls < 100 {
		t.Errorf("only %d calls were dialed", d.calls)
	}
}

// over reports whether all campaigns are.
func (d *days) over() bool {
	for _, id := range d.ids {
		c, err := d.Campaign(d.Context(), d.test, domain.KindCampaign, id)
		d.ok(err)
		if c.State != domain.CampaignCompleted {
			return false
		}
	}
	return true
}

// step dials all that is due, has it end, and looks at the counts.
func (d *days) step() {
	d.Helper()
	for out := d.dialed(); len(out) > 0; out = d.dialed() {
		for _, call := range out {
			d.judge(call)
		}
		for _, call := range out {
			delete(d.live, call.Call.To)
			d.end(call)
		}
	}
	for _, id := range d.ids {
		c, err := d.Campaign(d.Context(), d.test, domain.KindCampaign, id)
		d.ok(err)
		rows, _, _, err := d.Recipients(d.Context(), d.test, domain.KindCampaign, id, domain.RecipientFilter{}, domain.Page{Limit: 200})
		d.ok(err)
		tally := make(map[domain.RecipientState]int)
		for _, r := range rows {
			tally[r.State]++
		}
		if c.Counts.Total() != 40 || c.Counts.Waiting != tally[domain.RecipientWaiting] || c.Counts.Active != tally[domain.RecipientActive] ||
			c.Counts.Completed != tally[domain.RecipientCompleted] || c.Counts.Failed != tally[domain.RecipientFailed] {
			d.Fatalf("the counts are %+v, the contacts %v", c.Counts, tally)
		}
	}
}

// judge looks at a call that is dialed now.
func (d *days) judge(call *service.Dial) {
	d.Helper()
	to, now := call.Call.To, d.now()
	if d.live[to] {
		d.Fatalf("%s is called twice at once", to)
	}
	d.live[to] = true
	d.calls++
	local := now.In(d.zone[to])
	if local.Hour() < 8 || local.Add(30*time.Second).Hour() >= 21 {
		d.Errorf("%s is called at %s", to, local)
	}
	own := now.In(d.zone[fmt.Sprintf("+1212555%04d", 1000)]) // New York
	if own.Hour() < 9 || own.Hour() >= 20 {
		d.Errorf("%s is called at %s of the campaign's time", to, own)
	}
	day, turn, week := 0, 0, 0
	for _, at := range d.tried[to] {
		if y, m, n := at.In(d.zone[to]).Date(); y == local.Year() && m == local.Month() && n == local.Day() {
			day++
		}
		if now.Sub(at) < 24*time.Hour {
			turn++
		}
		if now.Sub(at) < 7*24*time.Hour {
			week++
		}
	}
	if day >= 2 || turn >= 3 || week >= 7 {
		d.Errorf("%s was called %d times on this day, %d in 24 hours and %d in a week already", to, day, turn, week)
	}
	if n := d.of[string(call.Call.CampaignID)+to]; n >= outreach.DefaultRetry.MaxAttempts {
		d.Errorf("%s was tried %d times in one campaign already", to, n)
	}
}

// end has a call end by chance.
func (d *days) end(call *service.Dial) {
	d.Helper()
	charged := true
	switch n := rand.IntN(10); {
	case n < 3:
		d.campaigning.over(call, domain.EndFlow, time.Second)
	case n < 4:
		d.campaigning.over(call, domain.EndVoicemail, time.Second)
	case n < 6:
		d.campaigning.over(call, domain.EndBusy, 0)
	case n < 8:
		d.campaigning.over(call, domain.EndNoAnswer, 0)
	case n < 9:
		d.campaigning.over(call, domain.EndDeclined, 0)
	default:
		charged = false
		d.campaigning.over(call, domain.EndCongestion, 0)
	}
	if charged {
		d.tried[call.Call.To] = append(d.tried[call.Call.To], call.Call.DialedAt)
		d.of[string(call.Call.CampaignID)+call.Call.To]++
	}
}
