package storetest

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

func callOf(in domain.Scope, at time.Time) domain.Call {
	return domain.Call{
		ID: domain.NewID(), WorkspaceID: in.Workspace, Mode: in.Mode, Direction: domain.Outbound, State: domain.CallQueued,
		AgentID: domain.NewID(), To: "+15005550006", From: "+15005550100", Version: 1, CreatedAt: at,
	}
}

func (b *bench) createCalls(calls ...domain.Call) {
	b.Helper()
	b.write(func(ctx context.Context, s *domain.Stores) error {
		for i := range calls {
			if err := s.Calls.Create(ctx, &calls[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

func calls(_ *testing.T, b *bench) {
	in, others := scopes()
	at := clock()
	call := domain.Call{
		ID: domain.NewID(), WorkspaceID: in.Workspace, Mode: in.Mode, Direction: domain.Inbound, State: domain.CallInProgress,
		EndReason: domain.EndFlow, AgentID: domain.NewID(), FlowID: domain.NewID(), FlowVersion: 3, PhoneNumberID: domain.NewID(),
		CampaignID: domain.NewID(), ContactID: domain.NewID(), From: "+15005550100", To: "+15005550006", Record: true, MaxDuration: 90 * time.Second,
		Variables: map[string]any{"n": 1.25}, Captured: map[string]any{"ok": true}, Notes: []string{"voice missing"},
		Voice: "flite/kal", Model: "lexicon", Recording: "2026/01/x.wav", SIPCallID: "a@b", Version: 1, CreatedAt: at,
		Callback: &domain.Callback{URL: "https://x.example", Dialect: "trillet", Secret: "s"}, Extra: map[string]any{"kept": []any{"a"}},
		DialedAt: at.Add(1), RingingAt: at.Add(time.Microsecond), AnsweredAt: at.Add(time.Second), EndedAt: at.Add(time.Hour),
	}
	b.createCalls(call)
	call.DialedAt = at // nanoseconds are not kept
	b.wantCode(b.try(func(ctx context.Context, s *domain.Stores) error { return s.Calls.Create(ctx, &call) }),
		domain.CodeConflict, string(call.ID))
	b.read(func(ctx context.Context, s *domain.Stores) error {
		got, err := s.Calls.ByID(ctx, call.ID)
		if err != nil {
			return err
		}
		b.same(*got.Callback, *call.Callback)
		got.Callback = call.Callback
		b.same(*got, call)
		many, err := s.Calls.ByIDs(ctx, []domain.ID{domain.NewID(), call.ID, call.ID})
		if err != nil {
			return err
		}
		for i := range many {
			b.same(many[i].Callback.Secret, call.Callback.Secret)
			many[i].Callback = call.Callback
		}
		b.same(many, []domain.Call{call})
		for _, other := range others {
			_, err := s.Calls.Get(ctx, other, call.ID)
			b.wantCode(err, domain.CodeNotFound, "Call with id "+string(call.ID)+" not found")
			list, total, err := s.Calls.List(ctx, other, domain.CallFilter{}, domain.Page{})
			if err != nil {
				return err
			}
			b.same(len(list)+total, 0)
		}
		n, err := s.Calls.Active(ctx, in, 0)
		b.same(n, 1)
		return err
	})
}

func callsList(_ *testing.T, b *bench) {
	in, others := scopes()
	at := clock().Add(-time.Hour)
	made := make([]domain.Call, 12)
	agent, campaign, flow := domain.NewID(), domain.NewID(), domain.NewID()
	states := []domain.CallState{domain.CallQueued, domain.CallRinging, domain.CallCompleted}
	for i := range made {
		made[i] = callOf(in, at.Add(time.Duration(i/2)*time.Minute)) // two of each time
		made[i].State = states[i%3]
		if i%4 == 0 {
			made[i].AgentID, made[i].To, made[i].Direction = agent, "+15005550001", domain.Inbound
		}
		if i >= 10 {
			made[i].CampaignID = campaign
		}
		if i%5 == 0 {
			made[i].FlowID = flow
		}
	}
	b.createCalls(made...)
	b.createCalls(callOf(others[0], at), callOf(others[1], at))
	for name, c := range map[string]struct {
		filter domain.CallFilter
		page   domain.Page
		want   []int
		total  int
	}{
		"all":       {want: []int{11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0}, total: 12},
		"page":      {page: domain.Page{Limit: 3, Offset: 2}, want: []int{9, 8, 7}, total: 12},
		"beyond":    {page: domain.Page{Limit: 3, Offset: 12}, total: 12},
		"cursor":    {page: domain.Page{Limit: 3, After: made[8].ID}, want: []int{7, 6, 5}, total: 12},
		"state":     {filter: domain.CallFilter{States: states[1:2]}, page: domain.Page{Limit: 2}, want: []int{10, 7}, total: 4},
		"states":    {filter: domain.CallFilter{States: states[:2]}, page: domain.Page{Limit: 3}, want: []int{10, 9, 7}, total: 8},
		"agent":     {filter: domain.CallFilter{AgentID: agent}, want: []int{8, 4, 0}, total: 3},
		"campaign":  {filter: domain.CallFilter{CampaignID: campaign}, want: []int{11, 10}, total: 2},
		"flow":      {filter: domain.CallFilter{FlowID: flow}, page: domain.Page{Limit: 2}, want: []int{10, 5}, total: 3},
		"these":     {filter: domain.CallFilter{IDs: []domain.ID{made[3].ID, campaign, made[7].ID}}, want: []int{7, 3}, total: 2},
		"agents":    {filter: domain.CallFilter{Agents: []domain.ID{agent, campaign}}, want: []int{8, 4, 0}, total: 3},
		"callee":    {filter: domain.CallFilter{To: "+15005550001"}, page: domain.Page{After: made[8].ID}, want: []int{4, 0}, total: 3},
		"direction": {filter: domain.CallFilter{Direction: domain.Inbound}, want: []int{8, 4, 0}, total: 3},
		"nobody":    {filter: domain.CallFilter{AgentID: campaign}},
		"dates": {
			filter: domain.CallFilter{CreatedMin: made[2].CreatedAt, CreatedMax: made[4].CreatedAt},
			want:   []int{3, 2}, total: 2,
		},
		"together": {
			filter: domain.CallFilter{AgentID: agent, States: states[:1], CreatedMin: at, Direction: domain.Inbound},
			want:   []int{0}, total: 1,
		},
	} {
		b.read(func(ctx context.Context, s *domain.Stores) error {
			got, total, err := s.Calls.List(ctx, in, c.filter, c.page)
			if err != nil {
				return err
			}
			var have, want []domain.ID
			for i := range got {
				have = append(have, got[i].ID)
			}
			for _, i := range c.want {
				want = append(want, made[i].ID)
			}
			b.Log(name)
			b.same(have, want)
			b.same(total, c.total)
			return nil
		})
	}
}

func callsUpdate(_ *testing.T, b *bench) {
	in, _ := scopes()
	call := callOf(in, clock())
	b.createCalls(call)
	change := func(fn func(c *domain.Call)) error {
		return b.try(func(ctx context.Context, s *domain.Stores) error {
			c, err := s.Calls.ByID(ctx, call.ID)
			if err != nil {
				return err
			}
			fn(c)
			before := c.Version
			if err := s.Calls.Update(ctx, c); err != nil {
				return err
			}
			b.same(c.Version, before+1)
			return nil
		})
	}
	must := func(fn func(c *domain.Call)) {
		b.Helper()
		if err := change(fn); err != nil {
			b.Fatal(err)
		}
	}
	must(func(c *domain.Call) { c.State, c.DialedAt = domain.CallDialing, clock() })
	must(func(c *domain.Call) { c.State, c.EndReason = domain.CallCompleted, domain.EndFlow })
	must(func(c *domain.Call) {
		c.Analysis = &domain.Analysis{Summary: "s", Sentiment: "positive", Method: "lexicon"}
	})
	// Arithmetic of a flow may overflow; the call must be storable all the same.
	must(func(c *domain.Call) { c.Captured = map[string]any{"odd": math.Inf(1), "fine": 1.5} })
	b.wantCode(change(func(c *domain.Call) { c.State = domain.CallInProgress }), domain.CodeConflict, "already ended as completed")
	b.wantCode(change(func(c *domain.Call) { c.State = domain.CallFailed }), domain.CodeConflict, "already ended as completed")
	b.read(func(ctx context.Context, s *domain.Stores) error {
		got, err := s.Calls.Get(ctx, in, call.ID)
		if err != nil {
			return err
		}
		b.same([]any{got.State, got.Version, *got.Analysis, got.Captured},
			[]any{domain.CallCompleted, int64(5), domain.Analysis{Summary: "s", Sentiment: "positive", Method: "lexicon"},
				map[string]any{"odd": "+Inf", "fine": 1.5}})
		n, err := s.Calls.Active(ctx, in, 0)
		b.same(n, 0)
		return err
	})
}

// callsWhatDiffers writes a call that the transaction has read, and one that it
// has not: all of either is stored, also what was changed in place, changed back,
// or changed by somebody else in between.
func callsWhatDiffers(_ *testing.T, b *bench) {
	in, _ := scopes()
	call := callOf(in, clock())
	call.Variables, call.Captured, call.Notes = map[string]any{"a": "b", "deep": map[string]any{"x": 1.0}}, map[string]any{}, []string{"first"}
	call.Callback = &domain.Callback{URL: "https://example.com/a", Dialect: "native", Secret: "whsec_QUJD"}
	b.createCalls(call)
	stored := func() (got *domain.Call) {
		b.Helper()
		b.read(func(ctx context.Context, s *domain.Stores) (err error) {
			got, err = s.Calls.ByID(ctx, call.ID)
			return err
		})
		return got
	}
	var last *domain.Call
	// steps updates the call after each of fns, all in one transaction.
	steps := func(fns ...func(c *domain.Call)) {
		b.Helper()
		b.write(func(ctx context.Context, s *domain.Stores) error {
			c, err := s.Calls.ByID(ctx, call.ID)
			for _, fn := range fns {
				if err == nil {
					fn(c)
					err = s.Calls.Update(ctx, c)
				}
			}
			last = c
			return err
		})
		b.same(stored(), last)
	}
	steps(func(*domain.Call) {})
	b.same(stored().Version, call.Version+1)
	steps(func(c *domain.Call) { c.Variables["a"], c.Variables["deep"].(map[string]any)["x"] = "c", 2.0 })
	steps(func(c *domain.Call) { c.Notes[0] = "changed" }, func(c *domain.Call) { c.Notes = append(c.Notes, "more") }, func(c *domain.Call) { c.Notes[0] = "first" })
	steps(func(c *domain.Call) { c.AnsweredAt, c.Voice, c.Cost = clock(), "flite/kal", 7 }, func(c *domain.Call) { c.AnsweredAt, c.Voice, c.Cost = time.Time{}, "", 0 })
	steps(func(c *domain.Call) { c.Callback.URL = "https://example.com/b" }, func(c *domain.Call) { c.Callback = nil })
	b.write(func(ctx context.Context, s *domain.Stores) error { // nothing was read
		again := *last
		again.Model, again.Captured = "rules", map[string]any{"n": 1.0}
		last = &again
		return s.Calls.Update(ctx, last)
	})
	b.same(stored(), last)
	b.write(func(ctx context.Context, s *domain.Stores) error { // the other one is stored
		fresh, err := s.Calls.ByID(ctx, call.ID)
		if err != nil {
			return err
		}
		fresh.Model = "changed"
		other := *last
		last = &other
		if err := s.Calls.Update(ctx, fresh); err != nil {
			return err
		}
		return s.Calls.Update(ctx, last)
	})
	b.same(stored(), last)
}

func attemptOf(in domain.Scope, number string, at time.Time) domain.Attempt {
	return domain.Attempt{
		ID: domain.NewID(), WorkspaceID: in.Workspace, Mode: in.Mode, CallID: domain.NewID(), Number: number,
		TrunkID: domain.NewID(), TryNumber: 1, State: domain.AttemptPlanned, NextAt: at, CreatedAt: at,
	}
}

func (b *bench) createAttempts(attempts ...domain.Attempt) {
	b.Helper()
	b.write(func(ctx context.Context, s *domain.Stores) error {
		for i := range attempts {
			if err := s.Attempts.Create(ctx, &attempts[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

func (b *bench) claimAttempts(epoch domain.ID, now time.Time, limit int) (got []domain.Attempt, next time.Time) {
	b.Helper()
	b.write(func(ctx context.Context, s *domain.Stores) (err error) {
		got, next, err = s.Attempts.Claim(ctx, epoch, now, 15*time.Second, limit)
		return err
	})
	return got, next
}

func attemptsClaim(_ *testing.T, b *bench) {
	in, _ := scopes()
	now, one, two := clock(), domain.NewID(), domain.NewID()
	first, second := attemptOf(in, "+15005550001", now.Add(-time.Second)), attemptOf(in, "+15005550002", now)
	b.createAttempts(second, first)

	got, next := b.claimAttempts(one, now, 1)
	want := first
	want.State, want.Claim, want.Epoch, want.LeaseUntil = domain.AttemptClaimed, 1, one, now.Add(15*time.Second)
	b.same(got, []domain.Attempt{want})
	b.same(next, now)
	got, next = b.claimAttempts(one, now, 9)
	b.same(len(got), 1)
	b.same(next, now.Add(15*time.Second)) // when the first lease runs out

	mine := want
	taken, _ := b.claimAttempts(two, now.Add(15*time.Second), 9)
	b.same(len(taken), 2)
	b.same([]any{taken[0].Claim, taken[0].Epoch}, []any{int64(2), two})
	mine.State = domain.AttemptIntent
	b.wantCode(b.try(func(ctx context.Context, s *domain.Stores) error { return s.Attempts.Update(ctx, &mine) }),
		domain.CodeConflict, "claimed again (claim 2, not 1)")

	theirs := taken[0]
	theirs.State, theirs.SIPCallID, theirs.Dialog = domain.AttemptAnswered, "x@y", []byte{0, 1}
	b.write(func(ctx context.Context, s *domain.Stores) error { return s.Attempts.Update(ctx, &theirs) })
	taken[1].State, taken[1].EndReason, taken[1].EndedAt = domain.AttemptEnded, domain.EndBusy, now
	b.write(func(ctx context.Context, s *domain.Stores) error { return s.Attempts.Update(ctx, &taken[1]) })
	got, next = b.claimAttempts(one, now.Add(time.Hour), 9) // nothing returns from intent
	b.same(len(got), 0)
	b.same(next, time.Time{})
	b.read(func(ctx context.Context, s *domain.Stores) error {
		list, err := s.Attempts.ByCall(ctx, theirs.CallID)
		b.same(list, []domain.Attempt{theirs})
		return err
	})
}

func attemptsOneLive(_ *testing.T, b *bench) {
	in, others := scopes()
	now, number := clock(), "+15005550006"
	live := attemptOf(in, number, now)
	live.State = domain.AttemptIntent
	waiting := attemptOf(in, number, now)
	waiting.TrunkID = live.TrunkID
	b.createAttempts(live, waiting)
	for _, other := range others { // another workspace's call does not count
		elsewhere := attemptOf(other, number, now)
		elsewhere.State = domain.AttemptAnswered
		b.createAttempts(elsewhere)
	}
	for _, state := range []domain.AttemptState{domain.AttemptIntent, domain.AttemptRinging, domain.AttemptAnswered} {
		b.wantCode(b.try(func(ctx context.Context, s *domain.Stores) error {
			second := waiting
			second.State = state
			if n, err := s.Attempts.LiveTo(ctx, in, number); n != 1 || err != nil {
				b.Errorf("%d live attempts to the number, %v; want 1", n, err)
			}
			return s.Attempts.Update(ctx, &second)
		}), domain.CodeConflict, "already a live call to "+number)
	}
	again := attemptOf(in, number, now)
	again.CallID = waiting.CallID
	b.wantCode(b.try(func(ctx context.Context, s *domain.Stores) error {
		a := again
		a.Number = "+15005550009"
		return s.Attempts.Create(ctx, &a)
	}), domain.CodeConflict, "already has a try number 1")
	for _, kind := range []domain.AttemptKind{domain.AttemptIncoming, domain.AttemptTransfer} {
		beside := attemptOf(in, number, now) // calls that were not placed do not count
		beside.Kind, beside.State, beside.TrunkID = kind, domain.AttemptAnswered, live.TrunkID
		b.createAttempts(beside)
		b.read(func(ctx context.Context, s *domain.Stores) error {
			got, err := s.Attempts.Get(ctx, beside.ID)
			b.same(*got, beside)
			return err
		})
	}
	b.read(func(ctx context.Context, s *domain.Stores) error {
		to, err := s.Attempts.LiveTo(ctx, in, number)
		b.same(to, 1)
		return err
	})
	live.State = domain.AttemptEnded
	waiting.State = domain.AttemptRinging
	b.write(func(ctx context.Context, s *domain.Stores) error {
		a, w := live, waiting
		if err := s.Attempts.Update(ctx, &a); err != nil {
			return err
		}
		return s.Attempts.Update(ctx, &w)
	})
	b.read(func(ctx context.Context, s *domain.Stores) error {
		n, err := s.Attempts.LiveOn(ctx, live.TrunkID, 0)
		b.same(n, 3) // of every kind
		return err
	})
}

func attemptsOrphans(_ *testing.T, b *bench) {
	in, _ := scopes()
	dead, alive := domain.NewID(), domain.NewID()
	node := domain.Node{Epoch: domain.NewID()}
	b.write(func(ctx context.Context, s *domain.Stores) error { return s.Nodes.Join(ctx, &node) })
	var want []domain.ID
	for i, state := range []domain.AttemptState{
		domain.AttemptPlanned, domain.AttemptClaimed, domain.AttemptIntent,
		domain.AttemptRinging, domain.AttemptAnswered, domain.AttemptEnded,
	} {
		for _, epoch := range []domain.ID{dead, alive, node.Epoch} {
			a := attemptOf(in, "+1500555"+string(epoch[20:])+string(rune('0'+i)), clock())
			a.State, a.Epoch = state, epoch
			b.createAttempts(a)
			if epoch == dead && state != domain.AttemptPlanned && state != domain.AttemptEnded {
				want = append(want, a.ID)
			}
		}
	}
	b.read(func(ctx context.Context, s *domain.Stores) error {
		for _, limit := range []int{3, 100} {
			got, err := s.Attempts.Orphans(ctx, alive, limit)
			if err != nil {
				return err
			}
			var ids []domain.ID
			for i := range got {
				ids = append(ids, got[i].ID)
			}
			b.same(ids, want[:min(limit, len(want))])
		}
		return nil
	})
}

func nodesInterrupted(_ *testing.T, b *bench) {
	in, _ := scopes()
	now := clock()
	var ids []domain.ID
	for i, reason := range []domain.EndReason{
		domain.EndInterrupted, domain.EndBusy, domain.EndInterrupted, domain.EndInterrupted,
	} {
		a := attemptOf(in, "+1500555012"+string(rune('0'+i)), now)
		a.State, a.EndReason, a.EndedAt = domain.AttemptEnded, reason, now.Add(time.Duration(i)*time.Minute)
		a.SIPCallID, a.Dialog = "left@x", []byte("how to end it")
		b.createAttempts(a)
		ids = append(ids, a.ID)
	}
	for _, c := range []struct {
		since time.Time
		limit int
		want  []domain.ID
	}{
		{now.Add(-time.Minute), 9, []domain.ID{ids[3], ids[2], ids[0]}},
		{now.Add(-time.Minute), 2, []domain.ID{ids[3], ids[2]}},
		{now, 9, []domain.ID{ids[3], ids[2]}}, // later than, not at
		{now.Add(time.Hour), 9, nil},
	} {
		b.read(func(ctx context.Context, s *domain.Stores) error {
			got, err := s.Nodes.Interrupted(ctx, c.since, c.limit)
			var found []domain.ID
			for _, a := range got {
				found = append(found, a.ID)
				b.same([]any{a.SIPCallID, string(a.Dialog)}, []any{"left@x", "how to end it"})
			}
			b.same(found, c.want)
			return err
		})
	}
}

func turns(_ *testing.T, b *bench) {
	call := domain.NewID()
	said := []domain.Turn{
		{CallID: call, Sequence: 1, Role: domain.RoleAgent, Text: "Grüß Gott", EndMs: 900, Interrupted: true, NodeID: "a"},
		{CallID: call, Sequence: 2, Role: domain.RoleCaller, Text: "", StartMs: 1000, EndMs: 2000, Note: "n", NodeID: "b"},
		{CallID: call, Sequence: 10, Role: domain.RoleAgent, Text: "bye", StartMs: math.MaxInt32 * 2,
			Latency: &domain.TurnLatency{EotAt: math.MaxInt32 * 2, Endpoint: 500, STT: 1, FirstRTP: 80, Own: 12, Fillers: 1}},
	}
	b.write(func(ctx context.Context, s *domain.Stores) error { return s.Turns.Append(ctx, said[1], said[2]) })
	b.write(func(ctx context.Context, s *domain.Stores) error { return s.Turns.Append(ctx, said[0]) })
	b.wantCode(b.try(func(ctx context.Context, s *domain.Stores) error { return s.Turns.Append(ctx, said[1]) }),
		domain.CodeConflict, "already has a turn 2")
	b.read(func(ctx context.Context, s *domain.Stores) error {
		got, err := s.Turns.ByCall(ctx, call)
		if n := len(got) - 1; n >= 0 && got[n].Latency != nil { // compared by what it points to
			b.same(*got[n].Latency, *said[2].Latency)
			got[n].Latency = said[2].Latency
		}
		b.same(got, said)
		return err
	})
}

func nodes(_ *testing.T, b *bench) {
	before := clock()
	node := domain.Node{Epoch: domain.NewID(), Address: "http://10.0.0.1:8080"}
	join := func(n *domain.Node) {
		b.write(func(ctx context.Context, s *domain.Stores) error {
			*n = domain.Node{Epoch: n.Epoch, Address: n.Address}
			return s.Nodes.Join(ctx, n)
		})
	}
	join(&node)
	if node.StartedAt.Sub(before).Abs() > time.Minute || !node.BeatAt.Equal(node.StartedAt) {
		b.Fatalf("the node that joined at %v is %+v", before, node)
	}
	list := func() (all []domain.Node) {
		b.read(func(ctx context.Context, s *domain.Stores) (err error) {
			all, err = s.Nodes.List(ctx)
			return err
		})
		return all
	}
	b.same(list(), []domain.Node{node})
	b.write(func(ctx context.Context, s *domain.Stores) error { return s.Nodes.Beat(ctx, node.Epoch) })
	beaten := list()[0]
	if !beaten.BeatAt.After(node.BeatAt) || !beaten.StartedAt.Equal(node.StartedAt) {
		b.Fatalf("after a beat %+v is %+v", node, beaten)
	}
	second := domain.Node{Epoch: domain.NewID()}
	join(&second)
	hold := func(epoch domain.ID, lease time.Duration) error {
		return b.try(func(ctx context.Context, s *domain.Stores) error { return s.Nodes.Hold(ctx, epoch, lease) })
	}
	expire := func(lease time.Duration) (dead []domain.ID) {
		b.write(func(ctx context.Context, s *domain.Stores) (err error) {
			dead, err = s.Nodes.Expire(ctx, lease)
			return err
		})
		return dead
	}
	b.same([]any{hold(node.Epoch, time.Minute), hold(second.Epoch, time.Minute), expire(time.Minute)}, []any{nil, nil, []domain.ID(nil)})
	lease := 300 * time.Millisecond
	time.Sleep(lease + 50*time.Millisecond)
	b.wantCode(hold(node.Epoch, lease), domain.CodeConflict, string(node.Epoch))
	b.write(func(ctx context.Context, s *domain.Stores) error { return s.Nodes.Beat(ctx, node.Epoch) })
	b.same(expire(lease), []domain.ID{second.Epoch})
	b.wantCode(hold(second.Epoch, time.Hour), domain.CodeConflict, string(second.Epoch))
	for range 2 {
		b.write(func(ctx context.Context, s *domain.Stores) error { return s.Nodes.Leave(ctx, node.Epoch) })
	}
	b.wantCode(b.try(func(ctx context.Context, s *domain.Stores) error { return s.Nodes.Beat(ctx, node.Epoch) }),
		domain.CodeNotFound, string(node.Epoch))
	b.same(len(list()), 0)
}
