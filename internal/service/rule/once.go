package rule

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

// Replay returns the answer that the request named by key got before, or nil when
// it is new. The same key with another request is CodeMismatch.
func (k *Kit) Replay(ctx context.Context, in domain.Scope, key OnceKey) (*domain.Idempotent, error) {
	var found *domain.Idempotent
	err := k.Store.View(ctx, func(ctx context.Context, st *domain.Stores) error {
		var err error
		found, err = st.Idempotency.Get(ctx, in, key.KeyID, key.Key)
		return err
	})
	switch {
	case domain.CodeOf(err) == domain.CodeNotFound:
		return nil, nil
	case err != nil:
		return nil, err
	case !bytes.Equal(found.RequestHash, key.RequestHash):
		return nil, domain.Errorf(domain.CodeMismatch,
			"this Idempotency-Key was already used for another request; use a new key for each request")
	}
	return found, nil
}

// onceKept is how long an Idempotency-Key is remembered.
const onceKept = 24 * time.Hour

// PruneOnce forgets Idempotency-Keys that are older than a day. It is called
// now and then by whoever keeps house.
func (k *Kit) PruneOnce(ctx context.Context) error {
	return k.Store.InTx(ctx, domain.LaneBackground, func(ctx context.Context, st *domain.Stores) error {
		return st.Idempotency.Prune(ctx, k.Clock().Add(-onceKept))
	})
}

// Effect runs do in one transaction for the API and keeps its result for once.
func Effect[T any](ctx context.Context, k *Kit, in domain.Scope, once *Once[T],
	do func(ctx context.Context, st *domain.Stores) (*T, error)) (*T, error) {
	var result *T
	err := k.Store.InTx(ctx, domain.LaneAPI, func(ctx context.Context, st *domain.Stores) error {
		var err error
		if result, err = do(ctx, st); err != nil {
			return err
		}
		return once.keep(ctx, st, in, k.Clock(), result)
	})
	if err != nil {
		return nil, err
	}
	return result, nil
}

// View runs get on a snapshot.
func View[T any](ctx context.Context, k *Kit, get func(ctx context.Context, st *domain.Stores) (T, error)) (T, error) {
	var result T
	err := k.Store.View(ctx, func(ctx context.Context, st *domain.Stores) error {
		var err error
		result, err = get(ctx, st)
		return err
	})
	return result, err
}

// Scan calls visit for every row of a collection until it returns an error.
func Scan[T any](ctx context.Context, c domain.Collection[T], in domain.Scope, id func(*T) domain.ID, visit func(*T) error) error {
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

// Listed is one page of a collection with the number of all its rows.
func Listed[T any](ctx context.Context, k *Kit, in domain.Scope, page domain.Page,
	of func(*domain.Stores) domain.Collection[T]) ([]T, int, error) {
	var total int
	rows, err := View(ctx, k, func(ctx context.Context, st *domain.Stores) ([]T, error) {
		var err error
		if total, err = of(st).Count(ctx, in); err != nil {
			return nil, err
		}
		return of(st).List(ctx, in, page)
	})
	return rows, total, err
}

// At refuses a change that was meant for another version than the row has; want
// 0 means any.
func At(want, have int64) error {
	if want != 0 && want != have {
		return domain.Errorf(domain.CodePrecondition,
			"the object was changed since: it is at version %d, not %d; read it again and repeat the change", have, want)
	}
	return nil
}
