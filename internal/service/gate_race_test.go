package service_test

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
	"github.com/callwright/callwright/internal/service/outreach"
	"github.com/callwright/callwright/internal/store/storetest"
)

// raceTime is how long races are begun on PostgreSQL, where each commit is one
// of its own; on SQLite all are run, however long that takes.
const raceTime = 10 * time.Second

// racing is a campaign whose gate is raced.
type racing struct {
	*campaigning
	began time.Time
	races atomic.Int64
}

// newRacing makes a campaign with n contacts over a trunk that is known to take
// calls, and keeps its node alive.
func newRacing(t *testing.T, n int, edit func(*outreach.CampaignChange)) *racing {
	t.Helper()
	r := &racing{campaigning: newCampaigning(t, n, edit), began: time.Now()}
	r.ok(r.store.InTx(t.Context(), domain.LaneAPI, func(ctx context.Context, st *domain.Stores) error {
		w, err := st.Workspaces.Get(ctx, r.test.Workspace)
		if err != nil {
			return err
		}
		w.Plan = domain.Enterprise
		if err := st.Workspaces.Update(ctx, w); err != nil {
			return err
		}
		trunk, err := st.Trunks.Get(ctx, r.test, r.first.Trunk.ID)
		if err != nil {
			return err
		}
		trunk.MaxCalls, trunk.CallsPerSecond = 0, 0
		if err := st.Trunks.Update(ctx, trunk); err != nil {
			return err
		}
		return st.Breakers.Put(ctx, domain.Breaker{
			TrunkID: trunk.ID, WorkspaceID: r.test.Workspace, Mode: domain.Test, AliveAt: r.now().Add(30 * 24 * time.Hour),
		})
	}))
	ctx, stop := context.WithCancel(t.Context())
	var beats sync.WaitGroup
	beats.Go(func() {
		for tick := time.Tick(time.Second); ; {
			select {
			case <-ctx.Done():
				return
			case <-tick:
				if err := r.Beat(ctx, r.epoch); err != nil && ctx.Err() == nil {
					t.Error(err)
				}
			}
		}
	})
	t.Cleanup(func() { stop(); beats.Wait() })
	return r
}

// enough reports whether no more races are to be begun.
func (r *racing) enough() bool {
	return os.Getenv(storetest.Variable) != "" && time.Since(r.began) > raceTime
}

// claim claims up to n calls that are planned.
func (r *racing) claim(n int) (dials []*service.Dial) {
	r.Helper()
	attempts, _, err := r.ClaimAttempts(r.Context(), r.epoch, r.now(), time.Hour, n)
	r.ok(err)
	for _, a := range attempts {
		r.ok(a.Err)
		dials = append(dials, a.Dial)
	}
	return dials
}

