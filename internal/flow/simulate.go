package flow

import (
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// maxAnswers bounds how many answers in a row a simulation gives by itself.
const maxAnswers = 1000

// Simulation talks through a graph in text. What a call does with sound,
// providers and time, it answers at once from its functions; one that is nil
// succeeds with nothing.
type Simulation struct {
	Graph *Graph
	State State
	At    time.Time // when everything happens
	Acts  []Act     // all acts so far
	End   domain.EndReason

	Think func(Think) (text string, ok bool)
	Route func(Route) (to string)
	Do    func(Do) (value any, ok bool)
}

// Start answers the call and returns what the agent says.
func (s *Simulation) Start(vars map[string]any) []string {
	s.State = s.Graph.Start(vars)
	return s.Send(Event{Kind: Started})
}

// Hear lets the caller say text, or nothing when it is empty, and returns what
// the agent says.
func (s *Simulation) Hear(text string) []string {
	if text == "" {
		return s.Send(Event{Kind: Silence})
	}
	return s.Send(Event{Kind: Heard, Text: text})
}

// Send lets something happen and returns what the agent says until it waits for
// the caller again.
func (s *Simulation) Send(ev Event) []string {
	var said []string
	for range maxAnswers {
		ev.At = s.At
		var acts []Act
		s.State, acts = s.Graph.Step(s.State, ev)
		s.Acts = append(s.Acts, acts...)
		var answer *Event
		for _, act := range acts {
			switch a := act.(type) {
			case Say:
				said = append(said, a.Text)
			case Think:
				answer = s.thought(a)
				if answer.Text != "" {
					said = append(said, answer.Text)
				}
			case Route:
				answer = &Event{Kind: Routed}
				if s.Route != nil {
					answer.Name = s.Route(a)
				}
			case Do:
				answer = s.done(a)
			case Wait:
				if _, atMachine := s.Graph.bodyOf(s.State.Node).(*voicemail); !atMachine {
					answer = &Event{Kind: Timer}
				}
			case End:
				s.End = a.Reason
			}
		}
		if answer == nil {
			break
		}
		ev = *answer
	}
	return said
}

func (s *Simulation) thought(think Think) *Event {
	ev := &Event{Kind: Thought, OK: true}
	if s.Think != nil {
		ev.Text, ev.OK = s.Think(think)
	}
	return ev
}

func (s *Simulation) done(do Do) *Event {
	ev := &Event{Kind: Done, OK: true}
	if s.Do != nil {
		ev.Value, ev.OK = s.Do(do)
	}
	return ev
}

// bodyOf returns the body of a node, or nil.
func (g *Graph) bodyOf(id string) body {
	if n := g.node(id); n != nil {
		return n.body
	}
	return nil
}
