package service_test

import (
	"context"
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

// gauge counts calls that are under way and remembers how many there were.
type gauge struct{ now, most atomic.Int64 }

func (g *gauge) enter() {
	n := g.now.Add(1)
	for {
		most := g.most.Load()
		if n <= most || g.most.CompareAndSwap(most, n) {
			return
		}
	}
}

func (g *gauge) leave() { g.now.Add(-1) }

// rush is several nodes that dial several campaigns at once.
type rush struct {
	*kit
	campaigns []domain.ID
	all       gauge
	each      map[domain.ID]*gauge
	dialed    sync.Map // phone number to true: it is called now
	wrong     atomic.Int64
}

// TestConcurrencyIsExact has three nodes plan and dial three campaigns at once,
// whose calls end in all ways: there is never one call more than the campaign,
// the workspace or the trunk may have, never two to a number, and in the end no
// place is taken.
func TestConcurrencyIsExact(t *testing.T) {
	for name, c := range map[string]struct {
		plan  domain.Plan
		trunk int
		most  int64
	}{
		"workspace": {domain.Starter, 100, 5},
		"trunk":     {domain.Enterprise, 7, 7},
		"campaigns": {domain.Enterprise, 0, 9},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &rush{kit: newKit(t), each: make(map[domain.ID]*gauge)}
			r.limit(c.plan, c.trunk)
			agent := r.agent(r.test).ID
			for i := range 3 {
				req := outreach.CampaignChange{
					Kind: domain.KindCampaign, Name: new("C"), AgentID: &agent, MaxConcurrent: new(3), Retry: &domain.Retry{MaxAttempts: 1},
				}
				for n := range 30 { // half of the numbers are in all campaigns
					req.Contacts = append(req.Contacts, outreach.NewRecipient{Phone: fmt.Sprintf("+1500555%04d", 1000+n+n%2*100*i)})
				}
				made, err := r.CreateCampaign(t.Context(), r.test, req, nil)
				r.ok(err)
				r.campaigns, r.each[made.ID] = append(r.campaigns, made.ID), &gauge{}
			}
			var nodes sync.WaitGroup
			for range 3 {
				epoch := r.join()
				nodes.Go(func() { r.node(epoch) })
			}
			nodes.Wait()
			r.check(c.most)
		})
	}
}

// limit sets how many calls the workspace and its trunk may have.
func (r *rush) limit(plan domain.Plan, trunk int) {
	r.Helper()
	r.ok(r.store.InTx(r.Context(), domain.LaneAPI, func(ctx context.Context, st *domain.Stores) error {
		w, err := st.Workspaces.Get(ctx, r.test.Workspace)
		if err != nil {
			return err
		}
		w.Plan = plan
		if err := st.Workspaces.Update(ctx, w); err != nil {
			return err
		}
		t, err := st.Trunks.Get(ctx, r.test, r.first.Trunk.ID)
		if err != nil {
			return err
		}
		t.MaxCalls, t.CallsPerSecond = trunk, 0
		return st.Trunks.Update(ctx, t)
	}))
}

// node plans, claims and dials until all campaigns are over.
func (r *rush) node(epoch domain.ID) {
	var calls sync.WaitGroup
	defer calls.Wait()
	for deadline := time.Now().Add(3 * time.Minute); time.Now().Before(deadline); {
		due, _, err := r.DueCampaigns(r.Context(), 10)
		if err != nil || len(due) == 0 && r.over() {
			r.fault(err)
			return
		}
		for _, id := range due {
			_, err := r.Plan(r.Context(), id)
			r.fault(err)
		}
		attempts, _, err := r.ClaimAttempts(r.Context(), epoch, r.now(), time.Minute, 4)
		r.fault(err)
		for _, a := range attempts {
			calls.Go(func() { r.carry(a) })
		}
		if len(attempts) == 0 {
			time.Sleep(time.Millisecond) // the writer is for those who call
		}
		r.pass(20 * time.Millisecond)
		_ = r.Beat(r.Context(), epoch)
	}
	r.Error("the campaigns do not come to an end")
}

func (r *rush) fault(err error) {
	if err != nil && domain.CodeOf(err) != domain.CodeConflict && domain.CodeOf(err) != domain.CodeUnavailable {
		r.Error(err)
	}
}

func (r *rush) over() bool {
	for _, id := range r.campaigns {
		c, err := r.Campaign(r.Context(), r.test, domain.KindCampaign, id)
		if err != nil || !c.State.Ended() {
			return false
		}
	}
	return true
}

// carry dials a call, which ends in one of all ways.
func (r *rush) carry(claimed service.Claimed) {
	d := claimed.Dial
	if claimed.Err != nil {
		r.fault(claimed.Err)
		return
	}
	refused, err := r.CommitIntent(r.Context(), d)
	if err != nil || refused != nil {
		r.fault(err)
		return
	}
	if _, twice := r.dialed.LoadOrStore(d.Call.To, true); twice {
		r.wrong.Add(1)
	}
	campaign := r.each[d.Call.CampaignID]
	r.all.enter()
	campaign.enter()
	reasons := []domain.EndReason{domain.EndBusy, domain.EndNoAnswer, domain.EndDeclined, domain.EndInvalidNumber, domain.EndFlow, domain.EndInternal}
	reason := reasons[rand.IntN(len(reasons))]
	if reason == domain.EndFlow || rand.IntN(3) == 0 {
		d.Call.State, d.Call.RingingAt, d.Call.AnsweredAt, d.Attempt.State = domain.CallInProgress, r.now(), r.now(), domain.AttemptAnswered
		r.Progress(d.Call, d.Attempt)
	}
	time.Sleep(time.Duration(2+rand.IntN(10)) * time.Millisecond) // it lasts
	r.all.leave()
	campaign.leave()
	r.dialed.Delete(d.Call.To)
	r.fault(r.FinishCall(r.Context(), service.Verdict{Call: d.Call.ID, Attempt: d.Attempt, Reason: reason, EndedAt: r.now()}))
}

// check looks for calls beyond the limits and for places that were not given
// back.
func (r *rush) check(most int64) {
	r.Helper()
	if n := r.all.most.Load(); n > most || n < 2 {
		r.Errorf("%d calls at once, want %d at most", n, most)
	}
	for id, g := range r.each {
		if n := g.most.Load(); n > 3 || n < 1 {
			r.Errorf("%d calls of one campaign at once, want 3 at most", n)
		}
		c, err := r.Campaign(r.Context(), r.test, domain.KindCampaign, id)
		r.ok(err)
		if c.Counts.Active != 0 || c.Counts.Waiting != 0 || c.Counts.Total() != 30 {
			r.Errorf("%s %+v", c.State, c.Counts)
		}
	}
	if n := r.wrong.Load(); n > 0 {
		r.Errorf("%d numbers were called twice at once", n)
	}
	r.ok(r.store.View(r.Context(), func(ctx context.Context, st *domain.Stores) error {
		active, err := st.Calls.Active(ctx, r.test, 0)
		if err != nil || active != 0 {
			r.Errorf("%d calls are active, %v", active, err)
		}
		waiting, _, err := st.Dialing.Planned(ctx, r.test, r.first.Trunk.ID)
		if err != nil || waiting != 0 {
			r.Errorf("%d calls are planned, %v", waiting, err)
		}
		live, err := st.Attempts.LiveOn(ctx, r.first.Trunk.ID, 0)
		if live != 0 {
			r.Errorf("%d attempts are live", live)
		}
		return err
	}))
}