// TestNoIntentAfterOptOut races a thousand opt-outs against placing and dialing:
// once an opt-out was answered no intent is committed and no call accepted, and
// one whose intent was committed before is hung up by then.
func TestNoIntentAfterOptOut(t *testing.T) {
	t.Parallel()
	r := newRacing(t, optOutRaces, nil)
	agent := r.agent(r.test).ID
	won, lost := 0, 0
	for r.plan(); !r.enough(); {
		dials := r.claim(50)
		if len(dials) == 0 {
			break
		}
		through := make([]bool, len(dials))
		var all sync.WaitGroup
		for i, d := range dials {
			var answered atomic.Bool
			to := d.Call.To
			done, started := make(chan struct{}), make(chan struct{})
			all.Go(func() {
				defer close(done)
				if i%3 == 1 {
					<-started // likely too late
				}
				r.suppress(to)
				answered.Store(true)
			})
			all.Go(func() {
				close(started)
				if i%3 == 0 {
					<-done // surely too late
				}
				late := answered.Load()
				refused, err := r.CommitIntent(t.Context(), d)
				if err != nil {
					t.Error(err)
				}
				if through[i] = err == nil && refused == nil; through[i] && late {
					t.Errorf("%s was dialed after its opt-out was answered", to)
				}
			})
			if i%10 == 0 {
				all.Go(func() {
					late := answered.Load()
					_, err := r.PlaceCall(t.Context(), r.test, service.PlaceRequest{AgentID: agent, To: to}, nil)
					if code := domain.CodeOf(err); code != domain.CodeForbidden && (code != "" || late) {
						t.Errorf("placing answers %v", err)
					}
				})
			}
		}
		all.Wait()
		for i, d := range dials {
			r.live.mu.Lock()
			hungUp := r.live.ends[d.Call.ID] == domain.EndDoNotCall
			r.live.mu.Unlock()
			switch {
			case through[i] && !hungUp:
				t.Errorf("%s was dialed before its opt-out was answered, and is not hung up", d.Call.To)
			case through[i]:
				won++
				r.over(d, domain.EndDoNotCall, 0)
			default:
				lost++
			}
		}
	}
	t.Logf("%d races, of which the dial won %d, in %v", won+lost, won, time.Since(r.began).Round(time.Millisecond))
	if lost < (won+lost)/3 || won == 0 || won+lost < optOutRaces && !r.enough() {
		t.Errorf("%d dialed before the opt-out, %d refused, want %d races", won, lost, optOutRaces)
	}
	// Whatever waits now is refused at its intent.
	for _, d := range r.claim(optOutRaces) {
		if _, err := r.Suppression(t.Context(), r.test, d.Call.To); err != nil {
			continue // it was not raced
		}
		if refused, err := r.CommitIntent(t.Context(), d); err != nil || refused == nil || refused.End != domain.EndDoNotCall {
			t.Errorf("%s: %+v %v", d.Call.To, refused, err)
		}
	}
}

// TestCapsHoldUnderRaces has twenty campaigns dial the same numbers at once, each
// call being over as soon as it was dialed: of each twenty that race for a
// number one gets through, and after the gap one more, and none after that.
func TestCapsHoldUnderRaces(t *testing.T) {
	t.Parallel()
	const campaigns = 20
	numbers := capRaces / campaigns / 2 // in each of two rounds
	r := newRacing(t, numbers, func(c *outreach.CampaignChange) { c.EnforceRules = new(true) })
	for range campaigns - 1 {
		req := outreach.CampaignChange{
			Kind: domain.KindCampaign, Name: new("C"), AgentID: &r.agent(r.test).ID, EnforceRules: new(true),
		}
		for n := range numbers {
			req.Contacts = append(req.Contacts, outreach.NewRecipient{Phone: fmt.Sprintf("+1500555%04d", 1000+n)})
		}
		_, err := r.CreateCampaign(t.Context(), r.test, req, nil)
		r.ok(err)
	}
	r.untilTuesday()
	for round, want := range []int64{1, 1, 0} { // two are enough for a day
		if r.enough() {
			break
		}
		through := r.race(numbers * campaigns)
		for n := range numbers {
			to := fmt.Sprintf("+1500555%04d", 1000+n)
			if got := through[to]; got != want {
				t.Errorf("round %d: %d calls to %s got through, want %d", round, got, to, want)
			}
		}
		r.pass(2 * time.Hour)
	}
	t.Logf("%d races in %v", r.races.Load(), time.Since(r.began).Round(time.Millisecond))
	if r.races.Load() < int64(capRaces) && !r.enough() {
		t.Errorf("%d races, want %d", r.races.Load(), capRaces)
	}
}

// race plans all that is due and commits the intents at once. It returns how many
// were, by number.
func (r *racing) race(most int) map[string]int64 {
	r.Helper()
	due, _, err := r.DueCampaigns(r.Context(), most)
	r.ok(err)
	for _, id := range due {
		for more := true; more; {
			more, err = r.Plan(r.Context(), id)
			r.ok(err)
		}
	}
	var mu sync.Mutex
	through := make(map[string]int64)
	var all sync.WaitGroup
	for _, d := range r.claim(most) {
		all.Go(func() {
			refused, err := r.CommitIntent(r.Context(), d)
			if err != nil {
				r.Error(err)
			}
			r.races.Add(1)
			if err == nil && refused == nil {
				mu.Lock()
				through[d.Call.To]++
				mu.Unlock()
				r.over(d, domain.EndBusy, 0)
			}
		})
	}
	all.Wait()
	return through
}
