package service

import (
	"context"
	"slices"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// Step is one thing that happened in a call: it came into a state, or somebody
// spoke.
type Step struct {
	Seen  Seen             // what is known after it
	State domain.CallState // "" for a turn
	At    time.Time        // of State
	Turn  *domain.Turn
}

// Seen says how much of a call somebody has been told. The zero Seen is nothing.
type Seen struct {
	States int // how far in the order of states: 5 is its end
	Turns  int // the last turn's sequence
}

// Ended reports whether there is nothing more to tell.
func (s Seen) Ended() bool { return s.States >= lastState }

// lastState is the place of the final states in the order.
const lastState = 5

// Steps returns what happened in a call beyond seen, in order: states that were
// passed too fast to be seen among them.
func Steps(c *CallDetail, seen Seen) []Step {
	var steps []Step
	into := func(place int, state domain.CallState, at time.Time) {
		if seen.States >= place || at.IsZero() {
			return
		}
		seen.States = place
		steps = append(steps, Step{Seen: seen, State: state, At: at})
	}
	into(1, domain.CallQueued, c.CreatedAt)
	into(2, domain.CallDialing, c.DialedAt)
	into(3, domain.CallRinging, c.RingingAt)
	into(4, domain.CallInProgress, c.AnsweredAt)
	for i := range c.Turns {
		if t := &c.Turns[i]; t.Sequence > seen.Turns {
			seen.Turns = t.Sequence
			steps = append(steps, Step{Seen: seen, Turn: t})
		}
	}
	if c.State.Ended() {
		into(lastState, c.State, c.EndedAt)
	}
	return slices.Clip(steps)
}

// How often a call that somebody watches is looked at: soon while things happen
// in it, less often while it waits.
const (
	watchSoon   = 250 * time.Millisecond
	watchSlowly = time.Second
	watchCalm   = 30 * time.Second // without a step, until it is looked at less often
)

// StopWatches ends WatchCall and WatchCampaign for all who watch, and for all who
// come: the process stops, and they go on at another.
func (s *Service) StopWatches() { s.watchers.Stop() }

// WatchCall tells what happens in a call beyond seen, as it happens, until the
// call is over or ctx is done; whichever process carries it. It begins with
// what has happened already. tell gets the call as it is after its steps, of
// which there may be none: then it may show that it is still there. An error of
// tell ends it. Too many watchers are CodeUnavailable, and so is a process that
// stops.
func (s *Service) WatchCall(ctx context.Context, in domain.Scope, id domain.ID, seen Seen,
	tell func(c *CallDetail, steps []Step) error) error {
	c, err := s.Call(ctx, in, id)
	if err != nil {
		return err
	}
	if err := s.watchers.Enter(in.Workspace); err != nil {
		return err
	}
	defer s.watchers.Leave(in.Workspace)
	stepped := s.Now()
	for {
		var steps []Step
		if c != nil {
			if steps = Steps(c, seen); len(steps) > 0 {
				seen, stepped = steps[len(steps)-1].Seen, s.Now()
			}
		}
		if err := tell(c, steps); err != nil || seen.Ended() {
			return err
		}
		pause := watchSoon
		if s.Now().Sub(stepped) > watchCalm && (c == nil || c.State != domain.CallInProgress) {
			pause = watchSlowly
		}
		if err := s.watchers.Wait(ctx, pause); err != nil {
			return err
		}
		// A database that is away does not end the watch: the call goes on too.
		if c, err = s.Call(ctx, in, id); err != nil && domain.CodeOf(err) != domain.CodeUnavailable {
			return err
		}
	}
}
