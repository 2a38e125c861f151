package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// agentUse follows what the calls of agents add up to through a call's life.
func agentUse(_ *testing.T, b *bench) {
	in, others := scopes()
	at := clock()
	busy, idle, never := domain.NewID(), domain.NewID(), domain.NewID()
	var all []domain.Call
	for i := range 40 { // every last digit of an id
		call := callOf(in, at)
		call.AgentID = busy
		if i%4 == 0 {
			call.State, call.AnsweredAt, call.EndedAt = domain.CallCompleted, at, at.Add(time.Second)
		}
		all = append(all, call)
	}
	quiet := callOf(in, at)
	quiet.AgentID = idle
	nobodys, foreign := callOf(in, at), callOf(others[0], at)
	nobodys.AgentID, foreign.AgentID = "", busy
	b.createCalls(append(all, quiet, nobodys, foreign)...)
	use := func(in domain.Scope) map[domain.ID]domain.AgentUse {
		b.Helper()
		var got map[domain.ID]domain.AgentUse
		b.read(func(ctx context.Context, s *domain.Stores) (err error) {
			got, err = s.Agents.Use(ctx, in, []domain.ID{busy, idle, never})
			return err
		})
		return got
	}
	b.same(use(in), map[domain.ID]domain.AgentUse{busy: {Calls: 40, Talked: 10 * time.Second}, idle: {Calls: 1}})
	b.same(use(others[0]), map[domain.ID]domain.AgentUse{busy: {Calls: 1}})
	b.same(use(others[1]), map[domain.ID]domain.AgentUse{})
	b.write(func(ctx context.Context, s *domain.Stores) error {
		for _, id := range []domain.ID{all[1].ID, all[2].ID, quiet.ID} {
			c, err := s.Calls.ByID(ctx, id)
			if err != nil {
				return err
			}
			c.State, c.AnsweredAt = domain.CallInProgress, at
			if err := s.Calls.Update(ctx, c); err != nil {
				return err
			}
			c.State, c.EndedAt = domain.CallCompleted, at.Add(1500*time.Millisecond)
			if err := s.Calls.Update(ctx, c); err != nil {
				return err
			}
			c.Analysis = &domain.Analysis{Summary: "s"} // tells no more of the time
			if err := s.Calls.Update(ctx, c); err != nil {
				return err
			}
		}
		failed, err := s.Calls.ByID(ctx, all[3].ID)
		if err != nil {
			return err
		}
		failed.State, failed.EndedAt = domain.CallFailed, at.Add(time.Hour) // never answered
		return s.Calls.Update(ctx, failed)
	})
	b.same(use(in), map[domain.ID]domain.AgentUse{
		busy: {Calls: 40, Talked: 13 * time.Second}, idle: {Calls: 1, Talked: 1500 * time.Millisecond},
	})
}
