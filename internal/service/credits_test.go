package service_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
	"github.com/callwright/callwright/internal/service/access"
)

func TestPrice(t *testing.T) {
	for _, c := range []struct {
		price   domain.Money
		talk    time.Duration
		seconds int64
		cost    domain.Money
	}{
		{600_000, 0, 0, 0}, {600_000, -time.Second, 0, 0}, {600_000, time.Nanosecond, 1, 10_000}, {600_000, time.Second, 1, 10_000},
		{600_000, 60*time.Second + time.Millisecond, 61, 610_000}, {600_000, 4 * time.Hour, 14_400, 144_000_000},
		{1, time.Second, 1, 1}, {1, 60 * time.Second, 60, 1}, {1, 61 * time.Second, 61, 2}, {0, time.Hour, 3600, 0},
		{domain.MaxPrice, 4 * time.Hour, 14_400, 240 * domain.MaxPrice},
	} {
		w := domain.Workspace{PricePerMinute: c.price}
		if seconds, cost := w.Price(c.talk); seconds != c.seconds || cost != c.cost {
			t.Errorf("%s at %d: %d s cost %d, want %d and %d", c.talk, c.price, seconds, cost, c.seconds, c.cost)
		}
	}
}

// spend sets what the first workspace may spend.
func (k *kit) spend(credits *domain.Money, price domain.Money) {
	k.Helper()
	_, err := k.UpdateWorkspace(k.Context(), k.prod, k.prod.Workspace, service.WorkspaceChange{Credits: &credits, PricePerMinute: &price})
	k.ok(err)
}

// credits is what is left of them.
func (k *kit) credits() domain.Money {
	k.Helper()
	w, err := k.Workspace(k.Context(), k.prod, k.prod.Workspace)
	k.ok(err)
	if w.Credits == nil {
		k.Fatal("the workspace has no credits")
	}
	return *w.Credits
}

// talked places a call that was answered for a while and ends it.
func (k *kit) talked(ctx context.Context, agent *domain.Agent, to string, talk time.Duration, reason domain.EndReason) error {
	call, err := k.PlaceCall(ctx, k.test, service.PlaceRequest{AgentID: agent.ID, To: to}, nil)
	if err != nil {
		return err
	}
	began := k.now()
	var attempt domain.Attempt
	err = k.store.InTx(ctx, domain.LaneCall, func(ctx context.Context, s *domain.Stores) error {
		c, err := s.Calls.ByID(ctx, call.ID)
		if err != nil {
			return err
		}
		attempts, err := s.Attempts.ByCall(ctx, call.ID)
		if err != nil {
			return err
		}
		attempt = attempts[0]
		if c.State = domain.CallRinging; talk > 0 {
			c.State, c.AnsweredAt = domain.CallInProgress, began
		}
		return s.Calls.Update(ctx, c)
	})
	for range 2 { // the second time changes nothing
		if err == nil {
			err = k.FinishCall(ctx, service.Verdict{Call: call.ID, Attempt: attempt, Reason: reason, EndedAt: began.Add(talk)})
		}
	}
	return err
}

