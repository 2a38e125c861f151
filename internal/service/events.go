package service

import (
	"context"
	"slices"

	"github.com/callwright/callwright/internal/domain"
)

// emit stores that something happened to call and, in the same transaction, one
// delivery for each endpoint of its workspace and mode that wants to know. turns
// is the transcript so far.
func (s *Service) emit(ctx context.Context, st *domain.Stores, typ domain.EventType, call *domain.Call, turns []domain.Turn) error {
	in := domain.Scope{Workspace: call.WorkspaceID, Mode: call.Mode}
	ev := &domain.Event{
		ID: domain.NewID(), WorkspaceID: in.Workspace, Mode: in.Mode, Type: typ,
		CallID: call.ID, At: s.clock(), Call: call, Turns: turns,
	}
	if err := st.Events.Append(ctx, ev); err != nil {
		return err
	}
	// Each dialect encodes an event once, however many endpoints speak it.
	bodies := make(map[string][]byte)
	return scan(ctx, st.Endpoints, in, endpointID, func(e *domain.Endpoint) error {
		if !e.Wants(typ) {
			return nil
		}
		body, encoded := bodies[e.Dialect]
		if !encoded {
			body = s.encode(e.Dialect, ev)
			bodies[e.Dialect] = body
		}
		if body == nil {
			return nil
		}
		d := s.delivery(ev, e, body)
		if !e.IsActive {
			// Kept, so that it can be sent when the endpoint is mended.
			d.State, d.Error, d.FinishedAt = domain.DeliveryFailed, "the endpoint is switched off", d.CreatedAt
		}
		return st.Deliveries.Create(ctx, d)
	})
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
	now := s.clock()
	return &domain.Delivery{
		ID: domain.NewID(), WorkspaceID: ev.WorkspaceID, Mode: ev.Mode,
		EventID: ev.ID, EventType: ev.Type, EndpointID: e.ID, CallID: ev.CallID,
		Body: body, State: domain.DeliveryPending, NextAt: now, CreatedAt: now,
	}
}
