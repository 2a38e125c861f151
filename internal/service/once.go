package service

import (
	"bytes"
	"context"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// Once makes one effect happen once: it carries the Idempotency-Key of the
// request that asks for it. The answer is rendered and stored in the
// transaction of the effect, so that either both are there or neither is. A nil
// Once stores nothing.
type Once[T any] struct {
	OnceKey
	// Render returns the answer that the client gets for result, byte for byte.
	Render func(result *T) (status int, body []byte, err error)
}

// OnceKey names a request that is to have its effect once.
type OnceKey struct {
	KeyID       domain.ID // the API key that sent it
	Key         string    // the header's value
	RequestHash []byte    // SHA-256 of method, path and body
}

// keep stores the answer for result. A key that was used by another request in
// the meantime is CodeConflict, which undoes the effect.
func (o *Once[T]) keep(ctx context.Context, s *domain.Stores, in domain.Scope, now time.Time, result *T) error {
	if o == nil {
		return nil
	}
	status, body, err := o.Render(result)
	if err != nil {
		return err
	}
	return s.Idempotency.Create(ctx, &domain.Idempotent{
		WorkspaceID: in.Workspace, Mode: in.Mode, KeyID: o.KeyID, Key: o.Key,
		RequestHash: o.RequestHash, Status: status, Body: body, CreatedAt: now,
	})
}

// Replay returns the answer that the request named by k got before, or nil when
// it is new. The same key with another request is CodeMismatch.
func (s *Service) Replay(ctx context.Context, in domain.Scope, k OnceKey) (*domain.Idempotent, error) {
	var found *domain.Idempotent
	err := s.store.View(ctx, func(ctx context.Context, st *domain.Stores) error {
		var err error
		found, err = st.Idempotency.Get(ctx, in, k.KeyID, k.Key)
		return err
	})
	switch {
	case domain.CodeOf(err) == domain.CodeNotFound:
		return nil, nil
	case err != nil:
		return nil, err
	case !bytes.Equal(found.RequestHash, k.RequestHash):
		return nil, domain.Errorf(domain.CodeMismatch,
			"this Idempotency-Key was already used for another request; use a new key for each request")
	}
	return found, nil
}

// onceKept is how long an Idempotency-Key is remembered.
const onceKept = 24 * time.Hour

// PruneOnce forgets Idempotency-Keys that are older than a day. It is called
// now and then by whoever keeps house.
func (s *Service) PruneOnce(ctx context.Context) error {
	return s.store.InTx(ctx, domain.LaneBackground, func(ctx context.Context, st *domain.Stores) error {
		return st.Idempotency.Prune(ctx, s.clock().Add(-onceKept))
	})
}

// effect runs do in one transaction for the API and keeps its result for once.
func effect[T any](ctx context.Context, s *Service, in domain.Scope, once *Once[T],
	do func(ctx context.Context, st *domain.Stores) (*T, error)) (*T, error) {
	var result *T
	err := s.store.InTx(ctx, domain.LaneAPI, func(ctx context.Context, st *domain.Stores) error {
		var err error
		if result, err = do(ctx, st); err != nil {
			return err
		}
		return once.keep(ctx, st, in, s.clock(), result)
	})
	if err != nil {
		return nil, err
	}
	return result, nil
}

// view runs get on a snapshot.
func view[T any](ctx context.Context, s *Service, get func(ctx context.Context, st *domain.Stores) (T, error)) (T, error) {
	var result T
	err := s.store.View(ctx, func(ctx context.Context, st *domain.Stores) error {
		var err error
		result, err = get(ctx, st)
		return err
	})
	return result, err
}

// scan calls visit for every row of a collection until it returns an error.
func scan[T any](ctx context.Context, c domain.Collection[T], in domain.Scope, id func(*T) domain.ID, visit func(*T) error) error {
	const batch = 200
	page := domain.Page{Limit: batch}
	for {
		rows, err := c.List(ctx, in, page)
		if err != nil {
			return err
		}
		for i := range rows {
			if err := visit(&rows[i]); err != nil {
				return err
			}
		}
		if len(rows) < batch {
			return nil
		}
		page.After = id(&rows[len(rows)-1])
	}
}

// listed is one page of a collection with the number of all its rows.
func listed[T any](ctx context.Context, s *Service, in domain.Scope, page domain.Page,
	of func(*domain.Stores) domain.Collection[T]) ([]T, int, error) {
	var total int
	rows, err := view(ctx, s, func(ctx context.Context, st *domain.Stores) ([]T, error) {
		var err error
		if total, err = of(st).Count(ctx, in); err != nil {
			return nil, err
		}
		return of(st).List(ctx, in, page)
	})
	return rows, total, err
}

// at refuses a change that was meant for another version than the row has; want
// 0 means any.
func at(want, have int64) error {
	if want != 0 && want != have {
		return domain.Errorf(domain.CodePrecondition,
			"the object was changed since: it is at version %d, not %d; read it again and repeat the change", have, want)
	}
	return nil
}