// TestCharges: what ends at once is charged once each, to the last millionth, and
// reported by key.
func TestCharges(t *testing.T) {
	k := newKit(t)
	agent, key := k.agent(k.test), domain.NewID()
	k.spend(new(100*domain.Unit), 600_000) // 0.01 a second
	const many = 50
	var wg sync.WaitGroup
	for i := range many {
		wg.Go(func() {
			to := fmt.Sprintf("+1500555%03d6", i)
			for _, err := range []error{
				k.talked(service.AskedBy(t.Context(), key), agent, to, 61*time.Second-time.Millisecond, domain.EndFlow),
				k.talked(t.Context(), agent, to, 0, domain.EndBusy),
				k.talked(t.Context(), agent, to, time.Minute, domain.EndInterrupted), // our fault
			} {
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if left := k.credits(); left != 100*domain.Unit-many*610_000 {
		t.Errorf("%d credits are left", left)
	}
	calls, _, err := k.Calls(t.Context(), k.test, domain.CallFilter{}, domain.Page{Limit: 200})
	k.ok(err)
	for _, c := range calls {
		want, by := domain.Money(0), domain.ID("")
		if c.State == domain.CallCompleted {
			want, by = 610_000, key
		}
		if c.Cost != want || c.KeyID != by {
			t.Errorf("%s cost %d, by %q", c.EndReason, c.Cost, c.KeyID)
		}
	}
	for range 2 { // not folded, and folded
		for by, want := range map[domain.ID]domain.UsageCounts{
			"": {Calls: 3 * many, Seconds: 61 * many, Cost: 610_000 * many}, key: {Calls: many, Seconds: 61 * many, Cost: 610_000 * many},
		} {
			report, err := k.Usage(t.Context(), k.test, time.Time{}, time.Time{}, by, domain.Page{Limit: 50})
			k.ok(err)
			if len(report.Days) != 1 || report.Days[0].UsageCounts != want {
				t.Errorf("usage of %q: %+v, want %+v", by, report.Days, want)
			}
		}
		k.ok(k.FlushUses(t.Context()))
	}
}

// TestCreditsRunOut: calls are refused when credits are used up; those under way
// bring them below zero; those that wait for their turn are not dialed.
func TestCreditsRunOut(t *testing.T) {
	k := newKit(t)
	agent := k.agent(k.test)
	epoch := k.join()
	waiting := k.claimed(epoch, "+15005550016")[0]
	k.spend(new(domain.Unit), domain.Unit)
	k.ok(k.talked(t.Context(), agent, "+15005550006", 61*time.Second, domain.EndFlow))
	if left := k.credits(); left != -16_667 {
		t.Errorf("%d are left", left)
	}
	err := k.talked(t.Context(), agent, "+15005550006", time.Second, domain.EndFlow)
	k.code(err, domain.CodePayment)
	refused, err := k.CommitIntent(t.Context(), waiting)
	k.ok(err)
	if refused == nil || refused.End != domain.EndNoCredits {
		t.Errorf("a call without credits was let through: %+v", refused)
	}
	if call, attempt := k.states(waiting); call != domain.CallFailed || attempt != domain.AttemptEnded {
		t.Errorf("the call is %s, its attempt %s", call, attempt)
	}
	k.ok(k.store.View(t.Context(), func(ctx context.Context, s *domain.Stores) error {
		events, err := s.Events.ByCall(ctx, waiting.Call.ID)
		if len(events) != 1 || events[0].Type != domain.EventCallFailed {
			t.Errorf("events %+v", events)
		}
		return err
	}))
	k.spend(nil, domain.Unit)
	k.ok(k.talked(t.Context(), agent, "+15005550006", time.Second, domain.EndFlow))
	k.spend(new(domain.Money(1)), 0)
	k.ok(k.talked(t.Context(), agent, "+15005550006", time.Hour, domain.EndFlow))
	if left := k.credits(); left != 1 {
		t.Errorf("%d are left", left)
	}
}

// TestSettings: a workspace is changed by its own people, in live mode, to what
// makes sense, and at once.
func TestSettings(t *testing.T) {
	k := newKit(t)
	id := k.prod.Workspace
	_, secret, err := k.CreateKey(t.Context(), access.NewKey{Workspace: id, Name: "k"})
	k.ok(err)
	plan := func(want domain.Plan) {
		t.Helper()
		who, err := k.VerifyKey(t.Context(), secret, home)
		k.ok(err)
		if who.Workspace.Plan != want {
			t.Errorf("the key's plan is %s, want %s", who.Workspace.Plan, want)
		}
	}
	plan(domain.Professional)
	w, err := k.UpdateWorkspace(t.Context(), k.prod, id, service.WorkspaceChange{Plan: new(domain.Starter), Timezone: new("America/New_York"), IfVersion: 1})
	k.ok(err)
	if w.Version != 2 || w.Timezone != "America/New_York" || w.Credits != nil || w.UpdatedAt.IsZero() {
		t.Errorf("%+v", w)
	}
	plan(domain.Starter)
	credits := func(m domain.Money) service.Change[*domain.Money] { return new(&m) }
	for _, c := range []struct {
		in   domain.Scope
		id   domain.ID
		req  service.WorkspaceChange
		want domain.Code
	}{
		{k.test, id, service.WorkspaceChange{}, domain.CodeForbidden}, {k.prod, domain.NewID(), service.WorkspaceChange{}, domain.CodeNotFound},
		{k.prod, id, service.WorkspaceChange{IfVersion: 1}, domain.CodePrecondition}, {k.prod, id, service.WorkspaceChange{Name: new(" ")}, domain.CodeInvalid},
		{k.prod, id, service.WorkspaceChange{Plan: new(domain.Plan("gold"))}, domain.CodeInvalid}, {k.prod, id, service.WorkspaceChange{Timezone: new("")}, domain.CodeInvalid},
		{k.prod, id, service.WorkspaceChange{Timezone: new("Local")}, domain.CodeInvalid}, {k.prod, id, service.WorkspaceChange{PricePerMinute: new(domain.Money(-1))}, domain.CodeInvalid},
		{k.prod, id, service.WorkspaceChange{PricePerMinute: new(domain.MaxPrice + 1)}, domain.CodeInvalid},
		{k.prod, id, service.WorkspaceChange{Credits: credits(domain.MaxMoney + 1)}, domain.CodeInvalid}, {k.prod, id, service.WorkspaceChange{Credits: credits(-domain.MaxMoney - 1)}, domain.CodeInvalid},
	} {
		_, err := k.UpdateWorkspace(t.Context(), c.in, c.id, c.req)
		k.code(err, c.want)
	}
	_, err = k.Workspace(t.Context(), k.prod, domain.NewID())
	k.code(err, domain.CodeNotFound)
}

// TestPlanLimitsAtOnce: of many that create at once, exactly as many get in as the
// plan allows.
func TestPlanLimitsAtOnce(t *testing.T) {
	k := newKit(t)
	for what, c := range map[string]struct {
		limit  int
		create func(i int) error
	}{
		"agents": {25, func(i int) error {
			_, err := k.CreateAgent(t.Context(), k.prod, service.AgentChange{Name: new(fmt.Sprint(i)), SystemPrompt: new("p")}, nil)
			return err
		}},
		"webhooks": {5, func(i int) error {
			_, err := k.CreateEndpoint(t.Context(), k.prod, service.EndpointChange{URL: new(fmt.Sprintf("https://example.com/%d", i)), Events: &[]string{"*"}}, nil)
			return err
		}},
	} {
		var wg sync.WaitGroup
		var made, refused atomic.Int64
		for i := range 50 {
			wg.Go(func() {
				switch err := c.create(i); domain.CodeOf(err) {
				case "":
					made.Add(1)
				case domain.CodeLimitReached:
					refused.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if made.Load() != int64(c.limit) || refused.Load() != int64(50-c.limit) {
			t.Errorf("%d %s made and %d refused, want %d made", made.Load(), what, refused.Load(), c.limit)
		}
	}
}
