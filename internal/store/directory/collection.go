// Package directory keeps what a workspace is set up with: the workspaces
// themselves, keys, agents, flows, numbers, trunks and endpoints.
package directory

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store/row"
)

// head is what the rows of all collections begin with.
type head struct {
	ID          domain.ID `bun:",pk"`
	WorkspaceID domain.ID
	Mode        domain.Mode
	Version     int64
	CreatedAt   row.Micros
	UpdatedAt   row.Micros
}

func (h *head) top() *head { return h }

// record is a row of a collection of T.
type record[T any] interface {
	top() *head
	fill(from *T)
	domain() T
}

// rowOf is a pointer to R that is a record of T.
type rowOf[T, R any] interface {
	*R
	record[T]
}

// collection implements domain.Collection for objects T that are kept as rows R.
type collection[T, R any, P rowOf[T, R]] struct {
	db   bun.IDB
	noun string
	seal *row.Seal // of rows that have secrets
	// taken words the conflict when a new or changed object cannot be stored
	// because a value that must be unique exists already.
	taken func(*T) string
}

func newCollection[T, R any, P rowOf[T, R]](db bun.IDB, noun string) *collection[T, R, P] {
	c := &collection[T, R, P]{db: db, noun: noun}
	c.taken = func(obj *T) string {
		r := P(new(R))
		r.fill(obj)
		return fmt.Sprintf("%s with id %s already exists", noun, r.top().ID)
	}
	return c
}

// Create stores a new object.
func (c *collection[T, R, P]) Create(ctx context.Context, obj *T) error {
	r := P(new(R))
	r.fill(obj)
	if err := c.close(r); err != nil {
		return err
	}
	_, err := c.db.NewInsert().Model(r).Exec(ctx)
	if row.Taken(err) {
		return domain.Errorf(domain.CodeConflict, "%s", c.taken(obj))
	}
	return row.Error(err, "create "+c.noun)
}

// Get returns one object.
func (c *collection[T, R, P]) Get(ctx context.Context, in domain.Scope, id domain.ID) (*T, error) {
	r := P(new(R))
	err := row.ToRely(c.db, row.In(c.db.NewSelect().Model(r).Where("id = ?", id), in)).Scan(ctx)
	if err != nil {
		return nil, row.Found(err, domain.NotFound(c.noun, id))
	}
	if err := c.open(r); err != nil {
		return nil, err
	}
	obj := r.domain()
	return &obj, nil
}

// List returns a page of objects, newest first.
func (c *collection[T, R, P]) List(ctx context.Context, in domain.Scope, page domain.Page) ([]T, error) {
	var rows []R
	err := row.Cut(row.In(c.db.NewSelect().Model(&rows), in), page).Scan(ctx)
	if err == nil {
		err = c.openAll(rows)
	}
	return row.Map(rows, func(r *R) T { return P(r).domain() }), row.Error(err, "list "+c.noun)
}

// Count counts the objects of a scope.
func (c *collection[T, R, P]) Count(ctx context.Context, in domain.Scope) (int, error) {
	if err := row.Alone(ctx, c.db, c.noun, string(in.Workspace), string(in.Mode)); err != nil {
		return 0, err
	}
	return row.Count(ctx, row.In(c.db.NewSelect().Model((*R)(nil)), in))
}

// Update stores a new version of an object and sets obj to what is stored.
func (c *collection[T, R, P]) Update(ctx context.Context, obj *T) error {
	r := P(new(R))
	r.fill(obj)
	if err := c.close(r); err != nil {
		return err
	}
	h := r.top()
	in, known := domain.Scope{Workspace: h.WorkspaceID, Mode: h.Mode}, h.Version
	h.Version++
	res, err := row.In(c.db.NewUpdate().Model(r).ExcludeColumn("id", "workspace_id", "mode", "created_at").
		Where("id = ?", h.ID), in).Where("version = ?", known).Exec(ctx)
	switch {
	case row.Taken(err):
		return domain.Errorf(domain.CodeConflict, "%s", c.taken(obj))
	case err != nil:
		return row.Error(err, "update "+c.noun)
	case !row.Changed(res):
		return c.outdated(ctx, in, h.ID, known)
	}
	if err := c.open(r); err != nil {
		return err
	}
	*obj = r.domain()
	return nil
}

// outdated says why an update changed nothing.
func (c *collection[T, R, P]) outdated(ctx context.Context, in domain.Scope, id domain.ID, known int64) error {
	now, err := c.Get(ctx, in, id)
	if err != nil {
		return err
	}
	r := P(new(R))
	r.fill(now)
	return domain.Errorf(domain.CodePrecondition, "%s with id %s is at version %d, not %d: read it again and repeat the change",
		c.noun, id, r.top().Version, known)
}

// Delete removes one object.
func (c *collection[T, R, P]) Delete(ctx context.Context, in domain.Scope, id domain.ID) error {
	res, err := row.In(c.db.NewDelete().Model((*R)(nil)).Where("id = ?", id), in).Exec(ctx)
	if err == nil && !row.Changed(res) {
		return domain.NotFound(c.noun, id)
	}
	return row.Error(err, "delete "+c.noun)
}
