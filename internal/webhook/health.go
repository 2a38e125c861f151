package webhook

import (
	"context"
	"fmt"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// failingFor is how long an endpoint may fail without one success before it is
// switched off.
const failingFor = 5 * 24 * time.Hour

// judge keeps since when endpoints fail, and switches off those that are gone or
// have failed for too long.
func (w *Worker) judge(ctx context.Context, s *domain.Stores, done []finished) error {
	last := make(map[domain.ID]*finished) // by endpoint; a success outweighs failures
	var ids []domain.ID
	for i := range done {
		f := &done[i]
		if f.Try.Number == 0 {
			continue
		}
		before, seen := last[f.EndpointID]
		if !seen {
			ids = append(ids, f.EndpointID)
		}
		if !seen || before.State != domain.DeliveryDelivered {
			last[f.EndpointID] = f
		}
	}
	since, err := s.Endpoints.FailingSince(ctx, ids...)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := w.judgeOne(ctx, s, last[id], since[id]); err != nil {
			return err
		}
	}
	return nil
}

func (w *Worker) judgeOne(ctx context.Context, s *domain.Stores, f *finished, since time.Time) error {
	in := domain.Scope{Workspace: f.WorkspaceID, Mode: f.Mode}
	switch {
	case f.gone:
		return w.disable(ctx, s, in, f.EndpointID, "it answered 410 (gone)")
	case f.State == domain.DeliveryDelivered && since.IsZero():
		return nil
	case f.State == domain.DeliveryDelivered:
		return s.Endpoints.Failing(ctx, f.EndpointID, time.Time{})
	case since.IsZero():
		return s.Endpoints.Failing(ctx, f.EndpointID, f.Try.At)
	case f.Try.At.Sub(since) >= failingFor:
		return w.disable(ctx, s, in, f.EndpointID, fmt.Sprintf("it has failed for %d days without one success", int(f.Try.At.Sub(since).Hours()/24)))
	}
	return nil
}

func (w *Worker) disable(ctx context.Context, s *domain.Stores, in domain.Scope, id domain.ID, why string) error {
	if w.opts.Disable == nil {
		return nil
	}
	err := w.opts.Disable(ctx, s, in, id, why)
	if domain.CodeOf(err) == domain.CodeNotFound {
		return nil // it was deleted meanwhile
	}
	return err
}
