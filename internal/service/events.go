package service

import (
	"context"
	"slices"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/rule"
)

// emit announces that something happened to call. turns is the transcript so
// far.
func (s *Service) emit(ctx context.Context, st *domain.Stores, call *domain.Call, turns []domain.Turn, types ...domain.EventType) error {
	events := make([]*domain.Event, len(types))
	for i, typ := range types {
		events[i] = &domain.Event{Type: typ, CallID: call.ID, Call: call, Turns: turns}
	}
	return s.announce(ctx, st, domain.Scope{Workspace: call.WorkspaceID, Mode: call.Mode}, events...)
}

// announceAppointment announces what happened to ev's appointment.
func (s *Service) announceAppointment(ctx context.Context, st *domain.Stores, ev *domain.Event) error {
	return s.announce(ctx, st, domain.Scope{Workspace: ev.Appointment.WorkspaceID, Mode: ev.Appointment.Mode}, ev)
}

// announce stores events, which happened now in the given scope and about the
// same, and, in the same transaction, one delivery for each endpoint there that
// wants to know, and for the own receiver of their call.
func (s *Service) announce(ctx context.Context, st *domain.Stores, in domain.Scope, events ...*domain.Event) error {
	tell := make([]func(e *domain.Endpoint) (*domain.Delivery, error), len(events))
	for i, ev := range events {
		ev.ID, ev.WorkspaceID, ev.Mode, ev.At = domain.NewID(), in.Workspace, in.Mode, s.Clock()
		tell[i] = s.teller(ctx, st, in, ev)
	}
	if err := st.Events.Append(ctx, events...); err != nil {
		return err
	}
	var all []*domain.Delivery
	add := func(e *domain.Endpoint) error {
		for _, one := range tell {
			d, err := one(e)
			if err != nil {
				return err
			}
			if d != nil {
				all = append(all, d)
			}
		}
		return nil
	}
	if call := events[0].Call; call != nil {
		if own := call.CallbackEndpoint(); own != nil {
			if err := add(own); err != nil {
				return err
			}
		}
	}
	if err := rule.Scan(ctx, st.Endpoints, in, endpointID, add); err != nil {
		return err
	}
	return st.Deliveries.Create(ctx, all...)
}

// teller makes the delivery of an event to an endpoint, or none for one that does
// not want to know. Each dialect encodes it once, however many endpoints speak it.
func (s *Service) teller(ctx context.Context, st *domain.Stores, in domain.Scope, ev *domain.Event) func(*domain.Endpoint) (*domain.Delivery, error) {
	bodies := make(map[string][]byte)
	return func(e *domain.Endpoint) (*domain.Delivery, error) {
		if !e.Wants(ev.Type) {
			return nil, nil //nolint:nilnil // there is none, which is no error
		}
		body, encoded := bodies[e.Dialect]
		if !encoded {
			if err := withParties(ctx, st, in, ev); err != nil {
				return nil, err
			}
			body = s.encode(e.Dialect, ev)
			bodies[e.Dialect] = body
		}
		if body == nil {
			return nil, nil //nolint:nilnil // nor here
		}
		d := s.delivery(ev, e, body)
		if !e.IsActive {
			// Kept, so that it can be sent when the endpoint is mended.
			d.State, d.Error, d.FinishedAt = domain.DeliveryFailed, "the endpoint is switched off", d.CreatedAt
		}
		return d, nil
	}
}

// withParties adds who speaks in ev's call.
func withParties(ctx context.Context, st *domain.Stores, in domain.Scope, ev *domain.Event) error {
	if ev.Call == nil || ev.Agent != nil || ev.Contact != nil {
		return nil
	}
	agents, contacts := make(map[domain.ID]*domain.Agent), make(map[domain.ID]*domain.Contact)
	if err := meet(ctx, in, ev.Call.AgentID, agents, st.Agents.Get); err != nil {
		return err
	}
	if err := meet(ctx, in, ev.Call.ContactID, contacts, st.Contacts.Get); err != nil {
		return err
	}
	ev.Agent, ev.Contact = agents[ev.Call.AgentID], contacts[ev.Call.ContactID]
	return nil
}

// encode returns the payload of ev in a dialect, or nil when the dialect does
// not know such events.
func (s *Service) encode(dialect string, ev *domain.Event) []byte {
	hooks, ok := s.hooks[dialect]
	if !ok {
		return nil
	}
	body, known := hooks.Encode(ev)
	if !known {
		return nil
	}
	return slices.Clip(body)
}

// delivery is ev on its way to e, due at once.
func (s *Service) delivery(ev *domain.Event, e *domain.Endpoint, body []byte) *domain.Delivery {
	now := s.Clock()
	return &domain.Delivery{
		ID: domain.NewID(), WorkspaceID: ev.WorkspaceID, Mode: ev.Mode,
		EventID: ev.ID, EventType: ev.Type, EndpointID: e.ID, CallID: ev.CallID, AboutID: ev.About(),
		Body: body, State: domain.DeliveryPending, NextAt: now, CreatedAt: now,
	}
}
