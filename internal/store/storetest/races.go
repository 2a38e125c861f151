package storetest

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// countsHold proves that of many who count before they add, no more get in than
// there is room for.
func countsHold(_ *testing.T, b *bench) {
	in, _ := scopes()
	const room, many = 5, 40
	trunk := domain.NewID()
	full := domain.Errorf(domain.CodeLimitReached, "full")
	counts := map[string]func(ctx context.Context, s *domain.Stores, i int) error{
		"agents": func(ctx context.Context, s *domain.Stores, _ int) error {
			n, err := s.Agents.Count(ctx, in)
			if err != nil || n >= room {
				return first(err, full)
			}
			a := agentOf(in)
			return s.Agents.Create(ctx, &a)
		},
		"calls": func(ctx context.Context, s *domain.Stores, _ int) error {
			n, err := s.Calls.Active(ctx, in, room)
			if err != nil || n >= room {
				return first(err, full)
			}
			c := callOf(in, clock())
			c.State = domain.CallDialing
			return s.Calls.Create(ctx, &c)
		},
		"attempts over a trunk": func(ctx context.Context, s *domain.Stores, i int) error {
			n, err := s.Attempts.LiveOn(ctx, trunk, room)
			if err != nil || n >= room {
				return first(err, full)
			}
			a := attemptOf(in, fmt.Sprintf("+1500555%04d", i), clock())
			a.TrunkID, a.State = trunk, domain.AttemptIntent
			return s.Attempts.Create(ctx, &a)
		},
		"dials of a number": func(ctx context.Context, s *domain.Stores, _ int) error {
			const number, since = "+15005559999", -time.Hour
			if _, err := s.Attempts.LiveTo(ctx, in, number); err != nil {
				return err
			}
			tried, err := s.Tries.Tried(ctx, in, number, clock().Add(since))
			if err != nil || len(tried) >= room {
				return first(err, full)
			}
			a := attemptOf(in, number, clock())
			a.State, a.DialedAt, a.EndedAt, a.Basis = domain.AttemptEnded, clock(), clock(), "rules"
			return s.Attempts.Create(ctx, &a)
		},
	}
	for what, add := range counts {
		var wg sync.WaitGroup
		var got atomic.Int64
		for i := range many {
			wg.Go(func() {
				err := b.try(func(ctx context.Context, s *domain.Stores) error { return add(ctx, s, i) })
				switch domain.CodeOf(err) {
				case "":
					got.Add(1)
				case domain.CodeLimitReached:
				default:
					b.Error(err)
				}
			})
		}
		wg.Wait()
		if n := got.Load(); n != room {
			b.Errorf("%s: %d got in where there is room for %d", what, n, room)
		}
	}
}

