package dialer

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
	"github.com/callwright/callwright/internal/service/outreach"
	"github.com/callwright/callwright/internal/store"
	"github.com/callwright/callwright/internal/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// counted is a store that counts the dialer's transactions, and whose hints the
// test gives.
type counted struct {
	domain.Store
	mu    sync.Mutex
	plans int
	hint  func()
}

func (c *counted) InTx(ctx context.Context, lane domain.Lane, fn func(context.Context, *domain.Stores) error) error {
	if lane == domain.LaneDial {
		c.mu.Lock()
		c.plans++
		c.mu.Unlock()
	}
	return c.Store.InTx(ctx, lane, fn)
}

func (c *counted) AfterCommit(_ string, fn func()) { c.hint = fn }

func (c *counted) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.plans
}

// desk is rules over a real store, whose trunk takes calls.
type desk struct {
	*testing.T
	*service.Service
	store *counted
	in    domain.Scope
	agent domain.ID
	trunk domain.ID
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{Dir: storetest.Dir(t), DSN: storetest.URL(t), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	k := &desk{T: t, store: &counted{Store: db}}
	k.Service = service.New(service.Options{
		Store: k.store, CheckFlow: func(raw []byte) ([]byte, error) { return raw, nil }, NoSamples: true, Logger: slog.New(slog.DiscardHandler),
	})
	t.Cleanup(func() {
		k.Service.Close()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	first, err := k.FirstStart(t.Context())
	k.ok(err)
	k.in, k.trunk = domain.Scope{Workspace: first.Workspace.ID, Mode: domain.Test}, first.Trunk.ID
	agent, err := k.CreateAgent(t.Context(), k.in, service.AgentChange{Name: new("A"), SystemPrompt: new("p")}, nil)
	k.ok(err)
	k.agent = agent.ID
	k.ok(db.InTx(t.Context(), domain.LaneAPI, func(ctx context.Context, st *domain.Stores) error {
		w, err := st.Workspaces.Get(ctx, k.in.Workspace)
		if err != nil {
			return err
		}
		w.Plan = domain.Enterprise
		if err := st.Workspaces.Update(ctx, w); err != nil {
			return err
		}
		return st.Breakers.Put(ctx, domain.Breaker{TrunkID: k.trunk, WorkspaceID: k.in.Workspace, Mode: domain.Test, AliveAt: time.Now().Add(time.Hour)})
	}))
	return k
}

func (k *desk) ok(err error) {
	k.Helper()
	if err != nil {
		k.Fatal(err)
	}
}

// campaign makes one with two contacts, of whom one is called at a time.
func (k *desk) campaign(i int) domain.ID {
	k.Helper()
	c, err := k.CreateCampaign(k.Context(), k.in, outreach.CampaignChange{
		Kind: domain.KindCampaign, Name: new("C"), AgentID: &k.agent, MaxConcurrent: new(1),
		Contacts: []outreach.NewRecipient{{Phone: fmt.Sprintf("+1500555%04d", 1000+2*i)}, {Phone: fmt.Sprintf("+1500555%04d", 1001+2*i)}},
	}, nil)
	k.ok(err)
	return c.ID
}

func (k *desk) active(id domain.ID) int {
	k.Helper()
	c, err := k.Campaign(k.Context(), k.in, domain.KindCampaign, id)
	k.ok(err)
	return c.Counts.Active
}

// TestCampaignsWithoutRoom has 70 campaigns wait for room while everything that
// happens hints at them: they make the database little work, and one that comes
// after them all has its turn.
func TestCampaignsWithoutRoom(t *testing.T) {
	const n = 70
	k := newDesk(t)
	ids := make([]domain.ID, n)
	for i := range ids {
		ids[i] = k.campaign(i)
	}
	d := New(Options{Store: k.store, Rules: k.Outreach})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	defer func() {
		stop()
		k.ok(<-ended)
	}()
	k.wait(func() bool { return k.active(ids[n-1]) == 1 })
	time.Sleep(longest) // all have no room now
	before, began := k.store.count(), time.Now()
	for time.Since(began) < 2*time.Second {
		k.store.hint()
		time.Sleep(time.Millisecond)
	}
	perSecond := float64(k.store.count()-before) / time.Since(began).Seconds()
	if perSecond > 120 {
		t.Errorf("%.0f transactions a second for %d campaigns that have no room", perSecond, n)
	}
	last := k.campaign(n)
	k.store.hint()
	k.wait(func() bool { return k.active(last) == 1 })
	if d.Looked().Before(began) {
		t.Error("it does not tell that it looks")
	}
}

// wait waits until something is so.
func (k *desk) wait(so func() bool) {
	k.Helper()
	for deadline := time.Now().Add(30 * time.Second); !so(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			k.Fatal("it did not come to that")
		}
	}
}

// TestMayNot plans nothing while the process could not dial.
func TestMayNot(t *testing.T) {
	k := newDesk(t)
	id := k.campaign(0)
	d := New(Options{Store: k.store, Rules: k.Outreach, May: func() bool { return false }})
	if next, err := d.look(t.Context()); err != nil || !next.IsZero() || k.active(id) != 0 {
		t.Fatalf("%v %v, %d planned", next, err, k.active(id))
	}
	d.o.May = func() bool { return true }
	next, err := d.look(t.Context())
	if err != nil || k.active(id) != 1 || time.Until(next) > shortWait {
		t.Fatalf("%v %v, %d planned", time.Until(next), err, k.active(id))
	}
}
