package dialer

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
	"github.com/callwright/callwright/internal/service/outreach"
	"github.com/callwright/callwright/internal/store/storetest"
)

// outing is one campaign of the test, and what is known of it.
type outing struct {
	id       domain.ID
	starts   time.Time
	window   hours
	most     int           // calls at once
	pauses   time.Duration // after its start it is paused
	resumes  time.Duration // and so long after its start it goes on
	pausedAt time.Time     // zero: it is not paused
	live     int
	charged  map[string]int  // tries that count, by number
	reached  map[string]bool // who was
	final    map[domain.ID]domain.RecipientState
	dialed   map[string]int // calls by day
}

// days is the model of all that happens to the campaigns, whichever process
// dials them.
type days struct {
	*testing.T
	dir   string
	in    domain.Scope
	agent domain.ID
	where map[string]*place // of a number

	mu      sync.Mutex // of what follows
	chance  *rand.Rand
	outings []*outing
	tried   map[string][]time.Time // tries of a number that count
	live    map[string]bool
	listed  map[string]time.Time // numbers that have refused us for good, and since when
	calls   int
	crashes int
	lost    int // calls under way when their process died
}

// TestDaysOfCampaigns has three campaigns call 200 people each (40 under
// the race detector) in thirteen
// places, half of them the same, for as many days as it takes: over a change of
// clocks, weekends and a holiday, with results by chance, campaigns that are
// paused, and processes that stop and die. Planner, gate, rules of redialing,
// queue and database are the real ones, in a bubble of time. Nobody is called at
// a forbidden minute, beyond the caps, twice at once or once the campaign is
// through with them; the counts are those of the contacts; everybody comes to one
// end, and so does each campaign by itself.
func TestDaysOfCampaigns(t *testing.T) {
	began := time.Now()
	dir := storetest.Dir(t)
	synctest.Test(t, func(t *testing.T) {
		seed := rand.Uint64()
		d := &days{
			T: t, dir: dir, where: make(map[string]*place), chance: rand.New(rand.NewPCG(seed, 0)),
			tried: make(map[string][]time.Time), live: make(map[string]bool), listed: make(map[string]time.Time),
		}
		first := time.Date(2026, 10, 29, 12, 0, 0, 0, time.UTC) // a Thursday; on Sunday summer time ends in America
		time.Sleep(time.Until(first.Add(-time.Hour)))
		d.prepare(first)
		sessions := 0
		for next := first; !next.IsZero(); sessions++ {
			if time.Since(first) > 120*24*time.Hour {
				t.Fatal("the campaigns do not come to an end in a hundred and twenty days")
			}
			time.Sleep(time.Until(next))
			next = d.session()
		}
		d.check()
		t.Logf("%d calls on %d days in %d runs of the program, of which %d died with %d calls under way (seed %d)",
			d.calls, int(time.Since(first).Hours()/24), sessions, d.crashes, d.lost, seed)
	})
	t.Logf("it took %v", time.Since(began).Round(time.Millisecond))
}

// prepare makes the workspace and the campaigns, of which the first one starts at
// first.
func (d *days) prepare(first time.Time) {
	d.Helper()
	o := d.open()
	defer o.close()
	ctx := d.Context()
	made, err := o.FirstStart(ctx)
	d.ok(err)
	d.in = domain.Scope{Workspace: made.Workspace.ID, Mode: domain.Live}
	d.ok(o.store.InTx(ctx, domain.LaneAPI, func(ctx context.Context, st *domain.Stores) error {
		w, err := st.Workspaces.Get(ctx, d.in.Workspace)
		if err != nil {
			return err
		}
		w.Plan, w.Regions = domain.Enterprise, []string{domain.AnyRegion}
		return st.Workspaces.Update(ctx, w)
	}))
	trunk, err := o.CreateTrunk(ctx, d.in, service.TrunkChange{Name: new("T"), Host: new("192.0.2.1"), CallsPerSecond: new(50)}, nil)
	d.ok(err)
	flow, err := o.CreateFlow(ctx, d.in, service.FlowChange{Name: new("F"), Status: new(domain.FlowPublished), Definition: []byte(`{"nodes":[]}`)}, nil)
	d.ok(err)
	agent, err := o.CreateAgent(ctx, d.in, service.AgentChange{Name: new("A"), FlowID: &flow.ID}, nil)
	d.ok(err)
	_, err = o.CreateNumber(ctx, d.in, service.NumberChange{Number: new("+12025550100"), TrunkID: &trunk.ID, AgentID: &agent.ID}, nil)
	d.ok(err)
	d.agent = agent.ID
	const day = 24 * time.Hour
	const closing = 36*time.Hour - 50*time.Second // it goes on for the last seconds of its window
	for _, c := range []outing{
		{starts: first, window: hours{"America/New_York", 9, 20}, most: 16, pauses: 90 * time.Minute, resumes: closing},
		{starts: first.Add(day), window: hours{"America/Los_Angeles", 16, 12}, most: 30, pauses: 2 * time.Minute, resumes: 7 * time.Minute},
		{starts: first.Add(12*day + 8*time.Hour), most: 50, pauses: 10 * time.Hour, resumes: 14 * time.Hour},
	} {
		c.charged, c.reached = make(map[string]int), make(map[string]bool)
		c.final, c.dialed = make(map[domain.ID]domain.RecipientState), make(map[string]int)
		d.campaign(o, &c)
	}
}

// campaign makes one. The numbers of every other contact are in all of them.
func (d *days) campaign(o *office, c *outing) {
	d.Helper()
	req := outreach.CampaignChange{
		Kind: domain.KindCampaign, Name: new("C"), AgentID: &d.agent, MaxConcurrent: &c.most, StartAt: &c.starts,
	}
	if w := c.window; w.zone != "" {
		req.Window, req.Timezone = new(&domain.DayWindow{From: int(w.from * 60), To: int(w.to * 60)}), &w.zone
	}
	for n := range contacts {
		who := 1000 + n
		if n%2 > 0 {
			who += 1000 * (1 + len(d.outings))
		}
		at := &places[n/2%len(places)]
		to := fmt.Sprintf("%s%04d", at.prefix, who)
		d.where[to] = at
		req.Contacts = append(req.Contacts, outreach.NewRecipient{Phone: to})
	}
	made, err := o.CreateCampaign(d.Context(), d.in, req, nil)
	d.ok(err)
	c.id = made.ID
	d.outings = append(d.outings, c)
}

func (d *days) ok(err error) {
	d.Helper()
	if err != nil {
		d.Fatal(err)
	}
}

// quiet is a log that nobody reads.
var quiet = slog.New(slog.DiscardHandler)