// crowdsCount proves the same where there is room for so many that they need not
// be counted one by one until it becomes scarce; and that all of it is used.
func crowdsCount(_ *testing.T, b *bench) {
	const room, others = 360, 16
	trunk := domain.NewID()
	in, _ := scopes()
	var wg sync.WaitGroup
	var next, got atomic.Int64
	add := func(ctx context.Context, s *domain.Stores) error {
		n, err := s.Attempts.LiveOn(ctx, trunk, room)
		if err != nil || n >= room {
			return first(err, domain.Errorf(domain.CodeLimitReached, "full"))
		}
		a := attemptOf(in, fmt.Sprintf("+1500555%05d", next.Add(1)), clock())
		a.TrunkID, a.State = trunk, domain.AttemptIntent
		return s.Attempts.Create(ctx, &a)
	}
	for range others {
		wg.Go(func() {
			for full := 0; full < 3; {
				switch err := b.try(add); domain.CodeOf(err) {
				case "":
					got.Add(1)
				case domain.CodeLimitReached:
					full++
				default:
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	if n := got.Load(); n != room {
		b.Errorf("%d got in where there is room for %d", n, room)
	}
}

// agentOf makes a small agent.
func agentOf(in domain.Scope) domain.Agent {
	return domain.Agent{ID: domain.NewID(), WorkspaceID: in.Workspace, Mode: in.Mode, Name: "Ava", Version: 1, CreatedAt: clock(), UpdatedAt: clock()}
}

func first(err error, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

// readRowsHold proves that no change of a row gets lost between those who read
// it and then write it.
func readRowsHold(_ *testing.T, b *bench) {
	in, _ := scopes()
	call, attempt := callOf(in, clock()), attemptOf(in, "+15005550006", clock())
	call.Notes, call.State = nil, domain.CallDialing
	agent := agentOf(in)
	b.createAttempts(attempt)
	b.write(func(ctx context.Context, s *domain.Stores) error {
		c, a := call, agent
		if err := s.Calls.Create(ctx, &c); err != nil {
			return err
		}
		return s.Agents.Create(ctx, &a)
	})
	const many = 24
	var wg sync.WaitGroup
	for i := range many {
		wg.Go(func() {
			err := b.try(func(ctx context.Context, s *domain.Stores) error {
				c, err := s.Calls.ByID(ctx, call.ID)
				if err != nil {
					return err
				}
				c.Notes = append(c.Notes, fmt.Sprint(i))
				if err := s.Calls.Update(ctx, c); err != nil {
					return err
				}
				a, err := s.Attempts.Get(ctx, attempt.ID)
				if err != nil {
					return err
				}
				a.SIPCallID += "x"
				return s.Attempts.Update(ctx, a)
			})
			if err != nil {
				b.Error(err)
			}
		})
	}
	wg.Wait()
	b.read(func(ctx context.Context, s *domain.Stores) error {
		c, err := s.Calls.ByID(ctx, call.ID)
		if err != nil {
			return err
		}
		a, err := s.Attempts.Get(ctx, attempt.ID)
		if err != nil {
			return err
		}
		b.same([]int{len(c.Notes), len(a.SIPCallID)}, []int{many, many})
		return nil
	})
}

// meanwhile runs first up to its call of wait, then second, and goes on with
// first when second has ended or is kept waiting. Each is one transaction.
func (b *bench) meanwhile(first func(ctx context.Context, s *domain.Stores, wait func()) error,
	second func(ctx context.Context, s *domain.Stores) error) (one, two error) {
	plain, reached, over := b.store, make(chan struct{}), make(chan struct{})
	if t, ok := plain.(twice); ok {
		plain = t.Store // no rehearsals here
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		var once sync.Once
		one = plain.InTx(b.Context(), domain.LaneAPI, func(ctx context.Context, s *domain.Stores) error {
			return first(ctx, s, func() {
				once.Do(func() { close(reached) })
				select {
				case <-over:
				case <-time.After(300 * time.Millisecond):
				}
			})
		})
	})
	wg.Go(func() {
		defer close(over)
		<-reached
		two = plain.InTx(b.Context(), domain.LaneAPI, second)
	})
	wg.Wait()
	return one, two
}

// relyOrGone proves that nothing refers to an object that was deleted while it
// was made.
func relyOrGone(_ *testing.T, b *bench) {
	in, _ := scopes()
	agent := agentOf(in)
	b.write(func(ctx context.Context, s *domain.Stores) error {
		a := agent
		return s.Agents.Create(ctx, &a)
	})
	number := numberOf(in, domain.NewID(), clock(), 0)
	number.AgentID = agent.ID
	created, deleted := b.meanwhile(
		func(ctx context.Context, s *domain.Stores, wait func()) error {
			if _, err := s.Agents.Get(ctx, in, agent.ID); err != nil {
				return err
			}
			wait()
			n := number
			return s.Numbers.Create(ctx, &n)
		},
		func(ctx context.Context, s *domain.Stores) error {
			if err := s.Agents.Delete(ctx, in, agent.ID); err != nil {
				return err
			}
			_, err := s.Numbers.Get(ctx, in, number.ID)
			if err == nil {
				return domain.Errorf(domain.CodeConflict, "in use")
			}
			return nil // it is not there
		})
	if created != nil || domain.CodeOf(deleted) != domain.CodeConflict {
		b.Errorf("the number was created (%v) and its agent deleted (%v)", created, deleted)
	}
}

// heldNodeStays proves that a node is not taken for dead while it commits what
// it will hold.
func heldNodeStays(_ *testing.T, b *bench) {
	in, _ := scopes()
	node := domain.Node{Epoch: domain.NewID()}
	b.write(func(ctx context.Context, s *domain.Stores) error { return s.Nodes.Join(ctx, &node) })
	attempt := attemptOf(in, "+15005550006", clock())
	attempt.State, attempt.Epoch = domain.AttemptIntent, node.Epoch
	var orphans []domain.Attempt
	intent, expired := b.meanwhile(
		func(ctx context.Context, s *domain.Stores, wait func()) error {
			if err := s.Nodes.Hold(ctx, node.Epoch, time.Minute); err != nil {
				return err
			}
			wait()
			a := attempt
			return s.Attempts.Create(ctx, &a)
		},
		func(ctx context.Context, s *domain.Stores) error {
			_, err := s.Nodes.Expire(ctx, 0)
			if err == nil {
				orphans, err = s.Attempts.Orphans(ctx, domain.NewID(), 9)
			}
			return err
		})
	if intent != nil || expired != nil || len(orphans) != 1 {
		b.Errorf("an intent (%v) of a node that expired (%v) left %d orphans, want 1", intent, expired, len(orphans))
	}
}
